"""`ggn export`: a saved model for another program, the format by the file's suffix."""

from __future__ import annotations

import argparse

from ggn.command.saved_model import add_model, load_any
from ggn.export.c_source import to_c
from ggn.export.onnx_file import to_onnx
from ggn.io.files import replacing
from ggn.recurrent import NARXModel, Simulator

__all__ = ["add", "run"]

EXPORT = """\
Write a trained network as an ONNX file (float64) or as a C function,
ggn_model_predict(x, y), of one sample; both take and give the units of the
data. Of a model of classes they also give probabilities and the likeliest
label; of one of train --bayesian the standard deviations of new targets, as
the output Y_std or by ggn_model_deviation(x, s). Of a model of series C has a
function that simulates, ggn_model_simulate, and ONNX the one-step map."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = EXPORT
    parser.set_defaults(run=run)
    add_model(parser)
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT.onnx|OUT.c", help="file to write"
    )


def run(args: argparse.Namespace) -> int:
    """Write the model to a file that ends in .onnx or .c.

    Raises
    ------
    ValueError, OSError
        For files that cannot be used, or a format that needs what is not installed.
    """
    path: str = args.output
    model = load_any(args, output=path)
    if isinstance(model, Simulator) and path.endswith(".onnx"):
        raise ValueError(f"--output must end in .c for a state-space model, got {path!r}")
    if not isinstance(model, Simulator) and path.endswith(".onnx"):
        try:
            to_onnx(model.model if isinstance(model, NARXModel) else model, path)
        except ImportError as error:
            raise ValueError(str(error)) from error
    elif path.endswith(".c"):
        text = to_c(model)
        with replacing(path) as stream:
            stream.write(text.encode())
    else:
        raise ValueError(f"--output must end in .onnx or .c, got {path!r}")
    return 0

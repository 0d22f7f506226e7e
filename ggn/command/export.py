"""The command `export`: a saved model for another program, the format by the file's suffix."""

from __future__ import annotations

from ggn.export.c_source import to_c
from ggn.export.onnx_file import to_onnx
from ggn.io import Model
from ggn.io.files import replacing

__all__ = ["export_model"]


def export_model(model: Model, path: str) -> None:
    """Write a model to a file that ends in .onnx or .c."""
    if path.endswith(".onnx"):
        try:
            to_onnx(model, path)
        except ImportError as error:
            raise ValueError(str(error)) from error
    elif path.endswith(".c"):
        text = to_c(model)
        with replacing(path) as stream:
            stream.write(text.encode())
    else:
        raise ValueError(f"--output must end in .onnx or .c, got {path!r}")

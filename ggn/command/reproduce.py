"""`ggn reproduce`: the paper's experiments from the command line."""

from __future__ import annotations

import argparse
import sys

from ggn.validation import integer

__all__ = ["reproduce_paper"]


def reproduce_paper(args: argparse.Namespace) -> int:
    """Run the experiments that the options name, and return the exit status.

    Raises
    ------
    ValueError, OSError
        For options or a folder that cannot be used, or without the extra `paper`.
    """
    seed = integer("--seed", args.seed, 0)
    try:
        import joblib  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f"reproduce needs {error.name}: pip install ggn[paper] brings what it needs"
        ) from error
    # only now: importing it takes as long as many a command runs
    from ggn.paper.reproduce import reproduce

    try:
        path = reproduce(args.experiment, args.out, seed, args.quick, stream=sys.stderr)
    except KeyboardInterrupt:
        if sys.stderr is not None:
            print("ggn: interrupted; the same command goes on from here", file=sys.stderr)
        raise
    print(path)
    return 0

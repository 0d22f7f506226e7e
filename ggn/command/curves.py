"""How each part of the rows did while training went on, and the picture of that, --plot."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from ggn.io.files import check_writable, replacing

__all__ = ["Curves", "check_plot"]

FORMATS = ("png", "svg", "pdf")


def check_plot(args: argparse.Namespace) -> None:
    """Check the file, and that there is what draws it, before anything is trained."""
    if args.plot is None:
        return
    if args.plot.rpartition(".")[2] not in FORMATS:
        raise ValueError(f"--plot must end in .png, .svg or .pdf, got {args.plot!r}")
    check_writable(args.plot)
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ValueError("--plot needs matplotlib: pip install ggn[plot]") from error


class Curves:
    """A callback that measures each part after each step; restarts come one after another.

    Parameters
    ----------
    measures : dict of str to callable
        What each part is called, and its error for weights.
    """

    def __init__(self, measures: dict[str, Callable[[np.ndarray], float]]) -> None:
        self.measures = measures
        self.runs: list[dict[str, list[float]]] = []

    def begin(self) -> None:
        """Begin another run."""
        self.runs.append({name: [] for name in self.measures})

    def __call__(self, intermediate_result: Any) -> None:
        """Measure the iterate."""
        for name, measure in self.measures.items():
            self.runs[-1][name].append(measure(intermediate_result.w))

    def save(self, path: str, run: int, ylabel: str, kept: int | None) -> None:
        """Write the picture of one run; kept is the iterate kept, if not the last.

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is left intact.
        """
        from ggn.plot.style import COLOURS, LINES, figure

        with figure() as (picture, axes):
            ax = axes[0, 0]
            for i, (name, values) in enumerate(self.runs[run].items()):
                ax.plot(np.arange(1, len(values) + 1), values, label=name,
                        color=COLOURS[i], linestyle=LINES[i])  # fmt: skip
            if kept is not None:
                ax.axvline(kept, color="0.5", linestyle=":", label=f"kept, iteration {kept}")
            if any(value > 0.0 for values in self.runs[run].values() for value in values):
                ax.set_yscale("log", nonpositive="mask")
            ax.set(xlabel="iteration", ylabel=ylabel)
            ax.legend()
            with replacing(path) as stream:
                picture.savefig(stream, format=path.rpartition(".")[2])

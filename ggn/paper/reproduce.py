"""All experiments, in the paper's order, from a seed to a folder with a report."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import scipy

from ggn.io.files import FilePath, check_writable
from ggn.paper import (
    baselines,
    baselines_shown,
    fig1a,
    fig1b,
    fig1c,
    fig1c_shown,
    report,
    xor,
    xor_shown,
)
from ggn.paper.pieces import Pieces
from ggn.validation import integer, unknown_name

__all__ = ["EXPERIMENTS", "Experiment", "reproduce"]


@dataclass(frozen=True)
class Experiment:
    """A function that returns data, two that show it, and its sizes, in full and quick."""

    run: Callable[..., Any]
    draw: Callable[[Any], Any]
    section: Callable[[Any], Any]
    full: dict[str, int]
    quick: dict[str, int]


EXPERIMENTS = {
    "xor": Experiment(
        xor.experiment,
        xor_shown.draw,
        xor_shown.section,
        {"starts": 500, "followed": 100},
        {"starts": 50, "followed": 25},
    ),
    "fig1a": Experiment(fig1a.experiment, fig1a.draw, fig1a.section, {"runs": 100}, {"runs": 20}),
    "fig1b": Experiment(fig1b.experiment, fig1b.draw, fig1b.section, {"runs": 100}, {"runs": 20}),
    "fig1c": Experiment(
        fig1c.experiment,
        fig1c_shown.draw,
        fig1c_shown.section,
        {"runs": 5, "iterations": 1000, "draws": 2, "bp_iterations": 20760},
        {"runs": 1, "iterations": 600, "draws": 1, "bp_iterations": 4000},
    ),
    "baselines": Experiment(
        baselines.experiment,
        baselines_shown.draw,
        baselines_shown.section,
        {"runs": 3, "iterations": 200},
        {"runs": 1, "iterations": 60},
    ),
}


def reproduce(
    name: str,
    out: FilePath,
    seed: int = 0,
    quick: bool = False,
    jobs: int = -1,
    stream: TextIO | None = None,
) -> Path:
    """Run one experiment or all, and write pictures, tables and report.md.

    Parameters
    ----------
    name : str
        "xor", "fig1a", "fig1b", "fig1c", "baselines" or "all".
    out : path
        A folder, made if need be.  Finished pieces are kept in its folder `pieces`, so
        the same call goes on where an interrupted one stopped.
    seed : int, default 0
    quick : bool, default False
        Fewer runs.
    jobs : int, default -1
        Processes; -1 takes all cores.
    stream : text stream, optional
        For progress.

    Returns
    -------
    Path
        Of report.md, which has a section for every experiment that the folder holds.

    Raises
    ------
    ValueError
        For an unknown name, or a folder with results of other settings.
    OSError
        If the folder cannot be written.
    ImportError
        Without matplotlib or joblib.
    """
    if name != "all" and name not in EXPERIMENTS:
        raise unknown_name("experiment", name, [*EXPERIMENTS, "all"])
    seed = integer("seed", seed, 0)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    check_writable(folder / "report.md")
    settings = {"seed": seed, "quick": bool(quick), **_versions()}
    pieces = Pieces(folder / "pieces", settings, jobs, stream)
    for each in EXPERIMENTS if name == "all" else [name]:
        started = time.monotonic()
        experiment = EXPERIMENTS[each]
        data = experiment.run(pieces, seed, **(experiment.quick if quick else experiment.full))
        section, picture = experiment.section(data), experiment.draw(data)
        report.write(folder, folder / "pieces", each, section, picture)
        command = f"python -m ggn reproduce all --seed {seed}{' --quick' if quick else ''} --out"
        report.assemble(
            folder,
            folder / "pieces",
            list(EXPERIMENTS),
            _settings_text(settings),
            f"{command} {folder}",
        )
        if stream is not None:
            print(f"{each}: written, {time.monotonic() - started:.0f} s in all", file=stream)
    return folder / "report.md"


def _versions() -> dict[str, str]:
    """Return what else decides the last digits."""
    return {"code": _code(), "numpy": np.__version__, "scipy": scipy.__version__}


def _code() -> str:
    """Return a fingerprint of the library, but for how experiments are run and shown."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        room = path.relative_to(root).parts[0]
        if path.suffix in {".py", ".so", ".pyd"} and room not in {"paper", "plot"}:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _settings_text(settings: dict[str, Any]) -> str:
    size = "quick (fewer runs)" if settings["quick"] else "full size"
    return (
        f"Seed {settings['seed']}, {size}; ggn {settings['code']} (a fingerprint of its code), "
        f"NumPy {settings['numpy']}, SciPy {settings['scipy']}, {os.cpu_count()} processors"
    )

"""Training from several random starts: the loss surface has more than one minimum.

Runs are independent, so they share the cores of the machine where joblib is
installed; each has one BLAS thread and a random stream of its own, so results
do not depend on how they were shared out.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ggn._core.machine import FIT_BYTES, check_room, done
from ggn.fit.early import ended, on_one_thread, or_lost, until_interrupted
from ggn.fit.many import run_stack
from ggn.fit.result import TrainResult, interrupted
from ggn.fit.start import DEFAULT, STARTS
from ggn.fit.train import train
from ggn.linearization import Source
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import LARGEST, ArgumentError, describe, generator, integer, spelled

__all__ = ["LossLevel", "Restarts", "processes", "run_restarts", "train_restarts"]


class LossLevel(NamedTuple):
    """End losses that agree: the least of them, and how many runs have one."""

    loss: float
    runs: int


@dataclass(frozen=True)
class Restarts:
    """Independent runs on one problem; prints as a table of the losses they ended at.

    Attributes
    ----------
    runs : tuple of TrainResult
        In the order of their random streams.
    """

    runs: tuple[TrainResult, ...]

    @property
    def losses(self) -> np.ndarray:
        """J at the end of each run, (n_restarts,)."""
        return np.array([run.fun for run in self.runs])

    @property
    def best(self) -> TrainResult:
        """The run of least J, or validation loss if there is one, the first of several."""
        return min(self.runs, key=_merit)

    def predict(self, X: Any) -> np.ndarray:
        """Return the outputs (T, nL) of the best run for inputs X (T, n0)."""
        return self.best.predict(X)

    def levels(self, rtol: float = 1e-6) -> list[LossLevel]:
        """Return the distinct losses that runs converged to, least first.

        Losses within rtol of the least of them count as one, and so do those below
        the rounding of the loss at the start.  Minima that only have their loss in
        common are not told apart (`ggn.surface.Symmetry` can); runs that did not
        converge are left out.

        Parameters
        ----------
        rtol : float, default 1e-6

        Returns
        -------
        list of LossLevel
        """
        ended = sorted((float(r.fun), float(r.history.loss[0])) for r in self.runs if r.success)
        levels: list[LossLevel] = []
        for J, start in ended:
            rounding = float(np.finfo(np.float64).eps) * abs(start)
            if levels and J - levels[-1].loss <= rtol * abs(levels[-1].loss) + rounding:
                levels[-1] = LossLevel(levels[-1].loss, levels[-1].runs + 1)
            else:
                levels.append(LossLevel(J, 1))
        return levels

    def __str__(self) -> str:
        levels, losses = self.levels(), self.losses
        converged = sum(level.runs for level in levels)
        lines = [
            f"{len(losses)} runs, {converged} converged to {len(levels)} distinct losses",
            f"loss at the end: least {losses.min():.6g}, median {np.median(losses):.6g}, "
            f"greatest {losses.max():.6g}",
        ]
        if levels:
            lines.append(f"{'loss':<14}{'runs':>6}")
            lines += [f"{level.loss:<14.7g}{level.runs:>6}" for level in levels[:10]]
        if len(levels) > 10:
            lines.append(f"... and {len(levels) - 10} more")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Restarts({len(self.runs)} runs, least loss {self.losses.min():.6g})"


def _merit(run: TrainResult) -> float:
    """Return what the best run has least of."""
    return float(run.validation_losses[run.kept] if "kept" in run else run.fun)


def train_restarts(
    net: MLP,
    X: Any,
    Y: Any = None,
    loss: str | Loss = "squared",
    *,
    rng: int | np.random.Generator | None = 0,
    n_restarts: int = 10,
    n_jobs: int | None = None,
    scheme: str = DEFAULT,
    **options: Any,
) -> Restarts:
    """Train from several random initial weights.

    Parameters
    ----------
    net : MLP
    X : array_like, (T, n0), or Chunks
    Y : array_like, (T, nL)
        Left out with chunks, which have it.
    loss : str or Loss, default "squared"
    rng : int, Generator or None, default 0
        Where the runs' random streams come from.
    n_restarts : int, default 10
        Number of runs.
    n_jobs : int, optional
        Processes to run in, -1 for one per core; needs joblib.  By default one,
        or what `joblib.parallel_config` says.  The result does not depend on it.
    scheme : {"nguyen_widrow", "normal", "uniform", "fan_in"}, default "nguyen_widrow"
        Of the initial weights, see `ggn.train`.
    **options
        For `ggn.train`: step, damping, max_iter, tol, l2, sample_weight, ...; each run has
        max_iter and max_seconds for itself.

    Returns
    -------
    Restarts
        With .best, .losses, .levels() and .runs; print it for a table.

    Raises
    ------
    ValueError
        As `ggn.train` does, or for n_jobs other than 1 without joblib.

    Notes
    -----
    Ctrl-C ends the run that is under way and returns those so far; with several
    processes it ends them all and is raised again.  Where the samples of `Chunks` are lost, the
    runs that ended before are returned, and the one under way if it has taken a step, with
    `Status.LOST <Status>`.

    Examples
    --------
    >>> import ggn
    >>> X, Y = [[-1, -1], [-1, 1], [1, -1], [1, 1]], [-1, 1, 1, -1]
    >>> found = ggn.train_restarts(ggn.MLP((2, 2, 1)), X, Y, n_restarts=4)
    >>> len(found.losses), bool(found.best.fun == found.losses.min())
    (4, True)
    """
    if "w0" in options:
        raise ArgumentError(
            "w0",
            "must be left out, for each run starts from weights of its own: see ggn.train; "
            f"got {describe(options['w0'])}",
        )
    scheme = spelled("scheme", scheme, STARTS)
    n_restarts = check_room("n_restarts", integer("n_restarts", n_restarts, 1), FIT_BYTES)
    known = inspect.signature(run_stack).parameters
    beyond = {name for name, value in options.items() if name not in known and value is not None}
    if processes(n_jobs) == 1 and not beyond and not isinstance(X, Source):
        options = {name: value for name, value in options.items() if name in known}
        several: dict[str, Any] = {
            "w0": scheme,
            "rng": rng,
            "n_fits": n_restarts,
            "only_compiled": True,
        }
        runs = run_stack(net, X, Y, loss, **several, **options)
        if runs is not None:
            done_with = tuple(run for run in runs if run is not None)
            if not done_with:
                raise KeyboardInterrupt  # before any was done
            if len(done_with) < len(runs):
                interrupted(done_with[-1])  # after which there were to be more
            return Restarts(done_with)
    run = functools.partial(_train, net, X, Y, loss, scheme, options)
    return Restarts(tuple(run_restarts(run, n_restarts, rng, n_jobs)))


def _train(
    net: MLP,
    X: Any,
    Y: Any,
    loss: str | Loss,
    scheme: str,
    options: dict[str, Any],
    rng: np.random.Generator,
) -> TrainResult:
    return train(net, X, Y, loss, w0=scheme, rng=rng, **options)


def run_restarts(
    run: Callable[[np.random.Generator], TrainResult],
    n_restarts: int,
    rng: int | np.random.Generator | None = 0,
    n_jobs: int | None = None,
    together: Callable[..., list[TrainResult]] | None = None,
) -> list[TrainResult]:
    """Return run(stream) for n_restarts random streams; see `train_restarts`.

    together(run, streams) says how, where it is not one after the other, nor by processes.
    """
    n_restarts = check_room("n_restarts", integer("n_restarts", n_restarts, 1), FIT_BYTES)
    streams = generator(rng).spawn(n_restarts)
    if together is not None:
        return together(functools.partial(on_one_thread, run), streams)
    if min(processes(n_jobs), len(streams)) == 1:
        return until_interrupted(run, streams)
    joblib = done(_joblib)
    jobs = (joblib.delayed(or_lost)(run, stream) for stream in streams)
    return ended(list(joblib.Parallel(n_jobs=n_jobs)(jobs)))


def _joblib() -> Any:
    import joblib

    return joblib


def processes(n_jobs: int | None) -> int:
    """Return in how many processes to run."""
    if n_jobs is not None and integer("n_jobs", n_jobs, -LARGEST) == 0:
        raise ArgumentError("n_jobs", "must be a number of processes, or -1 for all cores, got 0")
    try:
        joblib = done(_joblib)
    except ImportError:
        if n_jobs not in (None, 1):
            raise ValueError(
                f"n_jobs must be 1 where joblib is not installed, got {n_jobs}"
            ) from None
        return 1
    count: int = joblib.effective_n_jobs(n_jobs)
    return count

"""Many fits of one network at once: a stack of data sets, of starts, or of both.

Fits are independent, and each is what `ggn.train` makes of its data.  Small ones run without
Python (`ggn.fit.compiled`), several on several threads; a fit runs on one thread, and so has the
same bits for any number of them.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ggn import damping as dampings
from ggn._core.machine import limited, memory_limit, number_of_threads, share, threads
from ggn.damping import Damping
from ggn.fit import compiled
from ggn.fit.class_targets import hint_of_classes
from ggn.fit.limits import Limits
from ggn.fit.method import choose_method, steered
from ggn.fit.result import Status, TrainResult, pass_on_interrupt
from ggn.fit.stack import Stack
from ggn.fit.start import nearness
from ggn.fit.train import minimise
from ggn.fit.units import Units, choose_units
from ggn.io.columns import by_name, of_data
from ggn.losses import Loss, resolve
from ggn.network import MLP
from ggn.steps import Step
from ggn.validation import ArgumentError, float_array, generator

__all__ = ["Fits", "run_stack", "train_many"]

AT_ONCE = 16  # fits that a thread takes


class Fits:
    """A stack of B fits; ``fits[i]`` is the `TrainResult` of one, and `len` says how many.

    Attributes
    ----------
    w : ndarray, (B, N)
    fun : ndarray, (B,)
        J at the end of each.
    jac : ndarray, (B, N)
        ∇J there.
    success : ndarray of bool, (B,)
    status : list of Status
    message : list of str
    nit, nfev, njev : ndarray of int, (B,)
        Steps taken, evaluations of J, linearizations.
    """

    def __init__(self, runs: Sequence[TrainResult]) -> None:
        self._runs = tuple(runs)
        self.w, self.jac = np.stack([run.w for run in runs]), np.stack([run.jac for run in runs])
        self.fun, self.success = self._all("fun"), self._all("success")
        self.nit, self.nfev, self.njev = self._all("nit"), self._all("nfev"), self._all("njev")
        self.status = [run.status for run in runs]
        self.message = [run.message for run in runs]
        for run, w, jac in zip(runs, self.w, self.jac, strict=True):
            run.update(w=w, x=w, jac=jac)  # views: nothing is kept twice

    def _all(self, name: str) -> np.ndarray:
        return np.array([run[name] for run in self._runs])

    @property
    def best(self) -> TrainResult:
        """The fit of least J, the first of them if several have it."""
        return min(self._runs, key=lambda run: float(run.fun))

    def predict(self, X: Any) -> np.ndarray:
        """Return the outputs of all fits, (B, T, nL).

        Parameters
        ----------
        X : array_like, (B, T, n0), or (T, n0) for all fits

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers.
        """
        named = self._runs[0].get("input_names") or ()
        X = float_array("X", by_name(X, named), (1, 2, 3))
        each = X if X.ndim == 3 else [X] * len(self)
        if len(each) != len(self):
            raise ArgumentError(
                "X", f"must say as many fits as there are, {len(self)}, got {len(each)}"
            )
        return np.stack([run.predict(x) for run, x in zip(self, each, strict=True)])

    def __getitem__(self, i: int) -> TrainResult:
        return self._runs[i]

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[TrainResult]:
        return iter(self._runs)

    def __repr__(self) -> str:
        range_of_fun = f"{self.fun.min():.3g} to {self.fun.max():.3g}"
        return f"Fits({len(self)} fits, {int(self.success.sum())} converged; fun {range_of_fun})"


def train_many(
    net: MLP,
    X: Any,
    Y: Any = None,
    loss: str | Loss = "squared",
    *,
    w0: Any = None,
    step: str | Step = "auto",
    damping: str | Damping = "levenberg_marquardt",
    rng: int | np.random.Generator | None = 0,
    max_iter: int = 1000,
    tol: float = 1e-12,
    l2: Any = 0.0,
    sample_weight: Any = None,
    loss_target: float | None = None,
    max_seconds: float = math.inf,
    max_memory: float | None = None,
    escape_saddles: bool = False,
    curvature: str | None = None,
    n_fits: int | None = None,
) -> Fits:
    """Train one network on each of many data sets, or from each of many starts.

    Small fits run compiled, several at once.

    Parameters
    ----------
    net : MLP
    X : array_like, (B, T, n0), or (T, n0) for all fits
    Y : array_like, (B, T, nL), or (T, nL) for all fits
        Without the last axis where nL = 1: (B, T).
    loss : str or Loss, default "squared"
    w0 : array_like, (B, N) or (N,), or str, default "nguyen_widrow"
        Initial weights of each fit, of all, or how to draw them, see `ggn.train`.
    step, damping
        As in `ggn.train`.
    rng : int, Generator or None, default 0
        Where the random streams of the fits come from, one for each.
    max_iter, tol, l2
        As in `ggn.train`.
    sample_weight : array_like, (B, T), or (T,) for all fits, optional
    loss_target, max_seconds
        As in `ggn.train`, for each fit by itself.
    max_memory : float, optional
        Bytes for the matrices of all fits that run at once; by default half of the machine's.
    escape_saddles, curvature
        As in `ggn.train`.
    n_fits : int, optional
        B, where neither data nor weights say it.

    Returns
    -------
    Fits
        A stack: w (B, N), fun (B,), success, status, message, nit, ...; ``fits[i]`` is what
        ``ggn.train(net, X[i], Y[i], rng=stream)`` returns, stream being
        ``np.random.default_rng(rng).spawn(B)[i]``.

    Raises
    ------
    ValueError
        For what `ggn.train` raises it for, and stacks of different sizes.

    Notes
    -----
    What runs compiled: Levenberg-Marquardt with the steps "primal" or "dual", built-in
    activations and losses, and sizes for which that matters.  All else is a loop over
    `ggn.train`, with the same results.

    Ctrl-C ends all fits; there is no result then.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> x = np.linspace(-1.0, 1.0, 30)
    >>> Y = np.stack([np.sin(k * x) for k in (1.0, 2.0, 3.0)])
    >>> fits = ggn.train_many(ggn.MLP((1, 6, 1)), x[:, np.newaxis], Y)
    >>> fits.w.shape, bool((fits.fun < 1e-8).all())
    ((3, 19), True)
    """
    runs = run_stack(
        net, X, Y, loss, w0=w0, step=step, damping=damping, rng=rng, max_iter=max_iter, tol=tol,
        l2=l2, sample_weight=sample_weight, loss_target=loss_target, max_seconds=max_seconds,
        max_memory=max_memory, escape_saddles=escape_saddles, curvature=curvature, n_fits=n_fits,
    )  # fmt: skip
    assert runs is not None
    done = [run for run in runs if run is not None and run.status is not Status.INTERRUPTED]
    if len(done) < len(runs):
        raise KeyboardInterrupt
    return Fits(done)


def run_stack(
    net: MLP,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    w0: Any = None,
    step: str | Step = "auto",
    damping: str | Damping = "levenberg_marquardt",
    rng: int | np.random.Generator | None = 0,
    max_iter: int = 1000,
    tol: float = 1e-12,
    l2: Any = 0.0,
    sample_weight: Any = None,
    loss_target: float | None = None,
    max_seconds: float = math.inf,
    max_memory: float | None = None,
    escape_saddles: bool = False,
    curvature: str | None = None,
    n_fits: int | None = None,
    only_compiled: bool = False,
) -> list[TrainResult | None] | None:
    """Return what `train_many` stacks, None for fits that Ctrl-C left out.

    Only compiled: None in place of all where they would not be.
    """
    rules, source = dampings.resolve(damping), generator(rng)
    limits = Limits(max_iter, tol, loss_target, max_seconds, None)
    stack = Stack(net, X, Y, sample_weight, w0, n_fits)
    objective = stack.first(steered(loss, rules, curvature), l2)
    hint_of_classes(net, objective.T * net.n_outputs, objective.of_zeros_and_ones, loss)
    method = choose_method(objective, step, rules, limits, max_memory, escape_saddles)
    small = compiled.suits(objective, method.step, rules)
    if only_compiled and not small:
        return None

    def units(i: int) -> Units:
        near = nearness(stack.start(i))
        return choose_units(stack.objective(objective, i), method.step, rules, max_memory, near)

    common = units(0) if stack.one_data_set else None
    runs: list[TrainResult | None] = [None] * stack.size
    streams, given = source.spawn(stack.size), resolve(loss)
    named = of_data(X, Y)

    def work(lane: int, stopped: Callable[[], bool]) -> None:
        for i in range(lane * AT_ONCE, min((lane + 1) * AT_ONCE, len(runs))):
            if stopped():
                return
            run = minimise(method, common or units(i), streams[i], stack.start(i))
            run.update(loss=given, **named)
            runs[i] = run
            pass_on_interrupt(run)

    count = number_of_threads()
    if small:
        each = compiled.memory_size(objective, method.step)
        count = max(min(count, int(memory_limit(max_memory) // each)), 1)
    with contextlib.suppress(KeyboardInterrupt), limited(), threads(count):
        share(-(-len(runs) // AT_ONCE), work, alone=not small)
    return runs

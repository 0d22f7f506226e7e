"""Approximate a function of one to three variables to nearly machine precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ggn._core.machine import limited
from ggn.activations import Activation, Gaussian, Sine, Tanh, resolve
from ggn.fit.approximation import Approximation, reason
from ggn.fit.construction import Construction
from ggn.fit.limits import time_limit
from ggn.fit.spread import Kind
from ggn.fit.target import target_of
from ggn.io.model import Model
from ggn.validation import generator, integer, number

__all__ = ["approximate"]

MOST_UNITS = {1: 2000, 2: 4000, 3: 4000}
FRESH = {1: 10_000, 2: 20_000, 3: 30_000}


def approximate(
    f: Callable[..., Any] | tuple[Any, Any],
    *others: Any,
    rng: int | np.random.Generator | None = 0,
    tol: float = 1e-12,
    max_seconds: float = 60.0,
    bounds: Any = None,
    max_units: int | None = None,
    activation: str | Activation = "auto",
) -> Approximation:
    """Approximate a smooth function on a box by a network with one hidden layer.

    Units, start, number of hidden units and stages are chosen; each stage fits what those
    before have left, in units of its own, and all are one network.

    Parameters
    ----------
    f : callable, or a pair (X, Y)
        f(x), f(x, y) or f(x, y, z) of arrays (T,), one per variable, returning (T,); a
        function of plain numbers is called point by point.  It is called at 20,000 to 50,000
        points.  Or samples: X (T, n0), n0 up to 3, and Y (T,), at least 20 of them,
        of which every fifth is kept back to decide by and to measure the error on.  Noisy data
        are for `ggn.train`.
    *others
        Nothing: all else is by name.
    rng : int, Generator or None, default 0
        Where units and points come from.
    tol : float, default 1e-12
        Largest error aimed at, relative to half the range of f on the box.
    max_seconds : float, default 60
        Begin nothing that is expected to end later.
    bounds : pair, or list of pairs (low, high), one per variable
        The box.  Of samples, by default the smallest that holds them.
    max_units : int, optional
        Most hidden units; by default 2000 for one variable, 4000 for two and three.  Where
        they are few (up to 400 weights) and short of tol, all weights are trained together.
    activation : str or Activation, default "auto"
        By default the best of tanh, gaussian and sine in first trials.

    Returns
    -------
    Approximation
        With .model, .net, .w, .error, .converged, .message, .stages and .predict; print it
        for a report.

    Raises
    ------
    ValueError
        For a function that cannot be called so or is not finite in the box, bounds that are
        no box, samples of wrong shapes, too few or not finite, or wrong ranges.

    Notes
    -----
    The hidden units of a stage are spread over the box, their outer weights solve a
    least-squares problem by QR with pivots, and their slopes are chosen by the error at
    points between the nodes.  In one variable a second or two suffice for most smooth
    functions, in two and three up to a minute.  A kink, a jump or a pole on the border makes
    the error fall only slowly: `converged` is False, and `message` says so.

    Ctrl-C ends the search with what there is.

    References
    ----------
    Wang & Lai (2023), Multi-stage neural networks: function approximator of machine
    precision, arXiv 2307.08934; Nguyen & Widrow (1990), Improving the learning speed of
    2-layer neural networks by choosing initial values of the adaptive weights;
    Adcock & Huybrechs (2019), Frames and numerical approximation.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> found = ggn.approximate(lambda x: np.exp(-x**2) * np.cos(2 * np.pi * x), bounds=(-2, 2))
    >>> found.converged, bool(found.error < 1e-12)
    (True, True)
    >>> bool(abs(found(0.5) + np.exp(-0.25)) < 1e-12)
    True
    """
    if others:
        got = f"got {len(others) + 1} arguments by place"
        if callable(f):
            raise ValueError(f"bounds must be given by name, bounds=(-1, 1), {got}")
        raise ValueError(
            f"f must be a function, or one pair (X, Y) of samples of a smooth one, {got}; "
            "ggn.train trains a network on X and Y"
        )
    source = generator(rng)
    tol = number("tol", tol, 0.0)
    seconds = time_limit(max_seconds)
    named = None if isinstance(activation, str) and activation == "auto" else resolve(activation)
    if max_units is not None:
        max_units = integer("max_units", max_units, 1)
    target = target_of(f, bounds, source)
    units = MOST_UNITS[target.d] if max_units is None else max_units
    built = Construction(target, _kinds(target.d, named), tol, units, seconds, source)
    with limited():  # QR with pivots gains little from threads, and loses much on busy cores
        stop = built.run()

    net, w = built.sum.network
    y_middle, y_half = [target.y_middle], [target.y_half]
    model = Model(net, w, None, None, target.x_middle, target.x_half, y_middle, y_half)
    X, y = target.fresh(FRESH[target.d], source)
    errors = np.abs(model.predict(X)[:, 0] - y) / target.y_half
    i = int(errors.argmax())
    worst, error = tuple(map(float, X[i])), float(errors[i])
    reached = error <= tol
    at = ", ".join(f"{x:.6g}" for x in worst)
    message = (
        "The largest error found between the nodes is within tol."
        if reached
        else reason(built, stop, error, at)
    )
    return Approximation(
        model, error, worst, len(y), tol, reached, message, built.sum.stages, built.seconds,
        target.evaluations,
    )  # fmt: skip


def _kinds(d: int, named: Activation | None) -> list[Kind]:
    """Return the ways to spread units that are tried first."""
    activations = [Tanh(), Gaussian(), Sine()] if named is None else [named]
    kinds = [Kind(activation) for activation in activations]
    if d == 1:
        kinds += [Kind(a, steep=True) for a in activations if not isinstance(a, Sine)]
    return kinds

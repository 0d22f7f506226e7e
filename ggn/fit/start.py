"""Where training starts by default: weights that suit the data, whatever units it is in.

Of two draws that differ in how steep hidden units are, the one is taken from whose units a ridge
regression predicts the targets better, by generalised cross-validation (Golub, Heath & Wahba 1979)

    V = min over λ of (Σ c_i r_i² ) / (1 - df/T)²,     df = 1 + Σ s_j² / (s_j² + λ s_1²)

with r_i the residuals and s_j the singular values of the centred units.  Steep units follow what
oscillates, smooth ones what is noisy, where early stopping is a penalty on the way from them.

Geometric means over 24 problems x 2 seeds, J after 150 iterations over that from steep units, and
held-out error with early stopping over that from w ~ N(0, 1/m):

    chosen 0.81, 0.53    steep 1.00, 0.68    half as steep 1.30, 0.52    smooth 1.16, 0.70
    N(0, 1/m) 1.97, 1.00      (on 24 noisy sines: chosen 1.02, steep 1.6, smooth 0.99)
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ggn import _core
from ggn.fit.fitted import as_model, is_fitted, refuse_around
from ggn.fit.sizes import target_sizes
from ggn.fit.state import State
from ggn.fit.units import CENTRED, NEARBY, Units
from ggn.io.chunks import Chunks
from ggn.io.columns import by_name
from ggn.io.scaling import fold, linear_units
from ggn.linearization import BaseObjective
from ggn.network import MLP, SCHEMES, joined
from ggn.network.nguyen_widrow import hidden_layers, output_layer
from ggn.validation import OF_FIT, ArgumentError, generator, spelled

__all__ = [
    "DEFAULT",
    "STARTS",
    "Start",
    "as_in_fit",
    "draw",
    "given_weights",
    "in_chunks_as",
    "nearness",
    "start",
    "stream",
    "unexplained",
]

DEFAULT = "nguyen_widrow"
STARTS = (DEFAULT, *SCHEMES)
MOST_SAMPLES = 1000  # that tell how large the outputs of a layer are
RIDGES = np.array([1e-8, 1e-6, 1e-4, 1e-2])  # λ
FEW, SHARE = 3.0, 0.02  # samples that may be outliers at either end, or this share if more
TRACE = 300.0  # times the fences apart: starts within them predict at 100, and fail at 1000
TIE = 1e-6  # of V: less is rounding where the ridge is all that is left, and the smooth ones win
DRAWS = 3  # of units, the mean of whose V is `unexplained`
UNUSED = np.random.default_rng(0)  # for runs that draw nothing
MOST_VALIDATED = 300  # samples of V: with a thousand units, more would cost what iterations do


def draw(objective: BaseObjective, rng: np.random.Generator, scheme: str = DEFAULT) -> np.ndarray:
    """Return initial weights (N,) for an objective.

    Parameters
    ----------
    objective : BaseObjective
    rng : Generator
    scheme : {"nguyen_widrow", "normal", "uniform", "fan_in"}
        The first, the default, looks at the data: units share out the range of the inputs
        (`ggn.network.nguyen_widrow`), as steeply as the targets call for, and outputs have the
        mean and the size of the targets where they are to meet them.  The others are
        `MLP.initial_weights`.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> from ggn.linearization import Objective
    >>> pressure, volume = 1013.0 + np.linspace(-2, 2, 50), 1e-6 * np.linspace(1, 2, 50)
    >>> net = ggn.MLP((1, 8, 1))
    >>> w = draw(Objective(net, pressure[:, None], volume), np.random.default_rng(0))
    >>> bool(np.ptp(net.forward(w, pressure[:, None])) < 1e-5)
    True
    """
    if spelled("scheme", scheme, STARTS) != DEFAULT:
        return objective.net.initial_weights(rng, scheme)
    net = objective.net
    X, Ws, H, c, _ = _units(objective, rng)
    Ws.append(output_layer(net, rng, H, c))
    centre, size = target_sizes(objective, net.bias[-1])
    Ws[-1] *= size
    if net.bias[-1]:
        Ws[-1][-1] += centre - (size - 1.0) * net.fixed_bias
    w = joined(Ws)
    if not np.isfinite(w).all():
        largest = float(np.abs(X).max())
        raise ArgumentError(
            "X",
            f"must be of a size that weights can bring to one, got at most {largest:g}; "
            "give it in another unit",
        )
    return w


def unexplained(objective: BaseObjective) -> float:
    """Return V over the targets' variance, of units drawn for an objective, the mean of `DRAWS`.

    The less, the better do units that start there predict the targets; nan of a linear model.
    """
    return float(np.mean([_units(objective, np.random.default_rng(k))[-1] for k in range(DRAWS)]))


def _units(
    objective: BaseObjective, rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray, np.ndarray, float]:
    """Return samples X, weights of hidden layers, the last units on X, samples' shares, and V."""
    net = objective.net
    low, high = objective.ranges()
    X, Y, c = objective.some(MOST_SAMPLES, counted=True)
    count = objective.count * float(c.sum())
    near, far = _fences(X, c, count)
    low, high = np.maximum(low, near), np.minimum(high, far)
    before = rng.bit_generator.state
    Ws, H = hidden_layers(net, rng, X, low, high, c)
    if net.depth == 1:
        return X, Ws, H, c, math.nan
    rng.bit_generator.state = before  # both draw the same directions
    others, smooth = hidden_layers(net, rng, X, low, high, c, smooth=True)
    (steep, flat), total = _validated(Y, c, count, H, smooth)
    if flat <= (1.0 + TIE) * steep:
        Ws, H = others, smooth
    return X, Ws, H, c, min(steep, flat) / total if total else math.nan


def _validated(
    Y: np.ndarray, c: np.ndarray, count: float, *Hs: np.ndarray
) -> tuple[list[float], float]:
    """Return V of targets Y (T, nL) by each of several units H (T, n), inf of what is no number.

    And the targets' squares beside their mean, all in a unit of the targets' own.  c (T,) are
    shares of T samples, which are a count, as a weight of 2 is the sample given twice; of weights
    that are small, Kish's.
    """
    every, whole = -(-len(Y) // MOST_VALIDATED), float(c.sum())
    Y, c = Y[::every], c[::every]
    part = float(c.sum())
    c = c / part
    count = max(count * part / whole, 1.0 / float(c @ c))
    found = [_core.cross_validation(H[::every], Y, c, count, RIDGES) for H in Hs]
    return [V for V, _ in found], found[0][1]


def _fences(X: np.ndarray, c: np.ndarray, count: float) -> tuple[np.ndarray, np.ndarray]:
    """Return Tukey's outer fences of each column, q ∓ 3 (q_3/4 - q_1/4), infinite where they meet.

    One outlier would otherwise take the whole range for itself; c (T,) are the samples' shares, of
    a count as in `_validated`.  Where all samples but a few at either end span more than TRACE
    times what is within the fences, the middle half is one number but for a trace of noise, as of
    zeros and some ones: no more than these few are outside then.  Units as steep as noise would
    see nothing else, and a penalty and a damping for numbers of size one do not bring them back.
    """
    near, far = np.full(X.shape[1], -np.inf), np.full(X.shape[1], np.inf)
    alike, whole, T = bool((c == c[0]).all()), float(c.sum()), len(c)
    kish = float(T) if alike else 1.0 / float(np.square(c / whole).sum())
    few = min(max(SHARE, FEW / max(count, kish)), 0.25)
    # repeated samples must give what their weights do, so a share is met to rounding
    shares = 0.25 - 1e-9, 0.75 - 1e-9, 1.0 - few - 1e-9
    ascending = np.sort(X, axis=0) if alike else X
    at, after = [math.ceil(share * T) - 1 for share in shares], int((few + 1e-9) * T)
    for a, x in enumerate(ascending.T):
        if not alike:
            order = x.argsort()
            x, upto = x[order], c[order].cumsum() / whole
            at, after = upto.searchsorted(shares).tolist(), upto.searchsorted(few + 1e-9, "right")
        first, third, last = (float(x[i]) for i in at)
        if third > first:
            low, high = first - 3.0 * (third - first), third + 3.0 * (third - first)
            least = float(x[after])
            if last - least > TRACE * (high - low):
                low, high = min(low, least), max(high, last)
            near[a], far[a] = low, high
    return near, far


def by_default(w0: Any) -> bool:
    """Whether w0 asks for the default start."""
    return w0 is None or (isinstance(w0, str) and spelled("w0", w0, STARTS) == DEFAULT)


def nearness(w0: Any) -> float:
    """Return how far from zero means may stay, see `choose_units`: as the fit w0 had it, if any."""
    state = _state(w0)
    if state is not None:
        return state.near
    return CENTRED if by_default(w0) else NEARBY


class Start(NamedTuple):
    """Where a run begins.

    Attributes
    ----------
    w : ndarray, (N,)
        In the units of the run.
    given : ndarray (N,) or None
        What w0 said, in the caller's.
    state : State or None
        Of the fit that is gone on from.
    found : bool
        Whether the weights were given, and may be those of a fit that ended.
    """

    w: np.ndarray
    given: np.ndarray | None = None
    state: State | None = None
    found: bool = False


def stream(rng: Any, w0: Any, searches: bool) -> np.random.Generator:
    """Return the random numbers of a run; to seed any takes 10 us, and given weights need none."""
    spared = w0 is not None and not isinstance(w0, str) and not searches
    return UNUSED if spared and type(rng) is int and rng >= 0 else generator(rng)


def start(units: Units, rng: np.random.Generator, w0: Any) -> Start:
    """Return where a run begins: w0 is a fit, an array, a scheme, or None for the default one."""
    if by_default(w0):
        return Start(draw(units.objective, rng))
    if isinstance(w0, str):
        given = draw(units.given, rng, w0)
        return Start(units.own(given), given)
    given, state = given_weights(units.given.net, w0)
    own = None if state is None else state.weights(given, units)
    return Start(units.own(given) if own is None else own, given, state, True)


def given_weights(net: MLP, w0: Any) -> tuple[np.ndarray, State | None]:
    """Return the weights of an array, a fit, a Model or an estimator, and the state of a fit.

    Weights of a network that sees scaled data are turned into those for the data themselves.
    """
    if not is_fitted(w0):
        refuse_around("w0", w0)
        return net._weights(w0, "w0").copy(), None
    model = as_model(w0, "w0")
    if model.net != net:
        raise ArgumentError("w0", f"must be a fit of the network given, {net!r}, got {model.net!r}")
    scaling = linear_units(model, "w0")
    plain = all((a == one).all() for a, one in zip(scaling, (0.0, 1.0, 0.0, 1.0), strict=True))
    w = model.w.copy() if plain else fold(net, model.w, *scaling)
    return w, _state(w0)


def as_in_fit(w0: Any, X: Any, Y: Any) -> tuple[Any, Any]:
    """Return X and Y with the columns of data frames as the fit that w0 is has them, by name."""
    if w0 is None or isinstance(w0, (str, np.ndarray)) or not is_fitted(w0):
        return X, Y
    if isinstance(X, Chunks):
        return in_chunks_as(w0, X), Y
    model = as_model(w0, "w0")
    return by_name(X, model.input_names), by_name(Y, model.target_names, "Y")


def in_chunks_as(fit: Any, chunks: Chunks) -> Chunks:
    """Return chunks with the columns of data frames as a fit has them, if it knows of any."""
    result = getattr(fit, "result_", fit)
    if not isinstance(result, dict):  # a Model may have names that nobody gave
        return chunks
    names = result.get("input_names"), result.get("target_names")
    return chunks.named_as(names, OF_FIT) if any(names) else chunks


def _state(w0: Any) -> State | None:
    """Return what a fit, or the one of an estimator, keeps for those who go on from it."""
    result = getattr(w0, "result_", w0)
    return result.get("state") if isinstance(result, dict) else None

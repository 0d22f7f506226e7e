"""Arguments: good ones by the name of the parameter, and bad ones of every kind."""

from __future__ import annotations

import datetime
import decimal
import fractions
import functools
import math
import warnings

import numpy as np

import ggn
from ggn import activations, damping, losses, steps, surface
from ggn.recurrent import Scaling, Simulator, StateSpace


class Loud:
    """Cannot be shown."""

    def __repr__(self):
        raise RecursionError("maximum recursion depth exceeded")


class Sized:
    """Says that it is long, and holds nothing."""

    def __len__(self):
        return 2**62


def _inside_itself():
    made: list = [1.0]
    made.append(made)
    return made


def _deep():
    made: list = []
    for _ in range(100_000):
        made = [made]
    return made


@functools.cache
def bad() -> tuple:
    """Return values that hardly any parameter takes."""
    x = np.linspace(-1.0, 1.0, 12).reshape(6, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = np.matrix([[1.0, 2.0], [3.0, 4.0]])
    wide = np.lib.stride_tricks.as_strided(np.zeros(1), (2**40,), (0,))
    return (
        None, True, False, -1, 0, 1, 2, 7, 0.5, -1.5, math.nan, math.inf, -math.inf, 10**400, -(10**400), 2**62, 2**63,
        10**12, 10**7, np.uint64(2**63), np.int8(-3), np.float32(0.1), np.float64(1e200), 1e308, 1e-200, 5e-324, 1e200,
        -1e200, -0.0, 1j, 1 + 0j, np.complex128(2 + 1j), "", "text", "squared", "\x1b[2J", "x" * 10**6, b"x", b"",
        bytearray(8), memoryview(b"12345678"), [], (), {}, set(), {1, 2}, {"a": 1}, [[]], [[], []], [[1.0], [1.0, 2.0]],
        [None], ["a", "b"], [1, "a"], [1.0, math.nan], [10**400], object(), object, len, print, lambda: 1, lambda x: x,
        Loud(), Sized(), [Loud()], _inside_itself(), _deep(), range(5), range(2**62), iter([1.0, 2.0]), Ellipsis,
        NotImplemented, slice(3), math, ValueError("x"), fractions.Fraction(1, 3), decimal.Decimal("0.5"),
        datetime.date(2020, 1, 1), datetime.timedelta(1), np.datetime64("2020-01-01"), np.timedelta64(1, "s"),
        matrix, np.zeros(0), np.zeros((0, 2)), np.zeros((2, 0)), np.zeros((2, 2, 2)),
        np.zeros((1,) * 30), np.array(1.0), np.array(None), np.array([1j, 2.0]), x + 1j, x.astype(str),
        x.astype(object), np.array([object()]), np.full((6, 2), math.nan), np.full((6, 2), math.inf),
        np.full((6, 2), 1e308), np.full((6, 2), 5e-324), x * 1e200, x * 1e-200, np.ma.array(x, mask=x > 0.5), wide,
        np.zeros(3, [("a", "f8")]), np.zeros(3, "V8"), np.array(["2020"], "M8[Y]"), x[::-1], x.T, x.astype(np.float16),
        np.ones(6, bool), np.arange(6, dtype=np.uint8), np.random.RandomState(0), np.random.default_rng, np.float64,
        ggn, ggn.MLP, ggn.MLP((2, 3, 1)), ggn.MLP((1, 1)), losses.Squared, losses.Cauchy(), steps.Primal(),
        damping.Undamped(), damping.Undamped, activations.Tanh(), ggn.Status.GRADIENT, surface.Symmetry,
    )  # fmt: skip


NET, COLUMN = ggn.MLP((2, 3, 1)), ggn.MLP((1, 2, 1))
X = np.random.default_rng(1).uniform(-1.0, 1.0, (9, 2))
Y = np.sin(2.0 * X[:, :1]) + X[:, 1:]
W = NET.initial_weights(0)
U = np.random.default_rng(2).uniform(-1.0, 1.0, (60, 1))
RUN = np.sin(np.convolve(U[:, 0], [1.0, 0.5, 0.2])[:60, np.newaxis])
FEW = {"max_iter": 2}


@functools.cache
def things() -> dict:
    """Return good values by the name of the parameter, objects of classes among them."""
    fit = ggn.train(NET, X, Y, max_iter=3)
    at = ggn.linearize(NET, W, X, Y)
    model = ggn.Model(NET, W)
    classes = ggn.Model(NET, W, loss="logistic", classes=["no", "yes"])
    report = surface.ranks(NET, W, X)
    state = ggn.export.to_torch_state_dict(model)
    coefs, intercepts = ggn.export.to_sklearn(model)
    return {
        "net": [NET, NET, NET, COLUMN, ggn.MLP((2, 2, 2, 1), "softplus"), ggn.MLP((2, 3, 1), "relu", bias=False)],
        "w": [W, W, W, W.tolist(), 0.0 * W, 1e3 * W],
        "Ws": [NET.unpack(W)],
        "X": [X, X, X, X.tolist(), X[:1]],
        "Y": [Y, Y, Y, Y[:, 0], np.sign(Y), Y[:1]],
        "loss": ["squared", "squared", "cauchy", "smooth_lp", "logistic", losses.BlakeZisserman(), losses.Cauchy(0.1)],
        "w0": [W, None, "normal", fit, model],
        "step": ["auto", "primal", "dual", "gradient", "minimum_norm", "conjugate_gradient", steps.Subsampled(4)],
        "damping": ["levenberg_marquardt", "undamped", damping.LevenbergMarquardt(1e-3), damping.Undamped(0.5)],
        "rng": [0, 1, None, np.random.default_rng(3)],
        "max_iter": [3, 2, 1, 0],
        "tol": [1e-12, 0.0, 1e-3],
        "l2": [0.0, 1e-3, np.full(len(W), 0.1)],
        "sample_weight": [None, np.ones(len(X)), np.arange(len(X))],
        "callback": [None, None, lambda w: None, lambda intermediate_result: None],
        "loss_target": [None, 0.1],
        "max_seconds": [0.2, 0.0],
        "max_memory": [None, 1e8],
        "escape_saddles": [False, True],
        "curvature": [None, "auto", "majoriser", "hessian"],
        "validation": [None, None, (X, Y), 0.2],
        "test": [None, None, (X, Y), 0.2],
        "patience": [None, None, 2],
        "n_fits": [None, 1, 2],
        "n_restarts": [1, 2],
        "n_estimators": [1, 2],
        "n_starts": [1, 2],
        "n_samples": [1, 3],
        "n_jobs": [None, 1],
        "scheme": ["normal", "nguyen_widrow", "fan_in"],
        "chunk_size": [None, 1, 4],
        "T": [5, 20],
        "penalised": [False, True],
        "one_hot": [False, True],
        "f": [np.sin, (X[:, 0], Y[:, 0]), lambda x: x],
        "bounds": [(-1.0, 1.0), [(0.0, 1.0)], None],
        "max_units": [1, 2],
        "activation": ["tanh", "softplus", activations.Sine(), "auto"],
        "output_activation": ["identity", "sigmoid", activations.Exponential()],
        "sizes": [(2, 3, 1), [1, 1], (2, 2, 2, 1)],
        "bias": [True, False, [True, False]],
        "fixed_bias": [0.0, 1.0],
        "n": [1, 2],
        "A": [X[:3], [[1.0, 2.0]], np.eye(2)],
        "B": [X[:2], [[1.0, 2.0]], np.eye(2)],
        "A_blocks": [None, ([3], [1, 1]), ([1, 1], [2])],
        "B_blocks": [None, ([2], [1, 1]), ([1, 1], [2])],
        "at": [at],
        "report": [None, report],
        "rank": [None, report.jacobian],
        "found": [report.jacobian, surface.obstructions(NET, X, Y)],
        "ranks": [[2, 3], [1, 1, 1]],
        "inner": [[3], [2, 2]],
        "R": [1, 2],
        "rank_AB": [2], "rank_BC": [2], "rank_B": [2],
        "factors": [(0.5, 1.0, 2.0)],
        "model": [model, classes, fit],
        "estimator": [object()],
        "name": ["predict", "f1"],
        "dtype": ["float64", "float32"],
        "path": ["/dev/null/no/such/place.npz", "/nonexistent/m.npz"],
        "state": [state],
        "weights": [ggn.export.to_keras_weights(model)],
        "coefs": [coefs],
        "intercepts": [intercepts],
        "input_names": [None, ["a", "b"]],
        "target_names": [None, ["c"]],
        "x_mean": [None, [0.0, 1.0]], "x_scale": [None, [1.0, 2.0]],
        "y_mean": [None, [1.0]], "y_scale": [None, [2.0]],
        "classes": [None, None, ["no", "yes"]],
        "posterior": [None],
        "activations": [None, {}],
        "value": ["tanh", "squared", "primal", np.tanh],
        "derivative": [np.cos], "second_derivative": [None, np.sin], "gradient": [np.cos], "hessian": [np.cos],
        "argument": ["loss"],
        "scale": [1.0, 0.1], "p": [1.0, 1.5], "epsilon": [0.01, 0.5], "slope": [0.1],
        "initial": [0.1], "decrease": [0.3], "acceleration": [0.75, 0.0], "refits": [True], "alpha": [1.0, 0.5],
        "max_products": [5], "samples": [None, 3],
        "columns": [1, 2], "d": [W], "v": [W], "psd": [False, True], "u": [W],
        "F": [Y], "E": [Y], "w1": [W], "w2": [W], "other": [W],
        "low": [0.0], "high": [1.0],
        "chunks": [1, 3, [(X, Y)], lambda: [(X[:4], Y[:4]), (X[4:], Y[4:])]],
        "y": [Y[:, 0], Y[:, 0], Y], "level": [0.9], "return_std": [False, True], "random_state": [0, None],
        "hidden_layer_sizes": [2, (2,)], "rtol": [0.1], "a": [W], "b": [W], "lower": [True],
        "client": [None], "split_seed": [0], "result": [fit], "source": [at], "points": [3, 5], "reach": [1.0],
        "directions": [None, [W]], "against": ["iteration", "seconds"], "fields": [None, ["loss"]], "label": [""],
        "rows": [1], "size": [(2.0, 1.0)], "ax": [None], "names": [None, ["a"]], "unit": ["", "m"],
    }  # fmt: skip


def simulator() -> Simulator:
    """Return a state-space model of its own, with functions and not linear alone."""
    model = StateSpace(1, 2, 1, f=2, initial_states=0)
    w = 0.1 * np.arange(model.n_weights) / model.n_weights
    return Simulator(model, w, Scaling(np.zeros(1), np.ones(1), np.zeros(1), 1.0))


@functools.cache
def series() -> dict:
    """Return what parameters are good where samples are of a series."""
    fits = [ggn.narx(U, RUN, hidden=2, **FEW), ggn.statespace(U, RUN, 2, f=2, **FEW)]
    two = [U[:30], U[30:]], [RUN[:30], RUN[30:]]
    made = simulator()
    return {
        "U": [U, U, U, U[:, 0], U.tolist(), two[0], None],
        "Y": [RUN, RUN, RUN, RUN[:, 0], RUN.tolist(), two[1], np.where(RUN > 0.8, np.nan, RUN)],
        "X": [U], "y": [RUN, RUN[:, 0]], "u": [None, [0.1]], "x": [None, [0.0, 0.1]],
        "y0": [RUN[:5], 0.0, [[0.1]]], "x0": [None, [0.0, 0.1], np.zeros((1, 2))],
        "w": [made.w], "w0": [None, None, *fits],
        "n_states": [1, 2, 3], "f": [2, None, (2,), [2, 2]], "g": [None, 2], "linear": [True, False],
        "hidden": [2, (2,), [1, 1]], "hidden_layer_sizes": [2, (2,)],
        "output_lags": [1, 2, [1, 3], [[1]], 0], "input_lags": [1, 0, [0, 1], [[0, 2]]],
        "feedthrough": [True, False], "free_initial_states": [True, False], "window": [None, 10, 20],
        "free_run": [True, False], "free_start": [True, False], "robust": [False, True],
        "step": ["auto", "primal", "dual"], "l2": [0.0, 1e-3, "evidence"], "sample_weight": [None, np.ones(60)],
        "validation": [None, None, (U, RUN), 0.2], "patience": [None, 2],
        "n_restarts": [1, 2], "n_starts": [1, 2], "n_steps": [None, 5],
        "horizon": [1, None, 3], "memory": [None, 10], "steps_ahead": [None, 2], "level": [0.9], "noise": [False, True],
        "session_sizes": [None, [30, 30]], "lags": [5], "ahead": [(1, 2, 5)],
        "fit": [*fits, made], "model": [made.model], "scaling": [made.scaling], "random_state": [0],
        "n_inputs": [0, 1], "n_outputs": [1], "initial_states": [0, 1, 2], "parts": [made.model.unpack(made.w)],
    }  # fmt: skip

"""Ctrl-C at any bytecode of every training: the last accepted weights, or KeyboardInterrupt.

An interrupt is a KeyboardInterrupt raised by a trace function at the n-th bytecode of Python
that a job runs, in whatever package.  What is returned must be sound (J(w) is `fun`, its
gradient `jac`, the history as long as the steps say) and say that it was interrupted unless it
is whole, and the next call as if nothing had been.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import os
import signal
import sys
import tempfile
import warnings

import numpy as np

import ggn
from fuzz.watch import Outcome, judged
from ggn._core import blas_threads as blas
from ggn.command import cli
from ggn.recurrent import NARXResult, Simulator, StateSpaceFit
from ggn.recurrent.statespace_file import is_statespace

x = np.linspace(-1.0, 1.0, 24)[:, np.newaxis]
y = np.sin(3.0 * x) + 0.1 * np.cos(17.0 * x)
NET = ggn.MLP((1, 3, 1))
OWN = ggn.Loss(
    "own",
    lambda F, Y: ((F - Y) ** 2).sum(axis=1),
    lambda F, Y: 2.0 * (F - Y),
    lambda F, Y: np.full_like(F, 2.0),
)
FEW = {"max_iter": 12}
LESS = {"max_iter": 6}
S = np.random.default_rng(2).uniform(-1.0, 1.0, 40)
R = np.sin(np.convolve(S, [1.0, 0.5, 0.2])[:40])


def _estimator(name: str, **more):
    kind = getattr(ggn.sklearn, name)
    labels = y[:, 0] if name == "GGNRegressor" else y[:, 0] > 0.0
    fitted = kind((3,), max_iter=8, random_state=0, **more).fit(x, labels)
    return fitted.result_, fitted.predict(x)


def _narx_regressor():
    fitted = ggn.sklearn.NARXRegressor(2, random_state=0, **LESS).fit(S[:, np.newaxis], R)
    return fitted.result_


def _command(*argv: str):
    with tempfile.TemporaryDirectory() as folder:
        data, model = os.path.join(folder, "d.csv"), os.path.join(folder, "m.npz")
        np.savetxt(data, np.hstack([x, y]), delimiter=",", header="x,y", comments="")
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main([argv[0], data, "--target", "y", "--save", model, *argv[1:]])
        assert status in (0, 1, 130), (status, err.getvalue())
        assert "Traceback" not in err.getvalue(), err.getvalue()
        litter = sorted(set(os.listdir(folder)) - {"d.csv", "m.npz"})
        assert not litter, litter
        if not os.path.exists(model):
            return None
        return (Simulator if is_statespace(model) else ggn.Model).load(model).w


JOBS = {
    "train": lambda: ggn.train(NET, x, y, **FEW),
    "train, in Python": lambda: ggn.train(NET, x, y, step="minimum_norm", **FEW),
    "train, undamped": lambda: ggn.train(NET, x, y, damping="undamped", **FEW),
    "train, own loss": lambda: ggn.train(NET, x, y, OWN, l2=1e-6, **FEW),
    "train, saddles": lambda: ggn.train(NET, x, y, w0=np.zeros(10), escape_saddles=True, **FEW),
    "train, callback": lambda: ggn.train(NET, x, 1e3 * y, callback=lambda w: None, **FEW),
    "train, held out": lambda: ggn.train(NET, x[::2], y[::2], validation=(x[1::2], y[1::2]), **FEW),
    "train_restarts": lambda: ggn.train_restarts(NET, x, y, n_restarts=3, **FEW),
    "train_restarts, in Python": lambda: ggn.train_restarts(NET, x, y, OWN, n_restarts=2, **FEW),
    "train_many": lambda: ggn.train_many(NET, x, np.stack([y, 2.0 * y]), **FEW),
    "train_bayesian": lambda: ggn.train_bayesian(NET, x, y, **FEW),
    "train_bayesian, mixed": lambda: ggn.train_bayesian(NET, x, y, n_estimators=2, **FEW),
    "train_robust": lambda: ggn.train_robust(NET, x, y, **FEW),
    "train_bayesian, restarts": lambda: ggn.train_bayesian(NET, x, y, n_restarts=2, **FEW),
    "train_robust, restarts": lambda: ggn.train_robust(NET, x, y, l2=1e-6, n_restarts=2, **FEW),
    "approximate": lambda: ggn.approximate(np.sin, bounds=(-1.0, 1.0), tol=1e-2, max_units=8),
    "diagnose": lambda: ggn.diagnose(NET, NET.initial_weights(0), x, y),
    "GGNRegressor": lambda: _estimator("GGNRegressor", alpha=1e-3, n_estimators=1),
    "GGNRegressor, evidence": lambda: _estimator("GGNRegressor", n_estimators=2),
    "GGNClassifier": lambda: _estimator("GGNClassifier"),
    "narx": lambda: ggn.narx(S, R, hidden=2, **LESS),
    "narx, starts": lambda: ggn.narx(S, R, hidden=2, free_start=True, n_starts=2, **LESS),
    "narx, evidence": lambda: ggn.narx(S, R, hidden=2, l2="evidence", **LESS),
    "statespace": lambda: ggn.statespace(S, R, 2, f=2, n_restarts=2, **LESS),
    "statespace, windows": lambda: ggn.statespace(S, R, 1, f=2, window=5, **LESS),
    "NARXRegressor": lambda: _narx_regressor(),
    "command, lags": lambda: _command(
        "train", "--lags", "1,1", "--free-run", "--hidden", "2", "--max-iter", "5"
    ),
    "command, states": lambda: _command(
        "train", "--states", "1", "--hidden", "2", "--max-iter", "5"
    ),
    "command": lambda: _command("train", "--hidden", "3", "--max-iter", "8"),
}


def case(rng: np.random.Generator) -> Outcome:
    """Interrupt one job at one of its bytecodes."""
    name = [*JOBS][int(rng.integers(len(JOBS)))]
    return interrupted(name, int(rng.integers(1, length(name) + 1)))


def interrupted(name: str, at: int) -> Outcome:
    """Run a job with an interrupt, look at what is returned, and run it again."""
    try:
        with _quiet(), _interrupt(at):
            result = JOBS[name]()
    except KeyboardInterrupt:
        kind = "raised"
    except BaseException as error:
        return Outcome("other", f"{name}, bytecode {at}: {judged(error).fault or error!r}")
    else:
        kind = "returned"
        wrong = _unsound(result, name)
        if wrong:
            return Outcome("unsound", f"{name}, bytecode {at}: {wrong}")
        fits = _fits(result)
        numbers, wanted = _numbers(result), reference(name)
        whole = len(numbers) == len(wanted) and all(map(np.array_equal, numbers, wanted))
        said = any(fit.status is ggn.Status.INTERRUPTED for fit in fits)
        if fits and not whole and not said:
            ends = ", ".join(fit.status.name for fit in fits)
            return Outcome("lost", f"{name}, bytecode {at}: went on, and says {ends}")
    if len(blas._ONE_THREAD._inside):
        return Outcome("state", f"{name}, bytecode {at}: BLAS stays limited")
    with _quiet():
        again = _numbers(JOBS[name]())
    same = all(map(np.array_equal, again, reference(name)))
    return Outcome(kind) if same else Outcome("state", f"{name}, bytecode {at}: others afterwards")


@functools.cache
def length(name: str) -> int:
    """Return how many bytecodes a job has, once all that it imports and measures is there."""
    reference(name)
    with _quiet(), _interrupt(0) as seen:
        JOBS[name]()
    return seen[0]


@functools.cache
def reference(name: str) -> list[np.ndarray]:
    """Return the numbers of a job that is not interrupted."""
    with _quiet():
        JOBS[name]()
        return _numbers(JOBS[name]())


@contextlib.contextmanager
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _interrupt(at: int):
    """Raise KeyboardInterrupt at this bytecode; 0: at none, but count them.

    Garbage is not collected meanwhile: Python swallows what is raised in a callback of that, such
    as hypothesis has one.
    """
    seen, home = [0], _interrupt.__code__.co_filename

    def trace(frame, event, arg):
        if frame.f_code.co_filename in (home, contextlib.__file__):
            return trace if frame.f_code.co_filename != home else None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            seen[0] += 1
            if seen[0] == at:
                raise KeyboardInterrupt
        return trace

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()


def as_in_a_terminal() -> None:
    """Let Ctrl-C be heard, whoever started this process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _fits(result) -> list:
    if isinstance(result, tuple):
        return _fits(result[0])
    if isinstance(result, ggn.TrainResult):
        return [result]
    return [*getattr(result, "runs", getattr(result, "_runs", ()))]


def _numbers(result) -> list[np.ndarray]:
    if isinstance(result, np.ndarray):
        return [result]
    if isinstance(result, ggn.Diagnosis):
        return [np.array([result.loss, result.gradient_norm])]
    if hasattr(result, "net") and not isinstance(result, ggn.TrainResult):
        return [result.w] if hasattr(result, "w") else [np.asarray(result(np.linspace(-1, 1, 5)))]
    return [np.append(fit.w, fit.fun) for fit in _fits(result)]


def _unsound(result, name: str) -> str:
    """Return what is wrong with what was returned, if anything."""
    for fit in _fits(result):
        if not np.isfinite(fit.w).all() or not np.isfinite(fit.fun):
            return f"fun {fit.fun}"
        if isinstance(fit, (NARXResult, StateSpaceFit)):
            plain = "starts" not in fit and not np.any(fit.l2)
            if plain and not np.isclose(J := _of_runs(fit), fit.fun, rtol=1e-7, atol=1e-18):
                return f"fun {fit.fun} is not that of its runs, {J}"
            continue
        if "held out" not in name and "mixed" not in name and "evidence" not in name:
            if "model" in fit or isinstance(result, tuple):
                continue  # in units of its own
            at = ggn.linearize(NET, fit.w, *_data(name, fit, result), fit.loss, l2=fit.l2)
            if not np.isclose(at.loss, fit.fun, rtol=1e-9, atol=1e-18):
                return f"fun {fit.fun} is not J(w) = {at.loss}"
            scale = np.abs(at.gradient).max() + 1e-9
            if not np.allclose(at.gradient, fit.jac, rtol=1e-6, atol=1e-6 * scale):
                return "jac is not its gradient"
            single = name.startswith("train,") or name in ("train", "train_many")
            if single and len(fit.history) != fit.nit + 1:
                return f"{len(fit.history)} iterates in the history of {fit.nit} steps"
            if single and not np.isfinite(fit.history.loss).all():
                return "an iterate without J"
    return ""


def _of_runs(fit) -> float:
    """Return the mean square error of the runs that a fit through time was trained in."""
    if isinstance(fit, StateSpaceFit):
        return np.square(fit.simulate(S, x0=fit.initial_states[0])[:, 0] - R).mean()
    p, h = fit.lags.depth, fit.stages[-1].horizon or len(S)
    runs = [(a - p, min(a + h, len(S))) for a in range(p, len(S), h)]
    wrong = [(fit.simulate(S[a:b], R[a : a + p]) - R[a:b])[p:] for a, b in runs]
    return np.square(np.concatenate(wrong)).mean()


def _data(name: str, fit, result):
    if name == "train, callback":
        return x, 1e3 * y
    if name == "train_many":
        return x, y if fit is _fits(result)[0] else 2.0 * y
    return x, y

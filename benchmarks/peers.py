"""The peers: each a function solve(problem, w0, target, limit_seconds[, variant]) -> Run.

All start at w0 (flat, in ggn's layout), in float64, on all samples at once, and end where the
loss they computed themselves is at most the target, or at the time limit, or where they give up.
Their own stopping rules are turned off as far as they let one.  Setting up (building a module,
compiling) is not timed.  A peer whose package is absent raises ImportError.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import logging
import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.optimize

import ggn
from benchmarks.peer_problems import Problem, Run, Watch, trainlm

ENDLESS = 10**9


def solve_ggn(problem: Problem, w0: np.ndarray, target: float, limit: float, _: Any = None) -> Run:
    """ggn.train as it comes."""
    start = time.perf_counter()
    fit = ggn.train(
        problem.net, problem.X, problem.Y, w0=w0,
        max_iter=ENDLESS, loss_target=target, max_seconds=limit,
    )  # fmt: skip
    elapsed = time.perf_counter() - start
    seconds = elapsed if fit.fun <= target else None
    extra = {"evaluations": fit.nfev, "step": repr(fit.step), "status": fit.status.name}
    return Run(seconds, fit.fun, fit.nit, elapsed, float(fit.history.loss[0]), extra)


def solve_numpy(problem: Problem, w0: np.ndarray, target: float, limit: float, _: Any = None):
    """A textbook LM in NumPy: JᵀJ + mu I by Cholesky."""
    watch = Watch(target, limit)

    def linearize(w: np.ndarray) -> tuple:
        r, J = problem.linearize(w)
        return r @ r, J.T @ J, J.T @ r

    def attempt(w: np.ndarray, step: tuple, mu: float) -> tuple[np.ndarray, float]:
        _, A, g = step
        A = A.copy()
        A.flat[:: len(w) + 1] += mu
        try:
            factor = scipy.linalg.cho_factor(A, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            return w, math.inf
        new = w - scipy.linalg.cho_solve(factor, g, check_finite=False)
        r = problem.residuals(new)
        return new, r @ r

    return watch.run(lambda: trainlm(watch, w0, linearize, attempt))


def solve_scipy(method: str, problem: Problem, w0, target: float, limit: float, x_scale=None):
    """scipy.optimize.least_squares with the analytic Jacobian; "lm" is MINPACK's."""
    if method == "lm" and problem.Y.size < len(w0):
        raise ImportError("MINPACK needs as many residuals as weights")
    watch = Watch(target, limit)

    def residuals(w: np.ndarray) -> np.ndarray:
        r = problem.residuals(w)
        watch(r @ r)
        return r

    def jacobian(w: np.ndarray) -> np.ndarray:
        watch.iterations += 1
        return problem.jacobian(w)

    tol = dict.fromkeys(["ftol", "xtol", "gtol"], np.finfo(float).eps)
    return watch.run(
        lambda: scipy.optimize.least_squares(
            residuals, w0, jacobian, method=method, x_scale=x_scale, max_nfev=ENDLESS, **tol
        )
    )


def solve_sklearn(problem: Problem, w0: np.ndarray, target: float, limit: float, _: Any = None):
    """MLPRegressor(solver="lbfgs") from w0.

    One iteration makes coefs_ and intercepts_; they are then overwritten by w0, and warm_start goes
    on from there.  To stop at the target, the method that gives loss and gradient to L-BFGS-B
    is wrapped.  The loss is half the mean over samples and outputs.  L-BFGS-B's own rule, to stop
    at a fall below 2e-9 max(1, loss), cannot be set from here and would end every run early; so
    both are handed over a million times larger.  Where it strikes yet, fit is called again.
    """
    from sklearn.neural_network import MLPRegressor

    if not hasattr(MLPRegressor, "_loss_grad_lbfgs"):
        raise ImportError("this scikit-learn keeps its loss elsewhere")
    watch, on, nL = Watch(target, limit), False, problem.net.n_outputs

    class Watched(MLPRegressor):
        def _loss_grad_lbfgs(self, *args: Any, **kwargs: Any) -> Any:
            loss, gradient = super()._loss_grad_lbfgs(*args, **kwargs)
            if on:
                watch(2.0 * nL * loss)
            return 1e6 * loss, 1e6 * gradient

    Y = problem.Y.ravel() if nL == 1 else problem.Y
    options = {"activation": "tanh", "solver": "lbfgs", "alpha": 0.0, "tol": 0.0}
    hidden = problem.net.sizes[1:-1]
    model = Watched(hidden_layer_sizes=hidden, max_iter=1, warm_start=True, **options)

    def loop() -> None:
        before = math.nan
        while watch.best != before:
            before = watch.best
            model.fit(problem.X, Y)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(problem.X, Y)
        Ws, on = problem.net.unpack(w0), True
        model.coefs_ = [W[:-1].copy() for W in Ws]
        model.intercepts_ = [W[-1].copy() for W in Ws]
        model.set_params(max_iter=ENDLESS, max_fun=ENDLESS)
        return watch.run(loop)


def torch_model(problem: Problem, w0: np.ndarray) -> tuple[Any, Any, Any, Any]:
    """Return torch, a Sequential at w0, and the data."""
    import torch

    modules: list[Any] = []
    for W in problem.net.unpack(w0):
        linear = torch.nn.Linear(*(len(W) - 1, W.shape[1]), dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(W[:-1].T.copy()))
            linear.bias.copy_(torch.tensor(W[-1].copy()))
        modules += [linear, torch.nn.Tanh()]
    X, Y = torch.tensor(problem.X), torch.tensor(problem.Y)
    return torch, torch.nn.Sequential(*modules[:-1]), X, Y


def solve_torch(problem: Problem, w0, target: float, limit: float, variant: tuple[str, float]):
    """torch.optim.Adam (a learning rate) or LBFGS (strong Wolfe; a history size)."""
    torch, model, X, Y = torch_model(problem, w0)
    name, setting = variant
    watch, T = Watch(target, limit), len(X)
    if name == "Adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=setting)
    else:
        optimizer = torch.optim.LBFGS(
            model.parameters(), max_iter=ENDLESS, max_eval=ENDLESS, history_size=setting,
            tolerance_grad=0.0, tolerance_change=0.0, line_search_fn="strong_wolfe",
        )  # fmt: skip

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (model(X) - Y).square().sum() / T
        watch(loss.item())
        loss.backward()
        return loss

    def loop() -> None:
        before = math.nan
        while name == "Adam" or watch.best != before:  # LBFGS returns where its search fails
            before = watch.best
            optimizer.step(closure)

    return watch.run(loop)


def solve_torch_lm(problem: Problem, w0, target: float, limit: float, variant: tuple[str, str]):
    """torch-levenberg-marquardt: a solve method and a damping mode."""
    tlm = importlib.import_module("torch_levenberg_marquardt")
    logging.getLogger("torch_levenberg_marquardt").setLevel(logging.ERROR)  # failed Cholesky
    _, model, X, Y = torch_model(problem, w0)
    watch, nL = Watch(target, limit), problem.net.n_outputs
    damping = tlm.damping.StandardDampingStrategy(damping_mode=variant[1])
    module = tlm.training.LevenbergMarquardtModule(
        model, tlm.loss.MSELoss(), damping, solve_method=variant[0]
    )

    def loop() -> None:
        watch(nL * module.loss_fn(model(X), Y).item())
        stop = False
        while not stop:
            _, loss, stop, _ = module.training_step(X, Y)
            watch.iterations += 1
            watch(nL * loss.item())

    return watch.run(loop)


@functools.cache
def compiled(problem: Problem) -> tuple[Callable, Callable, float]:
    """Return JAX's linearize and attempt for `trainlm`, and the seconds it took to compile them."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    sizes = problem.net.sizes

    def net(w: Any, x: Any) -> Any:
        at = 0
        for m, n in itertools.pairwise(sizes):
            W = w[at : at + n * (m + 1)].reshape(n, m + 1)
            at += n * (m + 1)
            z = W[:, :-1] @ x + W[:, -1]
            x = jnp.tanh(z)
        return z

    def residuals(w: Any, X: Any, Y: Any) -> Any:
        return ((jax.vmap(net, (None, 0))(w, X) - Y) / jnp.sqrt(len(X))).ravel()

    def linearize(w: Any, X: Any, Y: Any) -> Any:
        r = residuals(w, X, Y)
        # few outputs, many weights: reverse mode, sample by sample
        J = jax.vmap(jax.jacrev(net), (None, 0))(w, X).reshape(Y.size, w.size) / jnp.sqrt(len(X))
        return r @ r, J.T @ J, J.T @ r

    def attempt(w: Any, A: Any, g: Any, mu: Any, X: Any, Y: Any) -> Any:
        factor = jax.scipy.linalg.cho_factor(A + mu * jnp.eye(w.size), lower=True)
        new = w - jax.scipy.linalg.cho_solve(factor, g)
        r = residuals(new, X, Y)
        return new, r @ r  # nan where Cholesky failed

    start = time.perf_counter()
    X, Y, w = jnp.asarray(problem.X), jnp.asarray(problem.Y), jnp.zeros(problem.net.n_weights)
    A = jnp.zeros((w.size, w.size))
    first = jax.jit(linearize).lower(w, X, Y).compile()
    second = jax.jit(attempt).lower(w, A, w, jnp.asarray(1.0), X, Y).compile()
    seconds = time.perf_counter() - start

    def run_first(w: Any) -> tuple[float, Any, Any]:
        loss, A, g = first(w, X, Y)
        return float(loss), A, g

    def run_second(w: Any, step: tuple, mu: float) -> tuple[Any, float]:
        new, loss = second(w, step[1], step[2], np.float64(mu), X, Y)
        return new, float(loss) if math.isfinite(loss) else math.inf

    return run_first, run_second, seconds


def solve_jax(problem: Problem, w0: np.ndarray, target: float, limit: float, _: Any = None):
    """The textbook LM, compiled by JAX."""
    import jax.numpy as jnp

    linearize, attempt, seconds = compiled(problem)
    watch, w = Watch(target, limit), jnp.asarray(w0)
    return watch.run(lambda: trainlm(watch, w, linearize, attempt), compile_seconds=seconds)


# name: (solve, the settings a user would try; the best on the first seed is kept)
PEERS: dict[str, tuple[Callable[..., Run], list[Any]]] = {
    "ggn": (solve_ggn, [None]),
    "NumPy LM": (solve_numpy, [None]),
    "JAX LM": (solve_jax, [None]),
    "torch LM": (
        solve_torch_lm,
        [("cholesky", "standard"), ("qr", "standard"), ("cholesky", "fletcher")],
    ),
    "SciPy lm": (functools.partial(solve_scipy, "lm"), ["jac", 1.0]),
    "SciPy trf": (functools.partial(solve_scipy, "trf"), ["jac", 1.0]),
    "sklearn L-BFGS": (solve_sklearn, [None]),
    "torch L-BFGS": (solve_torch, [("LBFGS", 100), ("LBFGS", 10)]),
    "torch Adam": (solve_torch, [("Adam", 1e-2), ("Adam", 3e-3), ("Adam", 1e-3)]),
}

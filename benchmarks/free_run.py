"""One Levenberg-Marquardt iteration in free run, against the same one step ahead.

    python -m benchmarks.free_run [SAMPLES]

Lags 3 + 3, 8 units, 65,000 samples.  Medians over the iterations of a fit each, from the
histories, so that a trial, its acceleration and a refused one count as they come.  With JAX
installed, the gradient of the same J by a scan, compiled, in double precision, too.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import ggn
from ggn.damping import LevenbergMarquardt

LAGS = {"output_lags": [1, 2, 3], "input_lags": [1, 2, 3], "hidden": 8}
STEPS = 15


def series(T: int) -> tuple[np.ndarray, np.ndarray]:
    """Return input and output, with a little noise, of a system of second order."""
    rng = np.random.default_rng(0)
    u, y = rng.uniform(-1.0, 1.0, T), np.zeros(T)
    for k in range(2, T):
        y[k] = 1.2 * y[k - 1] - 0.5 * y[k - 2] + 0.3 * np.tanh(2.0 * u[k - 1] - y[k - 1])
    return u, y + 0.02 * rng.normal(size=T)


def per_iteration(fit: ggn.TrainResult) -> float:
    """Return the median seconds between iterates."""
    return float(np.median(np.diff(fit.history.seconds)))


def main(T: int = 65_000) -> None:
    """Print seconds and ratios."""
    u, y = series(T)
    start = ggn.narx(u, y, max_iter=5, tol=0.0, free_run=False, **LAGS)
    options = {"max_iter": STEPS, "tol": 0.0, "w0": start, **LAGS}
    for name, damping in (
        ("default damping", LevenbergMarquardt()),
        ("without acceleration", LevenbergMarquardt(acceleration=0.0)),
    ):
        ahead = per_iteration(ggn.narx(u, y, free_run=False, damping=damping, **options))
        free = per_iteration(ggn.narx(u, y, damping=damping, **options))
        print(f"{name:<22} one step ahead {1e3 * ahead:7.2f} ms, free run {1e3 * free:7.2f} ms, "
              f"ratio {free / ahead:.2f}")  # fmt: skip
    against_scan(start, u, y)


def against_scan(fit: ggn.recurrent.NARXResult, u: np.ndarray, y: np.ndarray) -> None:
    """Print the seconds of a gradient, here and by a compiled scan."""
    from ggn.recurrent.series import Series

    objective = fit._units(Series(u, y)).given.over
    Z, _, windows, _ = Series(u, y).samples(fit.lags)
    whole = objective(windows)
    ours = best(lambda i: whole.at(fit.w * (1.0 + 1e-9 * i)).gradient)
    print(f"gradient of J: {1e3 * ours:.2f} ms", end="")
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        print("; JAX is not installed")
        return
    jax.config.update("jax_enable_x64", True)
    inputs, targets = jnp.array(Z[:, 3:]), jnp.array(y[3:])

    def loss(p: list[jax.Array]) -> jax.Array:
        def step(lags: jax.Array, data: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            x, t = data
            z = jnp.concatenate([lags, x, jnp.ones(1)])
            out = jnp.concatenate([jnp.tanh(z @ p[0]), jnp.ones(1)]) @ p[1]
            return jnp.concatenate([out, lags[:-1]]), (out[0] - t) ** 2

        _, errors = jax.lax.scan(step, jnp.array(Z[0, :3]), (inputs, targets))
        return errors.mean()

    gradient = jax.jit(jax.grad(loss))
    Ws = [jnp.array(W) for W in fit.net.unpack(fit.w)]
    there = best(lambda i: jax.block_until_ready(gradient([W * (1.0 + 1e-9 * i) for W in Ws])))
    print(f"; by a scan in JAX {1e3 * there:.2f} ms, {there / ours:.1f} times as long")


def best(call: object) -> float:
    """Return the least seconds of seven calls."""
    found = []
    for i in range(8):
        begun = time.perf_counter()
        call(i)  # type: ignore[operator]
        found.append(time.perf_counter() - begun)
    return min(found[1:])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""Activation kernels against NumPy's ufuncs, per element in cache, and their worst error."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.timing import medians
from ggn import _core, activations

ELEMENTS = 4000  # 32 kB: in the level-1 cache with the result


def ulp_errors(name: str) -> tuple[float, float, float]:
    """Return the worst error of value and two derivatives, in units of the last place."""
    import mpmath as mp

    mp.mp.dps = 40

    def sech2(z: Any) -> Any:
        e = mp.exp(-2 * abs(z))
        return 4 * e / (1 + e) ** 2

    def logistic(z: Any) -> Any:
        e = mp.exp(-abs(z))
        return e / (1 + e) ** 2

    root = lambda z: mp.sqrt(z * z + 1)  # noqa: E731
    exact = {
        "sigmoid": (
            lambda z: 1 / (1 + mp.exp(-z)),
            logistic,
            lambda z: -logistic(z) * mp.tanh(z / 2),
        ),
        "tanh": (mp.tanh, sech2, lambda z: -2 * mp.tanh(z) * sech2(z)),
        "softsign": (
            lambda z: z / (1 + abs(z)),
            lambda z: 1 / (1 + abs(z)) ** 2,
            lambda z: -2 * mp.sign(z) / (1 + abs(z)) ** 3,
        ),
        "softplus": (lambda z: mp.log1p(mp.exp(z)), lambda z: 1 / (1 + mp.exp(-z)), logistic),
        "bent_identity": (
            lambda z: (root(z) - 1) / 2 + z,
            lambda z: z / (2 * root(z)) + 1,
            lambda z: 1 / (2 * root(z) ** 3),
        ),
        "exponential": (mp.exp, mp.exp, mp.exp),
    }[name]
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=150) * s for s in (1e-3, 0.1, 1.0, 10.0, 100.0)])
    z = z[np.abs(z) < 300.0]
    made = np.empty((3, len(z)))
    _core.activate(activations.BUILT_IN[name].code, 0.0, z, made)
    worst = []
    for order in range(3):
        right = [exact[order](mp.mpf(float(x))) for x in z]
        unit = np.spacing(np.abs(np.array([float(r) for r in right])))
        errors = [
            float(abs(mp.mpf(float(a)) - r) / mp.mpf(float(u)))
            for a, r, u in zip(made[order], right, unit, strict=True)
            if u > 1e-300
        ]
        worst.append(max(errors))
    return tuple(worst)  # type: ignore[return-value]


def main() -> None:
    """Print the table."""
    z = np.random.default_rng(0).normal(size=ELEMENTS)
    out = np.empty_like(z)
    row = out.reshape(1, -1)
    print(f"{'activation':<16}{'ns':>6}{'/ np.exp':>10}{'/ np.tanh':>11}   worst ulp: s, s', s''")
    for name in ("sigmoid", "tanh", "softsign", "softplus", "bent_identity", "exponential"):
        code = activations.BUILT_IN[name].code
        ours, exp, tanh = medians(
            lambda code=code: [_core.activate(code, 0.0, z, row) for _ in range(100)],
            lambda: [np.exp(z, out=out) for _ in range(100)],
            lambda: [np.tanh(z, out=out) for _ in range(100)],
            seconds=0.7,
        )
        errors = "  ".join(f"{e:.2f}" for e in ulp_errors(name))
        print(
            f"{name:<16}{1e7 * ours / ELEMENTS:>6.2f}{ours / exp:>10.2f}{ours / tanh:>11.2f}"
            f"   {errors}"
        )


if __name__ == "__main__":
    main()

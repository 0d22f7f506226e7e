"""Random networks, losses and data, each with its twin in the oracle; and how to compare.

Structure (sizes, names, flags) is drawn by hypothesis; numbers come from a seeded NumPy
generator, because their digits need no shrinking.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import reference
from hypothesis import strategies as st

import ggn

NAMES = tuple(reference.ACTIVATIONS)
TOLERANCE = 1e-12
WORST: dict[str, float] = {}  # the largest error that each test has met


@dataclass(frozen=True)
class Case:
    """One architecture in the library (`net`) and in the oracle (`spec`), with moderate weights."""

    net: ggn.MLP
    spec: reference.Spec
    names: tuple[str, ...]
    seed: int
    w: np.ndarray = field(repr=False)

    def data(self, T: int) -> tuple[np.ndarray, np.ndarray]:
        """Return X (T, n0) and Y (T, nL), standard normal."""
        rng = np.random.default_rng([self.seed, T])
        return rng.normal(size=(T, self.spec.sizes[0])), rng.normal(size=(T, self.spec.sizes[-1]))

    @property
    def complex_spec(self) -> reference.Spec:
        """The twin that takes complex weights."""
        return reference.named_spec(
            self.spec.sizes, self.names, self.spec.bias, self.spec.fixed_bias, complex_safe=True
        )


def case(sizes, names, bias=True, fixed_bias=0.0, seed=0, activations=None) -> Case:
    """Build a Case; `activations` replaces what the library is given (the oracle gets names)."""
    names = (names,) * (len(sizes) - 1) if isinstance(names, str) else tuple(names)
    spec = reference.named_spec(sizes, names, bias, fixed_bias)
    given_ = names if activations is None else activations
    net = ggn.MLP(sizes, list(given_[:-1]), given_[-1], spec.bias, fixed_bias)
    rng = np.random.default_rng(seed)
    # net inputs of order one; exponentials of exponentials leave float64 otherwise
    gain = 0.3 if "exponential" in names else 0.9
    scale = [np.full(np.prod(spec.shape(layer)), gain / np.sqrt(spec.shape(layer)[0]))
             for layer in range(1, spec.L + 1)]  # fmt: skip
    w = rng.normal(size=reference.n_weights(spec)) * np.concatenate(scale)
    return Case(net, spec, names, seed, w)


@st.composite
def cases(draw, names=NAMES, max_layers=4, min_outputs=1) -> Case:
    """1 to 4 layers, widths 1 to 9, 1 to 4 outputs, any mix of activations and bias flags."""
    depth = draw(st.integers(1, max_layers))
    widths = draw(st.lists(st.integers(1, 9), min_size=depth, max_size=depth))
    outputs = draw(st.integers(min_outputs, 4))
    chosen = draw(st.lists(st.sampled_from(names), min_size=depth, max_size=depth))
    bias = tuple(draw(st.lists(st.booleans(), min_size=depth, max_size=depth)))
    fixed_bias = draw(st.sampled_from([0.0, 0.25, -0.75]))
    return case((*widths, outputs), chosen, bias, fixed_bias, draw(st.integers(0, 2**20)))


def sample_counts(smallest: int = 0) -> st.SearchStrategy[int]:
    """T: small, or more than one default chunk of the smallest kernels."""
    return st.one_of(st.integers(smallest, 12), st.just(70))


@st.composite
def losses(draw) -> tuple[ggn.Loss, Any]:
    """One loss in the library and in the oracle."""
    scale = draw(st.sampled_from([0.5, 1.0, 3.0]))
    kind = draw(st.sampled_from(sorted(reference.LOSSES)))
    if kind == "squared":
        return ggn.losses.Squared(), reference.LOSSES[kind]()
    if kind == "smooth_lp":
        p = draw(st.sampled_from([0.5, 1.0, 1.5, 2.0]))
        return ggn.losses.SmoothLp(p, scale), reference.LOSSES[kind](p, scale)
    if kind == "cauchy":
        return ggn.losses.Cauchy(scale), reference.LOSSES[kind](scale)
    epsilon = draw(st.sampled_from([0.01, 0.5]))
    return (
        ggn.losses.BlakeZisserman(scale, epsilon),
        reference.LOSSES[kind](epsilon=epsilon, scale=scale),
    )


def sample_weights(T: int, seed: int) -> np.ndarray:
    """Return positive weights and, where there is room for it, a zero."""
    s = np.random.default_rng([seed, 7]).uniform(0.1, 3.0, T)
    if T > 2:
        s[1] = 0.0
    return s


def relative_error(actual: Any, expected: Any) -> float:
    """Largest error in units of the largest entry of what is expected; inf for nan or a misfit."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return np.inf
    if expected.size == 0:
        return 0.0
    error, scale = np.abs(actual - expected).max(), np.abs(expected).max()
    return float(error / scale) if scale > 0.0 else (0.0 if error == 0.0 else np.inf)


def assert_close(actual: Any, expected: Any, tolerance: float = TOLERANCE) -> None:
    """Assert that shapes agree, all is finite, and `relative_error` is within tolerance."""
    actual = np.asarray(actual)
    assert actual.shape == np.shape(expected)
    assert np.isfinite(actual).all()
    error = relative_error(actual, expected)
    test = os.environ.get("PYTEST_CURRENT_TEST", "?").split("[")[0].split(" ")[0]
    WORST[test] = max(WORST.get(test, 0.0), error)
    assert error <= tolerance, f"relative error {error:.3g} > {tolerance:g}"

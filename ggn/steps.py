"""Where to go from one linearization: the solvers of (G + mu D²) d = g.

A step has `prepare(linearization, damping) -> prepared`, called once per
accepted point, and the prepared step `solve(mu) -> d`, called once per trial;
d is None where the factorisation fails.  With B Bᵀ = G (no penalty), r = S⁺ε:

    Primal        (N x N)       Cholesky of D⁻¹ G D⁻¹ + mu I
    Dual          (T·nL x T·nL) d = D⁻¹ B̂ (B̂ᵀB̂ + mu I)⁻¹ r, B̂ = D⁻¹ B   (eq. 39)
    MinimumNorm   SVD of B̂ᵀ itself, so cond(P) is not squared; exact at mu = 0
    Gradient      d = g: backpropagation, Algorithm 1
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

import numpy as np

from ggn import _core
from ggn.damping import DampingState
from ggn.linearization import DualSystem, Linearization
from ggn.network import MLP
from ggn.validation import unknown_name

__all__ = ["Dual", "Gradient", "MinimumNorm", "Primal", "Step", "choose", "resolve"]


class Prepared(Protocol):
    """One linearization, ready to be solved for any damping."""

    gradient: np.ndarray
    diagonal: np.ndarray | float  # of the GGN matrix, the squared length of each weight's effect
    scale: np.ndarray | None

    def solve(self, mu: float) -> np.ndarray | None:
        """Return the step d (to be subtracted from w), or None if it cannot be had."""


class Step(Protocol):
    """A way to compute steps; `ggn.train` accepts any object with this method."""

    def prepare(self, at: Linearization, damping: DampingState) -> Prepared:
        """Assemble and scale what `solve` needs."""


class Primal:
    """Cholesky of the N x N normal matrix; cost T·nL·N² + N³/3, memory 2 N²."""

    def prepare(self, at: Linearization, damping: DampingState) -> _PreparedPrimal:
        """Assemble the normal matrix."""
        return _PreparedPrimal(at, damping)

    def __repr__(self) -> str:
        return "Primal()"


class _PreparedPrimal:
    diagonal: np.ndarray | float
    scale: np.ndarray | None

    def __init__(self, at: Linearization, damping: DampingState) -> None:
        N = at.net.n_weights
        self.G = at.objective.scratch("G", N, N)
        self.factor = at.objective.scratch("factor", N, N)
        at.assemble_normal(self.G)
        self.gradient = at.gradient
        self.diagonal = self.G.diagonal().copy()
        self.scale = damping.scale(self.diagonal)

    def solve(self, mu: float) -> np.ndarray | None:
        if _core.damped_cholesky(self.G, self.scale, mu, self.factor) != 0:
            return None
        if self.scale is None:
            d = self.gradient.copy()
            _core.cholesky_solve(self.factor, d)
            return d
        d = self.gradient / self.scale
        _core.cholesky_solve(self.factor, d)
        d /= self.scale
        return d


class Dual:
    """Cholesky of the T·nL x T·nL kernel matrix; cost N·(T·nL)² + (T·nL)³/3.

    With a penalty l2 the metric changes with mu, so each trial forms the
    kernel matrix anew (from the stored B).
    """

    def prepare(self, at: Linearization, damping: DampingState) -> Prepared:
        """Assemble B = P S and the kernel matrix."""
        if at.objective.penalised:
            return _PenalisedDual(at, damping)
        return _PreparedDual(at, damping)

    def __repr__(self) -> str:
        return "Dual()"


class _PreparedDual:
    def __init__(self, at: Linearization, damping: DampingState) -> None:
        self.system = DualSystem(at)
        self.gradient = at.gradient
        self.diagonal = self.system.diagonal
        self.scale = damping.scale(self.diagonal)
        k = len(self.system.r)
        D = np.ones(at.net.n_weights) if self.scale is None else self.scale
        self.K = self.system.kernel(D, at.objective.scratch("G", k, k))
        self.factor = at.objective.scratch("factor", k, k)

    def solve(self, mu: float) -> np.ndarray | None:
        if _core.damped_cholesky(self.K, None, mu, self.factor) != 0:
            return None
        x = self.system.r.copy()
        _core.cholesky_solve(self.factor, x)
        d = self.system.multiply(x)
        return d if self.scale is None else d / self.scale**2


class _PenalisedDual:
    """With Λ = 2 l2 + mu D² and d0 = Λ⁻¹ 2 l2 w: d = d0 + Λ⁻¹B (I + BᵀΛ⁻¹B)⁻¹ (r - Bᵀd0)."""

    def __init__(self, at: Linearization, damping: DampingState) -> None:
        self.B, self.r = at.root()
        self.gradient = at.gradient
        self.l2 = 2.0 * np.broadcast_to(at.objective.l2, at.w.shape)
        self.w = at.w
        self.diagonal = np.einsum("ij,ij->i", self.B, self.B) + self.l2
        self.scale = damping.scale(self.diagonal)
        k = len(self.r)
        self.K, self.factor = np.empty((k, k)), np.empty((k, k))

    def solve(self, mu: float) -> np.ndarray | None:
        metric = self.l2 + mu * (1.0 if self.scale is None else self.scale**2)
        if not metric.all():
            return None
        d = self.l2 * self.w / metric
        root = np.sqrt(metric)
        scaled = self.B / root[:, np.newaxis]
        self.K.fill(0.0)
        _core.add_gram(scaled, self.K)
        if _core.damped_cholesky(self.K, None, 1.0, self.factor) != 0:
            return None
        x = self.r - d @ self.B
        _core.cholesky_solve(self.factor, x)
        return d + (scaled @ x) / root


class MinimumNorm:
    """Singular value decomposition of B̂ᵀ: the least-squares step of least norm.

    cond(P) is not squared, a rank-deficient P is no obstacle at mu = 0, and a
    rejected trial costs two matrix-vector products.  The most accurate and the
    slowest: about 10 times the Cholesky forms.
    """

    def prepare(self, at: Linearization, damping: DampingState) -> _PreparedMinimumNorm:
        """Decompose B̂ᵀ, with rows for the penalty if there is one."""
        return _PreparedMinimumNorm(at, damping)

    def __repr__(self) -> str:
        return "MinimumNorm()"


class _PreparedMinimumNorm:
    def __init__(self, at: Linearization, damping: DampingState) -> None:
        B, r = at.root()
        if at.objective.penalised:
            root = np.sqrt(2.0 * np.broadcast_to(at.objective.l2, at.w.shape))
            B, r = np.hstack([B, np.diag(root)]), np.concatenate([r, root * at.w])
        self.gradient = at.gradient
        self.diagonal = np.einsum("ij,ij->i", B, B)
        self.scale = damping.scale(self.diagonal)
        if self.scale is not None:
            B /= self.scale[:, np.newaxis]
        self.U, self.s, Vt = np.linalg.svd(B, full_matrices=False)
        self.Vtr = Vt @ r
        self.cut = max(B.shape) * np.finfo(float).eps * self.s[0]

    def solve(self, mu: float) -> np.ndarray | None:
        s = self.s
        if mu == 0.0:
            inverse = np.divide(1.0, s, out=np.zeros_like(s), where=s > self.cut)
        else:
            inverse = s / (s * s + mu)
        d = self.U @ (inverse * self.Vtr)
        return d if self.scale is None else d / self.scale


class Gradient:
    """d = g, plain backpropagation (Algorithm 1); α is the learning rate.

    With `LevenbergMarquardt` damping the step is g / (mu D²), D² = 1.
    """

    def prepare(self, at: Linearization, damping: DampingState) -> _PreparedGradient:
        """Sweep back once."""
        return _PreparedGradient(at)

    def __repr__(self) -> str:
        return "Gradient()"


class _PreparedGradient:
    diagonal: np.ndarray | float = 1.0
    scale: np.ndarray | None = None

    def __init__(self, at: Linearization) -> None:
        self.gradient = at.gradient

    def solve(self, mu: float) -> np.ndarray:
        return self.gradient / mu if mu > 0.0 else self.gradient


NAMES: dict[str, Callable[[], Step]] = {
    "primal": Primal, "dual": Dual, "minimum-norm": MinimumNorm, "gradient": Gradient,
}  # fmt: skip


def resolve(value: str | Step) -> Step | None:
    """Return the step of a name, or the object itself; None for "auto".

    Raises
    ------
    ValueError
        For an unknown name (the known ones are listed) or another kind of value.
    """
    if isinstance(value, str):
        if value == "auto":
            return None
        if value in NAMES:
            return NAMES[value]()
        raise unknown_name("step", value, ["auto", *NAMES])
    if not callable(getattr(value, "prepare", None)):
        raise ValueError(f"step must be a name or an object with prepare(), got {value!r}")
    return value


def choose(net: MLP, T: int, damped: bool, penalised: bool, max_memory: float | None) -> Step:
    """Choose the cheapest step by flops among those that fit the memory.

    Undamped steps may meet a singular matrix, so there the minimum-norm step
    is taken if its cost (20 times a Cholesky form's) is small in itself.

    Raises
    ------
    ValueError
        If nothing fits in max_memory bytes; the message says what would.
    """
    N, k = net.n_weights, T * net.n_outputs
    limit = available_memory() if max_memory is None else max_memory
    small = min(N, k)
    trials = 1.5 if penalised else 1.0
    candidates: list[tuple[float, float, Step]] = [
        (k * N**2 + N**3 / 3, 8.0 * 2 * N * N, Primal()),
        (
            trials * (N * k**2 + k**3 / 3),
            8.0 * ((2 if penalised else 1) * N * k + 2 * k * k),
            Dual(),
        ),
    ]
    if not damped:
        rows = k + (N if penalised else 0)
        cost, memory = 20.0 * N * rows * small, 8.0 * (4 * N * rows + small**2)
        if cost < 1e10 and memory <= limit:
            return MinimumNorm()
    fitting = [(cost, i) for i, (cost, memory, _) in enumerate(candidates) if memory <= limit]
    if not fitting:
        need = min(memory for _, memory, _ in candidates)
        raise ValueError(
            f"max_memory must be at least {need / 2**20:.0f} MiB for a second-order step of "
            f"{N} weights on {T} samples, got {limit / 2**20:.0f} MiB; "
            "step='gradient' needs next to none"
        )
    return candidates[min(fitting)[1]][2]


def available_memory() -> float:
    """Return half the physical memory, in bytes, or 4 GiB where it cannot be asked for."""
    try:
        return 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 4.0 * 2**30

"""What a bound on a rank is, and how one holds for numerical ranks.

The theorems are about exact ranks; a numerical rank counts singular values above a cut t.
So the cut is carried through the products.  For A with inner dimension n, and A' without r of
A's rows and columns,

    σ_{a+b-n}(AB) >= σ_a(A) σ_b(B),    σ_k(AB) <= σ_k(A) σ_1(B),   σ_k(AB) <= σ_1(A) σ_k(B),
    σ_{k+r}(A) <= σ_k(A') <= σ_k(A):

a lower bound counts what stays above the cut in the product and an upper bound whatever
may, which for t -> 0 are Sylvester's inequality and rank(AB) <= min(rank A, rank B).

The bounds are in `ggn.surface.block_bounds` (on P_l and Ψ_l), `whole_bounds` (on P),
`hessian` (on H_J), and, where the paper prints something else, in `printed_bounds`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Bound", "Premise"]

# Computed singular values are known to a part of the cut, so on either side of it they may be
# this factor off.
SLACK = 2.0
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Premise:
    """What a bound rests on, whether it holds here, and the numbers that say so."""

    text: str
    holds: bool
    evidence: str

    def __str__(self) -> str:
        return f"{self.text}: {'holds' if self.holds else 'fails'} ({self.evidence})"


@dataclass(frozen=True)
class Bound:
    """One bound on a rank.

    Attributes
    ----------
    name : str
    equation : str
        Where it, or what it follows from, is in the paper (arXiv form).
    of : str
        The matrix: "P", "P_1", "Psi_1" (every Ψ_1^(i)), "H" (H_J).
    lower : bool
        Whether rank >= value is claimed, otherwise rank <= value.
    value : int
        What is claimed; not established where a premise fails.
    detail : str
        The numbers it is made of.
    premises : tuple of Premise
    """

    name: str
    equation: str
    of: str
    lower: bool
    value: int
    detail: str
    premises: tuple[Premise, ...] = ()

    @property
    def applies(self) -> bool:
        """Whether all premises hold."""
        return all(premise.holds for premise in self.premises)

    def allows(self, rank: int) -> bool:
        """Return whether a matrix of this rank is within the bound, premises or not."""
        return rank >= self.value if self.lower else rank <= self.value

    def __str__(self) -> str:
        sign = ">=" if self.lower else "<="
        failed = "; ".join(str(premise) for premise in self.premises if not premise.holds)
        text = f"rank {self.of} {sign} {self.value}  {self.name} ({self.equation}): {self.detail}"
        return f"{text}; not established: {failed}" if failed else text


def lower_cut(cut: float) -> float:
    """Return what a product has to exceed to be counted for certain."""
    return max(SLACK * cut, TINY)


def sylvester_above(copies: int, phi: np.ndarray, psi: np.ndarray, inner: int, low: float) -> int:
    """Return max_α #{σ(A) >= α} + #{σ(B) > low/α} - inner, or 0.

    σ(A) are `copies` times phi, descending, σ(B) are psi, ascending.
    """
    if not len(phi):
        return 0
    a = copies * np.arange(1, len(phi) + 1)
    b = len(psi) - np.searchsorted(psi, low / phi, side="right")
    return max(0, int(np.max(a + b)) - inner)

"""What is minimised where outputs are fed back: the mean loss of a free run, or of many short ones.

    J(p) = Σ_i c_i E(o_i, y_i) + Σ_j l2_j p_j²,    o_i = F(w, z_i)

z_i holds outputs of earlier samples of the same window; p are the weights w and, where they
are free, the values from before each window.  A window for each sample is the ordinary fit of
one step ahead; one for each series is the free run; those between have a horizon.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np

from ggn.linearization import Objective
from ggn.losses import Loss
from ggn.network import MLP, chunks
from ggn.recurrent.linearization import LoopLinearization
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.sweeps import Sweeps
from ggn.recurrent.windows import Windows

__all__ = ["LoopNet", "LoopObjective"]

ROWS = 8192  # samples of which losses are formed at a time


class LoopNet(MLP):
    """A network whose weight vector goes on with parameters that are none of its own.

    Examples
    --------
    >>> net = LoopNet(MLP((1, 1)), 3)
    >>> net.n_weights, net.layout.n_weights
    (5, 2)
    """

    def __init__(self, net: MLP, others: int) -> None:
        self.__dict__.update(net.__dict__)
        self.own = net
        self.n_weights = net.n_weights + others

    def matrices(self, w: np.ndarray) -> list[np.ndarray]:
        return self.own.matrices(w[: self.own.n_weights])

    def _key(self) -> tuple[Any, ...]:
        return (*super()._key(), self.n_weights)


class LoopObjective(Objective):
    """Data, loss and penalty of one fit of a network in a loop.

    Parameters
    ----------
    recursion : Recursion
    net : MLP
        Stands for the recursion before metrics and reports: it has its n_weights, and the
        values from before windows with them where those are free (a `LoopNet`).
    Z : ndarray, (T, n)
        Inputs; what is fed back holds, where a window begins, the values from before it, and
        elsewhere what was measured, or anything.
    Y : ndarray, (T, nL)
    windows : Windows
    observed : slice, optional
        Which of the k outputs are to meet Y; by default all.
    free : bool, default False
        Whether the values from before windows are parameters.
    loss, sample_weight, l2, chunk_size
        As for `ggn.linearization.Objective`.
    """

    rooted: ClassVar[bool] = False

    def __init__(
        self,
        recursion: Recursion,
        net: MLP,
        Z: np.ndarray,
        Y: np.ndarray,
        windows: Windows,
        loss: str | Loss = "squared",
        sample_weight: Any = None,
        l2: Any = 0.0,
        observed: slice | None = None,
        free: bool = False,
        chunk_size: int | None = None,
    ) -> None:
        super().__init__(net, Z, Y, loss, sample_weight, l2, chunk_size)
        self.recursion, self.windows, self.free = recursion, windows, free
        self.observed = slice(0, recursion.k) if observed is None else observed
        self.sweeps = Sweeps(recursion, self.X, windows, free, chunk_size)

    def over(self, windows: Windows) -> Self:
        """Return the objective of the same samples in other windows."""
        other = copy.copy(self)
        other.windows = windows
        other.sweeps = Sweeps(self.recursion, self.X, windows, self.free, self.chunk_size)
        return other

    def at(self, w: np.ndarray, J: float | None = None) -> LoopLinearization:  # type: ignore[override]
        return LoopLinearization(self, w, J)

    def value(self, w: np.ndarray) -> float:
        """Return J; inf where the run leaves the finite numbers."""
        if not self.sweeps.simulate(w):
            return float("inf")
        total = self.penalty(w) if self.penalised else 0.0
        for rows in chunks(range(self.T), ROWS):
            total += self.sum_loss(self.now(rows), rows)
        return total

    def now(self, rows: slice) -> np.ndarray:
        """Return the observed outputs (nL, c) that the last `simulate` has left."""
        return np.ascontiguousarray(self.sweeps.O[rows, self.observed].T)

    def outputs(self, w: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        self.sweeps.simulate(w)
        for rows in chunks(range(self.T), ROWS):
            yield rows, self.now(rows)

    def refit_pays(self, work: float) -> bool:
        return False  # the output layer is met again in later samples: J is not quadratic in it

    def refit(
        self, w: np.ndarray, before: np.ndarray, D: np.ndarray | None, mu: float
    ) -> tuple[float, np.ndarray | None]:
        return self.value(w), None

    def part(self, rows: np.ndarray) -> Self:
        raise NotImplementedError("samples of a loop cannot be taken one by one")

    def standard(
        self, m: np.ndarray, s: np.ndarray, my: np.ndarray, sy: float, loss: Loss, l2: Any
    ) -> Self | None:
        """Return this in other units: m and s of what is fed back are to be those of its target."""
        own = super().standard(m, s, my, sy, loss, l2)
        if own is not None:
            own.sweeps = Sweeps(self.recursion, own.X, self.windows, self.free, self.chunk_size)
        return own

"""What is minimised of a state-space model in free run: the mean loss over time and experiments.

    J(w) = Σ_i c_i E(y_i(w), target_i) + Σ_j l2_j w_j²

i runs over the steps of all experiments, one after the other.  Targets that are missing (nan)
take no part: a step of which all outputs are missing has c_i = 0, and where some are, the
residuals of those count as 0.

Experiments are split into lanes by their lengths alone, and threads take lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ggn._core.machine import lane_count, limited, share
from ggn.linearization import Objective
from ggn.linearization.mean_loss import penalty
from ggn.linearization.memory import Memory
from ggn.linearization.shares import Shares
from ggn.losses import Loss, resolve
from ggn.losses.curvature import Curvature
from ggn.recurrent.statespace_linearization import StateSpaceLinearization
from ggn.recurrent.statespace_model import StateSpace, simulation_flops

__all__ = ["StateSpaceObjective"]

CHUNK = 4096  # steps that are simulated between two calls of the loss
DOUBLES = 2**17  # of the Jacobian's rows at a time: 1 MB, the level-2 cache of one core


class StateSpaceObjective(Objective):
    """Experiments, loss and penalty of one fit of a state-space model.

    Parameters
    ----------
    net : StateSpace
        With as many initial states as experiments, or none.
    Us, Ys : sequence of ndarray
        Inputs (T_e, nu) and targets (T_e, ny) of each experiment; checked before.  nan: missing.
    loss : str or Loss, default "squared"
    sample_weight : ndarray, (T,), optional
        For all steps of all experiments.
    l2 : float or array_like (N,), default 0.0
    chunk_size : int, optional
        Steps at a time; the result depends on it only by rounding.
    """

    net: StateSpace  # type: ignore[assignment]
    layered = False

    def __init__(
        self,
        net: StateSpace,
        Us: Sequence[np.ndarray],
        Ys: Sequence[np.ndarray],
        loss: str | Loss = "squared",
        sample_weight: Any = None,
        l2: Any = 0.0,
        chunk_size: int | None = None,
    ) -> None:
        self.net = net
        self.edges = np.concatenate([[0], np.cumsum([len(Y) for Y in Ys])])
        self.T = int(self.edges[-1])
        self.X = np.ascontiguousarray(np.concatenate(Us), dtype=np.float64)
        Y = np.concatenate(Ys).astype(np.float64)
        seen = np.isfinite(Y)
        self.loss = resolve(loss)
        if not self.loss.separable:  # a step counts as a whole
            seen[~seen.all(axis=1)] = False
        some = seen.any(axis=1)
        # by output, then step, as the targets are
        self.mask = None if seen.all() else np.ascontiguousarray(seen.T, dtype=np.float64)
        Y = np.where(seen, Y, 0.0)
        self.loss.check_targets(Y)
        self.Yt = np.ascontiguousarray(Y.T)
        s = None if some.all() else some.astype(np.float64)
        if sample_weight is not None:
            s = np.asarray(sample_weight, dtype=np.float64) * some
        self.c = Shares.from_weights(s, self.T)
        self.s = np.broadcast_to(1.0 if s is None else s, self.T)
        with np.errstate(over="ignore"):
            self.count = float(self.s.sum())
        self.counting = max(self.count, float(np.count_nonzero(self.s)))
        self.l2 = penalty(l2, net.n_weights)
        self.penalised = bool(np.any(self.l2))
        self.chunk_size = chunk_size
        self._memory = Memory()
        self.known = {}

    def chunk(self, columns: int, extra: int = 0, among: int = 1) -> tuple[int, int]:
        """Return the steps of a chunk; the sweeps of layers need scratch, these do not."""
        return min(self.chunk_size or CHUNK, self.T), 0

    def refit_pays(self, work: float) -> bool:
        return False

    def at(self, w: np.ndarray, J: float | None = None) -> StateSpaceLinearization:
        return StateSpaceLinearization(self, w, J)

    @property
    def counted(self) -> np.ndarray:
        counted = super().counted
        return counted if self.mask is None else counted * self.mask.T

    def residuals(self, w: np.ndarray) -> np.ndarray:
        r = super().residuals(w)
        return r if self.mask is None else r * self.mask.T

    @property
    def experiments(self) -> int:
        """Their number."""
        return len(self.edges) - 1

    @property
    def of_the_users_own(self) -> bool:
        """Whether the loss is the user's, which need not bear several threads."""
        return not type(self.loss).__module__.startswith("ggn.losses")

    def groups(self, flops: float, sums: int = 0) -> list[range]:
        """Return the experiments of each lane, for so many flops a step; see `lane_count`."""
        count = min(lane_count(self.T * flops, sums), self.experiments)
        ends = [int(np.argmin(np.abs(self.edges - self.T * (i + 1) / count))) for i in range(count)]
        starts = [0, *ends[:-1]]
        parts = [range(a, b) for a, b in zip(starts, ends, strict=True)]
        return [part for part in parts if part]

    def each_experiment(self, groups: list[range], do: Callable[[int, int, slice], None]) -> None:
        """Call do(lane, experiment, rows) for the experiments of each lane in turn, on threads."""
        settings = np.geterr()

        def work(lane: int, stopped: Callable[[], bool]) -> None:
            with np.errstate(**settings):
                for e in groups[lane]:
                    if stopped():
                        return
                    do(lane, e, slice(int(self.edges[e]), int(self.edges[e + 1])))

        if len(groups) == 1:
            work(0, lambda: False)
            return
        with limited():
            share(len(groups), work, self.of_the_users_own)

    def chunks_of(self, rows: slice, size: int) -> Iterator[slice]:
        """Split an experiment's rows into slices of at most `size`, or chunk_size if given."""
        size = self.chunk_size or size
        for start in range(rows.start, rows.stop, size):
            yield slice(start, min(start + size, rows.stop))

    def value(self, w: np.ndarray) -> float:
        """Return J(w); inf or nan, without warning, where the run diverges."""
        groups = self.groups(simulation_flops(self.net))
        sums = [0.0] * len(groups)

        def add(lane: int, e: int, rows: slice) -> None:
            for part, F in self.simulated(w, e, rows):
                sums[lane] += self.sum_loss(F, part)

        with np.errstate(all="ignore"):
            self.each_experiment(groups, add)
            J = (self.penalty(w) if self.penalised else 0.0) + sum(sums)
        return J

    def simulated(
        self, w: np.ndarray, e: int, rows: slice, states: np.ndarray | None = None
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Run an experiment; yield chunks and their outputs (ny, c), and keep states (T_e, nx)."""
        net, layout = self.net, self.net.layout
        own, x, work = w[: net.n_shared], net.initial_state(w, e), layout.scratch()
        for part in self.chunks_of(rows, CHUNK):
            Y = np.empty((part.stop - part.start, net.n_outputs))
            kept = None
            if states is not None:
                kept = states[part.start - rows.start : part.stop - rows.start]
            layout.simulate(own, self.X[part], x, kept, Y, work)
            yield part, np.ascontiguousarray(Y.T)

    def outputs(self, w: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Simulate all; yield each chunk and its outputs (ny, c)."""
        for e in range(self.experiments):
            yield from self.simulated(w, e, slice(int(self.edges[e]), int(self.edges[e + 1])))

    # -- the loss, where targets may be missing ---------------------------------------------------

    def _given(self, F: np.ndarray, rows: slice) -> np.ndarray:
        """Return outputs that meet the targets (zeros) where those are missing."""
        return F if self.mask is None else np.where(self.mask[:, rows] > 0.0, F, 0.0)

    def _masked(self, H: np.ndarray, rows: slice) -> np.ndarray:
        """Return H_E, or a root of it, without what is missing."""
        if self.mask is None:
            return H
        m = self.mask[:, rows].T
        return H * m if H.ndim == 2 else H * m[:, :, np.newaxis] * m[:, np.newaxis, :]

    def sum_loss(self, F: np.ndarray, rows: slice) -> float:
        """Return Σ c_i E_i of a chunk with outputs F (ny, c)."""
        return super().sum_loss(self._given(F, rows), rows)

    def derivatives(self, F: np.ndarray, rows: slice) -> np.ndarray:
        """Return c_i ∇_E of a chunk, (ny, c)."""
        eps = super().derivatives(self._given(F, rows), rows)
        return eps if self.mask is None else eps * self.mask[:, rows]

    def curvature(self, F: np.ndarray, rows: slice, psd: bool) -> Curvature:
        """Return c_i H_E of a chunk."""
        F = self._given(F, rows)
        H = self.loss.hessian(F.T, self.Yt[:, rows].T, psd=psd)
        return Curvature.of(self._masked(H, rows)).weighted(self.c.of(rows))

    def root(self, F: np.ndarray, rows: slice) -> Curvature:
        """Return S of a chunk, S Sᵀ = c_i H_E (psd)."""
        S = self.loss.root(self._given(F, rows).T, self.Yt[:, rows].T)
        return Curvature.of(self._masked(S, rows)).weighted(np.sqrt(self.c.of(rows)))

    def whitened(self, F: np.ndarray, rows: slice) -> np.ndarray:
        """Return S⁺ c_i ∇_E of a chunk, (ny, c), for the S of `root`."""
        r = super().whitened(self._given(F, rows), rows)
        return r if self.mask is None else r * self.mask[:, rows]

    def constant_curvature(self) -> float | None:
        """Return None: no form of the normal matrix here needs it."""
        return None

    def row_steps(self) -> int:
        """Return of how many steps the Jacobian is held at a time."""
        return max(DOUBLES // (self.net.n_outputs * (self.net.n_shared + self.net.n_states)), 8)

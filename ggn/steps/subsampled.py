"""The primal step with curvature from a random part of the samples.

Loss and gradient come from all samples, so what it converges to is the same;
only G is a mean over m of the T samples, drawn anew at each point.  Along the
step d it gives, the curvature dᵀGd of all samples is computed by one sweep, and
the step's length is the best for that: a = gᵀd / dᵀ(G + mu D²)d.  So predicted
reduction and gain ratio are those of all samples, and a says whether m is too
small: the step was made for another curvature.  Below 1/2, m doubles, up to T.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ggn.damping import Metric
from ggn.linearization import BaseLinearization, BaseObjective
from ggn.linearization.assembly import normal_work
from ggn.linearization.sweeping import sweep_work
from ggn.network import MLP
from ggn.steps.base import Step
from ggn.steps.primal import PreparedPrimal
from ggn.validation import generator, integer

__all__ = ["Subsampled", "first_size"]


class Subsampled(Step):
    """Cholesky of a normal matrix from part of the samples; for very many samples.

    Parameters
    ----------
    samples : int, optional
        m at the start; by default `first_size`.
    rng : int, Generator or None, default 0
        Seed of the draws; the same seed gives the same run.
    """

    name = "subsampled"

    def __init__(
        self, samples: int | None = None, rng: int | np.random.Generator | None = 0
    ) -> None:
        self.samples = None if samples is None else integer("samples", samples, 1)
        generator(rng)
        self.rng = rng

    def start(self, objective: BaseObjective) -> _Running:
        """Return the state of one run."""
        size = first_size(objective.net, objective.T) if self.samples is None else self.samples
        return _Running(size, generator(self.rng))

    def prepare(self, at: BaseLinearization, metric: Metric) -> PreparedPrimal:
        """Assemble G from the first draw."""
        return self.start(at.objective).prepare(at, metric)

    def __repr__(self) -> str:
        return f"Subsampled(samples={self.samples})"


class _Running(Step):
    def __init__(self, size: int, source: np.random.Generator) -> None:
        self.size, self.source = size, source
        self.before = source.bit_generator.state

    def state(self) -> dict[str, Any]:
        # a run that goes on draws for the same point once more
        return {"size": self.size, "before": self.before}

    def resume(self, state: Mapping[str, Any]) -> None:
        self.size = state["size"]
        self.source.bit_generator.state = state["before"]

    def prepare(self, at: BaseLinearization, metric: Metric) -> PreparedPrimal:
        T = at.objective.T
        if self.size >= T:
            return PreparedPrimal(at, metric)
        self.before = self.source.bit_generator.state
        some = at.objective.subsample(self.size, self.source)
        return _Prepared(self, at, metric, some.at(at.w))


class _Prepared(PreparedPrimal):
    def __init__(
        self,
        running: _Running,
        at: BaseLinearization,
        metric: Metric,
        curvature: BaseLinearization,
    ) -> None:
        super().__init__(at, metric, curvature)
        self.running, self.few = running, False

    def solve(self, mu: float) -> np.ndarray | None:
        d = super().solve(mu)
        if d is None:
            return None
        Dd = d if self.scale is None else self.scale * d
        curvature = self.at.curvature_along(d) + mu * float(Dd @ Dd)
        length = float(self.gradient @ d) / curvature if curvature > 0.0 else 1.0
        if length < 0.5 and not self.few:  # once per point
            self.few = True
            self.running.size *= 2
        return length * d


def first_size(net: MLP, T: int) -> int:
    """Return how many samples to begin with.

    At least one residual per weight; more where that costs no more than the
    sweeps over all samples.  Measured on F(1,70,40,1), T = 40,000: a third of N
    takes twice the iterations, twice N as many, each 1.7 times as long.
    """
    balanced = T * sweep_work(net, net.n_outputs) / normal_work(net)
    return min(T, int(max(net.n_weights / net.n_outputs, balanced)))

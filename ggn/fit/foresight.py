"""Trials of the next mu too, in the same sums as the first, where a sum takes long to ask for.

A trial is three sums one after the other, and a refused one three more.  On a cluster a sum of
little work takes as long as its graph of tasks: so where that is far longer than the sweep, trials
at mu and at what it will be if they are refused are asked for together.  They are run as they will
be, on sums that are known; what they miss is asked for, of all at once; and then again.  After
that the loop finds what it asks for: its trials are the same, to the last bit, refused or not.
"""

from __future__ import annotations

import time

from ggn.damping import Rule
from ggn.fit.run import Run
from ggn.linearization import SummedObjective
from ggn.linearization.foreseen import UnforeseenError
from ggn.steps import Prepared
from ggn.steps.primal import PreparedPrimal

__all__ = ["Foresight"]

AHEAD = 1  # trials beside the first: one in six is refused, two in a row are few
ROUNDS = 4  # of sums: acceleration, output layer, J there; none
SHARE = 0.25  # of the time that a sum of no work takes: what its sweep may, for it is made twice
FLOPS = 3e10  # of a factorisation here, in a second


class Foresight:
    """Who looks ahead in a run, if that pays: it is measured at the first point."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.objective = run.objective if isinstance(run.objective, SummedObjective) else None
        self._pays: bool | None = None
        self._point = 0
        self._seen: set[float] = set()

    def look(self, prepared: Prepared, rule: Rule) -> None:
        """See to it that sums of the next trials are known, if that is worth while."""
        objective = self.objective
        if objective is None or self._pays is False or type(prepared) is not PreparedPrimal:
            return
        if self._point != self.run.njev:
            self._point = self.run.njev
            self._seen.clear()
            objective.foreseen.forget()
        if rule.mu in self._seen:
            return
        mus = (rule.mu, *rule.ahead(AHEAD))
        if len(mus) == 1:
            return
        if self._pays is None:
            self._pays = self._worth(objective)
            if not self._pays:
                return
        self._seen.update(mus)
        self._ask(objective, prepared, rule, mus)

    def _ask(
        self, objective: SummedObjective, prepared: Prepared, rule: Rule, mus: tuple[float, ...]
    ) -> None:
        foreseen, counted = objective.foreseen, self.run.nfev
        for _ in range(ROUNDS):
            asked = []
            foreseen.only = True
            try:
                for mu in mus:
                    try:
                        d = prepared.solve(mu)
                        if d is not None:
                            self.run.attempt(d, prepared, rule, mu)
                    except UnforeseenError as one:
                        asked.append(one)
            finally:
                foreseen.only, self.run.nfev = False, counted
            if not asked:
                return
            objective.foresee(asked)

    def _worth(self, objective: SummedObjective) -> bool:
        """Whether a sum takes longer to ask for than to compute, and than solving anew does."""
        latency = objective.source.latency()
        if latency == 0.0:
            return False
        if len(self.run.w) ** 3 / 3.0 * ROUNDS * (1 + AHEAD) > FLOPS * latency:
            return False
        start = time.perf_counter()
        objective.value(self.run.w)
        return time.perf_counter() - start < (1.0 + SHARE) * latency

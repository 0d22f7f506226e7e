"""What a diagnosis says, for programs and for people."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ggn.fit.result import Status
from ggn.linearization import BaseLinearization, Objective
from ggn.linearization.spectrum import Spectrum
from ggn.surface.advice import Suggestion
from ggn.surface.evidence import Evidence, Verdict
from ggn.surface.finding import Findings
from ggn.surface.flat_units import Saturation
from ggn.surface.obstruction import Obstruction
from ggn.surface.principles import check_principles
from ggn.surface.rank_report import RankReport, ranks
from ggn.surface.runaway import RunawayRay
from ggn.surface.theorem_1 import Certificate
from ggn.validation import count

__all__ = ["Diagnosis"]

WIDTH = 88

# Ends that need no word: what the point is says more.
_CONVERGED = (Status.GRADIENT, Status.STEP, Status.LOSS, Status.PRECISION)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What w is, on what evidence, and what to do; see `ggn.diagnose`.  Prints as a report.

    Samples of weight 0 are left out, and sample numbers do not count them.

    Attributes
    ----------
    verdict : Verdict
    evidence : tuple of Evidence
        Each has a .kind and .fields, and prints as a sentence.
    suggestion : Suggestion
        What to do next: .advice and .remedy; prints as a sentence or two.
    loss, gradient_norm : float
        J and ‖∇J‖, penalty included.
    relative_gradient : float
        ‖P ε‖ / (‖P‖_F ‖ε‖), the weights in units of the data.
    promised : float
        The fall of J that gradient and Hessian promise: Σ (vᵀg)² / 2 max(|λ|, tolerance);
        without them, or of a large network, that of a truncated GGN step; at most
        J - lower_bound.
    lower_bound : float
        J >= this for all weights; -inf where nothing is known of a loss of your own.
    degenerate : bool or None
        Of a local minimum, whether directions of constant J pass through it; else None.
    obstructions : tuple of Obstruction
        What makes an exact fit impossible.
    saturation : Saturation or None
        None of samples in chunks.
    ray : RunawayRay or None
        J as saturated units' weights grow.
    spectrum : Spectrum or None
        Of the exact Hessian, the weights in units of the data; None where it was not needed
        or does not exist.
    scale : ndarray, (N,)
        D, of which weights D w are in units of the data: `spectrum` is that of D⁻¹ H_J D⁻¹.
    tolerance : float
        Eigenvalues up to it count as zero: the spectrum's, and what ‖∇J‖ adds.
    flat : int
        Dimension of the directions known in advance to leave J constant.
    descent : ndarray or None, (N,)
        Of a saddle: a direction of negative curvature, of unit length.
    descent_path : tuple of (float, float)
        (t, J(w + t · descent)), from t = 0 to the lowest J found.
    certificate : Certificate or None
        Theorem 1 and Prop. 1 at w, where N >= T·nL makes it possible.
    differs : tuple of str
        Where a fit was given: in what this is another problem than that which it minimised.
    status : Status or None
        Where a fit was given: how its training ended.
    members : int
        Of a mixture, how many networks it has, of which this is one; else 1.
    """

    verdict: Verdict
    evidence: tuple[Evidence, ...]
    suggestion: Suggestion
    loss: float
    gradient_norm: float
    relative_gradient: float
    promised: float = 0.0
    lower_bound: float
    degenerate: bool | None = None
    obstructions: tuple[Obstruction, ...]
    saturation: Saturation | None
    ray: RunawayRay | None = None
    spectrum: Spectrum | None = None
    scale: np.ndarray = field(repr=False)
    tolerance: float = 0.0
    flat: int = 0
    descent: np.ndarray | None = None
    descent_path: tuple[tuple[float, float], ...] = ()
    certificate: Certificate | None = None
    differs: tuple[str, ...] = ()
    status: Status | None = None
    members: int = 1
    _at: BaseLinearization = field(repr=False)

    @property
    def rounding(self) -> float:
        """How far J may be off by the rounding of the outputs."""
        return self._at.rounding

    def _samples(self) -> Objective:
        objective = self._at.objective
        if not isinstance(objective, Objective):
            raise ValueError("samples must be in memory to be looked at one by one, got chunks")
        return objective

    def ranks(self) -> RankReport:
        """Return the ranks of P and its factors at w, with their bounds; computed now.

        Raises
        ------
        ValueError
            Of samples in chunks, as P is as large as they are.
        """
        return ranks(self._at.net, self._at.w, self._samples().X)

    def principles(self) -> Findings:
        """Return the check of the design principles at w; computed now."""
        objective = self._samples()
        weight = objective.c.weights
        return check_principles(
            self._at.net,
            self._at.w,
            objective.X,
            objective.Yt.T,
            objective.loss,
            sample_weight=weight,
        )

    def __str__(self) -> str:
        return self.report({})

    def report(self, words: Mapping[Any, str]) -> str:
        """Return the report, with another face's words for kinds of evidence and advice."""
        at, net = self._at, self._at.net
        network = f"{net!r}; {count(net.n_weights, 'weight')}"
        if self.members > 1:
            network += f"; of the {self.members} of the mixture that of greatest evidence"
        lines = [
            _paragraph("verdict", self.verdict.value),
            _paragraph("network", network),
            _paragraph(
                "loss",
                f"J = {self.loss:.6g} over {count(at.objective.T, 'sample')}, "
                f"‖gradient‖ = {self.gradient_norm:.3g}",
            ),
        ]
        if self.status is not None and self.status not in _CONVERGED:
            lines.append(_paragraph("stopped", words.get(self.status, self.status.value)))
        if self.differs:
            text = f"Not the problem of the fit: {'; '.join(self.differs)}."
            lines.append(_paragraph("note", text))
        for i, found in enumerate(self.evidence):
            lines.append(_paragraph("" if i else "evidence", f"- {found.worded(words)}", hang=2))
        lines.append(
            _paragraph("suggestion", self.suggestion.worded(words or self.suggestion.words))
        )
        return "\n".join(lines)


def _paragraph(label: str, text: str, hang: int = 0) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"{label:<12}",
        subsequent_indent=" " * (12 + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )

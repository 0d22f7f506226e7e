"""What the check of one principle says, and of all."""

from __future__ import annotations

import enum
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["Finding", "Findings", "Outcome"]

WIDTH = 100


class Outcome(enum.Enum):
    """How a principle fares."""

    HOLDS = "holds"
    FAILS = "fails"
    NUMERICALLY_FAILS = "fails only numerically"  # holds in exact arithmetic, or rounding decides
    NOT_APPLICABLE = "does not apply"
    UNKNOWN = "is not known to hold"


SEVERITY = (Outcome.HOLDS, Outcome.NUMERICALLY_FAILS, Outcome.UNKNOWN, Outcome.FAILS)


def worst(*outcomes: Outcome) -> Outcome:
    """Return the outcome of all of them together."""
    return max(outcomes, key=SEVERITY.index)


@dataclass(frozen=True)
class Finding:
    """One principle checked, or one quantity measured.

    Attributes
    ----------
    principle : str
        "1", "1.a", "2", "3", "4", "5", "5, corrected", "Prop. 5", "Prop. 2.2"; of what is
        only measured "Curvature", "Flat units", "Features" or "Sensitivities".
    title : str
        Its content.
    verdict : Outcome
        At the point: these weights, inputs and targets.
    text : str
        A sentence or two.
    advice : str
        What to change; empty where nothing need be.
    numbers : mapping of str to int or float
        What the verdict rests on.
    design : Outcome or None
        Whether architecture, activations and loss alone ensure it, for all weights and
        outputs; None where the question has no sense.
    design_text : str
        Why; empty where the text says it too.
    """

    principle: str
    title: str
    verdict: Outcome
    text: str
    advice: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    design: Outcome | None = None
    design_text: str = ""

    @property
    def name(self) -> str:
        """The principle's name in full."""
        return f"Principle {self.principle}" if self.principle[0].isdigit() else self.principle

    def __str__(self) -> str:
        advice = f" {self.advice}" if self.advice else ""
        if self.design is None or (self.design is self.verdict and not self.design_text):
            return f"{self.name} ({self.title}) {self.verdict.value}: {self.text}{advice}"
        return (
            f"{self.name} ({self.title}) by design {self.design.value}: {self.design_text} "
            f"Here it {self.verdict.value}: {self.text}{advice}"
        )


class Findings(tuple[Finding, ...]):
    """All findings on one point, a tuple.  Prints as a table, with a note on what is amiss."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        wide = max((len(one.title) for one in self), default=0)
        yield f"{'':24}{'':{wide}}  {'by design':24}here"
        for one in self:
            design = "" if one.design is None else one.design.value
            yield f"{one.name:24}{one.title:{wide}}  {design:24}{one.verdict.value}"
        for one in self:
            amiss = {one.verdict, one.design} - {Outcome.HOLDS, Outcome.NOT_APPLICABLE, None}
            if amiss:
                said = textwrap.fill(str(one), WIDTH, subsequent_indent="  ")
                yield f"\n{said}"

"""What was seen at a point, and what one test of it says.

Evidence is a key and its fields.  `str` words it for Python; another face gives its own
words for some keys, with the same fields, and leaves the others as they are.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Evidence", "EvidenceKind", "Judgement", "Verdict", "first_verdict", "seen", "sentence"]


class Verdict(enum.Enum):
    """What a point is."""

    GLOBAL_MINIMUM = "global minimum"
    LOCAL_MINIMUM = "local minimum, not known to be global"
    SADDLE = "strict saddle"
    RUNAWAY = "runaway weights: J falls towards weights at infinity"
    NOT_STATIONARY = "not stationary: training can go on"
    INFEASIBLE = "exact fit impossible; the point itself is not settled"
    INCONCLUSIVE = "second-order test inconclusive"


_AT_BOUND = "J is {gap:.1g} above {bound:.6g}, a proven lower bound"
_ONLY_MINIMUM = "; the loss has its minimum there and there only."
_FALLS = (
    "The gradient is {relative:.1g} of its largest possible size; a step that it leads to "
    "lowers J by {fall:.3g}"
)
_POSITIVE = (
    "The exact Hessian, for weights in units of the data, has {positive} positive eigenvalues, "
    "the smallest {least:.3g} (what counts as zero: {tolerance:.1g})"
)
_INERTIA = (
    "The Hessian, for weights in units of the data, has {positive} positive, {zero} zero and "
    "{negative} negative eigenvalues (up to {tolerance:.1g} counts as zero), "
)


class EvidenceKind(enum.Enum):
    """What was seen; the value is the sentence, with places for the fields."""

    AT_BOUND = f"{_AT_BOUND}."
    BOUND_AT_INFINITY = f"{_AT_BOUND}, which only infinite weights would reach."
    SEPARATED = (
        "Every sample is on its side: as the output layer's weights grow, J falls to 0, "
        "which no finite weights reach."
    )
    QUASI_SEPARATED = (
        "There is a direction of the output layer's weights along which the loss of no sample "
        "rises and that of {count} falls for ever: J has no minimum at finite weights near it."
    )
    LEAST = (
        "The gradient of every sample's loss is 0 to rounding, and the loss is convex: none can "
        "be less."
    )
    EXACT = f"The fit is exact to rounding{_ONLY_MINIMUM}"
    NEARLY_EXACT = (
        "The fit is exact to {share:.1g} of the targets' deviation, and Gauss-Newton steps "
        f"of {{moved:.1g}} of the weights make it exact to rounding{_ONLY_MINIMUM}"
    )
    VANISHES = (
        "J, penalty included, is {loss:.1g}, as little as rounding of the targets makes of a loss "
        "that cannot be below 0."
    )
    CERTIFICATE = "{certificate}"
    OBSTRUCTION = "{obstruction}"
    SATURATION = "{saturation}"
    RUNAWAY_RAY = "{ray}"
    FALLS = f"{_FALLS}."
    FALLS_BY_SHARE = f"{_FALLS}, {{percent:.2g}} % of it."
    FALL_NOT_SEEN = (
        "The gradient promises a fall by {promised:.2g}, but no step along it is seen to lower J."
    )
    IDLE_OUTPUT = (
        "By its own weights alone, output {output} lowers its part of J by {fall:.3g}, "
        "{percent:.2g} % of it."
    )
    CONVEX = (
        "J is convex in w: no hidden layer, a convex loss. Its gradient promises a fall "
        "by {promised:.1g} at most."
    )
    NEGATIVE_EIGENVALUE = (
        "The exact Hessian, for weights in units of the data, has the eigenvalue {lowest:.3g} "
        "(what counts as zero: {tolerance:.1g}); along its eigenvector, in the units of w, "
        "vᵀ H_J v / vᵀ v is {curvature:.3g}."
    )
    DESCENT = (
        "J falls along its eigenvector (.descent), by {fall:.3g} at t = {t:.3g}, "
        "where the gradient explains no more than {promised:.1g}."
    )
    NEARBY_ZERO = "{zero}"
    NO_NEARBY_ZERO = "That is no saddle: Newton's method finds none nearby."
    POSITIVE = f"{_POSITIVE}."
    POSITIVE_BUT_FLAT = f"{_POSITIVE}, and {{zeros}} zeros along which J is known to be constant."
    POSITIVE_BUT_LEVEL = f"{_POSITIVE}, and {{zeros}} zeros along which J is constant to rounding."
    PENALISED = "J has a penalty; whether another minimum is lower is not known."
    AT_KINK = "A net input lies at a kink of its activation, where J may have no gradient."
    OVER_KINK = (
        "Newton steps to a zero of the gradient lead to a kink of an activation, or over one, "
        "where J has another gradient: they prove nothing."
    )
    NO_HESSIAN = "J has no Hessian: an activation has no second derivative, or it overflows."
    ESTIMATE = (
        "Lanczos finds no eigenvalue of the Hessian below {lowest:.2g}; that is an estimate, "
        "and certifies no minimum."
    )
    ONE_SIDED = f"{_INERTIA}but a net input lies where σ'' jumps: it is the Hessian of one side."
    NO_DESCENT = f"{_INERTIA}but J does not fall along the lowest, nor is w next to a minimum."
    UNEXPLAINED_ZEROS = (
        f"{_INERTIA}and the zeros are not explained by known directions of constant J."
    )
    TOO_MANY_WEIGHTS = "All eigenvalues of so large a Hessian were not computed."
    NORMAL_INERTIA = (
        "The GGN matrix, for weights in units of the data, has {positive} positive and {zero} zero "
        "eigenvalues (up to {tolerance:.1g} counts as zero)."
    )
    SUMS_ONLY = (
        "The samples come in chunks, of which sums were taken: exact fits, bounds of J, "
        "outputs by themselves, flat units, weights that run away and ranks of P were not looked "
        "at."
    )
    FAR_OUT = (
        "Most residuals lie far out on the loss: half of them act on the fit with less than "
        "{influence:.1g} of the most that one can."
    )
    LONE_TARGETS = "{outliers}."
    LARGE_WEIGHTS = (
        "Weights as large as {largest:.2g} are out of proportion: J may fall towards an "
        "infimum at infinity, which its Hessian cannot show."
    )


@dataclass(frozen=True)
class Evidence:
    """One thing that was seen.  Prints as a sentence.

    Attributes
    ----------
    kind : EvidenceKind
    fields : mapping of str to float, int or object
        What the sentence speaks of: numbers, or a finding such as an `Obstruction`.

    Examples
    --------
    >>> found = Evidence(EvidenceKind.AT_BOUND, {"gap": 0.0, "bound": 0.5})
    >>> print(found)
    J is 0 above 0.5, a proven lower bound.
    """

    kind: EvidenceKind
    fields: Mapping[str, Any] = field(default_factory=dict)

    def worded(self, words: Mapping[Any, str]) -> str:
        """Return the sentence, with the words of another face for the kinds that it names."""
        return sentence(words.get(self.kind, self.kind.value).format(**self.fields))

    def __str__(self) -> str:
        return self.worded({})


def seen(kind: EvidenceKind, **fields: Any) -> Evidence:
    """Return the evidence of a kind with these fields."""
    return Evidence(kind, fields)


def sentence(text: str) -> str:
    """Return the text with a capital letter and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


@dataclass(frozen=True)
class Judgement:
    """What one test of a point says.

    Attributes
    ----------
    verdict : Verdict or None
        None where the test does not settle the point.
    evidence : tuple of Evidence
        To be said whether it does or not.
    measured : mapping
        Fields of the `Diagnosis` that the test has measured.
    """

    verdict: Verdict | None = None
    evidence: tuple[Evidence, ...] = ()
    measured: Mapping[str, Any] = field(default_factory=dict)


def first_verdict(
    judges: Iterable[Callable[[Any], Judgement]], point: Any
) -> tuple[Verdict, tuple[Evidence, ...], dict[str, Any]]:
    """Return the first verdict that applies, what all tests until then say, and have measured.

    The last test has one.
    """
    said: tuple[Evidence, ...] = ()
    measured: dict[str, Any] = {}
    for judge in judges:
        found = judge(point)
        said += found.evidence
        measured |= found.measured
        if found.verdict is not None:
            return found.verdict, said, measured
    raise AssertionError("the last test has no verdict")

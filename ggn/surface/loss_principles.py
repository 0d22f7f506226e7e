"""Principles 1 and 1.a: what a loss must be like for a critical point to be worth something.

1      ∇_E(φ_L) = 0 only where φ_L is a global minimum of E
1.a    besides, H_E(φ_L) is non-degenerate for all φ_L

Convexity suffices for the first, whether or not the minimum is unique, at y, or reached.
So does a gradient that vanishes at the minimum only, as that of the robust losses
(ρ' = 0 only at r = 0).  These obey 1 though ∇_E of a far outlier may be lost beside the
others: it counts as lost below sqrt(eps) of what it is at a residual of one scale.

Each is answered by design (for all φ_L and y) and here, at the φ_L and y given.
"""

from __future__ import annotations

from math import isinf

import numpy as np

from ggn.losses import Logistic, Loss
from ggn.losses.curvature import Curvature
from ggn.surface.finding import Finding, Outcome, worst
from ggn.surface.zeros import Zeros, zeros

__all__ = ["check_curvature", "check_loss", "obeys_principle_1"]

EPS = float(np.finfo(np.float64).eps)
SMALL = EPS**0.5
TITLE = "∇_E = 0 only at a global minimum of E"
MORSE = "H_E is non-degenerate for all outputs"


def obeys_principle_1(loss: Loss) -> bool | None:
    """Whether ∇_E = 0 makes φ_L a global minimum of E: by convexity or as declared; None: unknown.

    Examples
    --------
    >>> import ggn
    >>> obeys_principle_1(ggn.losses.Logistic()), obeys_principle_1(ggn.losses.Cauchy())
    (True, True)
    """
    return True if loss.convex or loss.unique_minimum else None


def check_loss(loss: Loss, F: np.ndarray, Y: np.ndarray) -> tuple[Finding, Finding]:
    """Check Principles 1 and 1.a for outputs F and targets Y, both (T, nL).

    Examples
    --------
    >>> import numpy as np, ggn
    >>> strong = check_loss(ggn.losses.Cauchy(scale=2.0), np.array([[1.0]]), np.zeros((1, 1)))[1]
    >>> strong.design.value, strong.numbers["degenerate_at"], strong.verdict.value
    ('fails', 2.0, 'holds')
    """
    with np.errstate(all="ignore"):
        first = (_known if obeys_principle_1(loss) else _unknown)(loss, F, Y)
        return first, _strong(loss, F, Y, first)


def check_curvature(loss: Loss, Y: np.ndarray) -> Finding:
    """Measure H_E at φ_L = y: positive definite there, steps converge fast near an exact fit."""
    title = "H_E is positive definite at the target"
    with np.errstate(all="ignore"):
        H = loss.hessian(Y, Y)
        least = float(Curvature.of(H).eigenvalues()[:, 0].min())
    numbers = {"least": least, "largest": float(np.abs(H).max())}
    text = f"its least eigenvalue over these targets is {least:.3g}."
    if not (np.isfinite(H).all() and least > 0.0):
        advice = "Where it is singular at an exact fit, convergence is slow."
        return Finding("Curvature", title, Outcome.FAILS, text, advice, numbers)
    return Finding("Curvature", title, Outcome.HOLDS, text, "", numbers)


def _known(loss: Loss, F: np.ndarray, Y: np.ndarray) -> Finding:
    """Judge a loss that obeys Principle 1 by how its gradient fares at these outputs."""
    scale = 1.0 if loss.scale is None else loss.scale
    bent = ~(Curvature.of(loss.hessian(F, Y)).eigenvalues()[:, 0] > 0.0)
    size = np.linalg.norm(loss.gradient(F, Y), axis=1)
    numbers: dict[str, float] = {"not_convex": int(bent.sum()), "lost": 0}
    if loss.convex:
        text = "at a zero of ∇_E the loss of a sample is least."
        why = f"{loss!r} is convex, so every zero of ∇_E is a minimum."
        return Finding("1", TITLE, Outcome.HOLDS, text, "", numbers, Outcome.HOLDS, why)
    design, why = Outcome.HOLDS, f"∇_E of {loss!r} is 0 only at the target, its minimum"
    if loss.separable:
        from_ = zeros(lambda r: loss.gradient(r[:, None], 0.0 * r[:, None])[:, 0]).lost
        if not isinf(from_):
            design, why = Outcome.NUMERICALLY_FAILS, f"{why}, but underflows from |r| = {from_:.3g}"
    why += "."
    typical = np.linalg.norm(loss.gradient(Y + scale, Y), axis=1)
    residual = np.linalg.norm(F - Y, axis=1)
    lost = (residual > scale) & (size <= SMALL * typical)
    numbers["lost"] = int(lost.sum())
    if lost.any():
        text = f"on {lost.sum()} of {len(Y)} samples, with residuals from "
        text += f"{residual[lost].min():.3g} on, ∇_E is numerically 0."
        advice = "Raise the loss's scale, or start from a fit with the squared loss."
        here = Outcome.NUMERICALLY_FAILS
        return Finding("1", TITLE, here, text, advice, numbers, design, why)
    text = "∇_E is lost on no sample"
    if bent.any():
        text += f", though on {bent.sum()} of {len(Y)} H_E is not positive definite"
    return Finding("1", TITLE, Outcome.HOLDS, text + ".", "", numbers, design, why)


def _unknown(loss: Loss, F: np.ndarray, Y: np.ndarray) -> Finding:
    """Look for counterexamples among these outputs and targets."""
    both = np.vstack([F, Y])
    targets = np.vstack([Y, Y])
    value, gradient = loss.value(both, targets), loss.gradient(both, targets)
    least = np.fmin.reduce([value[: len(Y)], value[len(Y) :]])
    above = value > np.tile(least + SMALL * np.abs(least), 2)
    size = np.linalg.norm(gradient, axis=1)
    # in the units of the gradient about one unit off the target
    off = [np.linalg.norm(loss.gradient(Y + t, Y), axis=1) for t in (0.5, 1.0, 2.0)]
    typical = np.tile(np.max(off, axis=0), 2)
    broken = ~np.isfinite(gradient).all(axis=1)
    false, unsure = (size == 0.0) & above, (size <= 8.0 * EPS * typical) & above
    here = np.arange(len(both)) < len(Y)
    numbers = {"samples": int(((broken | false) & here).sum())}
    advice = "If you know that it is so, set convex = True or unique_minimum = True on the loss."
    if (broken | false).any():
        i = int(np.argmax(broken | false))
        at = f"sample {i}" if i < len(Y) else f"the target of sample {i - len(Y)}"
        fault = "is not finite" if broken[i] else "is 0 above the least loss"
        design, why = Outcome.FAILS, f"∇_E of {loss!r} {fault} at {at}."
        advice = "Use a loss whose gradient vanishes at minima only."
    else:
        design = Outcome.UNKNOWN
        why = f"no counterexample among these outputs and targets proves nothing for {loss!r}."
    if ((broken | false) & here).any():
        text = f"so it is on {numbers['samples']} of {len(Y)} samples."
        return Finding("1", TITLE, Outcome.FAILS, text, advice, numbers, design, why)
    if (unsure & here).any():
        verdict, text = Outcome.NUMERICALLY_FAILS, "∇_E is 0 to rounding above the least loss."
    elif ((size == 0.0) & here).any():
        verdict = Outcome.UNKNOWN
        text = f"∇_E is 0 on {((size == 0.0) & here).sum()} samples, perhaps a minimum of E."
    else:
        verdict, text = Outcome.HOLDS, "∇_E is 0 on no sample."
    return Finding("1", TITLE, verdict, text, advice, numbers, design, why)


def _strong(loss: Loss, F: np.ndarray, Y: np.ndarray, first: Finding) -> Finding:
    """Judge Principle 1.a, given what was found of Principle 1, which is part of it."""
    assert first.design is not None
    design, why, at = _design(loss, F, Y)
    numbers: dict[str, float] = {} if at is None else {"degenerate_at": at}
    verdict, text = _here(loss, F, Y, numbers)
    for outcome, where in ((first.design, "by design"), (first.verdict, "here")):
        if outcome is not Outcome.HOLDS:
            said = f" Principle 1 {outcome.value} {where}."
            why, text = (why + said, text) if where == "by design" else (why, text + said)
    design, verdict = worst(design, first.design), worst(verdict, first.verdict)
    advice = ""
    if design is Outcome.UNKNOWN:
        advice = "If you know that it is so, set nondegenerate = True on the loss."
    return Finding("1.a", MORSE, verdict, text, advice, numbers, design, why)


def _design(loss: Loss, F: np.ndarray, Y: np.ndarray) -> tuple[Outcome, str, float | None]:
    """Return whether H_E is singular for some outputs, why, and at which residual or output."""
    if loss.shift_invariant:
        why = f"H_E of {loss!r} is singular for all outputs: all of them may rise together."
        return Outcome.FAILS, why, None
    if loss.nondegenerate is None:
        return _evidence(loss, F, Y)
    if loss.separable or isinstance(loss, Logistic):
        found = _along_one_output(loss)
        name = "r" if loss.separable else "φ_L"
        if not loss.nondegenerate and found.at is not None:
            at = float(f"{abs(found.at):.12g}")  # the zero is known to rounding only
            return Outcome.FAILS, f"H_E of {loss!r} is 0 at |{name}| = {at:.6g}.", at
        if loss.nondegenerate and not isinf(found.lost):
            why = f"H_E of {loss!r} is never singular, but underflows from |{name}| = "
            return Outcome.NUMERICALLY_FAILS, f"{why}{found.lost:.3g}.", None
    if loss.nondegenerate:
        return Outcome.HOLDS, f"H_E of {loss!r} is singular for no outputs.", None
    return Outcome.FAILS, f"H_E of {loss!r} is singular for some outputs.", None


def _along_one_output(loss: Loss) -> Zeros:
    """Return where H_E is 0, a function of r, or of φ_L where E is none of r."""
    target = 0.0 if loss.separable else 0.5
    return zeros(lambda t: loss.hessian(t[:, None], np.full((len(t), 1), target))[:, 0])


def _evidence(loss: Loss, F: np.ndarray, Y: np.ndarray) -> tuple[Outcome, str, float | None]:
    """Judge a loss that does not say, by its H_E at these outputs and targets."""
    values = Curvature.of(loss.hessian(np.vstack([F, Y]), np.vstack([Y, Y]))).eigenvalues()
    if np.isnan(values).any():
        return Outcome.FAILS, f"H_E of {loss!r} is not finite at some output or target.", None
    tolerance = values.shape[1] * EPS * np.abs(values).max(axis=1)
    if (np.abs(values).min(axis=1) <= tolerance).any():
        return Outcome.FAILS, f"H_E of {loss!r} is singular at some output or target.", None
    negative = (values < 0.0).sum(axis=1)
    if negative.min() < negative.max():
        why = f"H_E of {loss!r} has {negative.min()} to {negative.max()} negative eigenvalues on "
        return Outcome.FAILS, why + "these samples, so it is singular somewhere between them.", None
    why = f"these outputs and targets show no degenerate H_E, which proves nothing for {loss!r}."
    return Outcome.UNKNOWN, why, None


def _here(
    loss: Loss, F: np.ndarray, Y: np.ndarray, numbers: dict[str, float]
) -> tuple[Outcome, str]:
    """Judge H_E at these outputs; adds its least and largest |eigenvalue| to numbers."""
    H, G = loss.hessian(F, Y), loss.gradient(F, Y)
    values = Curvature.of(H).eigenvalues()
    if np.isnan(values).any():
        return Outcome.FAILS, "H_E is not finite on some sample."
    sizes = np.abs(values)
    largest = float(
        max(sizes.max(), np.nanmax(np.abs(Curvature.of(loss.hessian(Y, Y)).eigenvalues())))
    )
    numbers |= {"least": float(sizes.min()), "largest": largest}
    n = sizes.shape[1]
    small = sizes.min(axis=1) <= n * EPS * largest
    numbers["singular"] = int(small.sum())
    if not small.any():
        return Outcome.HOLDS, f"its least |eigenvalue| on a sample is {sizes.min():.3g}."
    text = f"it is singular on {small.sum()} of {len(F)} samples, first {int(np.argmax(small))}"
    if loss.shift_invariant:
        return Outcome.FAILS, text + "."
    if H.ndim == 2:  # 0 far out, where ∇_E is as well, is an underflow
        underflow = (H == 0.0) & (G == 0.0) & (F != Y)
        exact = ((H == 0.0) & ~underflow).any(axis=1)
    else:
        exact = sizes.min(axis=1) <= n * EPS * sizes.max(axis=1)
    if exact.any() and not loss.nondegenerate:
        return Outcome.FAILS, text + "."
    return Outcome.NUMERICALLY_FAILS, f"{text}, to rounding."

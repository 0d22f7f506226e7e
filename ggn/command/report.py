"""What a person sees of a fit in a terminal when it is done."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from ggn.io.terminal import visible

__all__ = [
    "fields",
    "overfitting",
    "scores",
    "shorten",
]

WIDTH = 80
EXACT_RMSE = 1e-6  # an RMSE below, in standard deviations of the target, is an exact fit


def fields(rows: Sequence[tuple[str, str]]) -> str:
    """Return labels and their texts, aligned and wrapped.

    Examples
    --------
    >>> print(fields([("network", "2-20-1"), ("run", "8 iterations")]))
    network     2-20-1
    run         8 iterations
    """
    lines = []
    for label, text in rows:
        wrapped = textwrap.wrap(text, WIDTH - 12, break_long_words=False, break_on_hyphens=False)
        first, *more = wrapped or [""]
        lines += [f"{label:<12}{first}", *(" " * 12 + line for line in more)]
    return "\n".join(map(visible, lines))


def scores(
    names: Sequence[str],
    train: Sequence[np.ndarray],
    validation: Sequence[np.ndarray] | None,
) -> str:
    """Return a table of the scores of each target.

    Parameters
    ----------
    names : sequence of str
    train, validation : two or three of ndarray, (nL,)
        RMSE and R2, and if the median absolute error is given, it is shown first.

    Examples
    --------
    >>> print(scores(["y"], ([0.5], [0.9]), ([1.0], [float("nan")])))
    target           train RMSE   train R2   validation RMSE   validation R2
    y                       0.5   0.900000                 1               -
    """
    if len(train) > 2:
        return _robust_scores(names, train, validation)
    lines = [f"{'target':<14}{'train RMSE':>13}{'train R2':>11}"]
    if validation is not None:
        lines[0] += f"{'validation RMSE':>18}{'validation R2':>16}"
    for i, name in enumerate(names):
        line = f"{shorten(name, 13):<14}{train[0][i]:>13.5g}{_r2(train[1][i]):>11}"
        if validation is not None:
            line += f"{validation[0][i]:>18.5g}{_r2(validation[1][i]):>16}"
        lines.append(line)
    return "\n".join(lines)


def _robust_scores(
    names: Sequence[str], train: Sequence[np.ndarray], validation: Sequence[np.ndarray] | None
) -> str:
    """Return the table with a row for each part, for there are too many columns for one."""
    lines = [f"{'target':<14}{'part':<12}{'median abs. error':>18}{'RMSE':>13}{'R2':>11}"]
    for i, name in enumerate(names):
        for part, values in (("train", train), ("validation", validation)):
            if values is not None:
                lines.append(
                    f"{shorten(name, 13):<14}{part:<12}{values[2][i]:>18.5g}"
                    f"{values[0][i]:>13.5g}{_r2(values[1][i]):>11}"
                )
    return "\n".join(lines)


def overfitting(
    names: Sequence[str],
    train: Sequence[np.ndarray],
    validation: Sequence[np.ndarray] | None,
    *,
    weights: int,
    residuals: int,
    l2: float,
) -> str:
    """Return signs of overfitting and what to compare, or nothing.

    Parameters
    ----------
    names : sequence of str
    train, validation : sequence of ndarray, (nL,)
        The scores as for `scores`, errors in standard deviations of the target.
    weights, residuals : int
    l2 : float

    Examples
    --------
    >>> import numpy as np

    from ggn.io.terminal import visible
    >>> fit = [np.array([0.1]), np.array([0.99])], [np.array([0.25]), np.array([0.95])]
    >>> overfitting(["y"], *fit, weights=9, residuals=99, l2=0.0)
    'validation RMSE is 2.5 times training RMSE (overfitting); compare --l2 1e-6, 1e-5, 1e-4'
    """
    values = (l2 / 10.0, 10.0 * l2) if l2 else (1e-6, 1e-5, 1e-4)
    more = "compare --l2 " + ", ".join(_short(value) for value in values)
    if validation is not None:
        # outliers decide the RMSE of a robust fit
        kind, which = ("median error", 2) if len(train) > 2 else ("RMSE", 0)
        fitted, held = train[which], validation[which]
        worst = int(np.argmax(held - fitted))
        low, high = float(fitted[worst]), float(held[worst])
        of = f" of {shorten(names[worst], 30)}" if len(names) > 1 else ""
        # an error at rounding level may well double
        apart = high > 1.5 * max(low, EXACT_RMSE)
        if apart and float(train[0][worst]) < EXACT_RMSE:
            return (
                f"the {weights} weights fit every training row{of} exactly ({residuals} "
                f"residuals), but validation {kind} is {high:.2g} standard deviations of the "
                f"target; {more}"
            )
        if apart and (l2 or weights < residuals):
            times = f"{high / low:.3g}" if high < 1000.0 * low else "more than 1000"
            return f"validation {kind}{of} is {times} times training {kind} (overfitting); {more}"
    if weights >= residuals and not l2:
        much = ("more", "than") if weights > residuals else ("as many", "as")
        return (
            f"there are {much[0]} weights ({weights}) {much[1]} residuals ({residuals}), enough "
            f"to fit every training row with its noise; {more} or fewer units (--hidden)"
        )
    return ""


def _short(value: float) -> str:
    """Return 1e-5 for 0.00001."""
    text = f"{value:g}" if value >= 1e-3 else f"{value:.1e}".replace(".0e", "e")
    return text.replace("e-0", "e-")


def shorten(text: str, width: int) -> str:
    """Return the text on one line, cut with an ellipsis if it is longer than width."""
    text = visible(" ".join(text.split()))
    return text if len(text) <= width else text[: max(width - 3, 0)] + "..."


def _r2(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.6f}" if value > -100.0 else f"{value:.3g}"

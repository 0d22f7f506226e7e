"""What a person sees of a fit in a terminal when it is done."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ggn.io.terminal import visible

__all__ = ["EXACT_RMSE", "NOISE_FREE", "fields", "overfitting", "penalties", "scores", "shorten"]

Scores = Mapping[str, Mapping[str, Any]]

WIDTH = 80
EXACT_RMSE = 1e-6  # an RMSE below, in standard deviations of the target, is an exact fit
NOISE_FREE = 0.9999  # an R2 of rows held out above says that there is nothing to smooth


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


def scores(names: Sequence[str], parts: Scores) -> str:
    """Return a table of the scores of each target.

    Parameters
    ----------
    names : sequence of str
    parts : dict of str to dict of str to ndarray (nL,)
        The scores of each part, by what they are called.  Two parts with two scores each have
        one row per target, more have a row per part.

    Examples
    --------
    >>> fit = {"train": {"RMSE": [0.5], "R2": [0.9]}}
    >>> print(scores(["y"], {**fit, "validation": {"RMSE": [1.0], "R2": [float("nan")]}}))
    target           train RMSE   train R2   validation RMSE   validation R2
    y                       0.5   0.900000                 1               -
    """
    columns = [*parts["train"]]
    if len(columns) > 2 or len(parts) > 2:
        return _long_scores(names, parts, columns)
    lines = [f"{'target':<14}{'train RMSE':>13}{'train R2':>11}"]
    held = parts.get("validation")
    if held is not None:
        lines[0] += f"{'validation RMSE':>18}{'validation R2':>16}"
    for i, name in enumerate(names):
        train = parts["train"]
        line = f"{shorten(name, 13):<14}{train['RMSE'][i]:>13.5g}{_r2(train['R2'][i]):>11}"
        if held is not None:
            line += f"{held['RMSE'][i]:>18.5g}{_r2(held['R2'][i]):>16}"
        lines.append(line)
    return "\n".join(lines)


def _long_scores(names: Sequence[str], parts: Scores, columns: Sequence[str]) -> str:
    """Return the table with a row for each part, for there are too many columns for one."""
    widths = [max(len(name) + 2, 11 if name in ("R2", "R") else 13) for name in columns]
    lines = [f"{'target':<14}{'part':<11}" + "".join(map(str.rjust, columns, widths))]
    for i, name in enumerate(names):
        for part, values in parts.items():
            cells = [_r2(values[c][i]) if c in ("R2", "R") else f"{values[c][i]:.5g}"
                     for c in columns]  # fmt: skip
            line = f"{shorten(name, 13):<14}{part:<11}"
            lines.append(line + "".join(map(str.rjust, cells, widths)))
    return "\n".join(lines)


def overfitting(
    names: Sequence[str],
    parts: Scores,
    y_scale: np.ndarray,
    *,
    weights: int,
    residuals: int,
    l2: float,
    ways: Sequence[str] = (),
) -> str:
    """Return signs of overfitting and what to compare, or nothing.

    Parameters
    ----------
    names : sequence of str
    parts : dict of str to dict of str to ndarray (nL,)
        The scores as for `scores`.
    y_scale : ndarray, (nL,)
        The targets' unit, in which errors are compared.
    weights, residuals : int
    l2 : float
    ways : sequence of str
        What to compare where the penalty, or when to stop, is chosen already.

    Examples
    --------
    >>> import numpy as np
    >>> fit = {"train": {"RMSE": np.array([0.1])}, "validation": {"RMSE": np.array([0.25])}}
    >>> overfitting(["y"], fit, np.ones(1), weights=9, residuals=99, l2=0.0)
    'validation RMSE is 2.5 times training RMSE (overfitting); compare --l2 1e-6, 1e-5, 1e-4'
    """
    more = penalties(l2, ways)
    # outliers decide the RMSE, and R2, of a robust fit
    robust = "median abs. error" in parts["train"]
    kind, which = ("median error", "median abs. error") if robust else ("RMSE", "RMSE")
    fitted = parts["train"][which] / y_scale
    apart_most: list[tuple[float, int, str]] = []
    for part in ("validation", "test"):
        if part not in parts:
            continue
        held = parts[part][which] / y_scale
        explained = 1.0 - held**2 if robust else parts[part].get("R2", np.full(len(held), np.nan))
        apart_most += [
            (float(held[i] - fitted[i]), i, part)
            for i in range(len(names))
            if not explained[i] > NOISE_FREE
        ]
    if apart_most:
        _, worst, part = max(apart_most, key=lambda found: found[0])
        low, high = float(fitted[worst]), float(parts[part][which][worst] / y_scale[worst])
        of = f" of {shorten(names[worst], 30)}" if len(names) > 1 else ""
        # an error at rounding level may well double
        apart = high > 1.5 * max(low, EXACT_RMSE)
        if apart and float(parts["train"]["RMSE"][worst] / y_scale[worst]) < EXACT_RMSE:
            return (
                f"the {weights} weights fit every training row{of} exactly ({residuals} "
                f"residuals), but {part} {kind} is {high:.2g} standard deviations of the "
                f"target; {more}"
            )
        if apart and (l2 or ways or weights < residuals):
            times = f"{high / low:.3g}" if high < 1000.0 * low else "more than 1000"
            return f"{part} {kind}{of} is {times} times training {kind} (overfitting); {more}"
    if weights >= residuals and not l2 and not ways:
        much = ("more", "than") if weights > residuals else ("as many", "as")
        return (
            f"there are {much[0]} weights ({weights}) {much[1]} residuals ({residuals}), enough "
            f"to fit every training row with its noise; {more} or fewer units (--hidden)"
        )
    return ""


def penalties(l2: float, ways: Sequence[str] = ()) -> str:
    """Return what to compare with a penalty, or with one that was chosen.

    Examples
    --------
    >>> penalties(1e-3), penalties(0.0)
    ('compare --l2 1e-4, 0.01', 'compare --l2 1e-6, 1e-5, 1e-4')
    """
    if ways:
        *first, last = ways
        return f"compare {', '.join(first)} or {last}" if first else f"compare {last}"
    values = (l2 / 10.0, 10.0 * l2) if l2 else (1e-6, 1e-5, 1e-4)
    return "compare --l2 " + ", ".join(_short(value) for value in values)


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

"""What a person sees of outliers: a hint at --robust, and with it how many rows it has left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ggn.command.report import EXACT_RMSE, NOISE_FREE, shorten
from ggn.fit.outliers import FAR, far_inputs, farthest
from ggn.validation import count

__all__ = ["hint_of_far_inputs", "hint_of_outliers", "outliers"]

BEYOND = 5.0  # noise deviations


def hint_of_outliers(names: Sequence[str], Y: np.ndarray, held: np.ndarray | None) -> str:
    """Return that a target has values far from all others, or nothing.

    Parameters
    ----------
    names : sequence of str
    Y : ndarray, (T, nL)
    held : ndarray (nL,), optional
        R2 of rows held out: where it is 1 but for rounding, values far out belong to the curve.

    Examples
    --------
    >>> y = np.append(np.linspace(0.0, 1.0, 99), 1e6)
    >>> hint_of_outliers(["y"], y[:, np.newaxis], None)[:58]
    'y has values up to 2.6e+06 times its scaled median deviati'
    >>> hint_of_outliers(["y"], y[:-1, np.newaxis], None)
    ''
    """
    for i, (name, y) in enumerate(zip(names, Y.T, strict=True)):
        if held is not None and held[i] > NOISE_FREE:
            continue
        times = farthest(y)
        if times > FAR:
            return (
                f"{shorten(name, 30)} has values up to {times:.2g} times its scaled median "
                "deviation from its median, and the squared loss follows them: if they are "
                "outliers, use --robust"
            )
    return ""


def hint_of_far_inputs(names: Sequence[str], X: np.ndarray) -> str:
    """Return that a few values of an input press its others together, or nothing.

    Examples
    --------
    >>> x = np.append(np.linspace(0.0, 1.0, 99), 1e6)
    >>> hint_of_far_inputs(["x"], x[:, np.newaxis])[:59]
    'x has 1 value up to 2.6e+06 deviations of the others from t'
    >>> hint_of_far_inputs(["x"], x[:-1, np.newaxis])
    ''
    """
    found = far_inputs(X)
    if found is None:
        return ""
    return (
        f"{shorten(names[found.column], 30)} has {count(len(found.rows), 'value')} up to "
        f"{found.times:.2g} deviations of the others from their median, beside which the network "
        "hardly tells the others apart: mend such rows or leave them out, or make it a column of "
        "logarithms"
    )


def outliers(R: np.ndarray, noise: float, unit: np.ndarray) -> str:
    """Return how many rows of residuals R (T, nL) lie far outside noise, in units (nL,).

    Examples
    --------
    >>> R = np.array([[0.1], [-0.1], [3.0]])
    >>> outliers(R, 0.1, np.ones(1))
    '1 of 3 rows is more than 5 noise deviations (0.1 each) from the fit; it decides RMSE and R2'
    """
    far = max(BEYOND * noise, EXACT_RMSE)
    n = int((np.abs(R) > far * unit).any(axis=1).sum())
    each = f"{noise * unit[0]:.3g} each" if len(unit) == 1 else f"{noise:.3g} standard units each"
    verb = "is" if n == 1 else "are"
    text = f"{n or 'none'} of {count(len(R), 'row')} {verb} more than {BEYOND:g} noise deviations"
    decide = f"; {'it decides' if n == 1 else 'they decide'} RMSE and R2" if n else ""
    return f"{text} ({each}) from the fit{decide}"

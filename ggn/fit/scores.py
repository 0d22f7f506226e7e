"""What surrounds a fit: parts for training and validation, scores.

RMSE                sqrt(mean (φ_L - y)²), per target
median error        median |φ_L - y|, per target: what outliers leave alone
R2                  1 - Σ (φ_L - y)² / Σ (y - mean y)², per target
"""

from __future__ import annotations

import numpy as np

__all__ = ["median_error", "r2", "rmse", "validation_split"]


def validation_split(
    rows: int, fraction: float, rng: int | np.random.Generator | None = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the rows to train on and the rows to validate on, both in ascending order.

    Parameters
    ----------
    rows : int
    fraction : float
        Of the rows to validate on; if positive, at least one row.
    rng : int, Generator or None, default 0

    Raises
    ------
    ValueError
        If no row would be left to train on.

    Examples
    --------
    >>> train, validation = validation_split(10, 0.2, rng=0)
    >>> len(train), len(validation)
    (8, 2)
    """
    order = np.random.default_rng(rng).permutation(rows)
    held = max(round(fraction * rows), 1) if fraction > 0.0 else 0
    if held >= rows:
        raise ValueError(
            f"a validation part of {held} of {rows} {'row' if rows == 1 else 'rows'} "
            "leaves none to train on"
        )
    return np.sort(order[held:]), np.sort(order[:held])


def rmse(Y: np.ndarray, F: np.ndarray) -> np.ndarray:
    """Return the root mean square error of predictions F (T, nL), per target.

    Examples
    --------
    >>> import numpy as np
    >>> rmse(np.array([[0.0], [0.0]]), np.array([[3.0], [3.0]]))
    array([3.])
    """
    result: np.ndarray = np.sqrt(np.square(F - Y).mean(axis=0))
    return result


def median_error(Y: np.ndarray, F: np.ndarray) -> np.ndarray:
    """Return the median absolute error of predictions F (T, nL), per target.

    Examples
    --------
    >>> import numpy as np
    >>> median_error(np.zeros((3, 1)), np.array([[1.0], [-2.0], [1e9]]))
    array([2.])
    """
    result: np.ndarray = np.median(np.abs(F - Y), axis=0)
    return result


def r2(Y: np.ndarray, F: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the coefficient of determination, per target; nan where the target is constant.

    Examples
    --------
    >>> import numpy as np
    >>> r2(np.array([[0.0], [2.0]]), np.array([[0.0], [1.0]]))
    array([0.5])
    """
    total = np.average(np.square(Y - np.average(Y, 0, weights)), 0, weights)
    constant = Y.min(axis=0) == Y.max(axis=0)
    error = np.average(np.square(F - Y), 0, weights)
    share = np.divide(error, total, out=np.full_like(total, np.nan), where=~constant)
    result: np.ndarray = 1.0 - share
    return result

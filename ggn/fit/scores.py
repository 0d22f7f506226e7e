"""What surrounds a fit: parts for training and validation, scores.

RMSE                sqrt(mean (φ_L - y)²), per target
median error        median |φ_L - y|, per target: what outliers leave alone
R                   correlation of φ_L and y, per target
R2                  1 - Σ (φ_L - y)² / Σ (y - mean y)², per target

In the targets' own unit, whose square may leave float64: each is scaled before it is squared.
"""

from __future__ import annotations

import numpy as np

from ggn.linearization.columns import root_mean_square

__all__ = ["correlation", "median_error", "r2", "rmse", "split", "validation_split"]


def validation_split(
    rows: int, fraction: float, rng: int | np.random.Generator | None = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the rows to train on and the rows to validate on: `split` without a test.

    Examples
    --------
    >>> train, validation = validation_split(10, 0.2, rng=0)
    >>> len(train), len(validation)
    (8, 2)
    """
    return split(rows, fraction, 0.0, rng)[:2]


def split(
    rows: int, validation: float, test: float, rng: int | np.random.Generator | None = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the rows to train on, to validate on and to test with, each in ascending order.

    Parameters
    ----------
    rows : int
    validation, test : float
        Fractions of the rows; if positive, at least one row.
    rng : int, Generator or None, default 0

    Raises
    ------
    ValueError
        If no row would be left to train on.

    Examples
    --------
    >>> [len(part) for part in split(20, 0.15, 0.15, rng=0)]
    [14, 3, 3]
    """
    order = np.random.default_rng(rng).permutation(rows)
    v, t = (max(round(part * rows), 1) if part > 0.0 else 0 for part in (validation, test))
    if v + t >= rows:
        tested = f" and a test part of {t}" if t else ""
        raise ValueError(
            f"a validation part of {v}{tested} of {rows} {'row' if rows == 1 else 'rows'} "
            "leaves none to train on"
        )
    return np.sort(order[v + t :]), np.sort(order[:v]), np.sort(order[v : v + t])


def rmse(Y: np.ndarray, F: np.ndarray) -> np.ndarray:
    """Return the root mean square error of predictions F (T, nL), per target.

    Examples
    --------
    >>> import numpy as np
    >>> rmse(np.array([[0.0], [0.0]]), np.array([[3.0], [3.0]]))
    array([3.])
    """
    return root_mean_square(F - Y)


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
    exponent = _exponents(Y)
    Y, F = np.ldexp(Y, -exponent), np.ldexp(F, -exponent)
    total = np.average(np.square(Y - np.average(Y, 0, weights)), 0, weights)
    constant = Y.min(axis=0) == Y.max(axis=0)
    error = np.average(np.square(F - Y), 0, weights)
    share = np.divide(error, total, out=np.full_like(total, np.nan), where=~constant)
    result: np.ndarray = 1.0 - share
    return result


def correlation(Y: np.ndarray, F: np.ndarray) -> np.ndarray:
    """Return Pearson's R of targets and predictions, per target; nan where one is constant.

    Examples
    --------
    >>> import numpy as np
    >>> correlation(np.array([[0.0], [1.0], [2.0]]), np.array([[5.0], [7.0], [9.0]]))
    array([1.])
    """
    Y, F = (np.ldexp(A, -_exponents(A)) for A in (Y, F))
    Y, F = Y - Y.mean(axis=0), F - F.mean(axis=0)
    size = np.sqrt(np.square(Y).sum(axis=0)) * np.sqrt(np.square(F).sum(axis=0))
    products = (Y * F).sum(axis=0)
    result: np.ndarray = np.divide(products, size, out=np.full_like(size, np.nan), where=size > 0.0)
    return result


def _exponents(A: np.ndarray) -> np.ndarray:
    """Return those of the powers of two that columns are as large as: without, digits stay."""
    found: np.ndarray = np.frexp(np.abs(A).max(axis=0, initial=0.0))[1]
    return found

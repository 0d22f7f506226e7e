"""The null space of a matrix of doubles, and whether it is exactly that.

    A v = 0 exactly    columns that are zero, equal up to a factor, or sums of few others with
                       whole numbers as coefficients: verified without rounding
    m - rank A         where A has as many different rows as singular values far above rounding

Other singular values at the level of rounding prove nothing: 0.3 a + 0.7 b, rounded, is no
combination of a and b, and weights of 1e16 tell it from them.  What is larger than the columns'
own rounding is not cut at all.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

__all__ = ["CERTAIN", "null_space", "span_angle", "vanishes"]

EPS = float(np.finfo(np.float64).eps)
CERTAIN = 1e-8  # of the largest: singular values, of columns of length one, that are not 0
# Of eps √m: combinations of columns, rounded, have 0.3 to 0.8; noise of 1e-14 has 5.
ROUNDING = 1.2
LARGEST = 1000  # denominators of coefficients


def null_space(A: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return an orthonormal basis (m, k) of v with A v = 0 to rounding, and whether all are exact.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[0.1, 0.2], [0.2, 0.7], [0.3, 0.1], [0.7, 0.3]])
    >>> V, exact = null_space(np.column_stack([A, A[:, 0]]))
    >>> V.shape, exact
    ((3, 1), True)
    >>> V, exact = null_space(np.column_stack([A, A @ [0.3, 0.7]]))
    >>> V.shape, exact
    ((3, 1), False)
    """
    m = A.shape[1]
    size = np.abs(A).max(axis=0, initial=0.0)
    zero = size == 0.0
    kept = np.flatnonzero(~zero)
    basis, exact = [np.eye(m)[:, zero]], True
    if kept.size:
        size = np.exp2(np.frexp(size[kept])[1].astype(float))  # a scaling without rounding
        A = A[:, kept]
        constant = (A == A[0]).all(axis=0)  # a dummy unit is one, whatever its value
        size[constant] = A[0, constant]
        A = A / size
        R = np.linalg.qr(A, mode="r")
        length = np.linalg.norm(R, axis=0)
        _, s, Vt = np.linalg.svd(R / length, full_matrices=True)
        s = np.append(s, np.zeros(len(kept) - len(s)))
        null = s <= ROUNDING * EPS * math.sqrt(len(kept)) * s[0]
        if null.any():
            V = Vt[null].T / length[:, np.newaxis]
            rows = len(np.unique(A[(A != 0.0).any(axis=1)], axis=0))
            known = rows == len(kept) - V.shape[1] or _combinations(A, V.copy())
            exact = known and bool((s[~null] > CERTAIN * s[0]).all())
            part = np.zeros((m, V.shape[1]))
            part[kept] = V / size[:, np.newaxis]
            part /= np.linalg.norm(part, axis=0)
            basis.append(part)
    found = np.hstack(basis)
    Q: np.ndarray = np.linalg.qr(found)[0] if found.size else found
    return Q, exact


def span_angle(X: np.ndarray) -> tuple[float, int]:
    """Return how far the span of the columns of X (T, m) may be turned by rounding, and its rank.

    By Wedin's theorem an angle of eps over the least singular value of columns of length one;
    those that are 0 exactly (`null_space`) count no more.  What is left of y outside the span
    is then less than what is computed by no more than sin of it times ‖y‖ (to first order).
    """
    null, exact = null_space(X)
    size = np.abs(X).max(axis=0, initial=0.0)
    R = np.linalg.qr(X / np.where(size > 0.0, size, 1.0), mode="r")
    length = np.linalg.norm(R, axis=0)
    s = np.linalg.svd(R / np.where(length > 0.0, length, 1.0), compute_uv=False)
    rank = X.shape[1] - null.shape[1]
    if not exact:
        return 0.5 * math.pi, rank
    if rank == 0:
        return 0.0, 0
    return min(8.0 * EPS * X.shape[1] * float(s[0] / s[rank - 1]), 0.5 * math.pi), rank


def _combinations(A: np.ndarray, V: np.ndarray) -> bool:
    """Whether as many combinations of columns as V has are exactly zero."""
    # reduced column echelon form of the null space: coefficients as simple as they come
    V, pivots = V / np.abs(V).max(axis=0), []
    for j in range(V.shape[1]):
        row, column = divmod(int(np.argmax(np.abs(V[:, j:]))), V.shape[1] - j)
        V[:, [j, j + column]] = V[:, [j + column, j]]
        V[:, j] /= V[row, j]
        for other in range(V.shape[1]):
            if other != j:
                V[:, other] -= V[row, other] * V[:, j]
        pivots.append(row)
    return all(vanishes(A, v) for v in V.T)


def vanishes(A: np.ndarray, v: np.ndarray) -> bool:
    """Whether A v' = 0 exactly, v' being v with its coefficients made simple fractions."""
    used = np.flatnonzero(np.abs(v) > 1e-6)
    parts = [Fraction(float(x)).limit_denominator(LARGEST) for x in v[used]]
    if any(abs(float(p) - x) > 1e-6 * abs(x) for p, x in zip(parts, v[used], strict=True)):
        return False
    common = math.lcm(*(p.denominator for p in parts))
    whole = np.array([float(p * common) for p in parts])
    if np.abs(whole).max(initial=0.0) > 2.0**20:
        return False
    B = A[:, used]
    # halves of 26 bits, whose products with whole numbers of 20 bits are exact
    high = B * 134217729.0
    high = high - (high - B)
    terms = np.hstack([high * whole, (B - high) * whole])
    # a sum of this size is seen in plain arithmetic; only what is not, is summed exactly
    plain = np.abs(terms.sum(axis=1)) <= 8.0 * EPS * np.abs(terms).sum(axis=1)
    return bool(plain.all()) and all(math.fsum(row) == 0.0 for row in terms)

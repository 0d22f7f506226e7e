"""Small problems with known answers: XOR, and the four regions of Singhal & Wu."""

from __future__ import annotations

import numpy as np

from ggn._core.machine import check_room
from ggn.validation import flag, generator, integer

__all__ = ["four_regions", "xor"]


def xor() -> tuple[np.ndarray, np.ndarray]:
    """Return the XOR problem of eq. 33 and 34: X (4, 2) and Y (4, 1), in {0, 1}.

    Examples
    --------
    >>> X, Y = xor()
    >>> Y.ravel()
    array([0., 1., 1., 0.])
    """
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return X, (X.sum(axis=1) % 2.0)[:, np.newaxis]


def four_regions(
    T: int, rng: int | np.random.Generator | None = 0, one_hot: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Draw samples of the four-regions problem: points of (-4, 4)² and their class.

    Class 1 is the disc r <= 1, the left half of 1 < r <= 2 and the right half
    of 2 < r <= 3; class 2 the other two half rings; classes 3 and 4 the
    outside, top and bottom (Singhal & Wu 1989).

    Parameters
    ----------
    T : int
        Number of samples, uniform in the box.
    rng : int, Generator or None, default 0
    one_hot : bool, default False
        Targets as (T, 4) indicators instead of (T, 1) class numbers 1 ... 4.

    Returns
    -------
    X : ndarray, (T, 2)
    Y : ndarray, (T, 1) or (T, 4)

    Raises
    ------
    ValueError
        If T is not a positive integer.

    Examples
    --------
    >>> X, Y = four_regions(3, rng=1)
    >>> np.hypot(X[:, 0], X[:, 1]).round(1)
    array([3.6, 4.6, 1.6])
    >>> Y.ravel()
    array([3., 3., 1.])
    """
    source = generator(rng)
    T = check_room("T", integer("T", T, 1), 128)
    X = source.uniform(-4.0, 4.0, (T, 2))
    r, left, top = np.hypot(X[:, 0], X[:, 1]), X[:, 0] < 0.0, X[:, 1] >= 0.0
    inside = np.where((r <= 1.0) | ((r <= 2.0) & left) | ((r > 2.0) & ~left), 1, 2)
    label = np.where(r <= 3.0, inside, np.where(top, 3, 4))
    if flag("one_hot", one_hot):
        return X, np.eye(4)[label - 1]
    return X, label[:, np.newaxis].astype(float)

"""How much each sample counts in J: c_i = s_i / Σ s, s the sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.validation import vector

__all__ = ["Shares", "as_counts", "repeated"]

TINY = float(np.finfo(np.float64).tiny)


def repeated(number: np.ndarray, T: int) -> np.ndarray:
    """Return a number, an array (), as a read-only view (T,): `np.broadcast_to`, in less time."""
    view: np.ndarray = np.ndarray(T, np.float64, number, strides=(0,))
    view.flags.writeable = False
    return view


def as_counts(s: np.ndarray) -> np.ndarray:
    """Return weights of samples (T,) as how often each was given: as they are, or with mean one.

    Of weights that add up to less than the samples that have one that is not meant: they compare
    samples.  What no training takes is left, to be refused as it was given.

    Examples
    --------
    >>> as_counts(np.array([2.0, 1.0, 0.0])), as_counts(np.array([0.01, 0.03, 0.0]))
    (array([2., 1., 0.]), array([0.5, 1.5, 0. ]))
    """
    many, total = int(np.count_nonzero(s)), float(s.sum())
    if not TINY * many < total < many or (s < 0.0).any():
        return s
    return s * (many / total)


class Shares:
    """The shares c_i of T samples; one number where all count alike.

    Parameters
    ----------
    c : array, () or (T,)
    T : int
    """

    def __init__(self, c: Any, T: int) -> None:
        self._c, self.T = np.asarray(c), T

    @classmethod
    def from_weights(cls, sample_weight: Any, T: int) -> Shares:
        """Return the shares of samples of these weights (T,), or of equal ones for None.

        Raises
        ------
        ValueError
            For negative weights, zeros only, or none with all digits of a double.

        Examples
        --------
        >>> Shares.from_weights([1.0, 3.0], 2).array
        array([0.25, 0.75])
        """
        if sample_weight is None:
            return cls(1.0 / T, T)
        s = vector("sample_weight", sample_weight, T, "one per sample")
        if (s < 0.0).any():
            i = int(np.argmax(s < 0.0))
            raise ValueError(
                f"sample_weight must not be negative, got {s[i]} at sample_weight[{i}]"
            )
        if not s.any():
            raise ValueError("sample_weight must not be all zero, got zeros only")
        if s.max() < TINY:
            raise ValueError(
                f"sample_weight must have a largest of at least {TINY:.3g}, got {s.max():.3g}"
            )
        s = s / s.max()  # so that the sum cannot overflow
        return cls(s / s.sum(), T)

    @property
    def common(self) -> float | None:
        """The share of every sample where none was weighted, else None."""
        return float(self._c) if self._c.ndim == 0 else None

    @property
    def array(self) -> np.ndarray:
        """C (T,), read-only."""
        return repeated(self._c, self.T) if self._c.ndim == 0 else np.broadcast_to(self._c, self.T)

    @property
    def weights(self) -> np.ndarray | None:
        """The shares as `sample_weight`: None where none was weighted."""
        return None if self._c.ndim == 0 else self._c

    def of(self, rows: slice) -> np.ndarray:
        """Return c of a chunk, to multiply arrays whose samples run last: (c,), or () if equal."""
        return self._c if self._c.ndim == 0 else self._c[rows]

    def total(self, E: np.ndarray, rows: slice) -> float:
        """Return Σ c_i E_i of a chunk."""
        if self._c.ndim == 0:
            return float(self._c) * float(E.sum())
        return float(self._c[rows] @ E)

    def part(self, rows: np.ndarray) -> Shares:
        """Return the shares of these samples among themselves."""
        return self.from_weights(None if self._c.ndim == 0 else self._c[rows], len(rows))

"""What a model's file tells of how its weights came about: on which rows, and why that ended.

A row of the table is of one part: trained on, held out to validate or to test with.  The file
has two bits for each, and none of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ggn.validation import ArgumentError, describe, integer

__all__ = ["PARTS", "Training"]

PARTS = ("train", "validation", "test")
TOLD = ("members", "status", "evidence")


class Training:
    """The rows that a model was trained on, those that were held out, and how it ended.

    Parameters
    ----------
    part : array_like of int, (T,)
        Of each row of the table, in its order: 0 trained on, 1 for validation, 2 for testing.
    members : int, default 1
        Networks whose mean the model is.
    status : str, optional
        Name of the `Status` that the training ended with.
    evidence : bool, default False
        Whether the penalty is one that the evidence chose.

    Attributes
    ----------
    T : int
        Rows of the table.

    Examples
    --------
    >>> kept = Training([0, 1, 0, 2, 0])
    >>> kept.rows("train"), kept.T
    (array([0, 2, 4]), 5)
    """

    def __init__(
        self, part: Any, members: int = 1, status: str | None = None, evidence: bool = False
    ) -> None:
        self.part = np.array(part, dtype=np.uint8)
        if self.part.ndim != 1 or (self.part >= len(PARTS)).any() or not (self.part == 0).any():
            raise ArgumentError(
                "part", f"must be 0, 1 or 2 for each row, some of them 0, got {describe(part)}"
            )
        self.members = integer("members", members, 1)
        self.T, self.status = len(self.part), None if status is None else str(status)
        self.evidence = bool(evidence)

    @classmethod
    def of(cls, T: int, rows: Mapping[str, np.ndarray], *more: Any) -> Training:
        """Return that of a table of T rows, by the numbers of those held out; more: the others."""
        part = np.zeros(T, dtype=np.uint8)
        for number, name in enumerate(PARTS[1:], 1):
            part[rows.get(name, [])] = number
        return cls(part, *more)

    def rows(self, name: str) -> np.ndarray:
        """Return the numbers of the rows of a part, in ascending order."""
        found: np.ndarray = np.flatnonzero(self.part == PARTS.index(name))
        return found

    def header(self) -> dict[str, Any]:
        """Return what the header of a file says."""
        return {"rows": self.T, **{name: getattr(self, name) for name in TOLD}}

    def packed(self) -> np.ndarray:
        """Return the bits of the rows for validation, and of those for testing, (2, T / 8)."""
        return np.packbits([self.part == 1, self.part == 2], axis=1)

    @classmethod
    def from_packed(cls, values: np.ndarray, told: Mapping[str, Any]) -> Training:
        """Return what `packed` and `header` were made of.

        Raises
        ------
        ValueError
            If they were made of something else.
        """
        T = integer("rows", told["rows"], 1)
        if values.dtype != np.uint8 or values.shape != (2, -(-T // 8)):
            raise ValueError(f"{describe(values)} does not say of which part {T} rows are")
        held = np.unpackbits(values, axis=1, count=T)
        return cls(held[0] + 2 * held[1], *(told[name] for name in TOLD))

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(self.rows(name))} {name}" for name in PARTS)
        return f"Training({self.T} rows: {sizes})"

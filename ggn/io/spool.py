"""Rows of numbers in a scratch file of float64: what is read once as text, and then many times."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np

__all__ = ["Spool"]

ROWS = 65536  # read at a time


class Spool:
    """Rows of so many numbers each, in a file that has no name and ends with the process.

    It is where `tempfile.gettempdir` says, which the environment's TMPDIR decides.

    Parameters
    ----------
    width : int
        Numbers of a row.

    Attributes
    ----------
    T : int
        Rows.

    Examples
    --------
    >>> import numpy as np
    >>> with Spool(2) as kept:
    ...     kept.append(np.arange(6.0).reshape(3, 2))
    ...     kept.append(np.ones((1, 2)))
    ...     [(start, rows.tolist()) for start, rows in kept.blocks(3)]
    [(0, [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), (3, [[1.0, 1.0]])]
    """

    def __init__(self, width: int) -> None:
        self.width, self.T = width, 0
        self._file = tempfile.TemporaryFile(prefix="ggn-")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def nbytes(self) -> int:
        """Bytes of the rows."""
        return 8 * self.width * self.T

    def append(self, rows: np.ndarray) -> None:
        """Add rows (n, width) after the last.

        Raises
        ------
        OSError
            If there is no room for them.
        """
        try:
            self._file.write(np.ascontiguousarray(rows, dtype=np.float64).data)
            self._file.flush()
        except OSError as error:
            raise OSError(
                error.errno,
                f"{error.strerror} for the {self.nbytes >> 20} MiB and more of numbers that are "
                "kept while training; TMPDIR says where",
                tempfile.gettempdir(),
            ) from error
        self.T += len(rows)

    def clear(self) -> None:
        """Forget all rows."""
        self._file.seek(0)
        self._file.truncate()
        self.T = 0

    def blocks(self, rows: int = ROWS) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the number of the first of some rows, and them, (n, width), in order."""
        for start in range(0, self.T, rows):
            n = min(rows, self.T - start)
            self._file.seek(8 * self.width * start)
            found = np.fromfile(self._file, np.float64, n * self.width)
            yield start, found.reshape(n, self.width)

    def close(self) -> None:
        """Give the room back."""
        self._file.close()

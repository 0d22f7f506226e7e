"""Samples that come in chunks, one at a time: larger than memory, on one machine.

    Chunks(chunks)                     a list of chunks, or a function that returns an iterator
    Chunks.of_arrays(X, Y)             arrays that are read by slices: numpy.memmap, HDF5, zarr
    Chunks.of_parquet(paths, ...)      row groups of Parquet files (pyarrow)

Every pass reads all chunks again, in order; a training makes one for each trial and each
linearization.
"""

from __future__ import annotations

import copy
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from ggn.io.parquet import batches, check_columns, files_of
from ggn.io.slices import slices
from ggn.linearization import Part, Source, SourceError
from ggn.linearization.memory import Memory
from ggn.linearization.part import ChunkError, Seen
from ggn.linearization.source import Names, tree
from ggn.validation import ArgumentError, arranged, describe, integer, names_of, number

__all__ = ["Chunks"]

R = TypeVar("R")
ROWS = 65536  # of a chunk of arrays


class Chunks(Source):
    """Samples in chunks, in place of X and Y for `ggn.train`, `ggn.linearize`, `ggn.diagnose`.

    A chunk is a tuple (X, Y) or (X, Y, sample_weight) of arrays, samples being rows; chunks may
    have different lengths, and be empty.  Columns of data frames are found by the names that the
    first chunk has.  Chunks are read anew in every pass, and no more than one is held at a time.
    Around 10,000 to 100,000 rows suit: each costs some hundred microseconds a pass.

    Parameters
    ----------
    chunks : iterable or callable
        What can be iterated again and again (a list, an object with `__iter__`), or a function
        without arguments that returns a fresh iterator.  A generator can be iterated once only:
        give the function that makes it.

    Raises
    ------
    ValueError
        For what cannot be iterated, or only once.  In a pass: for chunks that hold what is not
        a finite number, of other widths or names, or of other rows or sums than in the first pass;
        the chunk is named by its number, from 0, and the place by its row.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> def chunks():
    ...     for k in range(5):  # from a file, a data base, a simulation ...
    ...         x = np.linspace(k, k + 1, 50, endpoint=False)
    ...         yield x, np.sin(x)
    >>> data = ggn.Chunks(chunks)
    >>> data.n_samples
    250
    >>> fit = ggn.train(ggn.MLP((1, 12, 1)), data, max_iter=50)
    >>> bool(fit.fun < 1e-4)
    True
    """

    def __init__(self, chunks: Iterable[Any] | Callable[[], Iterator[Any]]) -> None:
        if isinstance(chunks, Iterator):
            raise ArgumentError(
                "chunks",
                f"must be what can be iterated more than once, got {describe(chunks)}; give the "
                "function that makes it, or a list",
            )
        if not callable(chunks) and not hasattr(chunks, "__iter__"):
            raise ArgumentError(
                "chunks", f"must be iterable, or a function of none, got {describe(chunks)}"
            )
        self._chunks: Any = chunks
        self._seen: list[Seen] | None = None  # of the chunks in the first pass
        self._names: Names | None = None
        self._whose = "the first chunk has"
        self._whole: Chunks | None = None  # of which these are drawn
        self._memory = Memory()

    @classmethod
    def of_arrays(cls, X: Any, Y: Any, sample_weight: Any = None, *, rows: int = ROWS) -> Chunks:
        """Return arrays as chunks of so many rows, each read by a slice when it is due.

        Parameters
        ----------
        X, Y, sample_weight : array-like with a length, (T, n0), (T, nL), (T,)
            As `numpy.memmap`, `numpy.load(..., mmap_mode="r")`, data sets of h5py and zarr.
            Pages of mapped files are given back after each chunk.
        rows : int, default 65536

        Examples
        --------
        >>> import numpy as np, ggn
        >>> x = np.linspace(0, 1, 1000)
        >>> ggn.Chunks.of_arrays(x, x**2, rows=300).n_samples
        1000
        """
        given = {"X": X, "Y": Y} | (
            {} if sample_weight is None else {"sample_weight": sample_weight}
        )
        for name, value in given.items():
            if not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
                each = "" if value is X else f", as many rows as the {len(X)} of X"
                raise ArgumentError(
                    name, f"must be an array with a length and slices{each}, got {describe(value)}"
                )
            if len(value) != len(X):
                raise ValueError(
                    f"X and {name} must have as many rows, got {len(X)} and {len(value)}"
                )
        step = integer("rows", rows, 1)
        return cls(functools.partial(slices, tuple(given.values()), step))

    @classmethod
    def of_parquet(
        cls,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        inputs: Sequence[str],
        targets: Sequence[str],
        *,
        sample_weight: str | None = None,
        rows: int = ROWS,
    ) -> Chunks:
        """Return columns of Parquet files, read so many rows at a time; needs pyarrow.

        Parameters
        ----------
        paths : path, or sequence of paths
            A path may be a pattern such as ``part-*.parquet``: its files in the order of names.
        inputs, targets : sequence of str
            Names of columns, in the order of the network's inputs and outputs.
        sample_weight : str, optional
            Name of the column of weights.
        rows : int, default 65536

        Raises
        ------
        ValueError
            For a pattern without files, or columns that a file has not.
        ImportError
            Without pyarrow (extra ``parquet``).
        """
        files = files_of(paths)
        names = {"inputs": inputs, "targets": targets}
        for name, value in names.items():
            if isinstance(value, str) or not all(isinstance(column, str) for column in value):
                raise ArgumentError(name, f"must be names of columns, got {describe(value)}")
            if not len(value):
                raise ArgumentError(name, f"must name at least one column, got {describe(value)}")
        step, wanted = integer("rows", rows, 1), (list(inputs), list(targets), sample_weight)
        check_columns(files, [*inputs, *targets, *([sample_weight] if sample_weight else [])])
        return cls(functools.partial(batches, files, wanted, step))

    @classmethod
    def of_mapped(cls, X: Any, most_bytes: float, Y: Any, sample_weight: Any) -> Chunks | None:
        """Return a file mapped into memory as chunks where it is larger than that, else None."""
        if not isinstance(X, np.memmap) or X.nbytes <= most_bytes:
            return None
        return cls.of_arrays(X, Y, sample_weight)

    def split(
        self,
        *,
        validation: float = 0.15,
        test: float = 0.15,
        rng: int = 0,
    ) -> tuple[Chunks, Chunks, Chunks]:
        """Divide the samples at random into those to train on, to validate and to test.

        Each sample is drawn by itself, so fractions are met on average; every part is read by
        passes over all chunks, and is the same in each.

        Parameters
        ----------
        validation, test : float, default 0.15
            Fractions of the samples.
        rng : int, default 0
            Seed.

        Examples
        --------
        >>> import numpy as np, ggn
        >>> x = np.linspace(-1, 1, 1000)
        >>> data = ggn.Chunks.of_arrays(x, np.sin(3 * x), rows=300)
        >>> training, validation, _ = data.split(test=0.0)
        >>> training.n_samples + validation.n_samples
        1000
        >>> fit = ggn.train(ggn.MLP((1, 8, 1)), training, validation=validation, max_iter=20)
        >>> bool(fit.validation_losses[fit.kept] < 1e-4)
        True
        """
        first = number("validation", validation, 0.0, 1.0)
        second = first + number("test", test, 0.0, 1.0)
        if not second < 1.0:
            raise ValueError(
                f"validation and test must leave samples to train on, got {validation} and {test}"
            )
        seed = integer("rng", rng, 0)
        parts = [(second, 1.0), (0.0, first), (first, second)]
        training, held, tested = (
            Chunks(functools.partial(_drawn, self._named, seed, low, high)) for low, high in parts
        )
        for part in (training, held, tested):
            part._whole = self
        return training, held, tested

    def __repr__(self) -> str:
        known = "not read yet" if self._seen is None else f"{len(self._seen)} chunks"
        return f"Chunks({known})"

    def _parts(self) -> Iterator[Part]:
        """Yield the parts of a pass."""
        first, now, place = self._seen, list[Seen](), -1
        for place, chunk in enumerate(self._named()):
            part = Part(place, *chunk, memory=self._memory)
            if first is None:
                now.append(Seen.of(part))
            elif place < len(first):
                first[place].check(part)
            yield part
        if first is None:
            self._seen = now
        elif place + 1 != len(first):
            raise ChunkError(
                f"chunks must be as many in every pass, got {len(first)} in the first and then "
                f"{place + 1}; a generator can be iterated once only: give the function that "
                "makes it"
            )

    def _named(self) -> Iterator[tuple[Any, Any, Any]]:
        """Yield X, Y and weights of each chunk, columns of frames in the order of the first."""
        for place, chunk in enumerate(self._pass()):
            if not isinstance(chunk, (tuple, list)) or len(chunk) not in (2, 3):
                raise ChunkError(
                    f"chunk {place} must be (X, Y) or (X, Y, sample_weight), got {describe(chunk)}"
                )
            X, Y, weights = (*chunk, None)[:3]
            if self._names is None:
                self._names = names_of(X), names_of(Y)
            try:
                X = arranged("X", X, self._names[0], self._whose)
                Y = arranged("Y", Y, self._names[1], self._whose)
            except ArgumentError as error:
                raise ChunkError(f"in chunk {place}, {error}") from error
            yield X, Y, weights

    @property
    def names(self) -> Names:
        """Names of the columns of X and Y; None before the first pass, and of plain arrays."""
        return (self if self._whole is None else self._whole)._names or (None, None)

    def named_as(self, names: Names, whose: str) -> Chunks:
        """Return these chunks, columns of frames in the order of these names; whose, for errors."""
        twin = copy.copy(self)
        if self._whole is not None:  # its frames are arrays when they come here
            twin = self._whole.named_as(names, whose)
            return Chunks(functools.partial(_drawn, twin._named, *self._chunks.args[1:]))
        twin._names, twin._whose, twin._memory = names, whose, Memory()
        return twin

    def _pass(self) -> Iterator[Any]:
        """Yield the chunks of a pass; what fails after the first does not lose the fit."""
        try:
            chunks = self._chunks if isinstance(self._chunks, Iterable) else self._chunks()
            if not isinstance(chunks, Iterable):
                said = f"must return an iterator of chunks, got {describe(chunks)}"
                raise ArgumentError("chunks", said)
            yield from chunks
        except Exception as error:
            if self._seen is None:
                raise
            raise SourceError(f"the chunks could not be read again: {error!r}") from error

    def reduce(
        self, combine: Callable[[R, R], R], function: Callable[..., R | None], *args: Any
    ) -> R | None:
        return tree(combine, (function(part, *args) for part in self._parts()))


def _drawn(
    chunks: Callable[[], Iterator[Any]], seed: int, low: float, high: float
) -> Iterator[tuple[Any, ...]]:
    """Yield of each chunk the samples whose random number lies in [low, high)."""
    for place, chunk in enumerate(chunks()):
        arrays = [np.asarray(array) for array in chunk if array is not None]
        u = np.random.default_rng([seed, place]).random(len(arrays[0]))
        kept = (u >= low) & (u < high)
        yield tuple(array[kept] for array in arrays)

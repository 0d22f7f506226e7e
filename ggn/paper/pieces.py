"""Work in pieces: on all cores, each result kept as soon as it is there.

A folder holds the pieces of one set of settings (a seed, a size, versions).  What it
holds is not computed again, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ggn._core.machine import limited
from ggn.io.files import replacing
from ggn.io.terminal import StatusLine
from ggn.validation import count

__all__ = ["Piece", "Pieces", "as_columns", "joined"]

Piece = dict[str, np.ndarray]
SETTINGS = "settings.json"


class Pieces:
    """Runs functions over arguments, and keeps what they return.

    Parameters
    ----------
    folder : Path, optional
        Where pieces are kept; by default nowhere.
    settings : dict, optional
        What the pieces depend on besides their arguments.
    jobs : int, default 1
        Processes; -1 takes all cores.  Each has one BLAS thread.
    stream : text stream, optional
        For progress.

    Raises
    ------
    ValueError
        If the folder holds pieces of other settings.
    OSError
        If it cannot be written.
    """

    def __init__(
        self,
        folder: Path | None = None,
        settings: dict[str, Any] | None = None,
        jobs: int = 1,
        stream: TextIO | None = None,
    ) -> None:
        self.folder, self.jobs, self.stream = folder, jobs, stream
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            _agree(folder / SETTINGS, settings or {})

    def map(
        self,
        name: str,
        function: Callable[..., Piece],
        arguments: Sequence[tuple[Any, ...]],
        jobs: int | None = None,
    ) -> list[Piece]:
        """Return function(*a) for each a, in order.

        Parameters
        ----------
        name : str
            Of the pieces' files; one for each use.
        function : callable
            Of a module, so that other processes find it; returns arrays by name.
        arguments : sequence of tuple
        jobs : int, optional
            Instead of the object's.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C; pieces finished by then are kept.

        Examples
        --------
        >>> import numpy as np
        >>> def root(x):
        ...     return {"root": np.sqrt(x)}
        >>> [float(piece["root"]) for piece in Pieces().map("roots", root, [(4.0,), (9.0,)])]
        [2.0, 3.0]
        """
        results = [self._kept(name, k) for k in range(len(arguments))]
        missing = [k for k, piece in enumerate(results) if piece is None]
        started, done = time.monotonic(), len(results) - len(missing)
        line = StatusLine(self.stream)
        todo = [(function, arguments[k]) for k in missing]
        try:
            for i, piece in _unordered(todo, self.jobs if jobs is None else jobs):
                self._keep(name, missing[i], piece)
                results[missing[i]] = piece
                done += 1
                line.show(f"{name}: {done} of {count(len(results), 'piece')}")
        finally:
            line.close()
        if missing and self.stream is not None:
            seconds = time.monotonic() - started
            print(f"{name}: {count(done, 'piece')}, {seconds:.1f} s", file=self.stream)
        return [piece for piece in results if piece is not None]

    def _path(self, name: str, k: int) -> Path | None:
        return None if self.folder is None else self.folder / f"{name}-{k:03d}.npz"

    def _kept(self, name: str, k: int) -> Piece | None:
        """Return a piece finished earlier."""
        path = self._path(name, k)
        if path is None or not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as archive:
                return dict(archive)
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None  # damaged: computed again

    def _keep(self, name: str, k: int, piece: Piece) -> None:
        path = self._path(name, k)
        if path is not None:
            with replacing(path) as stream:
                np.savez(stream, **piece)  # type: ignore[arg-type]


def as_columns(rows: Sequence[dict[str, Any]]) -> Piece:
    """Return the rows of a table, at least one, as its columns."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def joined(pieces: Sequence[Piece]) -> Piece:
    """Return the columns of all pieces, one below the other."""
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _agree(path: Path, settings: dict[str, Any]) -> None:
    """Write the settings, or raise if others are there."""
    if path.exists():
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            kept = {}
        differing = [key for key in settings if kept.get(key) != settings[key]]
        if differing:
            was, now = (
                ", ".join(f"{key} {values.get(key)}" for key in differing)
                for values in (kept, settings)
            )
            raise ValueError(
                f"{path.parent} holds results of {was}, not of {now}; "
                "give another folder, or empty it"
            )
    else:
        with replacing(path) as stream:
            stream.write(json.dumps(settings, indent=1).encode() + b"\n")


def _unordered(
    todo: Sequence[tuple[Callable[..., Piece], tuple[Any, ...]]], jobs: int
) -> Iterator[tuple[int, Piece]]:
    """Yield (place, result) as they come."""
    if jobs != 1:
        from joblib import Parallel, cpu_count, delayed, parallel_config

        jobs = cpu_count() if jobs < 0 else jobs
    if jobs == 1:
        for i, (function, arguments) in enumerate(todo):
            with limited():
                piece = function(*arguments)
            yield i, piece
        return
    with parallel_config(backend="loky", inner_max_num_threads=1):
        run = Parallel(n_jobs=jobs, return_as="generator_unordered")
        yield from run(delayed(_numbered)(i, *call) for i, call in enumerate(todo))


def _numbered(
    i: int, function: Callable[..., Piece], arguments: tuple[Any, ...]
) -> tuple[int, Piece]:
    return i, function(*arguments)

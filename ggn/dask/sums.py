"""Sums over the chunks of a cluster: one graph of tasks for each.

    chunk 0 ── part ──┐
    chunk 1 ── part ──┴─ add ──┐
    chunk 2 ── part ──┐        ├── the client
    chunk 3 ── part ──┴─ add ──┘

Chunks are results that the cluster keeps, and tasks go where their chunk is.  Neighbours are
added in pairs, pairs in pairs and so on, whoever computed them: so the bits depend on the chunks
alone.  `FAN` neighbours are one task, which adds them in the same order; where an earlier sum of
the kind was small, `WIDE` are.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import math
import pickle
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import cloudpickle
from dask import delayed
from dask.sizeof import sizeof
from distributed import Client, Future, futures_of, get_worker

from ggn._core.machine import limited, threads
from ggn.dask.chunk import Chunk, Form, Scaled, fault_of, first_of, make_chunk
from ggn.dask.parts import pieces
from ggn.dask.waiting import LOOK, ClusterError, Stop, bounded, result_of
from ggn.dask.wire import FAN, SMALL, WIDE, transport
from ggn.fit.of_sums import SampleUnits
from ggn.linearization.source import Names, Source, tree
from ggn.validation import ArgumentError, names_of

__all__ = ["DaskSource"]

R = TypeVar("R")
LIBRARY = "ggn"
SHARED = 1 << 20  # bytes that arguments come to over all tasks, from which they are sent once


class DaskSource(Source):
    """Samples in chunks on a cluster, which keeps them until `close`.

    Parameters
    ----------
    client : Client
    chunks : list of Future
        Of `Chunk`, in order.
    names : tuple, optional
        Of their columns, as `Source.names`.

    Attributes
    ----------
    stop : Stop
        Interrupts whoever waits for a sum, as Ctrl-C does.
    at_once : int
        How many fits ask for sums.

    Raises
    ------
    ValueError
        For chunks that cannot be used: of several, the first is named.
    ClusterError
        If the cluster cannot make them.
    """

    def __init__(self, client: Client, chunks: list[Future], names: Names = (None, None)) -> None:
        self.client, self._chunks, self._names = client, chunks, names
        self.stop, self.at_once = Stop(), 1
        self._small: set[str] = set()  # sums that were, by what tasks are called
        self.transport = transport(len(chunks))
        self._asked, self._cores = -math.inf, 1
        try:
            fault = self.reduce(first_of, fault_of)
            if fault is not None:
                raise ValueError(fault)
        except BaseException:
            self.close()
            raise

    @classmethod
    def of(cls, client: Client, X: Any, Y: Any, sample_weight: Any, form: Form) -> DaskSource:
        """Return the samples of dask collections; chunks are made where their data are."""
        _check_workers(client)
        token = uuid.uuid4().hex
        made = [
            delayed(make_chunk, pure=False)(
                i, *part, *(None,) * (3 - len(part)), form, dask_key_name=f"ggn-chunk-{token}-{i}"
            )
            for i, part in enumerate(pieces(X, Y, sample_weight))
        ]
        kept = client.persist(made)
        futures = [future for one in kept for future in futures_of(one)]
        return cls(client, futures, (names_of(X), names_of(Y)))

    def in_units(self, units: SampleUnits) -> DaskSource:
        """Return these samples in other units, in chunks of their own."""
        token = uuid.uuid4().hex
        keys = [f"ggn-chunk-{token}-{i}" for i in range(len(self._chunks))]
        tasks = [(Scaled(units), chunk) for chunk in self._chunks]
        made = self.client.get(dict(zip(keys, tasks, strict=True)), keys, sync=False)
        own = DaskSource(self.client, list(made), self._names)
        own.stop = self.stop
        return own

    @property
    def names(self) -> Names:
        """Names of the columns of X and Y, where they are data frames that have some."""
        return self._names

    def close(self) -> None:
        """Let the cluster forget the chunks; data that the caller keeps stay."""
        for future in self._chunks:
            future.release()
        self._chunks = []

    def reduce(
        self, combine: Callable[[R, R], R], function: Callable[..., R | None], *args: Any
    ) -> R | None:
        """Return combine(...) over all chunks, in order, of function(chunk, *args).

        Raises
        ------
        ClusterError
            If the cluster cannot go on; errors of the tasks are raised as they are.
        """
        self.stop.look()
        if not self._chunks:
            raise ClusterError("the chunks have been released: this fit is over")
        name, token = _name(function, args), uuid.uuid4().hex
        leaf = Leaf(_pickled(function, args), self._threads(), token)
        graph: dict[Any, Any] = {}
        shared: tuple[Any, ...] = ()
        if len(leaf.asked) * len(self._chunks) > SHARED:
            shared = (f"ggn-arguments-{token}",)
            graph[shared[0]] = (Held(leaf),)
        nodes: list[Any] = []
        for i, chunk in enumerate(self._chunks):
            nodes.append((f"ggn-{name}-{token}", i))
            graph[nodes[-1]] = (run, *shared, chunk) if shared else (leaf, chunk)
        level, combined = 0, Combined(combine, token)
        fan = WIDE if name in self._small else FAN
        while len(nodes) > 1:
            groups = [nodes[i : i + fan] for i in range(0, len(nodes), fan)]
            nodes = [(f"ggn-add-{name}-{token}", level, i) for i in range(len(groups))]
            graph |= {node: (combined, group) for node, group in zip(nodes, groups, strict=True)}
            level += 1
        try:
            future = self.client.get(graph, nodes[0], sync=False)
        except Exception as error:
            if self.client.status != "running":
                raise ClusterError(f"the client is {self.client.status}") from error
            raise
        found: R | None = result_of(self.client, future, self.stop)
        if sizeof(found) <= SMALL:
            self._small.add(name)
        return found

    def hurry(self) -> None:
        self.stop.ask()

    def latency(self) -> float:
        """Return the seconds of a graph that only looks at each chunk, measured now."""
        taken = []
        for _ in range(2):
            start = time.perf_counter()
            self.reduce(first_of, fault_of)
            taken.append(time.perf_counter() - start)
        return min(taken)

    def cores(self) -> int:
        """Return how many threads the workers have."""
        now = time.monotonic()
        if now - self._asked > LOOK:
            self._asked = now
            with contextlib.suppress(Exception):  # whoever waits will see what is wrong
                self._cores = sum(bounded(self.client, self.client.scheduler.ncores, LOOK).values())
        return self._cores

    def fits_at_once(self) -> int:
        """Return how many fits fill the workers: one works while another's client factors."""
        return self.cores() // max(len(self._chunks), 1) + 2

    def _threads(self) -> int:
        """Return on how many threads a chunk's sums may run: more than one where chunks are few."""
        return max(self.cores() // (self.at_once * len(self._chunks)), 1)


@dataclass(frozen=True)
class Leaf:
    """What is asked of each chunk: a function and arguments, in a pickle that the task opens.

    What cannot be imported there is so an error of the task.  Opened by whoever receives tasks, it
    would end the worker, and each that it is then given to.
    """

    asked: bytes
    threads: int
    token: str

    def __dask_tokenize__(self) -> str:
        return self.token  # what is new in every graph need not be looked through for a name

    def __call__(self, chunk: Chunk) -> Any:
        try:
            function, args = pickle.loads(self.asked)
        except (ImportError, AttributeError) as error:
            raise ArgumentError(
                "net or loss",
                "must be known to workers, but an activation or a loss of the user's is not: "
                f"{error}; define it in the script, or give its file to client.upload_file",
            ) from error
        cores = min(self.threads, get_worker().state.nthreads)
        with chunk.lock, threads(cores), limited():
            return function(chunk, *args)


@dataclass(frozen=True)
class Held:
    """A task that gives a leaf as it is, so that workers hand it to one another."""

    leaf: Leaf

    def __dask_tokenize__(self) -> str:
        return self.leaf.token

    def __call__(self) -> Leaf:
        return self.leaf


@dataclass(frozen=True)
class Combined:
    """What neighbours bring, combined in the tree's order."""

    combine: Callable[[Any, Any], Any]
    token: str

    def __dask_tokenize__(self) -> str:
        return self.token

    def __call__(self, results: list[Any]) -> Any:
        return tree(self.combine, results)


def run(leaf: Leaf, chunk: Chunk) -> Any:
    """Return what a leaf that was sent once asks of a chunk."""
    return leaf(chunk)


def _name(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """Return what the dashboard calls a task: the innermost function, in words."""
    inner: Any = function
    while isinstance(inner, functools.partial):
        function_args = [a for a in inner.args if callable(a)]
        inner = function_args[0] if function_args else inner.func
    for arg in args:
        if inner.__name__.startswith("of_") and callable(arg):
            inner = arg
    return str(getattr(inner, "__name__", "part")).strip("_").replace("_", "-")


def _pickled(function: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    """Return the bytes of a leaf; a sentence if it cannot be sent to a worker."""
    try:
        asked: bytes = cloudpickle.dumps((function, args))
        return asked
    except Exception as error:
        raise ArgumentError(
            "net or loss",
            "must be picklable, to be sent to workers, but an activation or a loss of the user's "
            f"is not: {error}",
        ) from error


def _check_workers(client: Client) -> None:
    """Raise ClusterError where the first worker that is asked has no ggn; each would end by it."""
    with contextlib.suppress(TimeoutError):
        if not bounded(client, client.scheduler.ncores, LOOK):
            return  # whoever waits for them will say so
    key = f"look-for-ggn-{uuid.uuid4().hex}"  # in a task of nothing that is ours
    found = client.get({key: (bool, (importlib.util.find_spec, LIBRARY))}, key, sync=False)
    if not result_of(client, found):
        raise ClusterError(f"the workers cannot import {LIBRARY}: install it where they run")

"""How the seconds of an iteration on a cluster grow: a formula, and where its constants come from.

An iteration is a graph for the matrix and, for each trial, one for the acceleration, one for the
output layer and one for the value; between them the client factors and substitutes.  A graph over
C chunks on W workers is n = C + ⌈C/8⌉ + ⌈C/64⌉ + ... tasks (of small sums with 32 for 8), of which
h = `handed` results go from one worker to another:

    graph + n lead + max(a worker, the scheduler, all of them on the cores that there are)

    a worker        ⌈C/W⌉ (leaf + carry bytes) + (n task + h hand) / W + in turn · bytes / wire
    the scheduler   n (schedule - lead)
    all             (C (leaf + carry bytes) + n task + h (hand + bytes / wire)
                     + n (schedule - lead)) / cores
    the client      trials N³/3 / solve + copy N²

(of little work, trials of two mu are one graph: `ggn.fit.foresight`).  A leaf is the work of a
function on a chunk's samples by the rate of its kernel; of the matrix also `unit` for each unit and
sample, which is most of it where units are few, and call + matrix N².  Cores are those of one
machine less what its processes take when nothing is done; of a cluster of machines, there is no
such bound.  Where workers are as many as cores, each waits for the others and for the scheduler:
the longest of the three then counts `crowd` times, and a task `press` in the place of lead.  Where
they are more, these are `throng` and `crush`, and kernels, which share caches, take `shared` times
longer.

python -m benchmarks.growth            the table of the guide, from the constants below
python -m benchmarks.growth measure    the constants of this machine, by processor time
python -m benchmarks.growth check      the formula against runs with 1, 2 and 4 workers
python -m benchmarks.growth overhead   (8,50,1), T = 1e6: 2 workers against ggn.train on 2 threads
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass
from typing import Any

import ggn
from ggn.dask.wire import FAN, SMALL, WIDE, additions, handed, in_turn
from ggn.fit.foresight import AHEAD, ROUNDS, SHARE
from ggn.linearization.assembly import normal_work
from ggn.linearization.mean_loss import forward_flops
from ggn.linearization.output_layer import refit_flops
from ggn.linearization.sweeping import sweep_work

__all__ = ["Constants", "Graph", "Growth", "growth"]


@dataclass(frozen=True)
class Constants:
    """What was measured on a machine.

    Attributes
    ----------
    assembly, forward, along : float
        Flops per second of one core while all are at work: of an assembly, in `normal_work`; of
        forward sweeps, in `forward_flops` and `refit_flops`; along a direction, in `sweep_work`.
    unit : float
        Seconds of an assembly for each sample and unit, beside that work.
    call, matrix : float
        Seconds of an assembly beside all that is of samples, and for each of N² numbers.
    alone : float
        How many times quicker a core is while the others are idle.
    graph : float
        Seconds of a graph of one task.
    lead : float
        For each task, before the first one of a graph begins.
    schedule, task : float
        Processor seconds of client and scheduler for each task, and of the worker.
    hand : float
        Of workers, for a small result that goes from one to another.
    idle : float
        Of each process, in a second in which nothing is done.
    carry : float
        Processor seconds of workers for each byte of each chunk's sum: made and added.
    wire : float
        Bytes per processor second that are sent from one process to another.
    solve : float
        Flops per second of a factorisation on the client.
    copy : float
        Seconds of the client for each of N² numbers.
    crowd : float
        How many times longer the work of a graph takes where workers are as many as cores.
    press : float
        Seconds for each task of such a graph, in the place of `lead`.
    shared, throng, crush : float
        Where workers are twice as many as cores: how many times longer kernels take, in processor
        time; and what `crowd` and `press` are there.
    """

    assembly: float
    forward: float
    along: float
    unit: float
    call: float
    matrix: float
    alone: float
    graph: float
    lead: float
    schedule: float
    task: float
    hand: float
    idle: float
    carry: float
    wire: float
    solve: float
    copy: float
    crowd: float
    press: float
    shared: float
    throng: float
    crush: float


# a Zen 4 core; the wire is ten gigabit
MEASURED = Constants(
    assembly=41.6e9, forward=30.6e9, along=25.7e9, unit=11e-9, call=0.4e-3, matrix=4.7e-9,
    alone=1.014, graph=13.5e-3, lead=0.3e-3, schedule=0.53e-3, task=1.18e-3, hand=0.0, idle=0.046,
    carry=1.9e-9, wire=1.2e9, solve=34.8e9, copy=6.2e-9, crowd=1.08, press=0.63e-3,
    shared=1.0, throng=1.08, crush=0.63e-3,
)  # fmt: skip


@dataclass(frozen=True)
class Graph:
    """Seconds of one graph, and of processors."""

    wall: float
    busy: float
    sweep: float


@dataclass(frozen=True)
class Growth:
    """Seconds of an iteration, by what they are spent on; `busy` is processor time of all."""

    sweep: float
    tasks: float
    wire: float
    solve: float
    busy: float

    @property
    def all(self) -> float:
        """Their sum."""
        return self.sweep + self.tasks + self.wire + self.solve


def graph(
    leaf: float,
    C: int,
    W: int,
    known: Constants,
    cores: float = math.inf,
    size: float = 0.0,
    fan: int = 0,
) -> Graph:
    """Return what a graph takes whose parts are so many seconds, and sums so many bytes."""
    fan = fan or (FAN if size > SMALL else WIDE)
    n, h = C + sum(additions(C, fan)), handed(C, W, fan)
    crowd, lead = 1.0, known.lead
    if cores <= W:
        crowd, lead = known.crowd, known.press
    if cores < W:
        crowd, lead = known.throng, known.crush
    rest = n * max(known.schedule - known.lead, 0.0)
    sweep, leaf = math.ceil(C / W) * leaf, leaf + known.carry * size
    work = C * leaf + n * known.task + h * (known.hand + size / known.wire)
    worker = (
        math.ceil(C / W) * leaf + (n * known.task + h * known.hand) / W
        + in_turn(C, W, fan) * size / known.wire
    )  # fmt: skip
    free = max(cores - known.idle * (W + 1), 0.5)
    longest = max(worker, rest, (work + rest) / free) * crowd
    return Graph(
        known.graph + n * lead + longest, work + n * known.schedule + size / known.wire, sweep
    )


def growth(
    net: Any, T: float, C: int, W: int, known: Constants, cores: float = math.inf, trials: float = 1
) -> Growth:
    """Return what an iteration takes, of workers that share so many cores."""
    N, each = net.n_weights, T / C
    quick = known.alone if cores > 1 and min(W, cores) == 1 else 1.0
    if cores < W:
        quick /= known.shared
    samples = each * (normal_work(net) / known.assembly + known.unit * sum(net.sizes[1:]))
    assembly = samples / quick + known.call + known.matrix * N * N
    sweeps = [
        each * flops / rate / quick
        for flops, rate in (
            (sweep_work(net, 1), known.along), (refit_flops(net), known.forward),
            (forward_flops(net), known.forward),
        )
    ]  # fmt: skip
    sent = 4.0 * N * N
    fan = FAN if sent > SMALL else WIDE
    matrix, unsent = (graph(assembly, C, W, known, cores, size, fan) for size in (sent, 0.0))
    small = [graph(leaf, C, W, known, cores) for leaf in sweeps]
    latency, solves = graph(0.0, C, W, known, cores).wall, trials
    again = N**3 / 3.0 * ROUNDS * (1 + AHEAD) / known.solve
    if (
        small[-1].wall < (1.0 + SHARE) * latency and again < latency
    ):  # trials are looked at ahead, see ggn.fit.foresight
        small = [graph((1 + AHEAD) * leaf, C, W, known, cores) for leaf in sweeps]
        solves, trials = ROUNDS * (1 + AHEAD) + trials, math.ceil(trials / (1 + AHEAD))
    wire = matrix.wall - unsent.wall + sent / known.wire
    wall = matrix.wall + sent / known.wire + trials * sum(one.wall for one in small)
    # what is not bound by sweeps is the tasks'
    sweep = matrix.sweep + trials * sum(one.sweep for one in small)
    solve = solves * N**3 / 3.0 / known.solve + known.copy * N * N
    busy = matrix.busy + trials * sum(one.busy for one in small) + solve
    return Growth(sweep, wall - sweep - wire, wire, solve, busy)


def table(known: Constants) -> str:
    """Return seconds per iteration against T, N and workers."""
    lines = [f"{'network':<16}{'N':>7}{'samples':>9}{'workers':>9}{'chunks':>8}"
             f"{'sweep':>9}{'tasks':>9}{'wire':>9}{'solve':>9}{'all':>9}"]  # fmt: skip
    for sizes in ((8, 50, 1), (20, 100, 50, 1), (50, 100, 1)):
        net = ggn.MLP(sizes)
        for T, W in ((1e6, 2), (1e8, 16), (1e8, 100), (1e10, 100), (1e10, 1000)):
            C = max(W, math.ceil(T / 1e6))
            p = growth(net, T, C, W, known)
            lines.append(
                f"{sizes!s:<16}{net.n_weights:>7}{T:>9.0e}{W:>9}{C:>8}{p.sweep:>9.3g}"
                f"{p.tasks:>9.3g}{p.wire:>9.3g}{p.solve:>9.3g}{p.all:>9.3g}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "table"
    if what == "table":
        print(table(MEASURED))
    elif what in ("measure", "check", "overhead"):
        from benchmarks import growth_checked, growth_measured  # they import this module

        if what == "measure":
            print(asdict(growth_measured.measure()))
        else:
            getattr(growth_checked, what)(*map(int, sys.argv[2:]))
    else:
        sys.exit(__doc__)

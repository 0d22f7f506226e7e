"""How the seconds of an iteration on a cluster grow: a formula, and where its constants come from.

    sweep   ⌈C / W⌉ T/C (work(N) / rate + forward / forward rate · graphs of trials)
    tasks   (C + C/7) t_task + t_graph, for each graph
    wire    8 N² (1 + Σ_levels 7 ⌈C / 8^l / W⌉ (W - 1)/W) / B
    solve   N³/3 / dgemm rate, on the client

C chunks of T samples, W workers of one thread each; additions are eight to a task (`ggn.dask`).

python -m benchmarks.growth            the table of the guide, from the constants below
python -m benchmarks.growth measure    the constants of this machine
python -m benchmarks.growth check      the formula against runs with 1, 2 and 4 workers
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import ggn
from ggn.linearization.assembly import normal_work
from ggn.linearization.mean_loss import forward_flops

__all__ = ["Constants", "Parts", "parts"]

FAN = 8
NORMAL, LOSSES = 1, 2  # graphs of an iteration: the matrix; a trial, and the output layer refitted


@dataclass(frozen=True)
class Constants:
    """What was measured on a machine.

    Attributes
    ----------
    rate : float
        Flops per second of an assembly on one thread, in `normal_work`.
    forward : float
        Of a forward sweep, in `forward_flops`.
    task : float
        Seconds of the scheduler and a worker for each task.
    graph : float
        Seconds of a graph beside its tasks.
    wire : float
        Bytes per second from worker to worker, or to the client: serialised, sent, added.
    solve : float
        Flops per second of a factorisation on the client.
    """

    rate: float
    forward: float
    task: float
    graph: float
    wire: float
    solve: float


MEASURED = Constants(20e9, 10e9, 1e-3, 15e-3, 0.5e9, 30e9)


@dataclass(frozen=True)
class Parts:
    """Seconds of an iteration, by what they are spent on."""

    sweep: float
    tasks: float
    wire: float
    solve: float

    @property
    def all(self) -> float:
        """Their sum."""
        return self.sweep + self.tasks + self.wire + self.solve


def additions(C: int) -> list[int]:
    """Return the tasks of each level of additions."""
    levels = []
    while C > 1:
        C = math.ceil(C / FAN)
        levels.append(C)
    return levels


def parts(net: Any, T: float, C: int, W: int, known: Constants) -> Parts:
    """Return what an iteration takes."""
    N, levels = net.n_weights, additions(C)
    each = math.ceil(C / W) * T / C
    sweep = each * (normal_work(net) / known.rate + LOSSES * forward_flops(net) / known.forward)
    tasks = (NORMAL + LOSSES) * (known.graph + (C + sum(levels)) * known.task)
    received = 1.0 + sum((FAN - 1) * math.ceil(n / W) * (W - 1) / W for n in levels)
    return Parts(sweep, tasks, received * 8.0 * N * N / known.wire, N**3 / 3.0 / known.solve)


def table(known: Constants) -> str:
    """Return seconds per iteration against T, N and workers."""
    lines = [f"{'network':<16}{'N':>7}{'samples':>9}{'workers':>9}{'chunks':>8}"
             f"{'sweep':>9}{'tasks':>9}{'wire':>9}{'solve':>9}{'all':>9}"]  # fmt: skip
    for sizes in ((8, 50, 1), (20, 100, 50, 1), (50, 100, 1)):
        net = ggn.MLP(sizes)
        for T, W in ((1e6, 2), (1e8, 16), (1e8, 100), (1e10, 100), (1e10, 1000)):
            C = max(W, math.ceil(T / 1e6))
            p = parts(net, T, C, W, known)
            lines.append(
                f"{sizes!s:<16}{net.n_weights:>7}{T:>9.0e}{W:>9}{C:>8}{p.sweep:>9.3g}"
                f"{p.tasks:>9.3g}{p.wire:>9.3g}{p.solve:>9.3g}{p.all:>9.3g}"
            )
    return "\n".join(lines)

"""What a sum over chunks costs beside the work on samples: tasks, and numbers sent.

tasks     C parts, and ⌈C/8⌉ + ⌈C/64⌉ + ... additions of `FAN` neighbours, of small sums of `WIDE`
sent      1 + (W - 1)/W Σ_l (inputs of level l)    sums, from worker to worker and to the client
in turn   1 + 7 levels                             of them one after the other, on C cores
"""

from __future__ import annotations

import math

import dask

from ggn.linearization.transport import Transport
from ggn.validation import number

__all__ = ["FAN", "SMALL", "WIDE", "additions", "handed", "in_turn", "transport"]

FAN = 8  # neighbours that one task adds; a power of two, so that the tree's order stays
WIDE = 32  # where they are small: a level less costs less than to receive more of them in turn
SMALL = 1 << 16  # bytes of such a sum
GRAPH, TASK = 10e-3, 1.7e-3  # seconds of a graph, and for each of its tasks: of a Zen 4 core
BANDWIDTH = 1.25e9  # bytes a second from one machine to another: ten gigabit
FLOPS = 5e10  # of a matrix product on one core, in a second


def additions(C: int, fan: int = FAN) -> list[int]:
    """Return the tasks of each level of additions over C chunks.

    Examples
    --------
    >>> additions(64), additions(10), additions(1), additions(64, WIDE)
    ([8, 1], [2, 1], [], [2, 1])
    """
    levels = []
    while C > 1:
        C = math.ceil(C / fan)
        levels.append(C)
    return levels


def handed(C: int, W: float, fan: int = FAN) -> float:
    """Return how many results go from one of W workers to another, each held by any of them.

    Examples
    --------
    >>> handed(64, 2), handed(64, 1)
    (36.0, 0.0)
    """
    return sum((C, *additions(C, fan))[:-1]) * (W - 1) / W if W < math.inf else float(C)


def in_turn(C: int, W: int, fan: int = FAN) -> float:
    """Return how many results are received one after the other, the client's one with them.

    Examples
    --------
    >>> in_turn(64, 1), in_turn(64, 64)
    (1.0, 14.78125)
    """
    return 1.0 + sum((fan - 1) * math.ceil(n / W) * (W - 1) / W for n in additions(C, fan))


def transport(C: int) -> Transport:
    """Return what sums over C chunks cost, with a core for each.

    ``dask.config.set({"ggn.bandwidth": bytes_per_second})`` says what the wire is.
    """
    bandwidth = number(
        "ggn.bandwidth", dask.config.get("ggn.bandwidth", BANDWIDTH), 0.0, open_low=True
    )
    tasks = C + sum(additions(C))
    return Transport(
        C,
        FLOPS * (GRAPH + TASK * tasks),
        FLOPS * 8.0 * in_turn(C, C) / bandwidth,
        1.0 + handed(C, C),
    )

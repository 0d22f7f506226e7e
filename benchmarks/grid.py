"""A grid of shapes: the form taken against the plain ones, the plan against what is measured.

Plain forms of the normal matrix: dsyrk on chunks of P (`Columns`), and one
dsyrk on the whole P where it is small enough to be stored.
"""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
from scipy.linalg.blas import dsyrk

import ggn
from benchmarks.assembly import objective
from benchmarks.timing import medians
from ggn import damping, steps
from ggn.fit import planner
from ggn.linearization import Linearization, Objective, assembly
from ggn.linearization.sweeping import sweep

HIDDEN = [(10,), (50,), (200,), (20, 20), (50, 50), (10, 10, 10)]
INPUTS, OUTPUTS = (1, 2, 8, 30), (1, 3, 10)
WORK = 2e9  # flops of dsyrk: T is chosen so, within bounds


def shapes() -> list[tuple[tuple[int, ...], int]]:
    """Return networks and sample counts."""
    grid = []
    for n0, hidden, nL in itertools.product(INPUTS, HIDDEN, OUTPUTS):
        sizes = (n0, *hidden, nL)
        N = ggn.MLP(sizes).n_weights
        grid.append((sizes, int(np.clip(WORK / (N * N * nL), 200, 4000))))
    return grid


def columns(data: Objective, w: np.ndarray, G: np.ndarray) -> None:
    """Assemble by dsyrk on chunks of P."""
    sweep(data, w, data.net.n_outputs, lanes=[assembly.Columns(data, G)])


def stored(data: Objective, w: np.ndarray) -> None:
    """Assemble by one dsyrk on the stored Jacobian."""
    B, _ = Linearization(data, w).root()
    dsyrk(1.0, B.T, trans=1)


def assembly_grid(seconds: float) -> list[tuple[tuple[int, ...], int, float]]:
    """Return the time of our assembly over the best plain form's, for each shape."""
    rows = []
    for sizes, T in shapes():
        data, w = objective(sizes, T)
        N = data.net.n_weights
        G = np.empty((N, N))
        calls = [lambda: Linearization(data, w).assemble_normal(G), lambda: columns(data, w, G)]  # noqa: B023
        if N * T * sizes[-1] < 3e7:
            calls.append(lambda: stored(data, w))  # noqa: B023
        ours, *plain = medians(*calls, seconds=seconds, least=3)
        rows.append((sizes, T, ours / min(plain)))
    return rows


def iteration(data: Objective, w: np.ndarray, step: steps.Step) -> None:
    """Do one iteration with one trial."""
    metric = damping.LevenbergMarquardt().metric(data)
    prepared = step.prepare(Linearization(data, w, 0.0), metric)
    d = prepared.solve(0.01)
    assert d is not None
    data.value(w - d)


def plan_grid(seconds: float) -> list[tuple[tuple[int, ...], int, str, str, float]]:
    """Return, for each shape, the plan's pick, the fastest form, and pick over fastest."""
    rows = []
    for sizes, _ in shapes():
        for T in (30, 300, 2000):
            net = ggn.MLP(sizes)
            if net.n_weights * T * sizes[-1] > 2e7:
                continue
            plan = planner.plan(net, T)
            data, w = objective(sizes, T)
            fastest = min(c.flops for c in plan.candidates)
            # conjugate gradients are asked for the same step as the direct forms give
            tried = [
                steps.ConjugateGradient(1e-8, 5000)
                if isinstance(c.step, steps.ConjugateGradient) and c is not plan.best
                else c.step
                for c in plan.candidates
                if c.flops < 8 * fastest or c is plan.best
            ]
            times = medians(
                *(lambda step=step: iteration(data, w, step) for step in tried),  # noqa: B023
                seconds=seconds,
                least=3,
            )
            best = int(np.argmin(times))
            pick = times[tried.index(plan.step)]
            name, winner = type(plan.step).__name__, type(tried[best]).__name__
            rows.append((sizes, T, name, winner, pick / times[best]))
    return rows


def peak_beyond(call) -> int:
    """Return by how many bytes the allocated memory rises during a call, at most."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def memory() -> list[tuple[tuple[int, ...], int, str, float, float]]:
    """Return planned and measured peak MiB of the plan's pick on large shapes."""
    rows = []
    for sizes, T in [((8, 50, 1), 1_000_000), ((8, 50, 50, 1), 20_000), ((10, 1000, 1), 500),
                     ((4, 300, 2), 400), ((64, 32, 10), 3000)]:  # fmt: skip
        rng = np.random.default_rng(0)
        X, Y = rng.normal(size=(T, sizes[0])), rng.normal(size=(T, sizes[-1]))
        net = ggn.MLP(sizes)
        w0, plan = net.initial_weights(0, "fan_in"), planner.plan(net, T)
        step = plan.step
        used = peak_beyond(lambda: ggn.train(net, X, Y, w0=w0, step=step, max_iter=1))  # noqa: B023
        rows.append((sizes, T, type(step).__name__, plan.best.bytes / 2**20, used / 2**20))
    return rows


def main(seconds: float = 0.15) -> None:
    """Print what the grid says."""
    rows = memory()
    print(f"{'network':<20}{'T':>9} {'step':<12}{'planned MiB':>12}{'measured':>10}{'ratio':>7}")
    for sizes, T, name, planned, used in rows:
        print(f"{sizes!s:<20}{T:>9} {name:<12}{planned:>12.1f}{used:>10.1f}{used / planned:>7.2f}")
    grid = assembly_grid(seconds)
    ratios = np.array([r for *_, r in grid])
    worst = max(grid, key=lambda row: row[-1])
    print(
        f"\nassembly / best plain form, {len(grid)} shapes: median {np.median(ratios):.2f}, "
        f"worst {worst[2]:.2f} at {worst[0]}, T = {worst[1]}; "
        f"{(ratios > 1.1).sum()} above 1.1"
    )
    picks = plan_grid(seconds)
    over = sorted((row for row in picks if row[-1] > 1.25), key=lambda row: -row[-1])
    print(f"\nplan: {len(picks)} shapes, {len(over)} picks above 1.25 x the fastest form")
    for sizes, T, name, winner, ratio in over[:15]:
        print(f"  {sizes!s:<20} T = {T:<6} {name} instead of {winner}: {ratio:.2f}")


if __name__ == "__main__":
    main()

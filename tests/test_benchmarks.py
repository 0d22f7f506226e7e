"""The benchmarks still run, on problems that take no time; what they measure is not looked at."""

import numpy as np

from benchmarks import assembly, grid, lanes

SMALL = (2, 5, 1)


def test_assembly():
    assert assembly.normal(SMALL, 30, seconds=0.0)[0] > 0.0
    assert np.all(np.array(assembly.kernel(SMALL, 10, seconds=0.0)[1:]) > 0.0)
    assert assembly.machine()


def test_lanes():
    assert all(np.isfinite(lanes.ratios(SMALL, 30, seconds=0.0)))


def test_grid(monkeypatch):
    monkeypatch.setattr(grid, "shapes", lambda: [(SMALL, 30)])
    assert len(grid.assembly_grid(0.0)) == 1
    assert len(grid.plan_grid(0.0)) == 3

"""The formula of what an iteration on a cluster takes: constants are found where they are known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import ggn

pytest.importorskip("distributed", reason="needs dask and distributed")
from benchmarks import growth_measured
from benchmarks.growth import MEASURED, graph, growth
from ggn.linearization import parts
from ggn.linearization.assembly import normal_work
from ggn.linearization.mean_loss import forward_flops
from ggn.linearization.output_layer import output_sums, refit_flops
from ggn.linearization.sweeping import sweep_work


def test_costs_of_kernels_are_told_apart(monkeypatch):
    """Of a machine that takes what the formula says."""
    truth = replace(MEASURED, assembly=40e9, forward=30e9, along=20e9, unit=12e-9, call=1e-3)

    def seconds(call, objective, *more):
        if call is not parts.normal and call is not parts.bend and call is not output_sums:
            objective = call.__self__
        net, T = objective.net, objective.T
        if call is parts.normal:
            sample = normal_work(net) / truth.assembly + truth.unit * sum(net.sizes[1:])
            return T * sample + truth.call + truth.matrix * net.n_weights**2
        if call is parts.bend:
            return T * sweep_work(net, 1) / truth.along
        flops = refit_flops(net) if call is output_sums else forward_flops(net)
        return T * flops / truth.forward

    monkeypatch.setattr(growth_measured, "_seconds", seconds)
    found = growth_measured.kernels(0)
    expected = [truth.assembly, truth.forward, truth.along, truth.unit, truth.call, truth.matrix]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("cores", "named"), [(2, ("crowd", "press")), (1, ("throng", "crush"))])
def test_what_a_crowd_costs_is_found_from_graphs_of_known_work(monkeypatch, cores, named):
    truth, now = replace(MEASURED, **dict(zip(named, (1.3, 2e-3), strict=True))), [0.0]

    class Source:
        def __init__(self, client, C):
            self.C = C

        def total(self, function, seconds):
            assert function is growth_measured.burn
            now[0] += graph(seconds, self.C, 2, truth, cores).wall

    monkeypatch.setattr(growth_measured, "source", Source)
    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr(growth_measured, "time", clock)
    known = replace(truth, **dict(zip(named, (1.0, truth.lead), strict=True)))
    found = growth_measured.crowded(None, 2, cores, known)
    assert found == pytest.approx([getattr(truth, name) for name in named], rel=1e-6)


def test_a_crowd_is_where_workers_are_as_many_as_cores():
    slow = replace(MEASURED, crowd=2.0, press=1.0)
    net = ggn.MLP((8, 50, 1))
    for W, cores in ((1, 2), (100, np.inf)):
        assert growth(net, 1e6, 16, W, slow, cores) == growth(net, 1e6, 16, W, MEASURED, cores)
    assert growth(net, 1e6, 16, 2, slow, 2).all > growth(net, 1e6, 16, 2, MEASURED, 2).all
    assert growth(net, 1e6, 16, 4, slow, 2) == growth(net, 1e6, 16, 4, MEASURED, 2)
    for more in ({"shared": 1.2}, {"throng": 1.2}, {"crush": 1e-2}):
        known = replace(MEASURED, **more)
        assert growth(net, 1e6, 16, 2, known, 2) == growth(net, 1e6, 16, 2, MEASURED, 2)
        assert growth(net, 1e6, 16, 4, known, 2).all > growth(net, 1e6, 16, 4, MEASURED, 2).all


@pytest.mark.parametrize("sizes", [(4, 20, 1), (8, 50, 20, 2)])
def test_units_have_a_cost_beside_the_work(sizes):
    net, none = ggn.MLP(sizes), replace(MEASURED, unit=0.0)
    whole, rest = (growth(net, 2e9, 2, 2, known).sweep for known in (MEASURED, none))
    assert whole - rest == pytest.approx(1e9 * MEASURED.unit * sum(sizes[1:]), rel=1e-9)

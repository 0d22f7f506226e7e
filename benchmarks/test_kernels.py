"""The kernels under pytest-benchmark: `pytest benchmarks` with the bench extra."""

import numpy as np
import pytest

from benchmarks.assembly import KERNEL, NORMAL, objective
from ggn.linearization import Linearization
from ggn.linearization.dual_system import DualSystem

pytest.importorskip("pytest_benchmark", reason="needs the bench extra")


@pytest.mark.parametrize(("sizes", "T", "wanted"), NORMAL)
def test_normal_matrix(benchmark, sizes, T, wanted):
    data, w = objective(sizes, T)
    G = np.empty((data.net.n_weights,) * 2)
    benchmark(lambda: Linearization(data, w).assemble_normal(G))
    assert np.isfinite(np.tril(G)).all()


@pytest.mark.parametrize(("sizes", "T", "wanted"), KERNEL)
def test_kernel_matrix(benchmark, sizes, T, wanted):
    data, w = objective(sizes, T)
    K = np.empty((T * sizes[-1],) * 2)
    benchmark(lambda: DualSystem(Linearization(data, w, 0.0)).kernel(None, K))
    assert np.isfinite(np.tril(K)).all()


@pytest.mark.parametrize(("sizes", "T", "wanted"), NORMAL)
def test_gradient(benchmark, sizes, T, wanted):
    data, w = objective(sizes, T)
    assert np.isfinite(benchmark(lambda: Linearization(data, w).gradient)).all()

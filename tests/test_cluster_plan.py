"""Which step is taken where sums have to be sent: what is counted is what is sent."""

import numpy as np
import pytest

import ggn
from ggn.fit.costs import CG_PRODUCTS, sums_of

pytest.importorskip("distributed", reason="needs dask and distributed")
import itertools

import dask
import dask.array as da
from distributed import Client

import ggn.dask
from ggn.dask.wire import additions, handed, in_turn

RNG = np.random.default_rng(5)
X = RNG.normal(size=(900, 3))
Y = np.sin(X.sum(axis=1))
NET = ggn.MLP((3, 6, 1))
LARGE = ggn.MLP((100, 200, 1))  # 20401 weights


def numbers_in(found):
    if isinstance(found, tuple):
        return sum(numbers_in(one) for one in found)
    return np.size(found)


class Counted(ggn.Chunks):
    """Chunks that count the sums asked for, and the numbers in each."""

    def __init__(self, chunks):
        super().__init__(chunks)
        self.sums = []

    def reduce(self, combine, function, *args):
        found = super().reduce(combine, function, *args)
        self.sums.append(numbers_in(found))
        return found


@pytest.mark.parametrize("step", [ggn.steps.Primal, ggn.steps.Subsampled])
def test_the_sums_of_an_iteration_are_counted(step):
    data, marks = Counted([(X[:500], Y[:500]), (X[500:], Y[500:])]), []

    def mark(intermediate_result):
        marks.append((intermediate_result.nfev, len(data.sums)))

    made = step() if step is ggn.steps.Primal else step(100)
    ggn.train(NET, data, step=made, max_iter=6, tol=0.0, callback=mark)
    trials = [(b[0] - a[0]) // 2 for a, b in itertools.pairwise(marks)]
    first = trials.index(1)  # an iteration of one trial
    seen = data.sums[marks[first][1] : marks[first + 1][1]]
    sums, numbers = sums_of(step, NET)
    assert len(seen) == sums
    assert abs(sum(seen) - numbers) <= 1.0 + NET.sizes[-2]  # the layer's sums are a triangle or not


def test_sums_of_conjugate_gradients_are_of_n_numbers():
    sums, numbers = sums_of(ggn.steps.ConjugateGradient, LARGE)
    assert sums >= CG_PRODUCTS
    assert numbers < 0.011 * sums_of(ggn.steps.Primal, LARGE)[1]


@pytest.mark.parametrize(("C", "W"), [(1, 1), (8, 2), (64, 4), (100, 7), (1000, 1000)])
def test_results_handed_on_are_those_that_are_not_where_they_are_added(C, W):
    rng, remote, times = np.random.default_rng(0), 0, 2000 if C < 1000 else 2
    for _ in range(times):
        level = rng.integers(W, size=C)
        while len(level) > 1:
            groups = [level[i : i + 8] for i in range(0, len(level), 8)]
            level = rng.integers(W, size=len(groups))
            remote += sum((group != at).sum() for group, at in zip(groups, level, strict=True))
    assert remote / times == pytest.approx(handed(C, W), rel=0.03)
    assert in_turn(C, W) <= 1.0 + handed(C, W)
    assert sum(additions(C)) == sum(-(-C // 8**k) for k in range(1, 10) if 8 ** (k - 1) < C)


def test_where_the_matrix_is_too_much_to_send_products_are():
    fast = ggn.dask.plan(LARGE, 4_000_000, 64, max_memory=1e11)
    with dask.config.set({"ggn.bandwidth": 1e7}):
        slow = ggn.dask.plan(LARGE, 4_000_000, 64, max_memory=1e11)
    sent = {type(c.step).__name__: c.sent for c in slow.candidates}
    assert type(slow.step) is ggn.steps.ConjugateGradient
    assert sent["ConjugateGradient"] < 0.02 * sent["Primal"]
    assert "MB sent" in str(slow)
    assert "MB sent" not in str(ggn.plan(LARGE, 4_000_000))
    seconds = {type(c.step): c.flops for c in slow.candidates}
    assert all(seconds[type(c.step)] > c.flops for c in fast.candidates)  # whatever the step


def test_training_takes_the_planned_step():
    A, B = da.from_array(X, chunks=(450, 3)), da.from_array(Y, chunks=450)
    with Client(processes=False, n_workers=1, dashboard_address=":0") as client:
        fit = ggn.dask.train(client, NET, A, B, max_iter=1)
        assert type(fit.step) is ggn.steps.Primal
        with dask.config.set({"ggn.bandwidth": 1.0}):  # a byte a second
            fit = ggn.dask.train(client, NET, A, B, max_iter=1)
            assert type(fit.step) is ggn.steps.Primal  # N products are no fewer numbers
            net = ggn.MLP((3, 80, 1))
            begun = ggn.dask.train(client, net, A, B, max_iter=1)
    assert type(begun.step) is ggn.steps.ConjugateGradient
    assert begun.history.loss[1] < begun.history.loss[0]


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, "fast"])
def test_a_bandwidth_that_is_none(bandwidth):
    with (
        dask.config.set({"ggn.bandwidth": bandwidth}),
        pytest.raises(ValueError, match=r"ggn\.bandwidth must be"),
    ):
        ggn.dask.plan(NET, 100, 2)

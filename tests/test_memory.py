"""Scratch memory: watching a run changes no bit of it, and it keeps to what the plan says."""

import copy
import gc
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

import ggn
from ggn import steps
from ggn._core import SIMD
from ggn.damping import LevenbergMarquardt
from ggn.fit import planner
from ggn.linearization import Linearization, Objective, memory
from ggn.linearization.assembly import Blocks, Columns, accumulators
from ggn.linearization.directional import curvature_along
from ggn.linearization.memory import SMALL, SPARE, Memory

RNG = np.random.default_rng(11)
X = RNG.normal(size=(60, 2))
Y = np.column_stack([np.sin(X[:, 0] * X[:, 1]), np.cos(X[:, 0])])
CLASSES = np.eye(3)[np.argmax(np.column_stack([X, X.sum(axis=1)]), axis=1)]
PROBLEMS = {  # net, targets, loss, sample weights: every form of the assembly
    "constant": (ggn.MLP((2, 7, 5, 2)), Y, "squared", None),
    "diagonal": (ggn.MLP((2, 6, 2), "sigmoid", "tanh"), Y, "cauchy", np.linspace(0.5, 2, 60)),
    "full": (ggn.MLP((2, 6, 3), "softsign"), CLASSES, "softmax_cross_entropy", None),
    "triples": (ggn.MLP((2, 20, 1), "softplus", bias=False), Y[:, :1], "squared", None),
    "columns": (ggn.MLP((2, 5, 1), "softplus", bias=False), Y[:, :1], "squared", None),
}
DIAGONAL = PROBLEMS["diagonal"][0], X, *PROBLEMS["diagonal"][1:]
STEPS = {
    "primal": (steps.Primal(), 0.0),
    "primal, penalty": (steps.Primal(), 1e-3),
    "dual": (steps.Dual(), 0.0),
    "dual, penalty": (steps.Dual(), 1e-3),
    "minimum-norm": (steps.MinimumNorm(), 0.0),
    "conjugate-gradient": (steps.ConjugateGradient(), 0.0),
    "gradient": (steps.Gradient(), 0.0),
    "subsampled": (steps.Subsampled(samples=25), 0.0),
}


def everything(at):
    """Return all that is known at one w, each computed anew."""
    objective, v = at.objective, np.linspace(-1.0, 1.0, len(at.w))
    new = Linearization(objective, at.w)
    return {
        "loss": new.loss,
        "gradient": new.gradient,
        "rounding": new.rounding,
        "normal_matrix": at.normal_matrix(),
        "normal_matrix, psd": at.normal_matrix(psd=True),
        "kernel_matrix": at.kernel_matrix(),
        "hessian": at.hessian(),
        "functional_hessian": at.functional_hessian(),
        "jacobian": at.jacobian(),
        "root": np.vstack(at.root()),
        "normal_diagonal": at.normal_diagonal(),
        "operator": at.operator() @ v,
        "hessian_operator": at.hessian_operator() @ v,
        "bend": at.bend(v),
        "bend_columns": at.bend_columns(v),
        "curvature_along": curvature_along(objective, at.w, v),
        "value": objective.value(at.w + 0.1),
        "outputs": np.hstack([F.copy() for _, F in objective.outputs(at.w)]),
        "part": Linearization(objective.part(np.arange(0, 60, 3)), at.w).normal_matrix(),
    }


class Watched(steps.Prepared):
    """A prepared step; before and after each of its methods, the linearization is looked at."""

    def __init__(self, prepared, look):
        self.prepared, self.look = prepared, look
        self.gradient, self.diagonal = prepared.gradient, prepared.diagonal
        self.scale = prepared.scale

    @property
    def residual(self):
        return self.prepared.residual

    def solve(self, mu):
        self.look()
        d = self.prepared.solve(mu)
        self.look()
        return d

    def accelerate(self, d):
        self.look()
        a = self.prepared.accelerate(d)
        self.look()
        return a


class Watching(steps.Step):
    """A user's step: the built-in one, and a look at everything in between."""

    def __init__(self, step, looks=True):
        self.step, self.looks, self.seen = step, looks, []

    def prepare(self, at, metric):
        look = lambda: self.seen.append(everything(at)) if self.looks else None  # noqa: E731
        look()
        prepared = self.step.prepare(at, metric)
        look()
        return Watched(prepared, look)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", STEPS)
def test_watching_a_run_changes_no_bit(name, problem):
    (step, l2), (net, Z, loss, weights) = STEPS[name], PROBLEMS[problem]
    w0 = net.initial_weights(0, "fan_in")
    options = {"w0": w0, "l2": l2, "max_iter": 4, "loss": loss, "sample_weight": weights}
    # a user's step both, as small fits with a built-in one add up in another order
    plain, watched = Watching(step, looks=False), (watching := Watching(step))
    runs = []
    for user in (plain, watched):
        if isinstance(step, steps.Subsampled):
            user.step = step.start(Objective(net, X, Z))
        runs.append(ggn.train(net, X, Z, step=user, **options))
    plain, watched = runs
    assert plain.nit == watched.nit > 0
    np.testing.assert_array_equal(watched.w, plain.w)
    np.testing.assert_array_equal(watched.history.loss, plain.history.loss)
    # and what is seen does not depend on when one looks, either
    start = [seen for seen in watching.seen if seen["loss"] == plain.history.loss[0]]
    assert len(start) >= 4
    for earlier, later in pairwise(start):
        for key, value in earlier.items():
            np.testing.assert_array_equal(later[key], value, err_msg=key)


def test_the_cheap_forms_are_those_meant():
    forms = {
        name: type(lane)
        for name, (net, Z, loss, _) in PROBLEMS.items()
        for lane in accumulators(Objective(net, X, Z, loss), np.empty((net.n_weights,) * 2), True)
    }
    ours = SIMD != "none"  # products; with BLAS's, dsyrk is the quicker where one output is all
    expected = dict.fromkeys(PROBLEMS, Blocks) | {"columns": Columns}
    assert forms == expected | ({} if ours else {"triples": Columns})
    assert PROBLEMS["triples"][0].layout.by_triples(1) is ours


@pytest.mark.parametrize("name", STEPS)
def test_two_preparations_at_once(name):
    """Preparing at another point leaves the first preparation as it was."""
    step, l2 = STEPS[name]
    objective = Objective(*DIAGONAL, l2=l2)
    w = objective.net.initial_weights(0)

    def prepare(w):
        at = Linearization(objective, w)
        return step.prepare(at, LevenbergMarquardt().metric(objective))

    one = prepare(w)
    d = one.solve(1e-2)
    a = one.accelerate(d)
    other = prepare(w + 0.5)
    other.accelerate(other.solve(1e-3))
    if a is not None:
        np.testing.assert_array_equal(one.accelerate(d), a)
    if not isinstance(step, steps.Subsampled):  # whose second solve knows of the first
        np.testing.assert_array_equal(one.solve(1e-2), d)


def test_gradient_and_loss_do_not_depend_on_what_was_asked_before():
    net = ggn.MLP((2, 20, 20, 2))
    data = np.tile(X, (20, 1)), np.tile(Y, (20, 1))  # several chunks, of a size of each sweep's own
    w = net.initial_weights(0)
    fresh = ggn.linearize(net, w, *data)
    loss, gradient = fresh.loss, fresh.gradient
    for ask in ("normal_matrix", "normal_diagonal", "root", "hessian"):
        at = ggn.linearize(net, w, *data)
        getattr(at, ask)()
        assert at.loss == loss
        np.testing.assert_array_equal(at.gradient, gradient)


# ------------------------------------------------------------- the memory itself


def test_an_array_is_the_callers_until_its_last_view_is_gone():
    memory = Memory()
    array = memory.array(3, SMALL)
    assert array.ctypes.data % 64 == 0
    assert array.flags.c_contiguous
    assert array.flags.writeable
    where, view = array.ctypes.data, array[1:].T
    del array
    other = memory.array(3 * SMALL)
    assert not np.shares_memory(view, other)
    buffer = memoryview(view.T)
    del view
    assert not np.shares_memory(np.asarray(buffer), memory.array(3 * SMALL))
    del buffer
    again = [memory.array(SMALL, 3) for _ in range(2)]  # the other piece is the one just asked for
    assert where in [array.ctypes.data for array in again]


def test_memory_that_is_gone_is_used_again():
    memory = Memory()
    seen = {memory.array(2 * SMALL).ctypes.data for _ in range(50)}
    assert len(seen) == 1


def test_it_holds_no_more_than_was_used_at_once():
    memory = Memory()
    for size in range(SPARE // 4, SPARE, SPARE // 8):
        both = [memory.array(size), memory.array(size)]
        most = 2 * size
        del both
        assert sum(map(len, memory._free())) <= most + SPARE


@pytest.mark.parametrize("shape", [(0,), (0, 5), ()])
def test_arrays_of_no_size(shape):
    assert Memory().array(*shape).shape == shape


def test_copies_have_memory_of_their_own():
    objective = Objective(*DIAGONAL)
    kept = objective.scratch(50)
    twin = copy.deepcopy(objective)
    assert not np.shares_memory(kept, twin.scratch(50))


# N = 1275: N² doubles are 12 MiB
LARGE = ggn.MLP((2, 50, 20, 5))


@pytest.mark.parametrize(
    ("step", "T"),
    [("primal", 1000), ("subsampled", 1500), ("dual", 200), ("conjugate-gradient", 400)],
)
def test_a_run_keeps_to_the_memory_of_the_plan(step, T, monkeypatch):
    """Several iterations, rejected trials among them, and no second set of matrices."""
    data = RNG.normal(size=(T, 2)), RNG.normal(size=(T, 5))
    chosen = steps.resolve(step)
    # a part of the samples pays for itself only in greater plans than these
    monkeypatch.setattr(planner, "SUBSAMPLE_FROM", 0.0)
    monkeypatch.setattr(planner, "first_size", lambda net, T: T // 4)
    candidates = ggn.plan(LARGE, T).candidates
    predicted = next(c.bytes for c in candidates if type(c.step) is type(chosen))
    gc.collect()
    tracemalloc.start()
    try:
        fit = ggn.train(LARGE, *data, step=chosen, max_iter=3, tol=0.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert fit.nit == 3
    assert peak <= predicted


@pytest.mark.parametrize(("sizes", "T"), [((8, 50, 1), 5000), ((1, 70, 40, 1), 1000)])
def test_iterations_ask_the_system_for_no_more(sizes, T, monkeypatch):
    """Sweeps of several kinds, in lanes with a shorter last chunk each, take turns in the same."""
    rng = np.random.default_rng(0)
    X, fresh, new = rng.normal(size=(T, sizes[0])), [], memory._aligned
    monkeypatch.setattr(memory, "_aligned", lambda size: fresh.append(size) or new(size))
    w0, counts = ggn.MLP(sizes).initial_weights(0, "fan_in"), []
    for most in (3, 8):
        fresh.clear()
        with ggn.threads(1):
            ggn.train(ggn.MLP(sizes), X, np.sin(X[:, :1]), w0=w0, max_iter=most, tol=0.0)
        counts.append(len(fresh))
    assert counts[0] == counts[1] < 30

"""Samples in chunks against the same samples in memory, and against the oracle."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import reference

import ggn
from ggn.linearization import Objective, SummedObjective

LOSSES = ["squared", "smooth_lp", "cauchy", "blake_zisserman", "logistic", "softmax_cross_entropy"]
EPS = np.finfo(float).eps


def cut(rng, k, *arrays):
    """Return the arrays as k chunks of random lengths, some of them empty."""
    edges = np.sort(rng.integers(0, len(arrays[0]) + 1, k - 1))
    return list(zip(*(np.split(array, edges) for array in arrays), strict=True))


def problem(seed, loss, T=240, nL=2):
    """Return X, Y and weights, some of them 0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(T, 3)) * [1.0, 100.0, 1e-3] + [0.0, 500.0, 1e-3]
    Z = (X - [0.0, 500.0, 1e-3]) / [1.0, 100.0, 1e-3]
    Y = np.column_stack([np.sin(Z[:, 0]) + Z[:, 1] * Z[:, 2], np.cos(Z[:, 1])])[:, :nL]
    if loss == "softmax_cross_entropy":
        Y = np.eye(nL)[rng.integers(0, nL, T)]
    elif loss == "logistic":
        Y = (Y > 0.0).astype(float)
    else:
        Y = 50.0 * Y + 1000.0 + rng.normal(size=Y.shape)
    return X, Y, np.where(rng.random(T) < 0.1, 0.0, rng.uniform(0.2, 3.0, T))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_sum_is_that_of_all_samples(loss, weighted):
    rng = np.random.default_rng(3)
    X, Y, s = problem(1, loss)
    s = s if weighted else None
    net, w = ggn.MLP((3, 5, 4, 2)), 0.3 * rng.normal(size=ggn.MLP((3, 5, 4, 2)).n_weights)
    l2 = rng.uniform(0.0, 1e-2, net.n_weights)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    whole = Objective(net, X, Y, loss, s, l2)
    arrays = (X, Y, s) if weighted else (X, Y)
    d = rng.normal(size=net.n_weights)
    for k in (1, 3, 24):
        parts = SummedObjective(net, ggn.Chunks(cut(rng, k, *arrays)), loss, l2)
        a, b = whole.at(w), parts.at(w)

        def same(one, other, to=1e-12):
            assert np.linalg.norm(one - other) <= to * np.linalg.norm(other)

        same(b.loss, a.loss, 1e-13)
        same(b.gradient, a.gradient)
        same(b.rounding, a.rounding)
        for psd in (False, True):
            same(b.normal_matrix(psd), a.normal_matrix(psd))
            same(b.operator(psd) @ d, a.operator(psd) @ d)
        same(b.normal_diagonal(), a.normal_diagonal())
        same(b.hessian(), a.hessian())
        same(b.hessian_operator() @ d, a.hessian_operator() @ d)
        same(b.bend(d), a.bend(d))
        same(b.curvature_along(d), a.curvature_along(d))
        assert parts.refit_pays(1e9) == whole.refit_pays(1e9)
        if whole.refit_pays(1e9):
            (J, u), (K, v) = (o.refit(w, w - d, np.abs(d), 0.1) for o in (whole, parts))
            same(K, J)
            same(v, u, 1e-9)


def test_sums_are_those_of_the_oracle():
    rng = np.random.default_rng(5)
    X, Y, s = rng.normal(size=(17, 2)), rng.normal(size=(17, 2)), rng.uniform(0.0, 2.0, 17)
    net = ggn.MLP((2, 3, 2), activation="sigmoid")
    spec = reference.named_spec((2, 3, 2), ["sigmoid", "identity"])
    loss, w = reference.CauchyLoss(0.7), rng.normal(size=net.n_weights)
    data = ggn.Chunks(cut(rng, 5, X, Y, s))
    at = ggn.linearize(net, w, data, loss=ggn.losses.Cauchy(0.7), l2=0.1)
    told = spec, w, X, Y, loss, s, 0.1
    assert at.loss == pytest.approx(reference.objective(*told), rel=1e-13)
    np.testing.assert_allclose(at.gradient, reference.gradient(*told), rtol=1e-11, atol=1e-14)
    G = reference.normal_matrix(*told)
    np.testing.assert_allclose(at.normal_matrix(), G, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(at.hessian(), reference.hessian(*told), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("weighted", "k"), [(False, 16), (True, 3)])
def test_iterates_are_those_of_a_training_in_memory(loss, weighted, k):
    rng = np.random.default_rng(k)
    X, Y, s = problem(0, loss)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    if loss not in ("logistic", "softmax_cross_entropy"):
        Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    net, options = ggn.MLP((3, 4, 2)), {"max_iter": 20, "l2": 1e-2, "loss": loss}
    a = ggn.train(net, X, Y, sample_weight=s if weighted else None, **options)
    data = ggn.Chunks(cut(rng, k, *((X, Y, s) if weighted else (X, Y))))
    b = ggn.train(net, data, **options)
    assert b.fun == pytest.approx(a.fun, rel=1e-12)
    assert np.linalg.norm(b.w - a.w) <= 1e-9 * np.linalg.norm(a.w)
    assert (b.status, b.nit, b.nfev, b.njev) == (a.status, a.nit, a.nfev, a.njev)
    np.testing.assert_allclose(b.history.loss, a.history.loss, rtol=1e-9)
    again = ggn.train(net, data, **options)
    assert (again.w == b.w).all()
    assert again.fun == b.fun


@pytest.mark.parametrize("loss", ["squared", "smooth_lp", "cauchy"])
def test_units_are_those_of_all_samples(loss):
    """Inputs of sizes 1e-3 to 500, targets near 1000: trained in standard units, both ways."""
    X, Y, s = problem(2, loss)
    net = ggn.MLP((3, 6, 2))
    for weights in (None, s):
        arrays = (X, Y) if weights is None else (X, Y, weights)
        data = ggn.Chunks(cut(np.random.default_rng(1), 9, *arrays))
        a = ggn.train(net, X, Y, loss, sample_weight=weights, max_iter=6)
        b = ggn.train(net, data, loss=loss, max_iter=6)
        np.testing.assert_allclose(b.history.loss, a.history.loss, rtol=1e-9)
        np.testing.assert_allclose(b.w, a.w, rtol=1e-6, atol=1e-8 * np.abs(a.w).max())


@pytest.mark.parametrize("step", ["primal", "conjugate_gradient", "subsampled", "block_diagonal"])
def test_steps_are_those_of_a_training_in_memory(step):
    X, Y, s = problem(4, "squared", T=600)
    net, options = ggn.MLP((3, 5, 2)), {"step": step, "max_iter": 4}
    a = ggn.train(net, X, Y, sample_weight=s, **options)
    b = ggn.train(net, ggn.Chunks(cut(np.random.default_rng(1), 5, X, Y, s)), **options)
    np.testing.assert_allclose(b.history.loss, a.history.loss, rtol=1e-7)


def test_a_subsample_of_very_many_is_right_in_the_mean(monkeypatch):
    """Drawn each by itself: sums are those of all, but for what the draw adds."""
    monkeypatch.setattr("ggn.linearization.summed.PERMUTED", 1000)
    rng = np.random.default_rng(0)
    X, s = rng.normal(size=(20_000, 1)), rng.uniform(0.5, 1.5, 20_000)
    net, w = ggn.MLP((1, 2, 1)), rng.normal(size=7)
    data = ggn.Chunks.of_arrays(X, np.sin(X[:, 0]), s, rows=3000)
    whole = SummedObjective(net, data)
    G = whole.at(w).normal_matrix()
    draws = [whole.subsample(4000, rng) for _ in range(20)]
    found = [some.at(w).normal_matrix() for some in draws]
    apart = [np.linalg.norm(H - G) / np.linalg.norm(G) for H in found]
    assert 1e-4 < min(apart)
    assert max(apart) < 0.1
    assert np.linalg.norm(np.mean(found, axis=0) - G) < 0.02 * np.linalg.norm(G)
    assert (draws[0].at(w).normal_matrix() == found[0]).all()


@pytest.mark.parametrize("step", ["dual", "minimum_norm"])
def test_steps_made_of_all_of_p_are_refused(step):
    data = ggn.Chunks([(np.zeros((3, 1)), np.zeros(3))])
    with pytest.raises(ValueError, match="step must be one that sums over samples give"):
        ggn.train(ggn.MLP((1, 2, 1)), data, step=step)


class Sent(ggn.Chunks):
    """Chunks of which all that is asked, and all that is answered, goes through pickle."""

    def reduce(self, combine, function, *args):
        combine, function, args = pickle.loads(pickle.dumps((combine, function, args)))
        return pickle.loads(pickle.dumps(super().reduce(combine, function, *args)))


@pytest.mark.parametrize(("loss", "step"), [("cauchy", "primal"), ("squared", "subsampled")])
def test_what_is_asked_of_a_source_can_be_sent(loss, step):
    X, Y, s = problem(8, loss)
    chunks, net = cut(np.random.default_rng(2), 3, X, Y, s), ggn.MLP((3, 4, 2))
    options = {"loss": loss, "step": step, "max_iter": 4, "escape_saddles": True}
    a, b = (ggn.train(net, kind(chunks), **options) for kind in (ggn.Chunks, Sent))
    assert (a.w == b.w).all()
    c, d = (ggn.diagnose(net, a.w, kind(chunks), loss=loss) for kind in (ggn.Chunks, Sent))
    assert (c.spectrum.eigenvalues == d.spectrum.eigenvalues).all()


def test_few_samples_and_many_weights():
    """In memory by the dual step, in chunks by the primal one: the same step."""
    X, Y, _ = problem(1, "squared", T=20)
    net = ggn.MLP((3, 30, 2))
    a = ggn.train(net, X, Y, max_iter=5)
    b = ggn.train(net, ggn.Chunks(cut(np.random.default_rng(1), 3, X, Y)), max_iter=5)
    assert (type(a.step), type(b.step)) == (ggn.steps.Dual, ggn.steps.Primal)
    np.testing.assert_allclose(b.history.loss, a.history.loss, rtol=1e-5)


def test_a_saddle_is_left():
    """At w = 0 the gradient of all but the last dummy weight is zero."""
    x = np.linspace(-1.0, 1.0, 30)
    data = ggn.Chunks(cut(np.random.default_rng(0), 3, x, np.sin(2.0 * x)))
    options = {"w0": np.zeros(7), "max_iter": 30}
    assert ggn.train(ggn.MLP((1, 2, 1)), data, **options).fun > 0.4
    fit = ggn.train(ggn.MLP((1, 2, 1)), data, escape_saddles=True, **options)
    assert fit.escapes
    assert fit.fun < 1e-3


def test_going_on_is_worth_one_run():
    X, Y, s = problem(3, "squared")
    net, data = ggn.MLP((3, 5, 2)), ggn.Chunks(cut(np.random.default_rng(0), 6, X, Y, s))
    begun = ggn.train(net, data, max_iter=5)
    on = ggn.train(net, data, w0=begun, max_iter=7)
    assert (on.w == ggn.train(net, data, max_iter=12).w).all()


def test_samples_held_out_in_chunks():
    X, Y, s = problem(6, "squared")
    net = ggn.MLP((3, 8, 2))
    train, held = (X[:150], Y[:150], s[:150]), (X[150:], Y[150:], s[150:])
    a = ggn.train(net, *train[:2], sample_weight=train[2], validation=held, test=held, patience=4)
    pieces = [ggn.Chunks(cut(np.random.default_rng(0), 4, *part)) for part in (train, held)]
    b = ggn.train(net, pieces[0], validation=pieces[1], test=held, patience=4)
    assert (b.status, b.kept) == (a.status, a.kept)
    np.testing.assert_allclose(b.validation_losses, a.validation_losses, rtol=1e-6)
    np.testing.assert_allclose(b.test_losses, b.validation_losses, rtol=1e-12)


def test_a_split_holds_every_sample_once():
    x = np.arange(1000.0)
    data = ggn.Chunks.of_arrays(x, x, rows=130)
    seen = []
    for part in data.split(validation=0.2, test=0.1, rng=4):
        X, _, _ = SummedObjective(ggn.MLP((1, 1)), part).some(10_000, counted=True)
        seen.append(X[:, 0])
    assert abs(len(seen[1]) - 200) < 50
    assert (np.sort(np.concatenate(seen)) == x).all()
    with pytest.raises(ValueError, match="must leave samples to train on"):
        data.split(validation=0.5, test=0.5)


def test_restarts():
    X, Y = ggn.problems.xor()
    found = ggn.train_restarts(ggn.MLP((2, 3, 1)), ggn.Chunks([(X, Y)]), n_restarts=3, max_iter=60)
    assert len(found.runs) == 3
    assert found.best.fun < 1e-6


def test_arrays_by_slices(tmp_path):
    X, Y, s = problem(7, "squared")
    files = []
    for name, array in (("X", X), ("Y", Y), ("s", s)):
        np.save(tmp_path / f"{name}.npy", array)
        files.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    net = ggn.MLP((3, 5, 2))
    a = ggn.train(net, ggn.Chunks.of_arrays(*files, rows=100), max_iter=10)
    chunks = [(X[i : i + 100], Y[i : i + 100], s[i : i + 100]) for i in (0, 100, 200)]
    assert (a.w == ggn.train(net, ggn.Chunks(chunks), max_iter=10).w).all()


def test_a_mapped_file_of_the_size_of_memory_is_read_in_chunks(tmp_path):
    X, Y, s = problem(7, "squared")
    np.save(tmp_path / "X.npy", X)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    net, options = ggn.MLP((3, 5, 2)), {"max_iter": 5, "step": "primal"}
    few = ggn.train(net, X, Y, sample_weight=s, max_memory=3.9 * X.nbytes, **options)
    chunks = ggn.Chunks.of_arrays(X, Y, s)
    assert (few.sample_weight == s).all()
    assert (few.w == ggn.train(net, chunks, **options).w).all()
    whole = ggn.train(net, X, Y, sample_weight=s, max_memory=4.1 * X.nbytes, **options)
    assert (whole.sample_weight == s).all()
    np.testing.assert_allclose(few.fun, whole.fun, rtol=1e-9)


@pytest.mark.parametrize("way", ["read", "mapped"])
def test_memory_is_that_of_a_chunk(way):
    """400,000 samples, 29 MB in files, of which X alone would be 26 MB more in other units."""
    script = Path(__file__).with_name("out_of_core.py")
    command = [sys.executable, str(script), "400000", way, "8192"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    before, after = map(float, told.stdout.split()[:2])
    assert after - before < 15.0


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    X, Y, s = problem(7, "squared")
    table = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "p": Y[:, 0], "q": Y[:, 1], "s": s}
    for k, rows in enumerate((slice(100), slice(100, None))):
        part = pa.table({name: column[rows] for name, column in table.items()})
        pq.write_table(part, tmp_path / f"part-{k}.parquet", row_group_size=30)
    data = ggn.Chunks.of_parquet(
        str(tmp_path / "part-*.parquet"), ["a", "b", "c"], ["p", "q"], sample_weight="s", rows=64
    )
    assert data.n_samples == len(X)
    net = ggn.MLP((3, 5, 2))
    a = ggn.train(net, X, Y, sample_weight=s, max_iter=5)
    np.testing.assert_allclose(ggn.train(net, data, max_iter=5).fun, a.fun, rtol=1e-9)
    with pytest.raises(ValueError, match="must have a column 'z'"):
        ggn.Chunks.of_parquet(str(tmp_path / "part-0.parquet"), ["z"], ["p"])
    with pytest.raises(ValueError, match="none match"):
        ggn.Chunks.of_parquet(str(tmp_path / "other-*.parquet"), ["a"], ["p"])


# -- faults --------------------------------------------------------------------------------

GOOD = np.arange(6.0).reshape(3, 2), np.arange(3.0)
NET = ggn.MLP((2, 2, 1))


def with_nan(array, where):
    array = array.copy()
    array[where] = np.nan
    return array


@pytest.mark.parametrize(
    ("chunks", "sentence"),
    [
        ([GOOD, (with_nan(GOOD[0], (1, 0)), GOOD[1])],
         r"in chunk 1, X must be finite, got nan at X\[1, 0\]"),
        ([GOOD, GOOD, (GOOD[0], with_nan(GOOD[1], 2))],
         r"in chunk 2, Y must be finite, got nan at Y\[2\]"),
        ([GOOD, (GOOD[0][:, :1], GOOD[1])],
         "X must have as many columns in each chunk, got 2 in chunk 0 and 1 in chunk 1"),
        ([GOOD, (GOOD[0], GOOD[1][:2])], "in chunk 1, X and Y must have as many rows, got 3 and 2"),
        ([GOOD, (*GOOD, [1.0, -1.0, 1.0])], "in chunk 1, sample_weight must not be negative"),
        ([(*GOOD, np.zeros(3))], "sample_weight must not be all zero"),
        ([], "X must hold at least one sample"),
        ([(np.empty((0, 2)), np.empty(0))], "X must hold at least one sample"),
        ([GOOD, GOOD[0]], r"chunk 1 must be \(X, Y\) or \(X, Y, sample_weight\), got"),
        ([(GOOD[0][:, :1], GOOD[1])], "X must have 2 columns, got 1 in its chunks"),
    ],
)  # fmt: skip
def test_bad_chunks_are_named(chunks, sentence):
    with pytest.raises(ValueError, match=sentence):
        ggn.train(NET, ggn.Chunks(chunks))


def test_targets_that_a_loss_refuses_are_named():
    chunks = [(GOOD[0], [0.0, 1.0, 1.0]), (GOOD[0], [0.0, 2.0, 1.0])]
    with pytest.raises(ValueError, match="in chunk 1, "):
        ggn.train(NET, ggn.Chunks(chunks), loss="logistic")


def test_what_can_be_read_once_only():
    generator = (GOOD for _ in range(2))
    with pytest.raises(ValueError, match="chunks must be what can be iterated more than once"):
        ggn.Chunks(generator)
    hidden = iter([GOOD, GOOD])
    with pytest.raises(ValueError, match=r"as many in every pass, got 2 in the first and then 0"):
        ggn.train(NET, ggn.Chunks(lambda: hidden))


def test_chunks_that_change():
    lengths = iter([3, 2, 2])
    with pytest.raises(ValueError, match="chunk 0 must have as many rows in every pass, got 3"):
        ggn.train(NET, ggn.Chunks(lambda: iter([[a[:n] for a in GOOD] for n in [next(lengths)]])))


@pytest.mark.parametrize("fault", [OSError("the disk is gone"), None])
def test_samples_lost_on_the_way_leave_the_last_weights(fault):
    X, Y, _ = problem(0, "squared")
    passes = []

    def chunks():
        passes.append(1)
        yield X[:100], Y[:100]
        if len(passes) > 30 and fault is not None:
            raise fault
        yield X[100:], (Y[100:] if len(passes) <= 30 else np.nan * Y[100:])

    whole = ggn.train(ggn.MLP((3, 5, 2)), X, Y, max_iter=60)
    fit = ggn.train(ggn.MLP((3, 5, 2)), ggn.Chunks(chunks), max_iter=60)
    assert fit.status is ggn.Status.LOST
    assert not fit.success
    assert ("the disk is gone" if fault else "in chunk 1, Y must be finite") in fit.message
    assert 0 < fit.nit < 60
    assert fit.fun == pytest.approx(whole.history.loss[fit.nit], rel=1e-6)
    at = ggn.linearize(ggn.MLP((3, 5, 2)), fit.w, X, Y)
    assert at.loss == pytest.approx(fit.fun, rel=1e-9)


def test_what_comes_with_the_chunks_is_not_given_beside_them():
    data = ggn.Chunks([GOOD])
    with pytest.raises(ValueError, match="Y must be left out where X is"):
        ggn.train(NET, data, GOOD[1])
    with pytest.raises(ValueError, match="sample_weight must be left out where X is"):
        ggn.train(NET, data, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="chunk_size must be left out where X is"):
        ggn.linearize(NET, np.zeros(9), data, chunk_size=8)
    with pytest.raises(ValueError, match="chunks must be iterable"):
        ggn.Chunks(3)

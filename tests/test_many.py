"""Small fits without Python: against the oracle and Python's loop; many at once, one by one."""

import inspect
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference
from reference_functions import LOSSES
from strategies import assert_close, case

import ggn
from ggn import _core
from ggn.damping import LevenbergMarquardt, ScaleInvariant
from ggn.fit import compiled, many
from ggn.fit.result import Status
from ggn.linearization import Objective
from ggn.steps import Dual, Primal

CASES = [
    case((1, 8, 1), ("tanh", "identity")),
    case((3, 4, 2), ("sigmoid", "identity"), bias=False, seed=1),
    case((2, 5, 3, 2), ("softplus", "tanh", "identity"), fixed_bias=0.2, seed=2),
    case((2, 3, 2), ("bent_identity", "tanh"), bias=(True, False), seed=3),
    case((3, 2), ("identity",), seed=4),
]
CLASSES = ("logistic", "softmax_cross_entropy")
OPTIONS = {
    "plain": {},
    "penalised": {"l2": 1e-2},
    "weighted": {"sample_weight": np.random.default_rng(5).uniform(0.0, 2.0, 30)},
    "dual": {"step": "dual"},
    "dual, weighted": {
        "step": "dual",
        "sample_weight": np.random.default_rng(6).uniform(0.0, 2.0, 30),
    },
}
ONE = ggn.MLP((1, 8, 1))


def data(net, loss="squared", T=30, seed=0):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(T, net.n_inputs)), rng.normal(size=(T, net.n_outputs))
    if loss in CLASSES:
        Y = np.exp(Y) / np.exp(Y).sum(axis=1, keepdims=True)
    return X, Y


def stack(B=20, T=25, seed=1):
    rng = np.random.default_rng(seed)
    X = np.sort(rng.uniform(-1.0, 1.0, (B, T, 1)), axis=1)
    return X, np.sin(rng.uniform(1.0, 4.0, (B, 1, 1)) * X) + 0.1 * rng.normal(size=X.shape)


@pytest.fixture
def by_python(monkeypatch):
    """Return the fit that Python's loop makes."""

    def fit(*args, **options):
        with monkeypatch.context() as patch:
            patch.setattr(compiled, "suits", lambda *_: False)
            return ggn.train(*args, **options)

    return fit


def worst_of_first_steps():
    """Return the largest relative error of J, gradient and first step, against the oracle's."""
    errors = []
    for c in CASES:
        X, Y = data(c.net)
        for name, oracle in LOSSES.items():
            for options in OPTIONS.values():
                penalty, s = options.get("l2", 0.0), options.get("sample_weight")
                loss = ggn.losses.resolve(name)
                own = oracle(**{p: getattr(loss, p) for p in inspect.signature(oracle).parameters})
                damping = LevenbergMarquardt(acceleration=0.0, refits=False)
                assert compiled.suits(
                    Objective(c.net, X, Y, loss, s, penalty),
                    Dual() if "step" in options else Primal(),
                    damping,
                )
                fit = ggn.train(c.net, X, Y, loss, w0=c.w, damping=damping, max_iter=1, **options)
                J = reference.objective(c.spec, c.w, X, Y, own, s, penalty)
                g = reference.gradient(c.spec, c.w, X, Y, own, s, penalty)
                G = reference.normal_matrix(c.spec, c.w, X, Y, own, s, penalty, psd=True)
                D = ScaleInvariant(Objective(c.net, X, Y, loss, s)).scale(np.diagonal(G).copy())
                d = np.linalg.solve(G + fit.history.damping[1] * np.diag(D**2), g)
                errors += [
                    abs(fit.history.loss[0] / J - 1.0),
                    abs(fit.history.gradient_norm[0] / np.linalg.norm(g) - 1.0),
                    np.abs(fit.w - (c.w - d)).max() / np.abs(d).max(),
                ]
                assert fit.nit == 1
    return max(errors)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("loss", [*LOSSES, *CLASSES])
@pytest.mark.parametrize("c", CASES, ids=lambda c: str(c.net.sizes))
def test_both_loops_take_the_same_steps(c, loss, options, by_python):
    """Iterate by iterate, as far as rounding has not grown; and they end alike."""
    X, Y = data(c.net, loss)
    if loss == "softmax_cross_entropy" and c.net.n_outputs < 2:
        pytest.skip("one class")
    fits = [f(c.net, X, Y, loss, max_iter=25, **options) for f in (ggn.train, by_python)]
    ours, theirs = (fit.history for fit in fits)
    n = min(12, len(ours), len(theirs))
    falls = np.abs(np.diff(theirs.loss[:n]))
    seen = np.append(True, np.logical_and.accumulate(falls > 1e-8 * theirs.loss[: n - 1]))
    assert seen.sum() >= min(n, 4)
    for name in ("loss", "gradient_norm", "damping", "step_norm", "gain_ratio", "residual"):
        got, wanted = getattr(ours, name)[:n][seen], getattr(theirs, name)[:n][seen]
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-10, err_msg=name)
    assert fits[0].fun == pytest.approx(fits[1].fun, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("step", ["primal", "dual"])
@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_both_loops_in_units_of_the_data(step, scale, by_python):
    x = np.linspace(-1.0, 1.0, 40)
    X, Y = scale * (x[:, np.newaxis] + 20.0), 1e-3 * np.sin(3.0 * x) / scale + 1.0
    ours, theirs = (f(ONE, X, Y, step=step, max_iter=15) for f in (ggn.train, by_python))
    for name in ("loss", "gradient_norm", "step_norm"):
        got, wanted = getattr(ours.history, name), getattr(theirs.history, name)
        np.testing.assert_allclose(got, wanted, rtol=1e-4)


@pytest.mark.parametrize("step", ["primal", "dual"])
@pytest.mark.parametrize("w0", [None, 0.3 * np.cos(np.arange(25.0))], ids=["drawn", "given"])
@pytest.mark.parametrize("initial", [1e4, 1e25, 1e45])
def test_both_loops_look_for_another_mu(initial, w0, step, by_python):
    """At weights given, and where what the first mu promises cannot be seen in J."""
    options = {"damping": LevenbergMarquardt(initial=initial), "w0": w0, "max_iter": 6}
    ours, theirs = (f(ONE, *data(ONE), step=step, **options) for f in (ggn.train, by_python))
    assert (ours.nit, ours.nfev, ours.njev) == (theirs.nit, theirs.nfev, theirs.njev)
    assert (ours.history.damping[1] < initial) == (w0 is not None or initial > 1e20)
    for name in ("loss", "damping", "step_norm", "gain_ratio"):
        got, wanted = getattr(ours.history, name), getattr(theirs.history, name)
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_both_loops_end_where_no_mu_helps(by_python):
    """At a minimum found before, with nothing left to find; both in a few trials of decades."""
    X, Y = data(ONE, T=12)
    begun = ggn.train(ONE, X, Y, l2=1e-2, tol=0.0, max_iter=500)
    assert begun.status is Status.PRECISION
    w = begun.w.copy()
    ours, theirs = (f(ONE, X, Y, l2=1e-2, tol=0.0, w0=w) for f in (ggn.train, by_python))
    assert ours.status is theirs.status is Status.PRECISION
    assert ours.fun == pytest.approx(theirs.fun, rel=1e-14) == pytest.approx(begun.fun, rel=1e-14)
    assert ours.nit < 20
    assert theirs.nit < 20


def test_a_run_in_slices_is_the_same(monkeypatch):
    X, Y = data(ONE)
    whole = ggn.train(ONE, X, Y, max_iter=200)
    monkeypatch.setattr(compiled, "SLICE", 0.0)
    monkeypatch.setattr(compiled, "ROWS", 3)
    parts = ggn.train(ONE, X, Y, max_iter=200)
    assert parts.w.tobytes() == whole.w.tobytes()
    assert parts.history.loss.tolist() == whole.history.loss.tolist()


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("loss", ["squared", "cauchy", "softmax_cross_entropy"])
def test_memory_may_hold_anything(loss, options, monkeypatch):
    net = ggn.MLP((2, 4, 3))
    X, Y = data(net, loss)
    before = ggn.train(net, X, Y, loss, max_iter=10, **options)
    monkeypatch.setattr(Objective, "scratch", lambda _, *shape: np.full(shape, np.nan))
    assert ggn.train(net, X, Y, loss, max_iter=10, **options).w.tobytes() == before.w.tobytes()


def test_ctrl_c_keeps_the_last_weights(monkeypatch):
    calls = []

    def descend(*args):
        calls.append(args)
        if len(calls) > 5:
            raise KeyboardInterrupt
        return real(*args)

    real = _core.descend
    monkeypatch.setattr(_core, "descend", descend)
    monkeypatch.setattr(compiled, "SLICE", 0.0)
    X, Y = data(ONE)
    fit = ggn.train(ONE, X, Y)
    assert fit.status is Status.INTERRUPTED
    assert 0 < fit.nit == len(fit.history) - 1 + (len(fit.history) == fit.nit)
    assert_close(ggn.linearize(ONE, fit.w, X, Y).loss, fit.fun)
    with pytest.raises(KeyboardInterrupt):
        ggn.train_many(ONE, *stack())


def test_seconds_are_counted():
    fit = ggn.train(ONE, *data(ONE), max_seconds=0.0)
    assert (fit.status, fit.nit) == (Status.MAX_SECONDS, 0)
    assert (np.diff(ggn.train(ONE, *data(ONE), max_iter=20).history.seconds) > 0.0).all()


# -- many --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"l2": 1e-3}, {"w0": "normal"}, {"damping": "undamped"}], ids=str
)
def test_each_is_what_train_makes_of_it(options):
    X, Y = stack()
    fits = ggn.train_many(ONE, X, Y, max_iter=40, rng=3, **options)
    streams = np.random.default_rng(3).spawn(len(X))
    for i, (x, y, stream) in enumerate(zip(X, Y, streams, strict=True)):
        alone = ggn.train(ONE, x, y, max_iter=40, rng=stream, **options)
        assert fits[i].w.tobytes() == alone.w.tobytes() == fits.w[i].tobytes()
        assert (fits.fun[i], fits.status[i], fits.nit[i]) == (alone.fun, alone.status, alone.nit)
        assert fits[i].history.loss.tolist() == alone.history.loss.tolist()
    assert fits.w.shape == fits.jac.shape == (len(X), ONE.n_weights)
    assert fits.best.fun == fits.fun.min()
    assert len(list(fits)) == len(fits) == len(X)


def test_the_same_bits_for_any_number_of_threads(monkeypatch):
    X, Y = stack(B=40)
    found = set()
    for n in (1, 2, 3, 8):
        for together in (1, 7, 16):
            monkeypatch.setattr(many, "AT_ONCE", together)
            with ggn.threads(n):
                found.add(ggn.train_many(ONE, X, Y, max_iter=30).w.tobytes())
    with ggn.threads(8):
        found.add(ggn.train_many(ONE, X, Y, max_iter=30, max_memory=2.5e6).w.tobytes())
    assert len(found) == 1


def test_memory_bounds_the_number_of_threads(monkeypatch):
    asked = []

    def threads(n):
        asked.append(n)
        return real(n)

    real = many.threads
    monkeypatch.setattr(many, "threads", threads)
    X, Y = stack(B=2)
    each = compiled.memory_size(Objective(ONE, X[0], Y[0]), Primal())
    assert 0 < each < 1e6
    with ggn.threads(100):
        ggn.train_many(ONE, X, Y, max_iter=1, max_memory=3e6)
    assert asked == [3_000_000 // each]


def test_from_several_threads_of_the_users():
    X, Y = stack(B=8)

    def fit(i):
        return ggn.train(ONE, X[i], Y[i], max_iter=30).w.tobytes()

    alone = [fit(i) for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fit, range(8))) == alone


def test_starts_and_targets_of_one_data_set():
    X, Y = data(ONE)
    fits = ggn.train_many(ONE, X, Y, n_fits=4, max_iter=5)
    restarts = ggn.train_restarts(ONE, X, Y, n_restarts=4, max_iter=5)
    assert fits.w.tobytes() == np.stack([run.w for run in restarts.runs]).tobytes()
    w0 = np.random.default_rng(0).normal(size=(3, ONE.n_weights))
    fits = ggn.train_many(ONE, X, Y, w0=w0, max_iter=0)
    assert fits.w.tobytes() == w0.tobytes()
    targets = np.stack([Y, 2.0 * Y])
    many_targets = ggn.train_many(ONE, X, targets, max_iter=5)
    flat = ggn.train_many(ONE, X, targets[:, :, 0], max_iter=5)
    assert flat.w.tobytes() == many_targets.w.tobytes()
    assert many_targets[1].w.tobytes() == ggn.train(
        ONE, X, 2.0 * Y, rng=np.random.default_rng(0).spawn(2)[1], max_iter=5
    ).w.tobytes()  # fmt: skip


def test_the_stack_predicts_as_its_fits_do():
    X, Y = stack(B=3)
    fits = ggn.train_many(ONE, X, Y, max_iter=5)
    each = [fit.predict(x) for fit, x in zip(fits, X, strict=True)]
    assert fits.predict(X).tobytes() == np.stack(each).tobytes()
    common = fits.predict(X[0])
    assert common.shape == (3, 25, 1)
    assert common[2].tobytes() == fits[2].predict(X[0]).tobytes()
    assert fits.predict(X[0, :, 0]).tobytes() == common.tobytes()
    assert f"fun {fits.fun.min():.3g} to {fits.fun.max():.3g}" in repr(fits)
    with pytest.raises(ValueError, match=r"^X must say as many fits as there are, 3, got 2"):
        fits.predict(X[:2])
    with pytest.raises(ValueError, match=r"^X must have 1 column, got"):
        fits.predict(X[0].T)


def test_weights_of_samples_for_each_fit():
    X, Y = stack(B=3)
    s = np.random.default_rng(2).uniform(0.0, 1.0, X.shape[:2])
    fits = ggn.train_many(ONE, X, Y[:, :, 0], sample_weight=s, max_iter=10)
    stream = np.random.default_rng(0).spawn(3)[2]
    alone = ggn.train(ONE, X[2], Y[2], rng=stream, sample_weight=s[2], max_iter=10)
    assert fits.w[2].tobytes() == alone.w.tobytes()


def test_a_users_functions_stay_on_the_callers_thread():
    seen = set()

    def value(z):
        seen.add(threading.get_ident())
        return np.tanh(z)

    own = ggn.Activation("own", value, lambda z: 1.0 - np.tanh(z) ** 2)
    X, Y = stack(B=40)
    with ggn.threads(4):
        fits = ggn.train_many(ggn.MLP((1, 3, 1), own), X, Y, max_iter=2)
    assert len(fits) == 40
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"X": np.zeros((3, 5, 1)), "Y": np.zeros((2, 5, 1))}, "Y must say as many fits as X, 3"),
        ({"X": np.zeros((0, 5, 1))}, "X must hold at least one fit, got 0"),
        ({"X": np.zeros((2, 5, 2)), "Y": np.zeros((2, 5, 1))}, "X must have 1 column,"),
        ({"X": np.zeros((2, 4, 1)), "Y": np.zeros((2, 5, 1))}, "X and Y must have as many rows"),
        ({"n_fits": 0}, "n_fits must be an integer of at least 1"),
        ({"w0": np.zeros((2, 3))}, r"w0 must have shape \(25,\)"),
        ({"X": np.full((2, 5, 1), np.nan)}, "X must be finite"),
    ],
)
def test_one_sentence_for_each_fault(wrong, said):
    given = {"X": np.zeros((5, 1)), "Y": np.zeros((5, 1)), **wrong}
    with pytest.raises(ValueError, match=f"^{said}"):
        ggn.train_many(ONE, given.pop("X"), given.pop("Y"), **given)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda S, Y: S.__setitem__((2, 7), -1.0), r"not be negative, .*weight\[7\], in fit 2$"),
        (lambda S, Y: S.__setitem__(3, 0.0), "zeros only, in fit 3$"),
        (lambda S, Y: Y.__setitem__((3, 5), 2.0), r"got 2.0.*, in fit 3$"),
    ],
)
def test_an_error_of_one_fit_says_of_which(wrong, message, rng):
    X = rng.uniform(-1.0, 1.0, (4, 30, 2))
    S, Y = np.ones((4, 30)), (X[..., :1] > 0.0).astype(float)
    wrong(S, Y)
    with pytest.raises(ValueError, match=message):
        ggn.train_many(ggn.MLP((2, 4, 1)), X, Y, "logistic", sample_weight=S)

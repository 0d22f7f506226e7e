"""Losses that go flat far out: an end where most residuals are is none, and is told."""

import numpy as np
import pytest
from user_losses import welsch

import ggn
from ggn import Status
from ggn.fit.plateau import far_out, influence
from ggn.linearization import Objective
from ggn.losses import BlakeZisserman, Cauchy, SmoothLp
from ggn.sklearn import GGNRegressor
from ggn.surface import Advice

NET = ggn.MLP((1, 6, 1))
RNG = np.random.default_rng(0)
X = np.linspace(-1.0, 1.0, 80)[:, np.newaxis]
CLEAN = np.sin(4.0 * X)
Y = CLEAN + 0.1 * RNG.normal(size=X.shape)


FAR = [
    (Cauchy, 1e9), (Cauchy, 1e13), (BlakeZisserman, 1e3), (BlakeZisserman, 1e4),
    (BlakeZisserman, 1e12), (lambda scale: SmoothLp(0.5, scale), 1e13), (welsch, 1e4),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "size"), FAR)
@pytest.mark.filterwarnings("ignore::ggn.ScalingWarning")
def test_no_success_where_nearly_all_samples_hardly_act(kind, size):
    """The scale is that of targets of size one; with one of their own size they are fitted."""
    loss = kind(1.0)
    for seed in range(3):
        fit = ggn.train(NET, X, size * Y, loss, rng=seed, max_iter=200)
        assert fit.status is Status.PLATEAU
        assert not fit.success
        told = "" if loss.scale is None else r" Half of them are above \S+ times its scale\."
        assert fit.message.startswith(Status.PLATEAU.value)
        assert (fit.message == Status.PLATEAU.value) is (not told)
        if told:
            off = np.median(np.abs(fit.predict(X) - size * Y)) / loss.scale
            assert f"above {off:.2g} times" in fit.message
        found = ggn.diagnose(fit, X, size * Y)
        assert found.suggestion.advice == (Advice.LARGER_SCALE,)
        assert "Most residuals lie far out" in str(found)
    if loss.scale is not None:
        # near enough to begin with, as from a fit by absolute values: nothing to say
        fit = ggn.train(NET, X, size * Y, kind(0.3 * size), max_iter=200)
        assert fit.status is not Status.PLATEAU
        assert "residuals" not in fit.message
        assert np.mean((fit.predict(X) / size - CLEAN) ** 2) < 0.02 * CLEAN.var()


@pytest.mark.parametrize("loss", ["squared", SmoothLp(1.0, 1e-9), SmoothLp(1.5, 1e-9)])
def test_a_convex_loss_has_no_plateau(loss):
    fit = ggn.train(NET, X, 1e3 * Y, loss, max_iter=100)
    assert "Most residuals" not in fit.message
    assert far_out(Objective(NET, X, 1e3 * Y, loss), fit.w) is None
    assert (influence(ggn.losses.resolve(loss), 1e3 * Y, 0.0 * Y) > 0.99).all()


def test_what_is_meant_to_be_lost_is_a_few():
    """Up to four of nine samples a million deviations off, on one side or both."""
    for share in (0.05, 0.2, 0.44):
        for loss in (Cauchy(0.3), BlakeZisserman(0.6), "cauchy"):
            spoilt = Y.copy()
            chosen = RNG.permutation(80)[: int(80 * share)]
            spoilt[chosen] += 1e6 * RNG.choice([1.0, 2.0, -1.0], (len(chosen), 1))
            fit = ggn.train_robust(NET, X, spoilt, loss, max_iter=200)
            again = ggn.train(NET, X, spoilt, fit.loss, w0=fit, max_iter=50)
            for end in (fit, again):
                assert end.status is not Status.PLATEAU
                assert "Most residuals" not in end.message
            assert np.mean((fit.predict(X) - CLEAN) ** 2) < 0.05 * CLEAN.var()


def test_samples_count_by_their_weights():
    """Nine of ten samples are far out; the one that is not may weigh as much as all of them."""
    targets = np.where(np.arange(100)[:, np.newaxis] % 10 == 0, 0.0, 1e9)
    objective = Objective(ggn.MLP((1, 1)), np.zeros((100, 1)), targets, Cauchy(1.0))
    found = far_out(objective, np.zeros(2))
    assert found.plateau
    assert found.scales == 1e9
    assert found.influence == pytest.approx(2e-9, rel=0.3)  # 2 r / (1 + r²), most at r = 1
    s = np.where(targets[:, 0] == 0.0, 10.0, 1.0)
    objective = Objective(ggn.MLP((1, 1)), np.zeros((100, 1)), targets, Cauchy(1.0), s)
    assert far_out(objective, np.zeros(2)) is None


def test_one_output_of_two_is_enough():
    two = np.column_stack([Y, 1e9 * Y])
    net = ggn.MLP((1, 6, 2))
    w = ggn.train(net, X, np.column_stack([Y, 0.0 * Y]), max_iter=100).w
    found = far_out(Objective(net, X, two, Cauchy(0.5)), w)
    assert found.plateau
    assert 1e8 < found.scales < 1e10
    assert far_out(Objective(net, X, np.column_stack([Y, 0.0 * Y]), Cauchy(0.5)), w) is None


def test_a_good_fit_is_none_whatever_its_scale():
    """Targets met to seven digits: that most residuals are beyond a scale of 1e-9 is no matter."""
    fit = ggn.train(NET, X, CLEAN, "squared", max_iter=300)
    assert far_out(Objective(NET, X, CLEAN, Cauchy(1e-9)), fit.w) is None
    assert far_out(Objective(NET, X, Y, Cauchy(1e-9)), fit.w) is not None


def test_a_scale_far_below_the_noise_is_told():
    """Some samples are met, most are not: a minimum of J, one of very many."""
    noisy = CLEAN + 0.5 * np.random.default_rng(1).normal(size=X.shape)
    fit = ggn.train(NET, X, noisy, Cauchy(0.01), max_iter=100)
    assert fit.status is not Status.PLATEAU
    assert "Most residuals lie far out on the loss, and act little: a larger scale" in fit.message
    plain = ggn.train(NET, X, noisy, Cauchy(1.0), max_iter=100)
    assert plain.message == plain.status.value


def test_the_influence_that_is_told():
    """Of Cauchy's loss of scale 1 it is 2 u / (1 + u²), in units of its most, at u = 1."""
    w = ggn.train(NET, X, 0.0 * Y, max_iter=5).w
    found = ggn.diagnose(NET, w, X, 1e3 * Y, Cauchy(1.0))
    told = [e for e in found.evidence if e.kind.name == "FAR_OUT"]
    u = np.abs(NET.forward(w, X) - 1e3 * Y)
    expected = np.median(2.0 * u / (1.0 + u**2))
    assert told[0].fields["influence"] == pytest.approx(expected, rel=0.3)
    assert "FAR_OUT" not in [e.kind.name for e in ggn.diagnose(NET, w, X, Y, Cauchy(1.0)).evidence]


def test_samples_in_chunks():
    chunks = ggn.Chunks.of_arrays(X, 1e9 * Y, rows=30)
    fit = ggn.train(NET, chunks, loss=Cauchy(1.0), max_iter=100)
    assert fit.status is Status.PLATEAU
    assert "times its scale" in fit.message
    found = ggn.diagnose(fit, chunks)
    assert found.suggestion.advice == (Advice.LARGER_SCALE,)


def test_a_free_run():
    y = np.sin(np.arange(120.0) / 6.0) + np.sign(np.sin(np.arange(120.0) / 11.0))
    loss, options = BlakeZisserman(1.0), {"output_lags": [1, 2], "hidden": (3,), "max_iter": 100}
    fit = ggn.narx(None, 1e4 * y, loss, **options)
    assert fit.status is Status.PLATEAU
    assert "times its scale" in fit.message
    assert ggn.narx(None, y, loss, **options).status is not Status.PLATEAU


def test_samples_held_out_end_no_better():
    """Their loss falls no more, either, where all of them are far out."""
    training, validation, _ = ggn.split(X, 1e4 * Y)
    loss = BlakeZisserman(1.0)
    w0 = ggn.train(NET, *training, loss, rng=1, max_iter=5).w
    fit = ggn.train(NET, *training, loss, w0=w0, validation=validation, patience=2, tol=0.0)
    assert not fit.success
    assert "Most residuals" in fit.message
    fit = ggn.train(NET, *training, BlakeZisserman(3e3), validation=validation, patience=2)
    assert "Most residuals" not in fit.message


def test_an_estimator_says_it_in_its_words():
    model = GGNRegressor((6,), loss=BlakeZisserman(1e-5), alpha=0.0, scale=None, random_state=0)
    with pytest.warns(UserWarning, match="Most residuals lie"):
        model.fit(X, RNG.normal(size=80))
    assert 'loss="cauchy"' in str(model.diagnosis_)

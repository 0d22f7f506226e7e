"""A fit, a Model or an estimator is diagnosed as the problem that it was trained on."""

from __future__ import annotations

import re

import numpy as np
import pytest

import ggn
from ggn.io.training import Training
from ggn.linearization import Objective
from ggn.sklearn import GGNClassifier, GGNRegressor
from ggn.sklearn.words import WORDS
from ggn.surface import Advice, ObstructionKind, Verdict
from ggn.surface.advice import suggestion
from ggn.surface.obstruction import Obstruction

RNG = np.random.default_rng(2)
X = RNG.normal(size=(60, 2)) * [100.0, 1.0] + [500.0, 0.0]
Z = (X - X.mean(axis=0)) / X.std(axis=0)
Y = np.sin(Z[:, :1]) + 0.1 * RNG.normal(size=(60, 1))
NET = ggn.MLP((2, 3, 1))
S = RNG.uniform(0.5, 2.0, 60)


def facts(d):
    return d.verdict, d.loss, d.gradient_norm, [str(said) for said in d.evidence]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"l2": 1e-3},
        {"l2": np.r_[np.zeros(9), np.full(4, 1e-2)]},
        {"sample_weight": S, "l2": 1e-3},
    ],
    ids=["plain", "l2", "l2s", "weights"],
)
@pytest.mark.parametrize("loss", ["squared", ggn.losses.Cauchy(0.5)])
def test_a_fit_is_diagnosed_with_the_options_of_its_training(options, loss):
    fit = ggn.train(NET, Z, Y, loss, max_iter=200, **options)
    found = ggn.diagnose(fit, Z, Y)
    assert facts(found) == facts(ggn.diagnose(NET, fit.w, Z, Y, loss, **options))
    assert found.differs == ()
    assert "note" not in str(found)
    assert facts(ggn.diagnose(fit, X=Z, Y=Y)) == facts(found)


@pytest.mark.parametrize("train", [ggn.train_robust, ggn.train_bayesian], ids=lambda f: f.__name__)
def test_what_chose_its_own_penalty_or_scale_is_known_too(train):
    fit = train(NET, Z, Y, sample_weight=S, max_iter=200)
    found = ggn.diagnose(fit, Z, Y)
    assert found.differs == ()
    np.testing.assert_allclose(found.loss, fit.fun, rtol=1e-12)
    restarts = ggn.train_restarts(NET, Z, Y, n_restarts=2, max_iter=30)
    assert ggn.diagnose(restarts.best, Z, Y).differs == ()


def test_a_model_keeps_its_problem_in_a_file(tmp_path):
    fit = ggn.train(NET, Z, Y, "cauchy", l2=1e-3, max_iter=200)
    ggn.Model(NET, fit.w, loss=fit.loss, l2=fit.l2).save(tmp_path / "m.npz")
    model = ggn.Model.load(tmp_path / "m.npz")
    assert facts(ggn.diagnose(model, Z, Y)) == facts(ggn.diagnose(fit, Z, Y))
    assert len(ggn.diagnose(model, Z, Y, "squared", l2=0.0).differs) == 2
    bare = ggn.diagnose(ggn.Model(NET, fit.w), Z, Y)  # it knows of no training: squared, no penalty
    assert facts(bare) == facts(ggn.diagnose(NET, fit.w, Z, Y))
    assert bare.differs == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"l2": 0.0}, "l2 is 0 on every weight here, 0.001 on every weight in the fit"),
        ({"l2": np.r_[0.0, np.full(12, 0.1)]}, "l2 is 0.1 on 12 weights here, 0.001 on every"),
        ({"loss": "cauchy"}, "the loss is Cauchy(scale=1) here, Squared() in the fit"),
        ({"loss": ggn.losses.SmoothLp(1.0, 2.0)}, "the loss is SmoothLp(p=1, scale=2) here"),
        ({"sample_weight": S}, "samples have weights of their own here, equal weights in the fit"),
    ],
)
def test_another_problem_than_the_fits_is_told(options, said):
    fit = ggn.train(NET, Z, Y, l2=1e-3, max_iter=200)
    found = ggn.diagnose(fit, Z, Y, **options)
    assert len(found.differs) == 1
    assert said in found.differs[0]
    text = re.sub(r"\s+", " ", str(found))
    assert f"note Not the problem of the fit: {found.differs[0]}. evidence" in text
    same = ggn.diagnose(NET, fit.w, Z, Y, **{"l2": 1e-3, **options})
    assert facts(found) == facts(same)


def test_other_samples_than_the_fits_are_told():
    fit = ggn.train(NET, Z, Y, max_iter=200)
    for x, y in ((Z[:30], Y[:30]), (Z, Y + 0.01), (X, Y)):
        (said,) = ggn.diagnose(fit, x, y).differs
        assert re.fullmatch(
            "J is .* on these data, .* at the end of the fit, so they are others", said
        )
    order = RNG.permutation(60)
    assert ggn.diagnose(fit, Z[order], Y[order]).differs == ()


def test_an_exact_fit_of_raw_units_is_the_same_problem():
    """J of 1e-25 differs by its rounding in the two units that it was summed in."""
    y = 1e6 + 3.0 * X[:, :1]
    fit = ggn.train(ggn.MLP((2, 1)), X, y)
    assert ggn.diagnose(fit, X, y).differs == ()


def test_weights_of_other_samples_are_refused_and_a_common_factor_is_none():
    fit = ggn.train(NET, Z, Y, sample_weight=S, max_iter=50)
    assert ggn.diagnose(fit, Z, Y, sample_weight=3.0 * S).differs == ()
    (said,) = ggn.diagnose(fit, Z, Y, sample_weight=np.ones(60)).differs
    assert said == "samples have equal weights here, weights of their own in the fit"
    with pytest.raises(ValueError, match=r"^sample_weight must be given .* of 60 samples; got 30"):
        ggn.diagnose(fit, Z[:30], Y[:30])
    assert ggn.diagnose(fit, Z[:30], Y[:30], sample_weight=S[:30]).differs != ()


@pytest.mark.parametrize("labels", [("no", "yes"), ("a", "b", "c")])
def test_an_estimator_is_diagnosed_in_the_units_and_labels_of_its_data(labels):
    y = np.array(labels)[np.digitize(Z[:, 0], np.linspace(-1, 1, len(labels) + 1)[1:-1])]
    clf = GGNClassifier((3,), random_state=0, class_weight="balanced").fit(X, y)
    found = ggn.diagnose(clf, X, y)
    assert (found.verdict, found.differs) == (clf.diagnosis_.verdict, ())
    np.testing.assert_allclose(found.loss, clf.loss_, rtol=1e-12)
    with pytest.raises(ValueError, match=r"^Y must have labels of the fit, .*, got 'maybe'"):
        ggn.diagnose(clf, X, np.array(["maybe"] * 60))
    reg = GGNRegressor((3,), alpha=1e-3, random_state=0).fit(X, Y.ravel())
    for source in (reg, reg.result_, reg.model_):
        assert facts(ggn.diagnose(source, X, Y)) == facts(reg.diagnosis_)


@pytest.mark.parametrize("weights", [None, S], ids=["equal", "own"])
def test_of_a_mixture_its_best_member_is_diagnosed(weights):
    """That is where a training ended; the mean of several is stationary for nobody."""
    reg = GGNRegressor((3,), random_state=0, n_estimators=3).fit(X, Y.ravel(), weights)
    fit = ggn.train_bayesian(NET, X, Y, n_estimators=3, sample_weight=weights)
    assert facts(ggn.diagnose(reg, X, Y)) == facts(reg.diagnosis_)
    for mixture in (reg.result_, fit):
        best, m = mixture.best, mixture.model
        found = ggn.diagnose(mixture, X, Y)
        y = (Y - m.y_mean) / m.y_scale
        own = ggn.diagnose(NET, best.w, (X - m.x_mean) / m.x_scale, y, l2=best.l2,
                           sample_weight=weights)  # fmt: skip
        assert found.differs == ()
        assert found.verdict is own.verdict
        assert found.loss == pytest.approx(best.fun, rel=1e-12)
        assert found.loss == pytest.approx(own.loss, rel=1e-12)


def test_several_labels_per_sample():
    y = (Z > [0.0, 0.5]).astype(int)
    clf = GGNClassifier((3,), random_state=0).fit(X, y)
    assert facts(ggn.diagnose(clf, X, y)) == facts(clf.diagnosis_)


def test_samples_that_an_estimator_held_out_are_told():
    reg = GGNRegressor((3,), random_state=0, early_stopping=True).fit(X, Y.ravel())
    assert "on these data" in ggn.diagnose(reg, X, Y).differs[0]


@pytest.mark.parametrize(
    ("first", "way"),
    [
        (GGNRegressor(), "not fitted"),
        (ggn.train_restarts(NET, Z, Y, n_restarts=1, max_iter=2), r"its fit is \.best"),
        (3, "got 3$"),
    ],
)
def test_what_is_no_fit_is_told_what_is(first, way):
    with pytest.raises(ValueError, match=rf"^fit must be a fit, .*{way}"):
        ggn.diagnose(first, Z, Y)


@pytest.mark.parametrize("make", [GGNRegressor, GGNClassifier])
@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("activation", ["tanh", "softplus", "relu"])
@pytest.mark.parametrize("kind", [None, *ObstructionKind])
def test_advice_is_in_the_words_of_an_estimator(make, verdict, activation, kind):
    """What is said to be set is a parameter of it; bias and output activation it has none of."""
    net, x, y = ggn.MLP((2, 3, 1), activation), np.eye(2), [0.0, 1.0]
    impossible = (ObstructionKind.ZERO_INPUT, ObstructionKind.RANGE, ObstructionKind.EDGE)
    if (verdict is Verdict.INFEASIBLE and kind is None) or kind in impossible:
        return
    found = [] if kind is None else [Obstruction(kind, True, 0.0, False, np.empty(0, int), "")]
    for large in (False, True):
        text = suggestion(verdict, net, Objective(net, x, y), found, large).worded(WORDS)
        assert set(re.findall(r"(\w+)=", text)) <= set(make().get_params()), text
        assert not re.search(r"\bw0\b|\brng\b|\bl2\b|escape|descent", text), text


def test_an_estimators_own_diagnosis_speaks_so():
    assert not re.search(r"w0|rng|l2", " ".join(WORDS[a] for a in Advice if a in WORDS))
    for alpha, advice in (
        (1e-6, "Fit on, with a larger max_iter or a smaller tol"),
        ("evidence", "This network ended by itself: its penalties settled"),
    ):
        reg = GGNRegressor((3,), alpha=alpha, tol=1e-1, random_state=1).fit(X, Y.ravel())
        for found in (reg.diagnosis_, ggn.diagnose(reg, X, Y)):
            assert found.verdict is Verdict.NOT_STATIONARY
            assert str(found.suggestion).startswith(advice)
            assert "w0" not in str(found)


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")
def test_every_fit_predicts_as_its_model():
    reg = GGNRegressor((3,), random_state=3).fit(X, Y.ravel())
    np.testing.assert_array_equal(reg.result_.predict(X), reg.model_.predict(X))
    for fit in (
        ggn.train(NET, Z, Y, max_iter=20),
        ggn.train_robust(NET, Z, Y, max_iter=20),
        ggn.train_bayesian(NET, Z, Y, max_iter=20),
    ):
        assert fit.predict(Z).shape == (60, 1)
        np.testing.assert_array_equal(fit.predict(Z), NET.forward(fit.w, Z))
    found = ggn.train_restarts(NET, Z, Y, n_restarts=3, max_iter=20)
    np.testing.assert_array_equal(found.predict(Z), NET.forward(found.best.w, Z))
    with pytest.raises(ValueError, match="X must have 2 columns"):
        fit.predict(Z[:, :1])


@pytest.mark.parametrize("chunked", [False, True])
def test_of_a_fit_without_a_finite_gradient_it_is_the_fit_that_is_named(chunked):
    """Whoever asks gave no w; where the training ended so, that is what happened."""
    X, Y = ggn.problems.xor()
    data = (ggn.Chunks([(X, Y)]),) if chunked else (X, Y)
    fit = ggn.train(ggn.MLP((2, 2, 1), "bent_identity"), X, Y, max_iter=1)
    fit.w = fit.x = np.full(9, 1e200)
    with pytest.raises(ValueError, match=r"^fit must have a finite loss and gradient, got a loss"):
        ggn.diagnose(fit, *data)
    fit.jac = np.full(9, np.nan)
    with pytest.raises(ValueError, match=r"^fit must .*training ended .* that is not finite$"):
        ggn.diagnose(fit, *data)


def test_a_model_that_knows_its_training_tells_other_data_apart():
    """It has no loss to compare with; that of a fit is told by its J."""
    fit = ggn.train(NET, Z, Y, max_iter=5)
    found = {}
    for rows in (0, 60, 50):
        kept = Training(np.arange(70) // rows > 0) if rows else None
        model = ggn.Model(fit.net, fit.w, loss=fit.loss, l2=0.0, training=kept)
        found[rows] = ggn.diagnose(model, Z, Y).differs
    assert found[0] == found[60] == ()
    assert found[50] == ("these are 60 samples, the model was trained on 50 of 70 rows",)


def test_what_was_left_out_is_named():
    with pytest.raises(TypeError, match=r"diagnose\(net, w, X, Y\) needs the weights w between"):
        ggn.diagnose(NET, Z, Y)
    for given in ((NET, NET.initial_weights(0), Z), (NET, Z, Y)):
        with pytest.raises(TypeError, match=r"linearize\(net, w, X, Y\) needs Y, the targets"):
            ggn.linearize(*given)
    w = NET.initial_weights(0)
    assert ggn.diagnose(NET, w, Z, Y=Y).verdict is ggn.diagnose(NET, w, Z, Y).verdict


def test_of_an_exact_fit_no_closer_one_is_advised():
    net = ggn.MLP((2, 4, 1))
    X = np.random.default_rng(3).uniform(-1.0, 1.0, (2000, 2))
    y = net.forward(net.initial_weights(rng=5), X)
    fit = ggn.train(net, X, y, max_iter=300, rng=1)
    found = ggn.diagnose(fit, X, y)
    assert found.verdict is Verdict.GLOBAL_MINIMUM
    assert found.loss < 1e-25
    assert found.suggestion.advice == (Advice.VALIDATE,)

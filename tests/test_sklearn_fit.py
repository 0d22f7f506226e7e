"""How a fit of an estimator goes: its end, restarts, warm starts, early stopping, warnings."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn import exceptions
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn_data import BOTH, classification, data, quiet, regression

import ggn
from ggn.sklearn import GGNClassifier, GGNRegressor


def test_the_minimum_is_one():
    """J, recomputed from the attributes alone, and its gradient, which is zero."""
    X, y = regression()
    s = np.random.default_rng(0).uniform(0.5, 2.0, len(X))
    model = GGNRegressor(3, alpha=1e-3, tol=1e-8, random_state=0).fit(X, y, s)
    m = model.model_
    assert m.x_mean == pytest.approx(np.average(X, axis=0, weights=s))
    assert m.y_scale[0] ** 2 == pytest.approx(np.cov(y, aweights=s, ddof=0))
    Ws = m.net.unpack(m.w)
    squares = sum((W[:-1] ** 2).sum() for W in Ws)  # of all but biases
    l2 = m.net.pack([np.vstack([0 * W[:-1] + 1e-3, 0 * W[-1:]]) for W in Ws])
    F, Z = (y - model.predict(X)) / m.y_scale, (X - m.x_mean) / m.x_scale
    assert model.loss_ == pytest.approx(np.average(F**2, weights=s) + 1e-3 * squares, rel=1e-12)
    at = ggn.linearize(m.net, m.w, Z, (y - m.y_mean) / m.y_scale, sample_weight=s, l2=l2)
    assert np.abs(at.gradient).max() < 1e-7 < 1e-2 < np.abs(m.w).max()
    assert model.result_.success
    assert len(model.loss_curve_) == model.n_iter_
    assert model.loss_curve_[-1] == model.loss_ < model.loss_curve_[0]


@pytest.mark.parametrize("estimator", BOTH)
def test_diagnosis_is_that_of_the_training_data(estimator, monkeypatch):
    X, y = data(estimator)
    s = np.random.default_rng(0).uniform(0.5, 2.0, len(X))
    model = estimator(2, alpha=1e-2, tol=1e-9, random_state=0).fit(X, y, s)
    assert model.diagnosis_.verdict is ggn.surface.Verdict.LOCAL_MINIMUM
    assert model.diagnosis_.loss == pytest.approx(model.loss_, rel=1e-12)
    first = model.diagnosis_
    assert model.diagnosis_ is first  # computed once
    assert model.fit(X, y, s).diagnosis_ is not first
    twin = pickle.loads(pickle.dumps(model))
    with pytest.raises(AttributeError, match="not in a copy from a pickle"):
        _ = twin.diagnosis_
    assert not hasattr(estimator(), "diagnosis_")
    model.fit(X, y, s)
    monkeypatch.setattr("ggn.sklearn.base.diagnose", None)  # showing must not compute it
    assert "diagnosis_" not in dict(inspect.getmembers(model))
    assert type(model).__name__ in model._repr_html_()


@quiet
def test_random_state():
    X, y = regression()

    def loss(state):
        return GGNRegressor(4, random_state=state, max_iter=3).fit(X, y).loss_

    assert loss(1) == loss(1) != loss(2)
    source = np.random.RandomState(1)
    assert loss(source) == loss(1)
    assert loss(source) != loss(1)  # it has moved on


@quiet
@pytest.mark.parametrize("estimator", BOTH)
def test_restarts_keep_the_best(estimator):
    X, y = data(estimator)
    model = estimator(3, alpha=1e-3, n_restarts=4, random_state=0, max_iter=10)
    losses = model.fit(X, y).restarts_.losses
    assert len(set(losses)) == 4
    assert model.loss_ == losses.min()
    assert np.array_equal(model.model_.w, model.restarts_.best.w)
    assert np.array_equal(clone(model).set_params(n_jobs=2).fit(X, y).restarts_.losses, losses)
    assert clone(model).set_params(n_restarts=1).fit(X, y).loss_ == losses[0]


@quiet
@pytest.mark.parametrize("estimator", BOTH)
def test_warm_start_goes_on(estimator):
    """From the same weights in the same units, though the data moved."""
    X, y = data(estimator)
    model = estimator(4, alpha=1e-3, warm_start=True, random_state=0, max_iter=5, n_restarts=3).fit(
        X, y
    )
    first = model.model_
    assert len(model.restarts_.runs) == 3
    for _ in range(2):
        before = model.loss_
        model.fit(X, y)
        assert model.result_.history.loss[0] == before > model.loss_
        assert len(model.restarts_.runs) == 1
    model.set_params(max_iter=1, alpha=1e6).fit(3.0 * X, y)
    assert np.array_equal(model.model_.x_scale, first.x_scale)
    assert model.set_params(warm_start=False).fit(3.0 * X, y).model_.x_scale == pytest.approx(
        3.0 * first.x_scale
    )


@quiet
def test_warm_start_with_something_else():
    X, y = classification(3)
    model = GGNClassifier(4, warm_start=True, max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match=r"^warm_start=True goes on with the classes of the last"):
        model.fit(X[y != "fig"], y[y != "fig"])
    with pytest.raises(
        ValueError, match=r"^warm_start=True .* network of the last fit, MLP\(\(2, 4"
    ):
        model.set_params(hidden_layer_sizes=5).fit(X, y)


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping(estimator, weighted):
    """Kept are the weights of least loss on samples that the fit never saw."""
    X, y = data(estimator, 80)
    s = np.random.default_rng(0).uniform(0.5, 2.0, 80) if weighted else None
    seen = []
    model = estimator(
        12, alpha=0.0, early_stopping=True, validation_fraction=0.25, n_iter_no_change=4,
        random_state=0, callback=lambda w: seen.append(w),
    ).fit(X, y, s)  # fmt: skip
    assert model.result_.status is ggn.Status.VALIDATION
    assert len(model.validation_scores_) == model.n_iter_ == len(seen)
    kept = model.n_iter_ - 1 - 4
    assert np.array_equal(model.model_.w, seen[kept])
    assert model.loss_ == pytest.approx(model.loss_curve_[kept], rel=1e-12)
    # the same split again
    source = np.random.RandomState(0)
    source.randint(np.iinfo(np.int32).max)
    labels = None if estimator is GGNRegressor else y
    rows, held = train_test_split(
        np.arange(80), test_size=0.25, random_state=source, stratify=labels
    )
    weights = None if s is None else s[held]
    assert model.best_validation_score_ == model.validation_scores_[kept]
    assert model.score(X[held], y[held], weights) == pytest.approx(model.best_validation_score_)
    assert model.model_.x_mean == pytest.approx(
        np.average(X[rows], axis=0, weights=None if s is None else s[rows])
    )
    losses = model.result_.validation_losses
    assert np.argmin(losses) == kept
    if estimator is GGNClassifier:
        p = model.predict_proba(X[held])[model.classes_ == y[held, np.newaxis]]
        assert min(losses) == pytest.approx(np.average(-np.log(p), weights=weights))
    else:
        r = (model.predict(X[held]) - y[held]) / model.model_.y_scale
        assert min(losses) == pytest.approx(np.average(r**2, weights=weights))


def test_early_stopping_with_restarts_compares_by_what_was_held_out():
    X, y = regression(T=80)
    model = GGNRegressor(12, alpha=0.0, early_stopping=True, n_restarts=3)
    chosen = []
    for seed in range(6):
        model.set_params(random_state=seed).fit(X, y)
        ends = [min(run.validation_losses) for run in model.restarts_.runs]
        assert min(model.result_.validation_losses) == min(ends)
        chosen.append(np.argmin(ends) == model.restarts_.losses.argmin())
    assert not all(chosen)  # J would sometimes choose another


@pytest.mark.parametrize("y", [np.r_[np.zeros(19), 2.0], np.ones(20)], ids=["one held", "equal"])
def test_a_score_of_equal_targets_is_not_defined(y):
    """R² of what does not vary is 0/0; the loss, which decides, is a number."""
    model = GGNRegressor(3, early_stopping=True, validation_fraction=0.05, random_state=1)
    model.fit(np.arange(20.0)[:, np.newaxis], y)
    assert np.isnan(model.best_validation_score_)
    assert np.isfinite(model.result_.validation_losses).all()
    assert "nan where the targets held out are all the same" in GGNRegressor.__doc__


@quiet
def test_verbose_prints_a_line_per_step(capsys):
    X, y = regression()
    GGNRegressor(3, alpha=1e-4, max_iter=3, verbose=True, random_state=0).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"Iteration {k}" for k in (1, 2, 3)]
    GGNRegressor(3, max_iter=3, verbose=True, early_stopping=True).fit(X, y)
    assert all("validation loss = " in line for line in capsys.readouterr().out.splitlines())


def test_a_callback_may_stop():
    X, y = regression()

    def callback(intermediate_result):
        if intermediate_result.nit == 2:
            raise StopIteration

    assert GGNRegressor(3, callback=callback).fit(X, y).n_iter_ == 2


def test_not_converged_is_a_warning():
    X, y = regression()
    with pytest.warns(exceptions.ConvergenceWarning, match=r"^The iteration limit max_iter") as log:
        GGNRegressor(5, max_iter=2).fit(X, y)
    assert log[0].filename == __file__

"""Samples held out of a fit: what stops it, what is kept, and how it is drawn."""

from __future__ import annotations

import warnings

import matplotlib as mpl
import numpy as np
import pytest

import ggn
from ggn import plot
from ggn.sklearn import GGNClassifier, GGNRegressor

mpl.use("Agg")

RNG = np.random.default_rng(0)
X = RNG.uniform(-2.0, 2.0, (120, 1))
Y = np.sin(3.0 * X) + 0.3 * RNG.normal(size=X.shape)
PARTS = ggn.split(X, Y)
NET = ggn.MLP((1, 25, 1))


def mean_loss(w, data, loss="squared", weights=None):
    """J of the part alone, by another way: without penalty."""
    return ggn.linearize(NET, w, *data, loss, sample_weight=weights).loss


def test_parts_are_disjoint_and_whole():
    together = np.vstack([np.hstack([x, y]) for x, y in PARTS])
    assert [len(x) for x, _ in PARTS] == [84, 18, 18]
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(np.hstack([X, Y]), axis=0))
    again, other = ggn.split(X, Y), ggn.split(X, Y, rng=1)
    np.testing.assert_array_equal(again[1][0], PARTS[1][0])
    assert not np.array_equal(other[1][0], PARTS[1][0])
    order = np.arange(20.0)
    for x, y in ggn.split(order, -order, validation=0.5, test=0.0):
        np.testing.assert_array_equal(x, -y)
        assert (np.diff(x) > 0.0).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((X, Y[:3]), "^X and Y must have as many rows, got 120 and 3"),
        ((X, Y, 0.5, 0.5), "must leave samples to train on, got 60 and 60 of 120"),
        ((X, Y, -0.1, 0.1), "^validation must be a number in"),
    ],
)
def test_what_cannot_be_split(given, said):
    x, y, validation, test = (*given, 0.1, 0.1)[:4]
    with pytest.raises(ValueError, match=said):
        ggn.split(x, y, validation=validation, test=test)


@pytest.mark.parametrize("loss", ["squared", ggn.losses.Cauchy(0.3)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_weights_of_least_validation_loss_are_kept(loss, weighted):
    seen = []
    s = RNG.uniform(0.5, 2.0, len(PARTS[1][0])) if weighted else None
    validation = PARTS[1] if s is None else (*PARTS[1], s)
    fit = ggn.train(
        NET, *PARTS[0], loss, validation=validation, test=PARTS[2], patience=5, l2=1e-6,
        callback=lambda w: seen.append(w),
    )  # fmt: skip
    assert fit.status is ggn.Status.VALIDATION
    assert fit.success
    losses = [mean_loss(w, PARTS[1], loss, s) for w in seen]
    np.testing.assert_allclose(fit.validation_losses[1:], losses, rtol=1e-12)
    np.testing.assert_allclose(
        fit.test_losses[1:], [mean_loss(w, PARTS[2], loss) for w in seen], rtol=1e-12
    )
    assert len(fit.validation_losses) == len(fit.history) == fit.nit + 1
    assert fit.kept == np.argmin(fit.validation_losses) == len(losses) - 5
    np.testing.assert_array_equal(fit.w, seen[fit.kept - 1])
    np.testing.assert_allclose(fit.fun, fit.history.loss[fit.kept], rtol=1e-12)
    assert ggn.diagnose(fit, *PARTS[0]).differs == ()


def test_a_run_that_ends_before_keeps_them_too():
    fit = ggn.train(NET, *PARTS[0], validation=PARTS[1], max_iter=6, patience=100)
    assert fit.status is ggn.Status.MAX_ITER
    assert fit.kept < 6
    np.testing.assert_allclose(mean_loss(fit.w, PARTS[1]), min(fit.validation_losses), rtol=1e-12)


def test_a_test_part_changes_nothing():
    plain = ggn.train(NET, *PARTS[0], max_iter=9)
    watched = ggn.train(NET, *PARTS[0], test=PARTS[2], max_iter=9)
    np.testing.assert_array_equal(plain.w, watched.w)
    assert "kept" not in watched


def test_the_start_counts_and_raw_units_do_not_matter():
    """Weights that are best already are kept; J is summed in other units inside the run."""
    best = ggn.train(NET, *PARTS[1], l2=1e-3).w
    fit = ggn.train(NET, *PARTS[0], w0=best, validation=PARTS[1], patience=3)
    assert fit.kept == 0
    np.testing.assert_array_equal(fit.w, best)
    far = [(1e3 * x + 1e5, 1e-4 * y) for x, y in PARTS]
    fit = ggn.train(NET, *far[0], validation=far[1])
    at = ggn.linearize(NET, fit.w, *far[1]).loss
    np.testing.assert_allclose(fit.validation_losses[fit.kept], at, rtol=1e-6)


def test_saddles_left_are_iterates_too():
    """J = (w1 w2 - 1)² has a saddle at 0."""
    net, at = ggn.MLP((1, 1, 1), "identity", bias=False), ([[1.0]], [[1.0]])
    fit = ggn.train(net, *at, w0=[0.0, 0.0], escape_saddles=True, validation=at, patience=99)
    assert fit.escapes
    assert len(fit.validation_losses) == len(fit.history)


def test_the_best_of_several_runs_is_that_of_least_validation_loss():
    found = ggn.train_restarts(NET, *PARTS[0], validation=PARTS[1], n_restarts=4)
    least = [run.validation_losses.min() for run in found.runs]
    assert found.best is found.runs[int(np.argmin(least))]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (X, r"^validation must be \(X, Y\) or \(X, Y, sample_weight\), got"),
        ((X, Y[:4]), "^validation must be samples as the fit's: X and Y must have as many rows"),
        ((X[:, [0, 0]], Y), "^validation must be samples .*X must have 1 column,"),
    ],
)
def test_what_is_no_validation_part(given, said):
    with pytest.raises(ValueError, match=said):
        ggn.train(NET, X, Y, validation=given)
    with pytest.raises(ValueError, match=r"^patience must be an integer"):
        ggn.train(NET, X, Y, validation=(X, Y), patience=0)
    with pytest.raises(ValueError, match=r"^patience stops by .* no validation, got 5"):
        ggn.train(NET, X, Y, test=(X, Y), patience=5)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_history_shows_every_part_and_what_was_kept():
    fit = ggn.train(NET, *PARTS[0], validation=PARTS[1], test=PARTS[2])
    est = GGNRegressor((25,), alpha=0.0, early_stopping=True, random_state=0).fit(X, Y.ravel())
    with plot.figure(1, 3) as (_, axes):
        ax = plot.history(fit, ax=axes[0, 0])
        assert labels(ax) == ["training loss J", "validation loss", "kept", "test loss"]
        _, validation, mark, test = ax.lines
        np.testing.assert_array_equal(validation.get_ydata(), fit.validation_losses)
        np.testing.assert_array_equal(test.get_ydata(), fit.test_losses)
        least = min(fit.validation_losses)
        assert [*mark.get_xydata()[0]] == [fit.kept, least]
        styles = [line.get_linestyle() for line in (ax.lines[0], validation, test)]
        assert len(set(styles)) == 3
        plot.history(fit, ax=ax)
        assert len(set(labels(ax))) == 8
        ax = plot.history(est, ax=axes[0, 1])  # whose first loss is that after a step
        np.testing.assert_array_equal(ax.lines[1].get_xdata()[[0, -1]], [1, est.n_iter_])
        assert ax.lines[2].get_ydata() == min(est.result_.validation_losses)
        ax = plot.history(fit, ["gradient_norm"], ax=axes[0, 2])
        assert len(ax.lines) == 1


def test_an_estimators_early_stop_says_so():
    for est, y in ((GGNRegressor((25,), alpha=0.0), Y.ravel()), (GGNClassifier((9,)), Y[:, 0] > 0)):
        est.set_params(early_stopping=True, random_state=0).fit(X, y)
        assert est.result_.status is ggn.Status.VALIDATION


ONES = (X[:, 0] > 0.3).astype(float)


@pytest.mark.parametrize("y", [ONES, ONES.astype(bool), np.column_stack([ONES, 1 - ONES])])
def test_classes_on_squared_loss_are_told_of_cross_entropy(y):
    net = ggn.MLP((1, 3, np.ndim(y)))
    with pytest.warns(ggn.ClassTargetsWarning, match=r"loss='logistic'.*GGNClassifier") as caught:
        ggn.train(net, X, y, max_iter=3)
    assert caught[0].filename == __file__
    for scale in ("standard", None):
        with pytest.warns(ggn.ClassTargetsWarning) as caught:
            GGNRegressor((3,), scale=scale, random_state=0, tol=1e-1).fit(X, y)
        assert [w.category for w in caught] == [ggn.ClassTargetsWarning]


@pytest.mark.parametrize(
    ("options", "y"),
    [
        ({"loss": "logistic"}, ONES),
        ({"loss": "cauchy"}, ONES),
        ({"loss": ggn.losses.Squared()}, ONES),
        ({}, 2.0 * ONES),
        ({}, ONES - 0.5),
        ({}, np.zeros(120)),
        ({}, np.append(ONES[1:], 0.5)),
    ],
)
def test_other_targets_and_losses_are_not(options, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ggn.ClassTargetsWarning)
        ggn.train(ggn.MLP((1, 3, 1)), X, y, max_iter=3, **options)
        ggn.train(NET, X[:60], ONES[:60], max_iter=3)  # 76 weights: an exact fit
        sigmoid = ggn.MLP((1, 3, 1), output_activation="sigmoid")
        ggn.train(sigmoid, X, ONES, max_iter=3)

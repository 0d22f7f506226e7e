"""Pictures of fits: an axis per target with its scores, and the classes of a plane."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.path import Path

import ggn
from ggn import plot
from ggn.sklearn import GGNClassifier, GGNRegressor

mpl.use("Agg")

RNG = np.random.default_rng(5)
X = RNG.uniform(-1.0, 1.0, (150, 2)) * [30.0, 1.0] + [500.0, 0.0]
U = (X - [500.0, 0.0]) / [30.0, 1.0]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_every_target_has_an_axis_of_its_own_with_its_scores():
    """R² of a: 1 - 0.5/0.5, of b: 1 - 1/8; RMSE 1/2 and sqrt(1/2)."""
    Y, F = np.array([[1.0, 5.0], [2.0, 9.0]]), np.array([[1.5, 5.0], [2.5, 10.0]])
    a, b = plot.predicted(Y, F, names=["a", "b"], unit=["mm", ""])
    assert a.figure is b.figure
    np.testing.assert_array_equal(b.lines[0].get_xydata(), [[5.0, 5.0], [9.0, 10.0]])
    np.testing.assert_array_equal(b.lines[1].get_xydata(), [[5.0, 5.0], [10.0, 10.0]])
    assert (a.get_xlabel(), a.get_ylabel()) == ("true (mm)", "predicted (mm)")
    assert (b.get_xlabel(), b.get_ylabel()) == ("true", "predicted")
    titles = ["a\nR² 0.0000, RMSE 0.5 mm", "b\nR² 0.8750, RMSE 0.707"]
    assert [ax.get_title() for ax in (a, b)] == titles
    _, grid = plt.subplots(1, 2)
    a, b = plot.residuals(Y, F, unit="mm", ax=grid)
    assert (a, b) == tuple(grid)
    np.testing.assert_array_equal(a.lines[0].get_xydata(), [[1.5, 0.5], [2.5, 0.5]])
    assert (a.get_xlabel(), a.get_ylabel()) == ("predicted (mm)", "predicted - true (mm)")
    assert a.get_title() == "y1\nR² 0.0000, RMSE 0.5 mm"


def test_a_score_next_to_one_keeps_its_digits_and_a_constant_target_has_none():
    y = np.array([-1.0, 1.0])
    assert plot.predicted(y, y + 1e-4).get_title() == "R² 1 - 1.0e-08, RMSE 0.0001"
    assert plot.predicted(y, y).get_title() == "R² 1.0000, RMSE 0"
    assert plot.predicted([2.0, 2.0], y).get_title() == "RMSE 2.24"


def test_many_targets_and_many_samples_still_fit():
    Y = RNG.normal(size=(1500, 4))
    axes = plot.predicted(Y, Y)
    assert len(axes) == len(axes[0].figure.axes) == 4
    axes[0].figure.canvas.draw()


def test_predictions_of_an_estimator_its_fit_and_its_model():
    Y = np.column_stack([X[:, 0], np.sin(U[:, 0]) * U[:, 1]])
    est = GGNRegressor((4,), random_state=0, tol=1e-1).fit(X, Y)
    for source in (est, est.result_, est.model_):
        for ax, y, f in zip(plot.predicted(source, X, Y), Y.T, est.predict(X).T, strict=True):
            np.testing.assert_array_equal(ax.lines[0].get_xydata(), np.column_stack([y, f]))
    with pytest.raises(ValueError, match="Y must have as many rows as X, 150, got 3"):
        plot.residuals(est, X, Y[:3])
    with pytest.raises(ValueError, match="got 2 arguments"):
        plot.residuals(est, X)
    clf = GGNClassifier((3,), random_state=0).fit(X, U[:, 0] > 0)
    with pytest.raises(ValueError, match="logistic loss, of which decision_regions draws"):
        plot.predicted(clf, X, U[:, 0] > 0)


def test_columns_of_a_data_frame_name_the_targets():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"torque": U[:, 0], "speed": U[:, 1]})
    assert [ax.get_title().split("\n")[0] for ax in plot.predicted(frame, U)] == [*frame]


@pytest.mark.parametrize("draw", [plot.predicted, plot.residuals])
def test_predictions_of_one_output_may_be_a_column(draw):
    """As `fit.predict` returns them, beside targets (T,) as they were given."""
    y = np.linspace(0.0, 1.0, 9)
    with plot.figure(1, 2) as (_, axes):
        for ax, F in zip(axes[0], (y + 0.1, (y + 0.1)[:, np.newaxis]), strict=True):
            draw(y, F, ax=ax)
    a, b = (ax.lines[0].get_xydata() for ax in axes[0])
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("draw", [plot.predicted, plot.residuals])
def test_predictions_that_do_not_fit(draw):
    with pytest.raises(ValueError, match=r"F must have the shape of Y, \(2,\), got \(3,\)"):
        draw([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="F must be finite"):
        draw([1.0], [np.nan])
    with pytest.raises(ValueError, match="names must be as many as outputs, 1, got 2"):
        draw([1.0], [2.0], names=["a", "b"])
    with pytest.raises(ValueError, match=r"predicted must be called|residuals must be called"):
        draw([1.0])
    with pytest.raises(ValueError, match="ax must be 2 axes, one per target, got 1"):
        draw(np.eye(2), np.eye(2), ax=plt.subplots()[1])
    with pytest.raises(ValueError, match="unit must be as many as outputs, 2, got 1"):
        draw(np.eye(2), np.eye(2), unit=["m"])


def filled(ax):
    """Return the class shown at each of some points, by the area that holds it."""
    areas = ax.collections[0]
    shades = [tuple(shade) for shade in areas.get_facecolor()]
    paths = areas.get_paths()

    def inside(path, x, y):  # rings have holes
        return sum(Path(ring).contains_point((x, y)) for ring in path.to_polygons()) % 2

    def at(x, y):
        (k,) = [k for k, path in enumerate(paths) if inside(path, x, y)]
        return shades[k]

    return at


def test_decision_regions_of_a_known_network():
    """One linear unit, x1 + x2: nearest of the values 0, 1, 2 changes at 1/2 and 3/2."""
    net = ggn.MLP((2, 1), bias=False)
    X = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    ax = plot.decision_regions(net, [1.0, 1.0], X, [0.0, 1.0, 2.0, 1.0])
    assert labels(ax) == ["class 0", "class 1", "class 2"]
    at = filled(ax)
    assert at(0.1, 0.3) == at(0.3, 0.1)
    assert at(0.3, 0.3) != at(0.1, 0.3)  # 0.6 is nearer to 1, 0.4 to 0
    assert at(0.7, 0.7) == at(0.3, 0.3)  # 1.4 to 1
    assert at(0.8, 0.8) not in {at(0.1, 0.3), at(0.3, 0.3)}
    points = [c.get_offsets() for c in ax.collections if len(c.get_offsets())]
    assert [len(p) for p in points[-3:]] == [1, 2, 1]


def test_decision_regions_of_indicators():
    """Outputs x1 and x2: the larger wins."""
    net = ggn.MLP((2, 2), bias=False)
    ax = plot.decision_regions(net, np.eye(2).ravel(), np.eye(2), np.eye(2), points=50)
    at = filled(ax)
    assert at(0.8, 0.2) == at(0.5, 0.1) != at(0.2, 0.8)
    assert labels(ax) == ["y1", "y2"]


def test_decision_regions_that_cannot_be_drawn():
    net = ggn.MLP((3, 1))
    with pytest.raises(ValueError, match="net must have two inputs to be drawn, got 3"):
        plot.decision_regions(net, np.zeros(4), np.zeros((1, 3)), [0.0])
    net, X = ggn.MLP((2, 1)), np.zeros((11, 2))
    with pytest.raises(ValueError, match="Y must hold at most 10 classes, got 11"):
        plot.decision_regions(net, np.zeros(3), X, np.arange(11.0))
    with pytest.raises(ValueError, match="Y must have as many rows as X, 11, got 2"):
        plot.decision_regions(net, np.zeros(3), X, [0.0, 1.0])


def truth(kind):
    """Labels of points within and outside of a circle: text, numbers or truth values."""
    inside = (U**2).sum(axis=1) < 0.5
    return {
        "text": np.where(inside, "in", "out"),
        "numbers": np.where(inside, 3, 7),
        "bool": inside,
        "three": np.where(inside, "in", np.where(U[:, 1] > 0, "up", "down")),
    }[kind]


@pytest.mark.parametrize("loss", ["log_loss", "squared"])
@pytest.mark.parametrize("kind", ["text", "numbers", "bool", "three"])
def test_an_estimators_regions_are_its_predictions_named_as_in_y(kind, loss):
    """By the shades at 120 of the samples, in units in which the net alone would be wrong."""
    y = truth(kind)
    est = GGNClassifier((5,), loss=loss, random_state=0, tol=1e-1).fit(X, y)
    ax = plot.decision_regions(est, X, y, points=400)
    assert labels(ax) == [f"class {value}" for value in np.unique(y)]
    at, given = filled(ax), est.predict(X)
    margin = est.decision_function(X)
    if margin.ndim > 1:
        margin = np.diff(np.sort(margin, axis=1)[:, -2:], axis=1)[:, 0]
    sure = np.argsort(-np.abs(margin))[:120]
    shades = {value: {at(*X[i]) for i in sure if given[i] == value} for value in np.unique(y)}
    assert [len(of) for of in shades.values()] == [1] * len(shades)
    assert len(set.union(*shades.values())) == len(shades)
    dots = [c.get_offsets() for c in ax.collections if len(c.get_offsets())][-len(shades) :]
    for value, drawn in zip(np.unique(y), dots, strict=True):
        np.testing.assert_array_equal(drawn, X[y == value])


@pytest.mark.parametrize("kind", ["text", "bool", "three"])
def test_a_model_tells_the_same_classes_as_its_estimator(kind):
    y = truth(kind)
    est = GGNClassifier((5,), random_state=0, tol=1e-1).fit(X, y)
    whole, model = (plot.decision_regions(of, X, y, points=60) for of in (est, est.model_))
    assert labels(whole) == labels(model)
    for a, b in zip(
        whole.collections[0].get_paths(), model.collections[0].get_paths(), strict=True
    ):
        np.testing.assert_array_equal(a.vertices, b.vertices)


def test_logits_are_cut_at_zero_and_not_halfway_between_the_labels():
    """Logit x1: the boundary is x1 = 0, where a squared loss has x1 = 1/2."""
    net, Z = ggn.MLP((2, 1), bias=False), np.array([[-1.0, -1.0], [1.0, 1.0]])
    for loss, boundary in (("logistic", 0.0), ("squared", 0.5)):
        model = ggn.Model(net, [1.0, 0.0], loss=loss)
        at = filled(plot.decision_regions(model, Z, [0, 1]))
        assert at(boundary - 0.02, 0.0) != at(boundary + 0.02, 0.0)
        assert at(boundary + 0.02, 0.0) == at(0.9, 0.0)


def test_regions_of_a_fit_with_indicators_or_labels_and_names():
    Y = np.eye(3)[[0, 1, 2, 1]]
    Z = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    fit = ggn.train(ggn.MLP((2, 4, 3)), Z, Y, max_iter=20)
    assert labels(plot.decision_regions(fit, Z, Y)) == ["y1", "y2", "y3"]
    assert labels(plot.decision_regions(fit, Z, Y, names="abc")) == ["a", "b", "c"]
    text = np.array(["cat", "dog", "eel", "dog"])
    assert labels(plot.decision_regions(fit, Z, text)) == ["class cat", "class dog", "class eel"]
    assert labels(plot.decision_regions(fit, Z, [0, 1, 1, 1]))[-1] == "class 2"  # none of it in Y
    with pytest.raises(ValueError, match=r"Y must hold 3 classes, as .* 3 outputs, got 2"):
        plot.decision_regions(fit, Z, ["a", "b", "a", "b"])
    with pytest.raises(ValueError, match="names must be as many as classes, 3, got 2"):
        plot.decision_regions(fit, Z, Y, names="ab")


def test_regions_that_are_asked_for_wrongly():
    est = GGNClassifier((3,), random_state=0, tol=1e-1).fit(X, truth("text"))
    with pytest.raises(ValueError, match="Y must hold classes of the model, in, out, got up"):
        plot.decision_regions(est, X, truth("three"))
    with pytest.raises(ValueError, match=r"or decision_regions\(net, w, X, Y\), got 2 arguments"):
        plot.decision_regions(est, X)
    with pytest.raises(ValueError, match=r"Model\(net, w\) joins it and its weights"):
        plot.decision_regions(est.model_.net, X, truth("text"))

"""Columns that say nothing, or little, or only later: what predictions do with them."""

import functools
import warnings

import commands
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn_data import quiet

import ggn
from ggn.io.least_norm import Varied
from ggn.io.model import Model
from ggn.io.scaling import (
    PrecisionWarning,
    constant_columns,
    fold,
    minmax_units,
    robust_units,
    standard_units,
)
from ggn.sklearn import ExtrapolationWarning, GGNClassifier, GGNRegressor

data = pytest.fixture(commands.data)
run = pytest.fixture(commands.run)


def signal(T=80, seed=0):
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, T)
    return x, np.sin(2.0 * x)


NEARLY = np.where(np.arange(80) % 2, 0.3, 3 * 0.1)  # apart by rounding
SILENT = {"constant": (np.full(80, 7.0), 8.0), "rounding": (NEARLY, 0.3 + 1e-3),
          "zeros": (np.zeros(80), 1.0), "large": (np.full(80, 1e12), 0.0)}  # fmt: skip


@quiet
@pytest.mark.parametrize("alpha", [0.0, 1e-6])
@pytest.mark.parametrize("scale", ["standard", "minmax", "robust", None])
@pytest.mark.parametrize("kind", SILENT)
def test_what_was_never_varied_does_nothing(kind, scale, alpha):
    (x, y), (column, later) = signal(), SILENT[kind]
    X = np.column_stack([x, column])
    model = GGNRegressor(5, alpha=alpha, scale=scale, random_state=0, max_iter=50).fit(X, y)
    other = np.column_stack([x, np.full(80, later)])
    assert np.array_equal(model.predict(other), model.predict(X)) or scale is None
    assert not model.model_.net.unpack(model.model_.w)[0][1].any()
    np.testing.assert_allclose(model.predict(other), model.predict(X), atol=1e-12)


@quiet
def test_a_class_does_not_hang_on_a_constant_either():
    x, y = signal()
    X = np.column_stack([x, np.full(80, 7.0)])
    model = GGNClassifier(3, alpha=0.0, random_state=0, max_iter=30).fit(X, y > 0.3 * x)
    assert np.array_equal(model.predict_proba(X + np.array([0.0, 1.0])), model.predict_proba(X))


@quiet
def test_columns_that_are_always_the_same_share_their_weight():
    """The minimum-norm solution of least squares, which NumPy's pinv gives."""
    x, y = signal()
    X = np.column_stack([x, 2.0 * x + 3.0])
    model = GGNRegressor((), alpha=0.0, tol=1e-9).fit(X, y)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    v = np.linalg.pinv(Z) @ (y - y.mean())
    new = np.array([[0.5, -7.0], [0.0, 1.0]])
    expected = y.mean() + (new - X.mean(axis=0)) / X.std(axis=0) @ v
    np.testing.assert_allclose(model.predict(new), expected, rtol=1e-9)


@quiet
def test_more_columns_than_samples():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(10, 30)), rng.normal(size=10)
    model = GGNRegressor(4, alpha=0.0, random_state=0, max_iter=40).fit(X, y)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    across = np.linalg.svd(Z)[2][np.linalg.matrix_rank(Z) :]
    W = model.model_.net.unpack(model.model_.w)[0][:-1]
    assert np.abs(across @ W).max() < 1e-12 * np.abs(W).max()


def test_least_norm_predicts_the_same_and_is_no_larger():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 4)) @ [[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    X = X + np.array([5.0, 0.0, 5.0, 7.0])
    net = ggn.MLP((4, 3, 2))
    w = net.initial_weights(0)
    found = Varied(net, X)
    v = found.least_norm(w)
    np.testing.assert_allclose(net.forward(v, X), net.forward(w, X), atol=1e-12)
    np.testing.assert_allclose(found.least_norm(v), v, atol=1e-12)
    assert found.constant.tolist() == [False, False, False, True]
    assert Varied(net, rng.normal(size=(20, 4))).everything


@pytest.mark.parametrize("units", [standard_units, minmax_units, robust_units])
def test_rounding_is_no_unit_but_small_variation_is(units):
    real = 1.0 + 1e-9 * np.arange(80)
    A = np.column_stack([NEARLY, 1e200 * NEARLY, real, 1.7e9 + 0.3 * np.arange(80) / 80])
    assert constant_columns(A).tolist() == [True, True, False, False]
    _, scale = units(A)
    assert scale[:2].tolist() == [1.0, 1.0]
    assert (scale[2:] < [1e-6, 0.5]).all()


def test_a_million_samples_of_a_short_burst_are_no_constant():
    """0.3 s at 1.7e9: scikit-learn's bound, which grows with n, would take it for one."""
    t = 1.7e9 + np.linspace(0.0, 0.3, 1_000_000)
    assert not constant_columns(t[:, np.newaxis]).any()


@quiet
def test_a_dummy_seen_in_validation_only(run, tmp_path):
    x, y = signal()
    path, saved = tmp_path / "t.csv", tmp_path / "m.npz"
    rows = "".join(f"{a:.17g},7,{b:.17g}\n" for a, b in zip(x, y, strict=True))
    path.write_text("x,sensor,y\n" + rows)
    run("train", path, "--target", "y", "--save", saved, "--hidden", "5", "--validation", "0")
    model = Model.load(saved)
    at_7, at_8 = (model.predict(np.column_stack([x, np.full(80, k)])) for k in (7.0, 8.0))
    assert np.array_equal(at_7, at_8)
    np.testing.assert_allclose(at_7[:, 0], y, atol=1e-3)


# ------------------------------------------------------------------------------------ outliers


@quiet
@pytest.mark.parametrize("loss", ["cauchy", "blake_zisserman", ggn.losses.Cauchy(0.15)])
@pytest.mark.parametrize(("share", "size"), [(0.01, 1e6), (0.2, 10.0), (0.2, 1e6)])
def test_robust_losses_recover_the_clean_curve(loss, share, size):
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-2.0, 2.0, (200, 1)), axis=0)
    clean = np.sin(2.0 * x[:, 0])
    y = clean + 0.05 * rng.normal(size=200)
    spoilt = y.copy()
    spoilt[rng.choice(200, int(share * 200), replace=False)] += size

    def error(target, loss):
        model = GGNRegressor(8, random_state=0, loss=loss).fit(x, target)
        return np.sqrt(np.mean((model.predict(x) - clean) ** 2))

    assert error(spoilt, loss) <= 2.0 * error(y, "squared")


@quiet
@pytest.mark.parametrize("options", [["cauchy"], ["blake_zisserman"], ["smooth_lp", "--p", "0.5"]])
def test_every_face_recovers_the_clean_curve(run, tmp_path, options):
    """One-sided outliers, from `train_robust` and from the command line."""
    rng, net = np.random.default_rng(1), ggn.MLP((1, 6, 1))
    x = np.sort(rng.uniform(-2.0, 2.0, (200, 1)), axis=0)
    clean = np.sin(2.0 * x[:, 0])
    y = clean + 0.05 * rng.normal(size=200)
    loss = ggn.losses.SmoothLp(0.5) if options[0] == "smooth_lp" else options[0]
    path, saved = tmp_path / "t.csv", tmp_path / "m.npz"
    error = lambda prediction: np.sqrt(np.mean((prediction[:, 0] - clean) ** 2))  # noqa: E731

    def by_command(target, options):
        rows = "".join(f"{a:.17g},{b:.17g}\n" for a, b in zip(x[:, 0], target, strict=True))
        path.write_text("x,y\n" + rows)
        more = ["--hidden", "6", "--validation", "0", "--l2", "1e-5"]
        result = run("train", path, "--target", "y", "--save", saved, *more, "--loss", *options)
        assert result.status == 0
        return error(Model.load(saved).predict(x))

    best = error(net.forward(ggn.train(net, x, y, l2=1e-5).w, x)), by_command(y, ["squared"])
    for share, size in [(0.01, 5e4), (0.2, 10.0), (0.2, 5e4)]:
        spoilt = y.copy()
        spoilt[rng.choice(200, int(share * 200), replace=False)] += size
        fit = ggn.train_robust(net, x, spoilt, loss, l2=1e-5)
        assert error(net.forward(fit.w, x)) <= 2.0 * best[0]
        assert by_command(spoilt, options) <= 2.0 * best[1]


@quiet
def test_one_mistyped_number_from_the_command_line(run, tmp_path):
    x, y = signal()
    spoilt = y.copy()
    spoilt[40] = -9999.0
    path, saved = tmp_path / "t.csv", tmp_path / "m.npz"
    path.write_text("x,y\n" + "".join(f"{a:.17g},{b:.17g}\n" for a, b in zip(x, spoilt)))  # noqa: B905
    options = ["--hidden", "5", "--validation", "0", "--l2", "1e-6", "--loss", "cauchy"]
    for more in ([], ["--loss-scale", "0.1"]):
        run("train", path, "--target", "y", "--save", saved, *options, *more)
        assert np.abs(Model.load(saved).predict(x[:, np.newaxis])[:, 0] - y).max() < 0.02


def test_outliers_in_inputs_do_not_crush_the_others():
    x, y = signal()
    spoilt = np.append(x, 1e6)[:, np.newaxis]
    errors = []
    for loss in ("squared", "cauchy"):
        model = GGNRegressor(6, loss=loss, alpha=1e-4, random_state=0)
        with warnings.catch_warnings(record=True) as log:
            warnings.simplefilter("always")
            model.fit(spoilt, np.append(y, 0.0))
        assert [one.category for one in log] == [ggn.OutliersWarning] * (loss == "squared")
        errors.append(np.std(model.predict(x[:, np.newaxis]) - y))
    assert errors[1] < 0.05 < 0.5 < errors[0]


def test_weights_are_repetitions_in_robust_fits():
    x, y = signal(40)
    y[3] += 100.0
    times = np.random.default_rng(0).integers(1, 4, 40)
    net, w0 = ggn.MLP((1, 3, 1)), ggn.MLP((1, 3, 1)).initial_weights(0)
    once = ggn.train_robust(net, x, y, w0=w0, l2=1e-4, sample_weight=times)
    each = ggn.train_robust(net, np.repeat(x, times), np.repeat(y, times), w0=w0, l2=1e-4)
    assert once.scale == pytest.approx(each.scale, rel=1e-6)


# ------------------------------------------------------------------------------------- classes


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("alpha", [1e-3, 1e-5])
def test_the_mean_probability_is_the_rate(rate, alpha):
    """The output bias's gradient, which is zero at a minimum: mean p - rate."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8000, 2))
    y = X[:, 0] + rng.normal(size=8000)
    y = y > np.quantile(y, 1.0 - rate)
    model = GGNClassifier(4, alpha=alpha, random_state=0).fit(X, y)
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.02)


def rings(rng):
    """Two classes inside each other, one of them 2 % of all."""
    r, angle = rng.uniform(0.0, 1.0, 6000), rng.uniform(0.0, 6.3, 6000)
    rare = rng.uniform(size=6000) < 1.0 / (1.0 + np.exp(30.0 * (r - 0.05)))
    return np.column_stack([r * np.cos(angle), r * np.sin(angle)]), rare.astype(int)


def three_classes(rng):
    """Of 90, 9.5 and 0.5 %."""
    y = rng.choice(3, 6000, p=[0.9, 0.095, 0.005])
    return rng.normal(size=(6000, 2)) + 1.5 * np.column_stack([y == 1, y == 2]), y


def rare_words(rng):
    """A frame of a number and the columns of a category, some of which hardly occur."""
    kind = rng.choice(["a", "b", "c", "d"], 6000, p=[0.6, 0.35, 0.048, 0.002])
    frame = pd.get_dummies(pd.DataFrame({"x": rng.normal(size=6000), "kind": kind}))
    return frame, np.where(rng.uniform(size=6000) < 0.05 + 0.2 * (kind == "b"), "yes", "no")


@quiet
@pytest.mark.parametrize("kind", [rings, three_classes, rare_words])
def test_the_mean_probability_of_every_class_is_its_rate(kind):
    X, y = kind(np.random.default_rng(4))
    model = GGNClassifier(4, random_state=0).fit(X, y)
    rates = [np.mean(y == label) for label in model.classes_]
    np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), rates, rtol=0.02)


@quiet
@pytest.mark.parametrize("redundant", ["all levels", "a level never seen", "twice"])
def test_one_hot_columns_of_a_frame(redundant):
    """What the samples do not tell apart, the least-norm solution shares out; NumPy's pinv."""
    rng = np.random.default_rng(6)
    kind = rng.choice(["a", "b", "c"], 90)
    frame = pd.get_dummies(pd.DataFrame({"x": rng.normal(size=90), "kind": kind}), dtype=float)
    if redundant == "a level never seen":
        frame["kind_d"] = 0.0
    if redundant == "twice":
        frame["again"] = 3.0 * frame["kind_b"] - 1.0
    y = frame["x"] + 2.0 * frame["kind_b"] + 0.1 * rng.normal(size=90)
    model = GGNRegressor((), alpha=0.0, tol=1e-10, random_state=0).fit(frame, y)
    A = frame.to_numpy()
    unit = np.where(A.std(axis=0) > 0.0, A.std(axis=0), 1.0)
    new = A[:5] + rng.normal(size=(5, A.shape[1]))
    v = np.linalg.pinv((A - A.mean(axis=0)) / unit) @ (y - y.mean())
    expected = y.mean() + (new - A.mean(axis=0)) / unit @ v
    found = model.predict(pd.DataFrame(new, columns=frame.columns))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@quiet
def test_class_weights_are_sample_weights():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.array(["a", "b", "b", "b"])[np.arange(60) % 4]
    model = GGNClassifier(2, random_state=0, max_iter=10)
    expected = model.fit(X, y, np.where(y == "a", 2.0, 2.0 / 3.0)).predict_proba(X)
    for given in ("balanced", {"a": 3.0}, {"a": 6.0, "b": 2.0}):
        p = model.set_params(class_weight=given).fit(X, y).predict_proba(X)
        np.testing.assert_allclose(p, expected, rtol=1e-6)
    for wrong in ({"c": 1.0}, {"a": -1.0}, "even", 3):
        with pytest.raises(ValueError, match=r"^class_weight"):
            model.set_params(class_weight=wrong).fit(X, y)


def test_several_labels_per_sample():
    X = np.random.default_rng(0).normal(size=(200, 2))
    Y = np.column_stack([X[:, 0] > 0.0, X[:, 1] > 0.0, X.sum(axis=1) > 0.0]).astype(int)
    model = GGNClassifier(4, random_state=0).fit(X, Y)
    assert model.predict(X).shape == model.predict_proba(X).shape == Y.shape
    assert model.score(X, Y) > 0.9
    np.testing.assert_allclose(
        model.predict_proba(X), 1.0 / (1.0 + np.exp(-model.decision_function(X)))
    )


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (["a", None, "b", "a"], r"^y must have a label for every sample, got None at y\[1\]"),
        (np.array(["a", np.nan, "b"], object), r"^y must have a label .*, got nan at y\[1\]"),
        (pd.Series(["a", pd.NA], dtype="string"), r"^y must have a label .*, got <NA> at y\[1\]"),
        (np.array([b"a", b"b", b"a", b"a"]), r"^y must have labels of text, got bytes; decode"),
        (np.array(["a", 1, "b", 2], object), r"^y must have labels of one kind, got int and str"),
    ],
)
def test_labels_missing_or_mixed(y, sentence):
    with pytest.raises(ValueError, match=sentence):
        GGNClassifier(2).fit(np.arange(8.0).reshape(4, 2), y)


# -------------------------------------------------------------------------- ends and extremes


def interrupt(intermediate_result):
    if intermediate_result.nit == 3:
        raise KeyboardInterrupt


@pytest.mark.parametrize("loss", ["squared", "cauchy"])
def test_an_interrupt_keeps_the_weights_and_goes_on_up(loss):
    x, y = signal()
    model = GGNRegressor(5, loss=loss, random_state=0, callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x[:, np.newaxis], y)
    assert model.n_iter_ == 3
    assert np.isfinite(model.predict(x[:, np.newaxis])).all()


@pytest.mark.parametrize("search", ["cross_val_score", "grid"])
def test_an_interrupt_ends_a_search_with_no_further_fit(search):
    x, y = signal()
    fits = []

    def once(intermediate_result):
        fits.append(intermediate_result.nit)
        if len(fits) == 3:
            raise KeyboardInterrupt

    model = GGNRegressor(5, random_state=0, callback=once)
    if search == "grid":
        run = GridSearchCV(model, {"alpha": [1e-3, 1e-2]}).fit
    else:
        run = functools.partial(cross_val_score, model)
    with pytest.raises(KeyboardInterrupt):
        run(x[:, np.newaxis], y)
    assert fits == [1, 2, 3]


@quiet
def test_inputs_outside_the_range_of_training():
    x, y = signal()
    X = np.column_stack([x, x**2])
    model = GGNRegressor(2, random_state=0, max_iter=5).fit(X, y)
    new = np.array([[0.0, 0.5], [3.0, 0.5], [3.0, -1.0]])
    beyond = [[False, False], [True, False], [True, True]]
    assert model.outside_range(new).tolist() == beyond
    model.predict(new)
    sentence = "2 of 3 samples are outside the range of training: x1 in 2, x2 in 1"
    with pytest.warns(ExtrapolationWarning, match=sentence):
        model.set_params(warn_outside=True).predict(new)
    model.predict(X)


@pytest.mark.parametrize("sizes", [None, "20", 2.5, [3, None]])
def test_hidden_layer_sizes_that_are_none(sizes):
    with pytest.raises(ValueError, match=r"^hidden_layer_sizes.* must be an integer"):
        GGNRegressor(sizes).fit([[0.0], [1.0]], [0.0, 1.0])


def test_restarts_have_weights_of_their_own():
    with pytest.raises(ValueError, match=r"^w0 must be left out"):
        ggn.train_restarts(ggn.MLP((1, 1)), [0.0, 1.0], [0.0, 1.0], w0=[1.0, 1.0])


# ---------------------------------------------------------------------- numbers of large offset


def test_weights_for_numbers_far_from_zero_warn():
    net = ggn.MLP((1, 1))
    model = GGNRegressor((), alpha=0.0).fit([[1e9], [1e9 + 1.0], [1e9 + 3.0]], [0.0, 1.0, 3.0])
    with pytest.warns(PrecisionWarning, match=r"input 1 is 8e\+08 of its units from zero"):
        assert np.isfinite(model.coefs_[0]).all()
    with pytest.warns(PrecisionWarning):
        fold(net, [1.0, 0.0], [1e15], [1.0], [0.0], [1.0])

"""Columns of data frames are found by name: by whoever predicts, and by whoever goes on."""

import warnings

import numpy as np
import pytest

import ggn

pd = pytest.importorskip("pandas", reason="data frames are pandas'")

NET = ggn.MLP((3, 6, 1))
RNG = np.random.default_rng(8)
X = pd.DataFrame(RNG.uniform(-1.0, 1.0, (60, 3)), columns=["a", "b", "c"])
Y = pd.DataFrame({"load": np.sin(2.0 * X.a) + 0.3 * X.b + 0.05 * RNG.normal(size=60)})
OTHER = X[["c", "a", "b"]]
TWO = ggn.MLP((3, 5, 2))
BOTH = Y.assign(lift=X.c**2)

TRAININGS = {
    "train": ggn.train,
    "train_robust": ggn.train_robust,
    "train_bayesian": ggn.train_bayesian,
    "mixture": lambda *a, **k: ggn.train_bayesian(*a, n_estimators=2, **k),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # it is stopped at once
@pytest.mark.parametrize("name", TRAININGS)
def test_a_fit_predicts_by_name(name):
    fit = TRAININGS[name](NET, X, Y, max_iter=12)
    model = fit.as_model()
    assert (model.input_names, model.target_names) == (("a", "b", "c"), ("load",))
    expected = fit.predict(X.to_numpy())
    np.testing.assert_array_equal(fit.predict(OTHER), expected)
    np.testing.assert_array_equal(fit.predict(OTHER.assign(d=0.0)), expected)
    with pytest.raises(ValueError, match="X must have the columns a, b, c, got none named b"):
        fit.predict(X.drop(columns="b"))
    if hasattr(fit, "intervals"):
        for found, wanted in zip(fit.intervals(OTHER), fit.intervals(X.to_numpy()), strict=True):
            np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(
            fit.log_likelihood(OTHER, Y), fit.log_likelihood(X.to_numpy(), Y.to_numpy())
        )


@pytest.mark.parametrize("name", ["train", "train_robust", "train_bayesian"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_going_on_from_a_fit_by_name(name):
    train = TRAININGS[name]
    begun = train(NET, X, Y, max_iter=12)
    wanted = train(NET, X, Y, w0=begun, max_iter=8)
    for w0 in (begun, begun.as_model()):
        on = train(NET, OTHER, Y, w0=w0, max_iter=8)
        if w0 is begun:
            np.testing.assert_array_equal(on.w, wanted.w)
        assert on.as_model().input_names == ("a", "b", "c")
        if name != "train_bayesian":  # whose J has another penalty, which a Model does not know
            assert on.fun <= begun.fun
    np.testing.assert_array_equal(
        train(NET, OTHER.to_numpy(), Y.to_numpy(), w0=begun.w, max_iter=0).w, begun.w
    )  # arrays have no names
    with pytest.raises(ValueError, match=r"^X must have the columns a, b, c, got none named a"):
        train(NET, X.rename(columns={"a": "z"}), Y, w0=begun)


def in_chunks(X):
    return ggn.Chunks([(X.iloc[k : k + 20], Y.iloc[k : k + 20]) for k in (0, 20, 40)])


def test_going_on_in_chunks_by_name():
    begun = ggn.train(NET, X, Y, max_iter=12)
    on = ggn.train(NET, in_chunks(OTHER), w0=begun, max_iter=0)
    np.testing.assert_allclose(on.fun, begun.fun, rtol=1e-12)
    assert on.as_model().input_names == ("a", "b", "c")
    with pytest.raises(ValueError, match=r"columns a, b, c, as the data of the fit have, got z,"):
        ggn.train(NET, in_chunks(X.rename(columns={"a": "z"})), w0=begun, max_iter=0)


def test_several_fits_predict_by_name():
    restarts = ggn.train_restarts(NET, X, Y, n_restarts=2, max_iter=5)
    np.testing.assert_array_equal(restarts.predict(OTHER), restarts.predict(X.to_numpy()))
    many = ggn.train_many(NET, X, Y, n_fits=2, max_iter=5)
    np.testing.assert_array_equal(many.predict(OTHER), many.predict(X.to_numpy()))
    assert many.best.as_model().target_names == ("load",)
    with pytest.raises(ValueError, match=r"^w0 must be a fit.*got Restarts.*its fit is \.best"):
        ggn.train(NET, X, Y, w0=restarts)


def test_a_split_keeps_frames():
    training, validation, test = ggn.split(X, Y["load"])
    assert [len(part[0]) for part in (training, validation, test)] == [42, 9, 9]
    for part in (training, validation, test):
        pd.testing.assert_frame_equal(part[0], X.loc[part[0].index])
        pd.testing.assert_series_equal(part[1], Y["load"].loc[part[0].index])
    arrays = ggn.split(X.to_numpy(), Y["load"].to_numpy())
    np.testing.assert_array_equal(arrays[1][0], validation[0].to_numpy())
    fit = ggn.train(NET, *training, validation=validation, test=test, max_iter=5)
    assert fit.as_model().input_names == ("a", "b", "c")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_targets_by_name_wherever_they_are_compared():
    fit, other = ggn.train(TWO, X, BOTH, max_iter=10), BOTH[["lift", "load"]]
    assert ggn.diagnose(fit, X, other).loss == fit.fun
    model = fit.as_model()
    for found, wanted in zip(model.scaled(OTHER, other), model.scaled(X, BOTH), strict=True):
        np.testing.assert_array_equal(found, wanted)
    with pytest.raises(ValueError, match=r"^Y must have the columns load, lift, got none named l"):
        model.scaled(X, BOTH[["load"]])
    many = ggn.train_bayesian(TWO, X, BOTH, n_estimators=2, max_iter=40)
    np.testing.assert_array_equal(many.log_likelihood(X, other), many.log_likelihood(X, BOTH))


def test_targets_by_name_too():
    begun = ggn.train(TWO, X, BOTH, max_iter=10)
    on = ggn.train(TWO, X, BOTH[["lift", "load"]], w0=begun, max_iter=0)
    assert on.fun == begun.fun
    assert on.as_model().target_names == ("load", "lift")


def test_a_series_has_a_name():
    fit = ggn.train(NET, X, Y["load"], max_iter=3)
    assert fit.as_model().target_names == ("load",)
    assert ggn.train(NET, X, Y["load"].rename(None), max_iter=3).as_model().target_names == ("y1",)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_estimators_name_their_targets():
    sklearn = pytest.importorskip("ggn.sklearn", reason="the estimators are scikit-learn's")
    for alpha in ("evidence", 1e-3):
        one = sklearn.GGNRegressor(alpha=alpha, max_iter=200, n_estimators=2, random_state=0)
        assert one.fit(X, Y["load"]).model_.target_names == ("load",)
        assert one.fit(X, BOTH).model_.target_names == ("load", "lift")
        assert one.fit(X, Y["load"].to_numpy()).model_.target_names == ("y1",)


def test_classifiers_name_the_column_of_labels_or_each_of_several():
    sklearn = pytest.importorskip("ggn.sklearn", reason="the estimators are scikit-learn's")
    one = sklearn.GGNClassifier((3,), alpha=1e-2, random_state=0)
    above = Y["load"] > 0.0
    kind = above.map({True: "high", False: "low"}).rename("kind")
    for y in (kind, kind.to_frame()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's, of a column in a table
            assert one.fit(X, y).model_.classes.column == "kind"
    assert one.fit(X, kind.to_numpy()).model_.classes.column is None
    several = pd.DataFrame({"high": above.astype(int), "left": (X.a < 0.0).astype(int)})
    told = one.fit(X, several).model_
    assert (told.target_names, told.classes.column) == (("high", "left"), None)


# -------------------------------------------------------------------------------- series


U = pd.DataFrame(RNG.uniform(-1.0, 1.0, (200, 2)), columns=["valve", "pump"])
TURNED = U[["pump", "valve"]]
LEVEL = np.zeros(200)
for k in range(1, 200):
    LEVEL[k] = 0.5 * LEVEL[k - 1] + np.sin(U.valve[k - 1]) + 0.3 * U.pump[k - 1]
LEVEL = pd.DataFrame({"level": LEVEL})


def test_models_of_lags_take_inputs_by_name(tmp_path):
    fit = ggn.narx(U, LEVEL, max_iter=8)
    fit.save(path := tmp_path / "plant.npz")
    kept = ggn.recurrent.NARXModel.load(path)
    assert (kept.input_names, kept.target_names) == (("valve", "pump"), ("level",))
    plain = U.to_numpy(), LEVEL.to_numpy()
    for model in (fit, kept):
        wanted = model.simulate(plain[0], plain[1][:3])
        np.testing.assert_array_equal(model.simulate(TURNED, LEVEL[:3]), wanted)
        np.testing.assert_array_equal(model.predict(TURNED, LEVEL), model.predict(*plain))
        with pytest.raises(ValueError, match=r"^U must have the columns valve, pump, got none na"):
            model.simulate(U.rename(columns={"pump": "fan"}), LEVEL[:3])
    assert fit.diagnose(TURNED, LEVEL).loss == fit.diagnose(*plain).loss
    held = ggn.narx(U, LEVEL, max_iter=3, validation=(U, LEVEL)).validation_losses
    turned = ggn.narx(U, LEVEL, max_iter=3, validation=(TURNED, LEVEL)).validation_losses
    np.testing.assert_array_equal(turned, held)


def test_state_space_models_take_inputs_by_name(tmp_path):
    fit = ggn.statespace(U, LEVEL, 1, max_iter=5)
    fit.save(path := tmp_path / "plant.npz")
    kept = ggn.recurrent.Simulator.load(path)
    assert (kept.input_names, kept.target_names) == (("valve", "pump"), ("level",))
    plain = U.to_numpy(), LEVEL.to_numpy()
    for model in (fit, kept):
        np.testing.assert_array_equal(model.simulate(TURNED), model.simulate(plain[0]))
        np.testing.assert_array_equal(model.predict(TURNED, LEVEL), model.predict(*plain))
        state = model.initial_state(TURNED[:30], LEVEL[:30])
        np.testing.assert_array_equal(state, model.initial_state(plain[0][:30], plain[1][:30]))


def test_several_series_follow_the_first():
    one, two = slice(0, 100), slice(100, 200)
    fit = ggn.narx([U[one], TURNED[two]], [LEVEL[one], LEVEL[two]], max_iter=5)
    same = ggn.narx([U[one], U[two]], [LEVEL[one], LEVEL[two]], max_iter=5)
    np.testing.assert_array_equal(fit.w, same.w)

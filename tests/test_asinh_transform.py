"""Skewed inputs that are made logarithmic: what they become, and that all who read a model know."""

import copy
import ctypes
import pickle
import shutil
import subprocess

import mpmath
import numpy as np
import pytest
from sklearn_data import quiet

import ggn
from ggn.export import to_c, to_onnx
from ggn.fit.skewed_inputs import worth_transforming
from ggn.io.asinh_transform import AsinhTransform
from ggn.sklearn import GGNRegressor

COMPILER = shutil.which("cc") or shutil.which("gcc")
RNG = np.random.default_rng(4)
OCTAVES = 10.0 ** RNG.uniform(-1.0, 3.0, 150)
X = np.column_stack([OCTAVES, RNG.normal(size=150), -np.exp(RNG.normal(size=150))])
Y = np.sin(2.0 * np.log10(X[:, 0])) + 0.3 * X[:, 1] + 0.05 * RNG.normal(size=150)
FAR = np.array([[1e5, 3.0, -50.0], [0.0, 0.0, 4.0], [-1e3, 0.0, 0.0], [1e150, 0.0, -1e200]])
NET = ggn.MLP((3, 4, 2))
TRANSFORM = AsinhTransform([0.5, 0.0, -2.0], [10.0, np.inf, 0.25])


def model(**more):
    w = NET.initial_weights(3)
    units = {"x_mean": [1.0, 2.0, -3.0], "x_scale": [4.0, 0.5, 2.0], "y_scale": [2.0, 3.0]}
    return ggn.Model(NET, w, **units, **more)


def by_hand(x, start, width):
    """The formula, with the digits that mpmath works with."""
    if np.isinf(width):
        return mpmath.mpf(x)
    e, b = mpmath.mpf(start), mpmath.mpf(width)
    return e + b * mpmath.asinh((mpmath.mpf(x) - e) / b)


def test_inputs_are_bent_as_the_formula_says():
    Z = np.vstack([X[:20], FAR])
    found = TRANSFORM(Z)
    for x, u in zip(Z, found, strict=True):
        with mpmath.workdps(50):
            exact = [
                float(by_hand(*of)) for of in zip(x, TRANSFORM.start, TRANSFORM.width, strict=True)
            ]
        np.testing.assert_allclose(u, exact, rtol=4e-15, atol=4e-15)
    inside = model(x_transform=TRANSFORM)
    np.testing.assert_array_equal(inside.predict(Z), model().predict(found))
    np.testing.assert_array_equal(inside.scaled(Z, np.zeros((24, 2)))[0], inside.scaled_inputs(Z))


def test_slopes_are_derivatives():
    Z = np.vstack([X[:20], FAR[:3]])
    S = TRANSFORM.slopes(TRANSFORM(Z))
    for x, s in zip(Z, S, strict=True):
        for j, (start, width) in enumerate(zip(TRANSFORM.start, TRANSFORM.width, strict=True)):
            with mpmath.workdps(50):
                exact = mpmath.diff(lambda z, e=start, b=width: by_hand(z, e, b), mpmath.mpf(x[j]))
            np.testing.assert_allclose(s[j], float(exact), rtol=1e-10)
    inside, outside = model(x_transform=TRANSFORM), model()
    np.testing.assert_allclose(
        inside.input_jacobian(Z),
        outside.input_jacobian(TRANSFORM(Z)) * S[:, np.newaxis],
        rtol=1e-12,
    )


def test_which_inputs_are_bent():
    dummy = (RNG.random(150) < 0.05) * 1.0  # skewed, but of two values
    found = AsinhTransform.of_skewed(np.column_stack([X, dummy, np.ones(150)]))
    assert found.applied.tolist() == [True, False, True, False, False]
    assert np.quantile(OCTAVES, 0.0) <= found.start[0] <= np.quantile(OCTAVES, 0.1)
    assert found.start[2] >= np.quantile(X[:, 2], 0.9)  # the dense end is the upper one
    assert AsinhTransform.of_skewed(X[:, 1:2]) is None
    assert AsinhTransform.of_skewed(np.ones((5, 2))) is None


def test_units_of_inputs_do_not_matter():
    found = AsinhTransform.of_skewed(X)
    for factor, shift in ((2.0**20, 0.0), (-1.0, 0.0), (1.0, 64.0), (-(2.0**-30), 0.0)):
        other = AsinhTransform.of_skewed(factor * X + shift)
        np.testing.assert_array_equal(other.applied, found.applied)
        np.testing.assert_allclose(
            other(factor * X + shift), factor * found(X) + shift, rtol=1e-9, atol=1e-9 * abs(factor)
        )


def test_a_weight_of_two_is_the_sample_twice():
    counts = RNG.integers(1, 4, 150)
    weighted, repeated = (
        AsinhTransform.of_skewed(X, counts * 0.5),
        AsinhTransform.of_skewed(X.repeat(counts, axis=0)),
    )
    np.testing.assert_allclose(weighted.packed(), repeated.packed(), rtol=1e-12)


def test_files_and_copies(tmp_path):
    kept = model(x_transform=TRANSFORM)
    kept.save(path := tmp_path / "m.npz")
    expected = kept.predict(X)
    for again in (ggn.Model.load(path), copy.deepcopy(kept), pickle.loads(pickle.dumps(kept))):
        np.testing.assert_array_equal(again.predict(X), expected)
    assert ggn.io.archive.read_archive(str(path))[0]["version"] == 4
    model().save(path)
    assert ggn.io.archive.read_archive(str(path))[0]["version"] == 1
    assert ggn.Model.load(path).x_transform is None


@pytest.mark.parametrize(
    ("start", "width", "message"),
    [
        ([0.0], [0.0], "^width must be numbers above 0"),
        ([0.0], [np.nan], "^width must be numbers above 0"),
        ([0.0], "wide", "^width must be numbers above 0, one for each input, got 'wide'"),
        ([0.0], 10**400, "^width must be numbers above 0"),
        ([np.inf], [1.0], "^start must be finite"),
        ([0.0, 1.0], [1.0], "^start must have shape"),
    ],
)
def test_what_bends_nothing(start, width, message):
    with pytest.raises(ValueError, match=message):
        AsinhTransform(start, width)


def test_a_model_of_other_inputs():
    with pytest.raises(
        ValueError, match=r"^x_transform must be of 3 inputs, got Asinh.*1 of 1 inputs"
    ):
        model(x_transform=AsinhTransform([0.0], [1.0]))
    with pytest.raises(ValueError, match=r"^x_transform must be an AsinhTransform, got 5"):
        model(x_transform=5)
    with pytest.raises(ValueError, match=r"^X must have 3 columns, got an array of shape"):
        TRANSFORM(np.zeros((4, 2)))


@pytest.fixture(scope="module")
def fitted():
    return GGNRegressor(6, n_estimators=2, random_state=0).fit(X, Y)


def test_the_default_regressor_follows_octaves(fitted):
    new = np.column_stack([10.0 ** np.linspace(-0.9, 2.9, 50), np.zeros(50), np.full(50, -1.0)])
    truth = np.sin(2.0 * np.log10(new[:, 0]))
    straight = GGNRegressor(6, n_estimators=2, scale="standard", random_state=0).fit(X, Y)
    errors = [np.sqrt(np.mean((one.predict(new) - truth) ** 2)) for one in (fitted, straight)]
    assert 2.0 * errors[0] < errors[1]
    assert errors[0] < 0.1
    assert fitted.model_.x_transform.applied.tolist() == [
        True,
        False,
        False,
    ]  # the third says nothing
    assert straight.model_.x_transform is None
    low, high = fitted.predict_interval(FAR)
    assert (low < high).all()
    assert np.isfinite(fitted.diagnosis_.loss)


TRUTHS = {
    "its logarithm": (lambda x: np.sin(2.0 * np.log(x)), True),
    "linear": (lambda x: 3.0 * x, False),
    "a wave": (lambda x: np.sin(x), False),
    "nothing": (np.zeros_like, False),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_an_input_is_bent_where_that_is_worth_it(name):
    (truth, wanted), net = TRUTHS[name], ggn.MLP((2, 20, 1))
    for seed in range(5):
        rng = np.random.default_rng(seed)
        Z = np.column_stack([np.exp(0.7 * rng.normal(size=200)), rng.normal(size=200)])
        T = truth(Z[:, :1]) + 0.05 * rng.normal(size=(200, 1))
        assert AsinhTransform.of_skewed(Z) is not None
        assert (worth_transforming(net, Z, T) is not None) is wanted
    Z[7, 0] = 1e7  # in whose units all others would be one
    assert worth_transforming(net, Z, T).applied.tolist() == [True, False]
    assert (
        worth_transforming(ggn.MLP((2, 1)), Z[:7], T[:7]) is None
    )  # without hidden units: as they are


@quiet
def test_who_bends_and_who_does_not(fitted):
    for options in ({"alpha": 1e-3}, {"loss": "cauchy"}, {"early_stopping": True}):
        assert GGNRegressor(3, max_iter=3, **options).fit(X, Y).model_.x_transform is None
    plain = [GGNRegressor(3, random_state=0, max_iter=30, n_estimators=2, scale=scale)
             for scale in ("auto", "standard")]  # fmt: skip
    found = [one.fit(X[:, 1:2], Y).predict(X[:, 1:2]) for one in plain]
    np.testing.assert_array_equal(*found)  # nothing is skewed
    again = copy.deepcopy(fitted).set_params(warm_start=True).fit(X, Y)
    np.testing.assert_array_equal(
        again.model_.x_transform.packed(), fitted.model_.x_transform.packed()
    )


def test_weights_cannot_take_it_in(fitted):
    with pytest.raises(ValueError, match=r"^model_ must take inputs in linear units, got a model"):
        fitted.coefs_  # noqa: B018
    one = copy.deepcopy(fitted)
    with pytest.raises(ValueError, match=r"^w0 must take inputs in linear units"):
        ggn.train(one.model_.net, X, Y, w0=one.model_)


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
def test_in_c_it_is_the_same(fitted, tmp_path):
    whole = copy.deepcopy(fitted.model_)
    whole.posterior = fitted.result_.posterior
    source, library = tmp_path / "m.c", tmp_path / "m.so"
    source.write_text(to_c(whole))
    strict = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC"]
    subprocess.run([COMPILER, *strict, source, "-o", library, "-lm"], check=True)
    for name, expected in (("predict", whole.predict), ("deviation", whole.deviation)):
        function, found = getattr(ctypes.CDLL(str(library)), f"ggn_model_{name}"), []
        for x in np.vstack([X, FAR[:3]]):
            out = np.empty(1)
            function(np.ascontiguousarray(x).ctypes, out.ctypes)
            found.append(out)
        wanted = expected(np.vstack([X, FAR[:3]]))
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


def test_in_onnx_it_is_the_same(fitted, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    whole = copy.deepcopy(fitted.model_)
    whole.posterior = fitted.result_.posterior
    Z = np.vstack([X, FAR[:3]])
    to_onnx(whole, path := tmp_path / "m.onnx")
    found = runtime.InferenceSession(path).run(["Y", "Y_std"], {"X": Z})
    for got, wanted in zip(found, (whole.predict(Z), whole.deviation(Z)), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)
    whole.posterior = None
    to_onnx(whole, path, "float32")
    (got,) = runtime.InferenceSession(path).run(["Y"], {"X": X.astype("f4")})
    np.testing.assert_allclose(got, whole.predict(X), rtol=1e-3, atol=1e-3)


@quiet
def test_far_values_of_straight_columns_are_told_still():
    Z = X.copy()
    Z[:2, 1] = 1e4, -1e4  # as far to either side: not skewed
    assert AsinhTransform.of_skewed(Z).applied.tolist() == [True, False, True]
    with pytest.warns(ggn.OutliersWarning, match="2 of 150 samples have an input 1 up to"):
        GGNRegressor(3, n_estimators=2, max_iter=5, random_state=0).fit(Z, Y)

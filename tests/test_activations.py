"""Activations against 50-digit values, at the limits of float64, and as the user writes them."""

import copy
import math
import pickle

import mpmath
import numpy as np
import pytest
import reference

import ggn
from ggn import _core, activations
from ggn.activations import Activation

NAMES = sorted(activations.BUILT_IN)
SMOOTH = [n for n in NAMES if activations.BUILT_IN[n].kink != 1]
TINY, HUGE = 5e-324, np.finfo(float).max
ULPS = 8.0


def magnitudes():
    """Both signs of everything from subnormals to the largest float, dense where curves bend."""
    rng = np.random.default_rng(0)
    positive = np.concatenate(
        [
            [TINY, 1e-320, 2.2e-308, HUGE, 1e300, 1e154, 1e155, 1e10, 1e77, 1e103, 1e108],
            10.0 ** rng.uniform(-300, 300, 60),
            10.0 ** rng.uniform(-20, 3, 250),
            rng.uniform(0, 2, 150),
            rng.uniform(0, 40, 150),
            [36.0, 37.5, 300.0, 709.0, 709.78, 710.0, 744.0, 745.0, 745.13, 746.0, 800.0],
            np.log(2) * np.arange(0.5, 12.0, 0.5),
        ]
    )
    return np.concatenate([positive, -positive])


def ulps(actual: float, exact: mpmath.mpf, size: mpmath.mpf) -> float:
    """Error in units of the size's last place; overflow must be where the exact one is."""
    with mpmath.workdps(30):  # a difference is rounded once, whatever cancels
        if abs(exact) > mpmath.mpf(HUGE):
            return 0.0 if actual == math.copysign(math.inf, exact) else math.inf
        if not math.isfinite(actual):
            return math.inf
        return float(abs(mpmath.mpf(actual) - exact) / mpmath.mpf(math.ulp(float(size))))


def orders(activation, z):
    return activation.value(z), activation.derivative(z), activation.second_derivative(z)


@pytest.mark.parametrize("name", NAMES)
def test_against_many_digits(name, record_property):
    z = magnitudes()
    got = orders(activations.resolve(name), z)
    worst = [(0.0, 0.0)] * 3
    for i, x in enumerate(z):
        exact, size = reference.activation_mp(name, x)
        for order in range(3):
            worst[order] = max(worst[order], (ulps(got[order][i], exact[order], size[order]), x))
    record_property("worst ulps of value, derivative, second derivative", worst)
    for order, (error, x) in enumerate(worst):
        assert error <= ULPS, f"derivative {order} of {name} is {error:.3g} ulp off at z = {x!r}"


@pytest.mark.parametrize("name", SMOOTH)
def test_vector_and_scalar_lanes_agree(name):
    """The same bits wherever a number stands in the array: loop bodies and their tails."""
    z = np.linspace(-30.0, 30.0, 37)
    a = activations.resolve(name)
    together = orders(a, z)
    for i in range(len(z)):
        alone = orders(a, z[i : i + 1])
        for order in range(3):
            assert alone[order][0] == together[order][i]


@pytest.mark.parametrize("name", NAMES)
def test_at_zero(name):
    for z in (0.0, -0.0):
        got = [float(v[0]) for v in orders(activations.resolve(name), np.array([z]))]
        exact, _ = reference.activation_mp(name, 0.0)
        assert got == [pytest.approx(float(v), rel=1e-15, abs=0.0) for v in exact]


@pytest.mark.parametrize("z", [math.inf, -math.inf])
@pytest.mark.parametrize("name", NAMES)
def test_limits(name, z):
    """At the infinities: what the exact numbers have come to at 1e300; sine has no limit."""
    got = [float(v[0]) for v in orders(activations.resolve(name), np.array([z]))]
    if name == "sine":
        assert np.isnan(got).all()
        return
    exact, _ = reference.activation_mp(name, math.copysign(1e300, z))
    at_end = [math.copysign(math.inf, v) if abs(v) > 1e290 else float(v) for v in exact]
    at_end = [v if abs(v) > 1e-290 else 0.0 for v in at_end]
    assert got == [pytest.approx(v, rel=1e-15, abs=0.0) for v in at_end]


@pytest.mark.parametrize("name", NAMES)
def test_nan_stays_nan(name):
    a = activations.resolve(name)
    assert np.isnan(a.value([np.nan])).all()
    if name in SMOOTH and name != "identity":
        assert np.isnan(a.derivative([np.nan])).all()
        assert np.isnan(a.second_derivative([np.nan])).all()


@pytest.mark.parametrize("name", ["identity", "tanh", "softsign", "arctan", "sine"])
def test_odd_at_zero(name):
    """The sign of zero survives where sigma(0) = 0 with slope one."""
    assert np.signbit(activations.resolve(name).value([-0.0, 0.0])).tolist() == [True, False]


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
@pytest.mark.parametrize("name", NAMES)
def test_shapes(name, shape):
    for result in orders(activations.resolve(name), np.full(shape, 0.5)):
        assert result.shape == shape
        assert result.dtype == np.float64


def test_arguments_of_any_kind():
    z = np.linspace(-2, 2, 12).reshape(3, 4)
    expected = np.tanh(z)
    tanh = activations.Tanh()
    for given_z in (z.tolist(), np.asfortranarray(z), np.repeat(z, 2, axis=1)[:, ::2]):
        np.testing.assert_allclose(tanh.value(given_z), expected, rtol=1e-15)
    assert tanh.value([[0, 1]]).dtype == np.float64
    assert tanh.value(z.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
def test_leaky_slope(slope):
    a = activations.LeakyReLU(slope)
    z = np.array([-3.0, -1e-300, 0.0, 2.0])
    assert a.value(z).tolist() == [slope * -3.0, slope * -1e-300, 0.0, 2.0]
    assert a.derivative(z).tolist() == [slope, slope, slope, 1.0]
    assert a.second_derivative(z).tolist() == [0.0] * 4
    net = ggn.MLP((1, 1), output_activation=a, bias=False)
    assert net.forward([2.0], [[-1.5], [1.5]]).ravel().tolist() == [slope * -3.0, 3.0]


@pytest.mark.parametrize("slope", [-0.1, 1.5, math.nan, math.inf, "steep", None])
def test_leaky_slope_out_of_range(slope):
    with pytest.raises(ValueError, match=r"^slope must be a number.* got "):
        activations.LeakyReLU(slope)


# ------------------------------------------------------------- names and identity


@pytest.mark.parametrize("name", NAMES)
def test_name_class_and_repr(name):
    a = activations.resolve(name)
    assert a.name == name
    assert _core.ACTIVATIONS[a.code] == name
    assert repr(a) == {"leaky_relu": "LeakyReLU(slope=0.01)"}.get(name, f"{type(a).__name__}()")
    assert type(a).__name__ in activations.__all__
    assert activations.resolve(a) is a


@pytest.mark.parametrize("name", NAMES)
def test_equality_hash_copies(name):
    a, b = activations.resolve(name), activations.resolve(name)
    assert a == b
    assert hash(a) == hash(b)
    assert pickle.loads(pickle.dumps(a)) == a
    assert copy.deepcopy(a) == a
    assert [n for n in NAMES if activations.resolve(n) == a] == [name]
    assert a != name


def test_equality_of_parameters_and_of_user_activations():
    assert activations.LeakyReLU(0.1) != activations.LeakyReLU(0.2)
    assert activations.LeakyReLU(0.1) == activations.LeakyReLU(0.1)
    assert activations.LeakyReLU(0.0) != activations.ReLU()
    one, two = (Activation("sine", np.sin, np.cos) for _ in range(2))
    assert one == one
    assert one != two
    assert repr(one) == "Activation('sine')"


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("sigmoyd", "sigmoid"), ("tahn", "tanh"), ("Tan", "tanh"), ("soft plus", "softplus"),
     ("bent identity", "bent_identity"), ("ReLo", "relu")],
)  # fmt: skip
def test_unknown_name(wrong, near):
    with pytest.raises(ValueError, match=f"did you mean '{near}'") as error:
        activations.resolve(wrong)
    assert all(name in str(error.value) for name in NAMES)
    assert repr(wrong) in str(error.value)


def test_the_door_and_the_classes_have_the_same_names():
    assert set(_core.ACTIVATIONS) == set(activations.BUILT_IN)
    assert len(set(_core.ACTIVATIONS)) == len(_core.ACTIVATIONS)


def test_other_names():
    assert activations.resolve("swish") == activations.SiLU()
    assert repr(ggn.MLP((1, 2, 1), "radbas")) == "MLP((1, 2, 1), activation='gaussian')"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_the_slope(name):
    """Monotone: σ' has one sign over |z| <= 20, where none of it underflows; kink: it jumps."""
    a = activations.resolve(name)
    slopes = a.derivative(np.linspace(-20.0, 20.0, 4001))
    assert a.monotone == bool((slopes > 0.0).all())
    delta = 1e-9
    jumps = [
        abs(float(f([delta])[0]) - float(f([-delta])[0])) > 0.5
        for f in (a.derivative, a.second_derivative)
    ]
    assert a.kink == (jumps.index(True) + 1 if any(jumps) else 0)


def test_sine_beyond_its_reduction():
    """Far numbers among near ones: libm's, and the same bits for the near ones."""
    z = np.array([0.5, -1e6, 1e6 + 1.0, -1e22, 3.0, np.nan, np.inf])
    near = np.array([0.5, -1e6, 3.0])
    a = activations.Sine()
    for got, alone, far in zip(
        orders(a, z), orders(a, near), (math.sin, math.cos, lambda x: -math.sin(x)), strict=True
    ):
        assert got[[0, 1, 4]].tolist() == alone.tolist()
        assert got[2:4].tolist() == [far(1e6 + 1.0), far(-1e22)]
        assert np.isnan(got[5:]).all()


def test_unknown_name_like_no_other():
    with pytest.raises(ValueError, match=r"got 'xyzzy'$"):
        activations.resolve("xyzzy")


@pytest.mark.parametrize("value", [None, 3, np.tanh, activations.Tanh])
def test_neither_name_nor_activation(value):
    with pytest.raises(ValueError, match=r"^activation must be a name or an Activation, got "):
        activations.resolve(value)


# ------------------------------------------------------------- the user's own


def test_the_image_of_an_activation_of_your_own():
    a = Activation("sine", np.sin, np.cos)
    assert a.image is None
    a.image = activations.Interval(-1.0, 1.0, True, True)
    assert (str(a.image), a.image.unreached) == ("[-1.0, 1.0]", [])
    a.image = (0, math.inf)
    assert a.image == activations.Interval(0.0, math.inf, None, None)
    assert a.image.unreached == []
    a.image = None
    assert a.image is None
    for wrong in (3, (1.0,), ("a", "b")):
        with pytest.raises(ValueError, match=r"^image must be an Interval, a pair"):
            a.image = wrong
    with pytest.raises(ValueError, match=r"^low must be below high, got 1.0 and 0.0"):
        a.image = (1.0, 0.0)
    for end in (10**400, -(10**400), 1j, np.complex128(0.5), "0", None):  # no floats
        with pytest.raises(ValueError, match=r"^low and high must be numbers, got "):
            activations.Interval(end, 1.0)


def test_custom_values_and_missing_second_derivative():
    a = Activation("sine", np.sin, np.cos)
    z = np.array([0.0, 1.0])
    assert a.value(z).tolist() == np.sin(z).tolist()
    assert a.derivative(z).tolist() == np.cos(z).tolist()
    with pytest.raises(ValueError, match="'sine' has no second_derivative"):
        a.second_derivative(z)


@pytest.mark.parametrize("name", ["", None, 5])
def test_custom_name(name):
    with pytest.raises(ValueError, match=r"^name must be a non-empty string, got "):
        Activation(name, np.sin, np.cos)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_custom_not_callable(position):
    functions = [np.sin, np.cos, np.sin]
    functions[position] = "sin"
    argument = ("value", "derivative", "second_derivative")[position]
    with pytest.raises(ValueError, match=f"^{argument} must be callable, got 'sin'"):
        Activation("sine", *functions)


def wrong(z):
    return np.zeros(len(z) + 1)


@pytest.mark.parametrize("position", [0, 1])
def test_custom_wrong_shape(position):
    """Named with what came back and what was expected, directly and deep inside a network."""
    functions = [np.sin, np.cos]
    functions[position] = wrong
    kind = ("value", "derivative")[position]
    a = Activation("odd_one", *functions)
    with pytest.raises(ValueError, match=rf"^{kind} of activation 'odd_one' .*\(3,\), got \(4,\)"):
        getattr(a, kind)(np.zeros(3))
    net = ggn.MLP((2, 3, 1), activation=a)
    with pytest.raises(ValueError, match=f"^{kind} of activation 'odd_one' must return"):
        net.jacobian(net.initial_weights(0), np.ones((4, 2)))


def test_custom_error_passes_through():
    def explode(z):
        raise RuntimeError("user's own")

    net = ggn.MLP((1, 2, 1), activation=Activation("bad", explode, np.cos))
    with pytest.raises(RuntimeError, match="user's own"):
        net.forward(net.initial_weights(0), [[1.0]])

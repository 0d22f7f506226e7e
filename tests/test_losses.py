"""Losses against the oracle, many digits and finite differences; and what psd=True promises."""

import copy
import itertools
import math
import pickle

import mpmath
import numpy as np
import pytest
import reference

import ggn
from ggn import losses
from ggn.losses import BlakeZisserman, Cauchy, Loss, SmoothLp, Squared


def exact_rho(loss):
    """rho as an mpmath function, from the definitions in the paper's notation."""
    mpf = mpmath.mpf
    if isinstance(loss, Squared):
        return lambda r: r * r
    s = mpf(loss.scale)
    if isinstance(loss, SmoothLp):
        return lambda r: (r * r + s * s) ** (mpf(loss.p) / 2) - s ** mpf(loss.p)
    if isinstance(loss, Cauchy):
        return lambda r: s * s * mpmath.log(1 + r * r / (s * s))
    e = mpf(loss.epsilon)
    return lambda r: s * s * (mpmath.log(1 + e) - mpmath.log(mpmath.exp(-r * r / (s * s)) + e))


def pairs():
    """Each loss of the library with the oracle's, over its parameters."""
    yield Squared(), reference.LOSSES["squared"]()
    for p, s in itertools.product([0.1, 0.5, 1.0, 1.5, 2.0], [0.1, 1.0, 30.0]):
        yield SmoothLp(p, s), reference.LOSSES["smooth_lp"](p, s)
    for s in (0.1, 1.0, 30.0):
        yield Cauchy(s), reference.LOSSES["cauchy"](s)
        for e in (1e-12, 0.01, 1.0):
            yield BlakeZisserman(s, e), reference.LOSSES["blake_zisserman"](epsilon=e, scale=s)


PAIRS = list(pairs())
every_pair = pytest.mark.parametrize(
    ("ours", "theirs"), PAIRS, ids=[repr(ours) for ours, _ in PAIRS]
)
every_loss = pytest.mark.parametrize(
    "ours", [ours for ours, _ in PAIRS], ids=[repr(ours) for ours, _ in PAIRS]
)
# a loss that the oracle does not know is still held against its own value and gradient
every_residual = pytest.mark.parametrize(
    "ours",
    [
        *(ours for ours, _ in PAIRS),
        *(cls() for name, cls in losses.FOR_REGRESSION.items() if name not in reference.LOSSES),
    ],
    ids=repr,
)
every_name = pytest.mark.parametrize("name", losses.BUILT_IN)


def residuals(loss):
    """Both signs, from invisible to thousands of scales."""
    positive = np.concatenate([[0.0], np.geomspace(1e-12, 1e4, 97)]) * (loss.scale or 1.0)
    return np.concatenate([positive, -positive])[:, np.newaxis]


def assert_relative(actual, expected, tolerance, floor=0.0):
    """Each entry to `tolerance` of itself (or of `floor`, where terms cancel)."""
    allowed = tolerance * np.maximum(np.abs(expected), floor)
    excess = np.abs(actual - expected) > allowed
    assert not excess.any(), (
        f"off by {np.max(np.abs(actual - expected)[excess] / np.abs(expected)[excess]):.3g} "
        f"of itself, got {actual[excess][0]!r}, expected {expected[excess][0]!r}"
    )


@every_pair
def test_gradient_and_curvatures_match_the_oracle(ours, theirs):
    """The majoriser to its own size; rho'' to its terms' size, since it changes sign."""
    r, zero = residuals(ours), np.zeros_like(residuals(ours))
    w = theirs.curvature(r, zero)
    assert_relative(ours.gradient(r, zero), theirs.gradient(r, zero), 1e-13)
    assert_relative(ours.hessian(r, zero, psd=True), w, 1e-13)
    assert_relative(ours.hessian(r, zero), theirs.hessian(r, zero), 1e-13, floor=w)


@every_loss
def test_values_to_many_digits(ours):
    r = residuals(ours)
    got = ours.value(r, np.zeros_like(r))
    with mpmath.workdps(80):
        rho = exact_rho(ours)
        expected = np.array([float(rho(mpmath.mpf(float(x)))) for x in r[:, 0]])
    assert_relative(got, expected, 1e-13)


@every_loss
def test_derivatives_to_many_digits(ours):
    """rho' and rho'' by mpmath's differentiation of the definition, moderate residuals."""
    r = np.array([0.01, 0.3, 1.1, 2.5, 7.0])[:, np.newaxis] * (ours.scale or 1.0)
    r = np.concatenate([r, -r])
    zero = np.zeros_like(r)
    gradient, hessian, w = (
        ours.gradient(r, zero), ours.hessian(r, zero), ours.hessian(r, zero, psd=True)
    )  # fmt: skip
    with mpmath.workdps(80):
        rho = exact_rho(ours)
        for i, x in enumerate(r[:, 0]):
            first = float(mpmath.diff(rho, mpmath.mpf(float(x))))
            second = float(mpmath.diff(rho, mpmath.mpf(float(x)), 2))
            assert gradient[i, 0] == pytest.approx(first, rel=1e-12)
            assert hessian[i, 0] == pytest.approx(second, rel=1e-12, abs=1e-13 * w[i, 0])


@every_residual
def test_gradient_and_hessian_by_differences(ours):
    """Several outputs at once: central differences of value and gradient."""
    rng = np.random.default_rng(3)
    s = ours.scale or 1.0
    F, Y = s * rng.normal(size=(2, 6, 3))
    h = 1e-5 * s
    hessian, gradient = ours.hessian(F, Y), ours.gradient(F, Y)
    size = np.abs(ours.hessian(F, Y, psd=True)).max()
    for o in range(3):
        e = h * np.eye(3)[o]
        slope = (ours.value(F + e, Y) - ours.value(F - e, Y)) / (2 * h)
        np.testing.assert_allclose(slope, gradient[:, o], atol=1e-8 * size * s)
        bend = (ours.gradient(F + e, Y) - ours.gradient(F - e, Y)) / (2 * h)
        np.testing.assert_allclose(bend[:, o], hessian[:, o], atol=1e-8 * size)
        np.testing.assert_allclose(np.delete(bend, o, axis=1), 0.0, atol=1e-12 * size)


@pytest.mark.parametrize("p", [0.5, 1.0, 1.9])
def test_far_second_derivative_of_smooth_lp_keeps_its_size(p):
    """rho'' ~ p (p - 1) |r|^(p - 2), and p s^2 / |r|^3 > 0 for p = 1, however far out."""
    loss = SmoothLp(p, 0.1)
    r = np.array([[1e2], [1e4], [1e6], [3e8]])
    with mpmath.workdps(80):
        rho = exact_rho(loss)
        expected = np.array([[float(mpmath.diff(rho, float(x), 2, h=1e-25))] for x in r[:, 0]])
    assert_relative(loss.hessian(r, np.zeros_like(r)), expected, 1e-12)


@every_name
def test_named_losses_by_differences(name):
    """Central differences of value and gradient, H_E diagonal or full; targets good for all."""
    loss, h = losses.resolve(name), 1e-5
    rng = np.random.default_rng(4)
    F, Y = rng.normal(size=(6, 3)), np.eye(3)[[0, 1, 2, 2, 1, 0]]
    loss.check_targets(Y)
    gradient, H = loss.gradient(F, Y), loss.hessian(F, Y)
    if H.ndim == 2:
        H = H[:, :, np.newaxis] * np.eye(3)
    for o, e in enumerate(h * np.eye(3)):
        slope = (loss.value(F + e, Y) - loss.value(F - e, Y)) / (2 * h)
        np.testing.assert_allclose(slope, gradient[:, o], atol=1e-7 * np.abs(gradient).max())
        bend = (loss.gradient(F + e, Y) - loss.gradient(F - e, Y)) / (2 * h)
        np.testing.assert_allclose(bend, H[:, o], atol=1e-7 * np.abs(H).max())


@every_name
def test_named_losses_have_a_root_that_whitens(name):
    """S Sᵀ is the psd curvature, S r = ∇_E."""
    loss = losses.resolve(name)
    F, Y = np.random.default_rng(5).normal(size=(6, 3)), np.eye(3)[[0, 1, 2, 2, 1, 0]]
    H, S, r = loss.hessian(F, Y, psd=True), loss.root(F, Y), loss.whitened(F, Y)
    if H.ndim == 2:
        H, S = (a[:, :, np.newaxis] * np.eye(3) for a in (H, S))
    np.testing.assert_allclose(S @ S.transpose(0, 2, 1), H, atol=1e-14 * np.abs(H).max())
    np.testing.assert_allclose(np.einsum("iop,ip->io", S, r), loss.gradient(F, Y), atol=1e-12)


@every_name
def test_named_losses_are_what_they_say(name):
    """By name, by class, and back from their text."""
    loss = losses.resolve(name)
    cls = getattr(losses, type(loss).__name__)
    assert loss.name == name
    assert cls is losses.BUILT_IN[name] is type(loss)
    assert (name in losses.FOR_REGRESSION) == isinstance(loss, losses.Residual)
    assert repr(eval(repr(loss), {cls.__name__: cls})) == repr(loss)
    assert repr(pickle.loads(pickle.dumps(loss))) == repr(loss)


def test_a_users_subclass_is_not_built_in():
    class Mine(losses.Residual):
        name = "mine"

    with pytest.raises(ValueError, match=r"^loss must be one of "):
        losses.resolve(Mine.name)
    with pytest.raises(AttributeError, match="has no attribute 'Mine'"):
        losses.Mine  # noqa: B018


def test_sums_over_outputs():
    """(3, 4) off by (1, 2): 1 + 4."""
    assert Squared().value(np.array([[3.0, 4.0]]), np.array([[2.0, 2.0]])).tolist() == [5.0]
    value = Cauchy(1.0).value(np.array([[1.0, 1.0]]), np.zeros((1, 2)))
    assert value.tolist() == pytest.approx([2.0 * math.log(2.0)], rel=1e-15)


@pytest.mark.parametrize("loss", [Cauchy(0.3), Cauchy(50.0), SmoothLp(2.0, 0.7)], ids=repr)
def test_small_residuals_look_squared(loss):
    """rho(r) / r^2 -> 1, also where r^2 is far below the rounding of s^2."""
    r = np.array([[1e-3], [1e-8], [1e-20]]) * loss.scale
    np.testing.assert_allclose(loss.value(r, 0 * r), np.square(r[:, 0]), rtol=1e-6)


@pytest.mark.parametrize("epsilon", [1e-6, 0.01, 1.0])
def test_small_residuals_look_squared_blake_zisserman(epsilon):
    """rho(r) / r^2 -> 1 / (1 + epsilon) from the definition, which is 1 only for small epsilon."""
    loss = BlakeZisserman(2.0, epsilon)
    r = np.array([[1e-3], [1e-8], [1e-20]])
    np.testing.assert_allclose(
        loss.value(r, 0 * r), np.square(r[:, 0]) / (1.0 + epsilon), rtol=1e-6
    )


@pytest.mark.parametrize(("p", "scale"), [(1.0, 0.1), (0.5, 2.0), (1.5, 1.0)])
def test_small_residuals_look_squared_smooth_lp(p, scale):
    """rho(r) -> (p/2) s^(p-2) r^2."""
    r = np.array([[1e-3], [1e-8], [1e-20]]) * scale
    expected = 0.5 * p * scale ** (p - 2.0) * np.square(r[:, 0])
    np.testing.assert_allclose(SmoothLp(p, scale).value(r, 0 * r), expected, rtol=1e-6)


def test_smooth_lp_of_two_is_squared():
    r = np.linspace(-5, 5, 21)[:, np.newaxis]
    for f in ("value", "gradient", "hessian"):
        ours = getattr(SmoothLp(2.0, 0.3), f)(r, 0 * r)
        np.testing.assert_allclose(ours, getattr(Squared(), f)(r, 0 * r), rtol=1e-14, atol=1e-14)


@every_residual
def test_psd_curvature_majorises(ours):
    """0 <= w, rho'' <= w, and the quadratic at r with curvature w lies above rho everywhere."""
    grid = np.concatenate([[0.0], np.geomspace(1e-3, 100.0, 60)]) * (ours.scale or 1.0)
    grid = np.concatenate([-grid[::-1], grid])
    r, zero = grid[:, np.newaxis], np.zeros((len(grid), 1))
    w = ours.hessian(r, zero, psd=True)
    assert (w >= 0.0).all()
    assert (ours.hessian(r, zero) <= w * (1 + 1e-13)).all()
    rho, slope = ours.value(r, zero), ours.gradient(r, zero)
    step = grid - r  # row: where the quadratic touches; column: where it is compared
    above = rho[:, np.newaxis] + slope * step + 0.5 * w * step**2
    terms = rho[:, np.newaxis] + np.abs(slope * step) + 0.5 * w * step**2
    assert (rho <= above + 1e-12 * terms).all()


@pytest.mark.parametrize(
    ("loss", "negative_from"),
    [(Cauchy(2.0), 2.0), (SmoothLp(0.5, 1.0), math.sqrt(2.0))],
    ids=repr,
)
def test_where_the_hessian_turns_negative(loss, negative_from):
    """By hand: Cauchy at r = s; smooth lp at r^2 (1 - p) = s^2."""
    r = negative_from * np.array([[0.999], [1.001]])
    low, high = loss.hessian(r, 0 * r)[:, 0]
    assert low > 0.0 > high


# ------------------------------------------------------------- parameters, names, users' own


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, "wide", None, 1j, [1.0, 2.0]])
@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda v: SmoothLp(p=v), "p"),
        (lambda v: SmoothLp(scale=v), "scale"),
        (lambda v: Cauchy(scale=v), "scale"),
        (lambda v: BlakeZisserman(scale=v), "scale"),
        (lambda v: BlakeZisserman(epsilon=v), "epsilon"),
    ],
)
def test_parameters_out_of_range(make, argument, bad):
    with pytest.raises(ValueError, match=rf"^{argument} must be a number.*, got "):
        make(bad)


def test_p_at_most_two():
    with pytest.raises(ValueError, match=r"^p must be a number in \(0, 2\], got 2.5"):
        SmoothLp(2.5)


@pytest.mark.parametrize(
    ("name", "cls", "text"),
    [
        ("squared", Squared, "Squared()"),
        ("smooth_lp", SmoothLp, "SmoothLp(p=1, scale=0.1)"),
        ("cauchy", Cauchy, "Cauchy(scale=1)"),
        ("blake_zisserman", BlakeZisserman, "BlakeZisserman(scale=1, epsilon=0.01)"),
    ],
)
def test_names(name, cls, text):
    loss = losses.resolve(name)
    assert type(loss) is cls
    assert loss.name == name
    assert repr(loss) == text
    assert losses.resolve(loss) is loss
    for twin in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss)):
        assert repr(twin) == text


@pytest.mark.parametrize(("wrong", "near"), [("square", "squared"), ("Cauchi", "cauchy")])
def test_unknown_name(wrong, near):
    with pytest.raises(ValueError, match=rf"^loss must be one of .*did you mean '{near}'") as error:
        losses.resolve(wrong)
    assert all(name in str(error.value) for name in reference.LOSSES)


@pytest.mark.parametrize("value", [None, 2, np.abs, Squared])
def test_neither_name_nor_loss(value):
    with pytest.raises(ValueError, match=r"^loss must be a name or a Loss, got "):
        losses.resolve(value)


@pytest.mark.parametrize("position", range(3))
def test_user_loss_not_callable(position):
    functions = [np.abs, np.abs, np.abs]
    functions[position] = 7
    argument = ("value", "gradient", "hessian")[position]
    with pytest.raises(ValueError, match=rf"^{argument} must be callable, got 7"):
        Loss("mine", *functions)


@pytest.mark.parametrize("name", ["", None])
def test_user_loss_name(name):
    with pytest.raises(ValueError, match=r"^name must be a non-empty string, got "):
        Loss(name, np.abs, np.abs, np.abs)


def square(kind, wrong):
    """A squared loss, one of whose functions is replaced."""
    functions = {
        "value": lambda F, Y: ((F - Y) ** 2).sum(axis=1),
        "gradient": lambda F, Y: 2.0 * (F - Y),
        "hessian": lambda F, Y: np.full_like(F, 2.0),
        "psd_hessian": lambda F, Y: np.full_like(F, 2.0),
    }
    functions[kind] = wrong
    return Loss("mine", *functions.values())


@pytest.mark.parametrize(
    ("kind", "wrong", "shape"),
    [
        ("value", lambda F, Y: ((F - Y) ** 2).sum(), r"\(\)"),
        ("value", lambda F, Y: (F - Y) ** 2, r"\(4, 2\)"),
        ("gradient", lambda F, Y: 2.0 * (F - Y).T, r"\(2, 4\)"),
        ("hessian", lambda F, Y: 2.0, r"\(\)"),
        ("hessian", lambda F, Y: np.ones((2, 2)), r"\(2, 2\)"),
        ("psd_hessian", lambda F, Y: np.ones((4, 2, 3)), r"\(4, 2, 3\)"),
    ],
)
def test_user_loss_wrong_shape(kind, wrong, shape):
    """In training: the message names the function, the loss, what came and what was expected."""
    net = ggn.MLP((3, 2))
    at = ggn.linearize(net, np.ones(8), np.ones((4, 3)), np.ones((4, 2)), square(kind, wrong))
    with pytest.raises(
        ValueError, match=rf"^{kind} of loss 'mine' must return .*\(4,.*, got {shape}"
    ):
        _ = at.loss, at.normal_matrix(psd=kind == "psd_hessian")


def test_user_loss_psd_default_and_given():
    """Negative curvature is dropped, diagonal or not, unless the user says what to put there."""
    F = np.zeros((1, 2))
    diagonal = Loss("diagonal", *[lambda F, Y: np.array([[3.0, -1.0]])] * 3)
    assert diagonal.hessian(F, F, psd=True).tolist() == [[3.0, 0.0]]
    own = Loss("own", *[lambda F, Y: np.array([[3.0, -1.0]])] * 3, lambda F, Y: np.ones((1, 2)))
    assert own.hessian(F, F, psd=True).tolist() == [[1.0, 1.0]]
    assert own.hessian(F, F).tolist() == [[3.0, -1.0]]
    full = Loss("full", *[lambda F, Y: np.array([[[0.0, 2.0], [2.0, 0.0]]])] * 3)
    np.testing.assert_allclose(full.hessian(F, F, psd=True), [[[1.0, 1.0], [1.0, 1.0]]], rtol=1e-15)

"""What hardly anybody gives on purpose: refused in a sentence, before it takes time or memory."""

import math
import warnings

import numpy as np
import pytest

import ggn
from ggn import surface
from ggn.surface import Verdict
from ggn.validation import ArgumentError, describe, flag, integer, items, number

NET = ggn.MLP((2, 3, 1))
W = NET.initial_weights(0)
X = np.linspace(-1.0, 1.0, 10).reshape(5, 2)
Y = np.cos(X[:, :1])


class Hidden:
    def __repr__(self):
        raise RecursionError("maximum recursion depth exceeded")


def deep():
    made = []
    for _ in range(100_000):
        made = [made]
    return made


def inside_itself():
    made = [1.0]
    made.append(made)
    return made


# --------------------------------------------------------------- the error itself


@pytest.mark.parametrize("value", [Hidden(), deep(), [Hidden()]])
def test_what_cannot_be_shown_is_described_by_its_kind(value):
    assert describe(value) == f"a {type(value).__name__} that cannot be shown"
    with pytest.raises(ValueError, match=r"^tol must be a number, got a .* that cannot be shown$"):
        ggn.train(NET, X, Y, tol=value)
    with pytest.raises(ValueError, match=r"^X must "):
        ggn.train(NET, value, Y)


# --------------------------------------------------------------- numbers, flags, sequences


@pytest.mark.parametrize(
    "value",
    [1 + 0j, np.complex128(2.0), np.array(1j), np.array([1.0]), np.timedelta64(1, "s"), b"1",
     bytearray(b"1"), "1", np.array(None)],
)  # fmt: skip
def test_no_number(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ArgumentError, match=r"^tol must be a number, got "):
            number("tol", value)
        with pytest.raises(ValueError, match=r"^scale must be a number"):
            ggn.losses.Cauchy(value)
    with pytest.raises(ArgumentError, match=r"^n must be an integer"):
        integer("n", value, 0)


def test_integers_end_where_those_of_the_machine_do():
    assert integer("n", 2**63 - 1, 0) == 2**63 - 1
    for value in (2**63, np.uint64(2**63), 10**400):
        with pytest.raises(ValueError, match=r"^max_iter must be an integer of at most 9223"):
            ggn.train(NET, X, Y, max_iter=value)


def test_flags():
    assert [flag("a", value) for value in (True, np.False_, 1, 0)] == [True, False, True, False]
    for value in (2, "yes", None, np.ones(2), []):
        with pytest.raises(ArgumentError, match=r"^a must be True or False, got "):
            flag("a", value)


def test_items():
    assert items("a", (1, 2)) == [1, 2]
    for value in ("text", 3, None, range(2**62)):
        with pytest.raises(ArgumentError, match=r"^a must be a sequence of numbers, got "):
            items("a", value)


@pytest.mark.parametrize(
    "value", [inside_itself(), range(2**62), np.ones(3), [1.5], [-1], "0", 1.0, iter([1])]
)
def test_no_seed(value):
    for call in (NET.initial_weights, lambda rng: ggn.train(NET, X, Y, rng=rng)):
        with pytest.raises(ValueError, match=r"^rng must be a non-negative integer, a numpy Gen"):
            call(value)


def test_a_matrix_is_no_seed():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = np.matrix([[1, 2]])
    with pytest.raises(ValueError, match=r"^rng must be"):
        NET.initial_weights(matrix)


def test_seeds_of_several_numbers():
    expected = np.random.default_rng([1, 2]).standard_normal(13)
    for seed in ([1, 2], (1, 2), np.array([1, 2]), np.random.SeedSequence([1, 2])):
        assert np.array_equal(NET.initial_weights(seed), expected)


# --------------------------------------------------------------- what memory does not hold


def test_counts_that_memory_does_not_hold():
    for name, call in {
        "n_restarts": lambda n: ggn.train_restarts(NET, X, Y, n_restarts=n),
        "n_fits": lambda n: ggn.train_many(NET, X, Y, n_fits=n),
        "n_starts": lambda n: surface.stationary_points(NET, X, Y, n_starts=n),
        "n_estimators": lambda n: ggn.train_bayesian(NET, X, Y, n_estimators=n),
        "T": ggn.problems.four_regions,
        "the weights of sizes": lambda n: ggn.MLP((2, n, 1)),
    }.items():
        with pytest.raises(ValueError, match=rf"^{name} must be at most \d+, which memory holds"):
            call(10**12)


def test_arrays_that_memory_does_not_hold():
    wide = np.lib.stride_tricks.as_strided(np.zeros(1), (2**40, 2), (0, 0))
    for name, call in {
        "X": lambda: ggn.train(NET, wide, Y),
        "w": lambda: NET.forward(wide[:, 0], X),
        "l2": lambda: ggn.train(NET, X, Y, l2=wide[:, 0]),
    }.items():
        with pytest.raises(ValueError, match=rf"^{name} must fit into memory"):
            call()


def test_steps_that_memory_does_not_hold():
    wide, more = ggn.MLP((2, 10**6, 1)), ggn.MLP((1, 10**6, 1))
    many = np.linspace(-1.0, 1.0, 10**6)[:, np.newaxis]
    for step, data in (("primal", (wide, X, Y)), ("dual", (more, many, many))):
        with pytest.raises(ValueError, match=r"^step must fit into memory, got .* B$"):
            ggn.train(*data, step=step, max_iter=1)


# --------------------------------------------------------------- what is no network


@pytest.mark.parametrize("net", ["net", None, 5, np.ones(3), ggn.MLP])
def test_every_function_says_what_a_network_is(net):
    for call in (
        surface.Symmetry,
        lambda net: surface.saturation(net, W, X),
        lambda net: surface.check_principles(net, W, X, Y),
        lambda net: surface.ranks(net, W, X),
        lambda net: surface.row_blocks(net, W, X),
        lambda net: surface.stationary_points(net, X, Y),
        lambda net: ggn.Model(net, W),
        lambda net: ggn.plan(net, 5),
        lambda net: ggn.linearize(net, W, X, Y),
        *(
            lambda net, train=train: train(net, X, Y)
            for train in (ggn.train, ggn.train_many, ggn.train_restarts, ggn.train_robust)
        ),
    ):
        with pytest.raises(ValueError, match=r"^net must be an MLP, got "):
            call(net)


def test_others_than_are_asked_for():
    for call, message in (
        (lambda: surface.lower_bound(5), "^found must be a sequence of Obstruction"),
        (lambda: surface.lower_bound([5]), "^found must be of an Obstruction, got 5"),
        (lambda: surface.hessian_bound(5), "^at must be a Linearization"),
        (lambda: surface.printed_bounds(5, X), "^report must be a RankReport"),
        (lambda: surface.sylvester(5, []), "^ranks must be a sequence"),
        (lambda: ggn.Model(NET, W, 5), "^input_names must be 2 names, got 5"),
        (lambda: ggn.train_robust(NET, X, Y, tol=None), "^tol must be a number, got None"),
        (lambda: ggn.train_restarts(NET, X, Y, n_jobs="2"), "^n_jobs must be an integer"),
        (lambda: ggn.train_restarts(NET, X, Y, n_jobs=0), "^n_jobs must be a number of proc"),
        (lambda: ggn.problems.four_regions(3, one_hot=X), "^one_hot must be True or False"),
        (lambda: ggn.activations.Interval(0.0, "1"), "^low and high must be numbers"),
        (lambda: ggn.damping.Undamped(curvature=X), "^curvature must be one of"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_products_of_nothing():
    assert ggn.products.tracy_singh(np.zeros((2, 0)), np.ones((3, 4))).shape == (6, 0)
    assert ggn.products.tracy_singh(np.zeros((0, 2)), np.ones((3, 4))).shape == (0, 8)


# --------------------------------------------------------------- sizes at the ends of float64


@pytest.mark.parametrize("kind", [ggn.losses.Cauchy, ggn.losses.BlakeZisserman])
@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e308, 5e-324])
def test_scales_whose_squares_are_no_numbers(kind, scale):
    with pytest.raises(ValueError, match=r"^scale must be a number in \[1e-150, 1e\+150\]"):
        kind(scale)


@pytest.mark.parametrize("scale", [1e150, 1e-150])
def test_scales_whose_squares_are(scale):
    """Beside residuals of its own size a robust loss is what it is beside those of size one."""
    one, own = ggn.losses.Cauchy(1.0), ggn.losses.Cauchy(scale)
    r = np.array([[0.5], [-3.0]])
    relative = own.value(scale * r, 0.0 * r) / scale**2
    np.testing.assert_allclose(relative, one.value(r, 0.0 * r), rtol=1e-12)


@pytest.mark.parametrize("size", [1e155, 1e200, 1e300, 1e-155, 1e-200, 5e-324])
def test_what_needs_squares_says_so(size):
    y = np.full((5, 1), size)
    y[0] = -size
    for name, data in {"X": (np.hstack([y, y]), Y), "Y": (X, y)}.items():
        message = rf"^{name} must be of a size in \[1e-140, 1e\+140\], .* in another unit"
        with pytest.raises(ValueError, match=message):
            ggn.train_bayesian(NET, *data)
        if name == "X" or size > 1.0:
            with pytest.raises(ValueError, match=rf"^{name} must be of a size in \[.*, 1e\+140\]"):
                ggn.diagnose(NET, W, *data)
        else:  # squares of targets may vanish: what they say is known
            assert isinstance(ggn.diagnose(NET, W, *data).verdict, Verdict)
    with pytest.raises(ValueError, match=message):
        ggn.train_robust(NET, X, y)


@pytest.mark.parametrize("size", [1e-300, 1e-155, 1e155, 1e300, 1e308])
@pytest.mark.filterwarnings("ignore::ggn.ScalingWarning")
def test_training_takes_any_size(size):
    """And says where it ends, with finite weights and no warning of NumPy's."""
    x, y = np.clip(size * X, -1.7e308, 1.7e308), size * Y
    for data in ((x, Y), (X, y)):
        for l2 in (0.0, 1.0):
            fit = ggn.train(NET, *data, l2=l2, max_iter=20)
            assert np.isfinite(fit.w).all()
    assert isinstance(ggn.train(NET, X, Y, tol=1e200).status, ggn.Status)


@pytest.mark.parametrize(("size", "told"), [(1e-165, "small"), (1e-160, "small"), (1e160, "large")])
def test_a_fit_says_that_its_loss_is_no_number(size, told):
    """It is not 0: the fit is that of targets of size one, whose loss is."""
    x = np.linspace(-1.0, 1.0, 20)[:, None]
    y = np.sin(5.0 * x) + np.random.default_rng(0).normal(size=x.shape)
    one, fit = (ggn.train(ggn.MLP((1, 3, 1)), x, size * y, max_iter=30) for size in (1.0, size))
    assert one.fun > 0.1
    assert f"too {told} for a number" in fit.message
    assert "for a number" not in one.message
    predicted = fit.net.forward(fit.w, x) / size
    np.testing.assert_allclose(predicted, one.net.forward(one.w, x), atol=0.1)


@pytest.mark.filterwarnings("ignore::ggn.ScalingWarning")
def test_inputs_too_small_for_any_weights():
    """Weights of 1e320 are no numbers; it once returned them, infinite."""
    with pytest.raises(ValueError, match=r"^X must be of a size that weights can bring to one"):
        ggn.train(NET, 1e-320 * X, Y)


def test_a_rank_of_what_overflows():
    with pytest.raises(ValueError, match="must be finite, got one that overflows"):
        surface.ranks(NET, 0.0 * W, np.full((5, 2), 1e308))


def test_diagnosis_does_not_depend_on_what_memory_held_before():
    """It numbered units in an array of whatever was there, nan included."""
    empty = np.empty

    def garbage(shape, dtype=float, **options):
        made = empty(shape, dtype, **options)
        if made.dtype.kind == "f":
            made.fill(math.nan)
        return made

    np.empty = garbage
    try:
        ggn.diagnose(NET, W, X, Y)
    finally:
        np.empty = empty


@pytest.mark.parametrize("size", [1e155, 1e200])
def test_a_certificate_of_huge_numbers_warns_of_nothing(size):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for found in (
            surface.certificate(NET, W, X, size * Y, l2=1.0),
            surface.certificate(NET, size * W, X, Y, l2=1.0),
        ):
            assert not found.certifies_global


@pytest.mark.parametrize("train", [ggn.narx, lambda u, y: ggn.statespace(u, y, 1)])
@pytest.mark.parametrize("value", [10**400, np.ones(5) * 1j, "text", object()])
def test_series_that_are_no_series(train, value):
    endless = [1.0]
    endless[0] = endless
    for U, Y in ((value, np.ones(5)), (np.arange(5.0), value), (endless, np.ones(5))):
        with pytest.raises(ValueError, match=r"^[UY] must ") as error:
            train(U, Y)
        assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("ignore:max_iter = 2 steps:ggn.EvidenceWarning")
@pytest.mark.parametrize("train", [ggn.train, ggn.train_bayesian, ggn.train_robust])
def test_weights_that_have_lost_digits_are_refused(train):
    X, net = np.linspace(-1.0, 1.0, 9), ggn.MLP((1, 2, 1))
    with pytest.raises(ValueError, match=r"^sample_weight must have a largest of .*2.23e-308"):
        train(net, X, X, sample_weight=np.full(9, 5e-324))
    fit = train(net, X, X, sample_weight=np.full(9, 3e-308), max_iter=2)
    assert np.isfinite(fit.fun)

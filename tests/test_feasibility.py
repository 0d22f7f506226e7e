"""Lower bounds of J that hold for all weights: never undercut, and reached where they say so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from strategies import cases, losses, sample_weights

import ggn
from ggn.surface import ObstructionKind as Kind
from ggn.surface import lower_bound, obstructions
from ggn.surface.feasibility import equal_inputs

X, Y = ggn.problems.xor()


def of(kind, *args, **options):
    """Return the obstruction of this kind, None if there is none."""
    found = [o for o in obstructions(*args, **options) if o.kind is kind]
    assert len(found) <= 1
    return found[0] if found else None


def loss_at(net, w, *data, **options):
    return ggn.linearize(net, w, *data, **options).loss


def coarse(rng, *shape):
    """Few values, so that inputs repeat and targets meet edges."""
    return rng.integers(-1, 2, shape).astype(float)


@given(cases(max_layers=3), losses(), st.integers(0, 2**16), st.booleans())
def test_no_weights_undercut_a_rigorous_bound(case, pair, seed, weighted):
    """Over random architectures, losses and data full of coincidences, before and after a fit."""
    rng = np.random.default_rng(seed)
    net, T = case.net, 12
    data = coarse(rng, T, net.n_inputs), coarse(rng, T, net.n_outputs)
    options = {"loss": pair[0], "sample_weight": sample_weights(T, seed) if weighted else None}
    found = obstructions(net, *data, **options)
    bound = lower_bound(found)
    assert all(o.lower_bound == 0.0 for o in found if not o.rigorous)
    assert bound == max([o.lower_bound for o in found], default=0.0)
    fit = ggn.train(net, *data, w0=case.w, max_iter=15, **options)
    for J in (loss_at(net, case.w, *data, **options), fit.fun):
        assert not bound > J * (1.0 + 1e-10) + 1e-25


# ------------------------------------------------------------------ equal inputs
def test_groups_of_equal_rows():
    rows = np.array([[0.0, 1.0], [-0.0, 1.0], [2.0, 0.0], [0.0, 1.0 + 1e-15], [2.0, 0.0]])
    group = equal_inputs(rows)
    assert [np.flatnonzero(group == g).tolist() for g in group] == [
        [0, 1],
        [0, 1],
        [2, 4],
        [3],
        [2, 4],
    ]


def test_equal_inputs_force_the_weighted_variance():
    """Weights 1, 3 on targets 0, 4 at the same x: mean 3, (1·9 + 3·1)/6 = 2."""
    net = ggn.MLP((1, 3, 1))
    data = [[5.0], [1.0], [5.0], [2.0]], [0.0, 7.0, 4.0, 1.0]
    one = of(Kind.EQUAL_INPUTS, net, *data, sample_weight=[1.0, 1.0, 3.0, 1.0])
    assert one.lower_bound == pytest.approx(2.0, rel=1e-14)
    assert one.rigorous
    assert one.samples.tolist() == [0, 2]
    assert str(one).startswith("2 samples have inputs equal to others'")


def test_the_bound_of_equal_inputs_is_reached_by_a_net_with_room(rng):
    """Two outputs, groups of three, two and one; a wide net fits each group's mean."""
    inputs = np.array([[0.0], [1.0], [0.0], [2.0], [1.0], [0.0]])
    targets = rng.normal(size=(6, 2))
    net = ggn.MLP((1, 8, 2))
    one = of(Kind.EQUAL_INPUTS, net, inputs, targets)
    spread = sum(
        ((targets[rows] - targets[rows].mean(axis=0)) ** 2).sum() for rows in ([0, 2, 5], [1, 4])
    )
    assert one.lower_bound == pytest.approx(spread / 6.0, rel=1e-13)
    fit = ggn.train(net, inputs, targets)
    assert fit.fun == pytest.approx(one.lower_bound, rel=1e-12)


def test_equal_inputs_with_other_losses():
    """ρ(d/2) min c from the two extremes of a group; of a convex ρ, half way for both of two."""
    net, data = ggn.MLP((1, 1)), ([[1.0], [1.0]], [0.0, 2.0])
    for loss in (ggn.losses.SmoothLp(1.0), ggn.losses.Cauchy(), ggn.losses.BlakeZisserman()):
        one = of(Kind.EQUAL_INPUTS, net, *data, loss=loss)
        rho = loss.value(np.array([[1.0]]), np.zeros((1, 1)))[0]
        assert one.lower_bound == pytest.approx(rho if loss.convex else 0.5 * rho, rel=1e-14)
    light = of(Kind.EQUAL_INPUTS, net, *data, loss="cauchy", sample_weight=[1.0, 3.0])
    assert light.lower_bound == pytest.approx(0.25 * np.log(2.0), rel=1e-14)
    own = ggn.Loss("own", lambda F, Y: 0, lambda F, Y: 0, lambda F, Y: 0)
    one = of(Kind.EQUAL_INPUTS, net, *data, loss=own)
    assert not one.rigorous  # it is not known whether the loss asks for F = Y
    assert one.lower_bound == 0.0
    assert "forces" not in one.text
    own.unique_minimum = True
    assert of(Kind.EQUAL_INPUTS, net, *data, loss=own).rigorous
    own.unique_minimum = False  # as of a hinge, for which all F on one side will do
    assert of(Kind.EQUAL_INPUTS, net, *data, loss=own) is None


@pytest.mark.parametrize("loss", ["logistic", "softmax_cross_entropy", ggn.losses.SmoothLp(1.3)])
def test_equal_inputs_leave_what_the_best_constant_of_each_group_leaves(loss, rng):
    """Minimised numerically, group by group: weights of samples differ."""
    group = np.array([0, 1, 0, 1, 1, 2])
    F = rng.normal(size=(6, 3))
    p = np.exp(F) / np.exp(F).sum(axis=1, keepdims=True)
    targets = F if isinstance(loss, ggn.losses.SmoothLp) else p
    c = rng.uniform(0.2, 1.0, 6)
    c /= c.sum()
    E = ggn.losses.resolve(loss)
    least = 0.0
    for g in range(3):
        rows = group == g
        least += minimize(
            lambda f, rows=rows: c[rows] @ E.value(np.tile(f, (rows.sum(), 1)), targets[rows]),
            np.zeros(3), method="BFGS", options={"gtol": 1e-9},
        ).fun  # fmt: skip
    data = np.array([[0.0], [1.0], [2.0]])[group], targets
    one = of(Kind.EQUAL_INPUTS, ggn.MLP((1, 3)), *data, loss=loss, sample_weight=c)
    assert one.lower_bound <= least
    assert one.lower_bound == pytest.approx(least, rel=1e-8)


def test_equal_inputs_are_no_obstruction_where_targets_agree_or_do_not_count():
    net = ggn.MLP((2, 9, 1))
    twice = np.vstack([X, X]), np.vstack([Y, Y])
    assert obstructions(net, *twice) == ()
    rounded = twice[0], np.vstack([Y, np.nextafter(Y, 2.0)])
    assert of(Kind.EQUAL_INPUTS, net, *rounded) is None
    wrong = twice[0], np.vstack([Y, 1.0 - Y])
    assert of(Kind.EQUAL_INPUTS, net, *wrong).samples.tolist() == list(range(8))
    assert of(Kind.EQUAL_INPUTS, net, *wrong, sample_weight=[1.0] * 4 + [0.0] * 4) is None


# ------------------------------------------------------------------ range of the output
@pytest.mark.parametrize(
    ("output", "targets", "bound"),
    [
        ("sigmoid", [-0.5, 0.5, 2.0], (0.25 + 1.0) / 3),
        ("tanh", [-3.0, 0.5, 0.9], 4.0 / 3),
        ("softsign", [-1.5, 1.5, 0.0], 0.5 / 3),
        ("softplus", [-1.0, 5.0, 9.0], 1.0 / 3),
        ("exponential", [-1.0, -2.0, 9.0], 5.0 / 3),
        ("relu", [-1.0, 0.0, 9.0], 1.0 / 3),
    ],
)
def test_targets_out_of_the_range_of_the_output(output, targets, bound):
    net = ggn.MLP((1, 4, 1), "tanh", output)
    data = [[0.0], [1.0], [2.0]], targets
    one = of(Kind.RANGE, net, *data)
    assert one.lower_bound == pytest.approx(bound, rel=1e-14)
    assert one.rigorous
    assert "outside" in one.text
    assert loss_at(net, net.initial_weights(rng=0), *data) > bound


@pytest.mark.parametrize("name", sorted(ggn.activations.BUILT_IN))
def test_what_the_activations_say_of_their_range(name):
    """No value is outside, to rounding; the ends are come near to, those reached within |z| < 3."""
    sigma = ggn.activations.resolve(name)
    image = sigma.image
    z = np.concatenate([np.linspace(-3.0, 3.0, 20001), np.linspace(-15.0, 15.0, 101), [-700, 700]])
    values = sigma.value(z)
    assert (values >= image.low - 1e-16).all()
    assert (values <= image.high + 1e-16).all()
    inside = sigma.value(np.linspace(-3.0, 3.0, 20001))
    for end, reached, here, all_over in (
        (image.low, image.low_reached, inside.min(), values.min()),
        (image.high, image.high_reached, inside.max(), values.max()),
    ):
        if reached:
            assert abs(here - end) < 1e-7
        else:
            assert abs(here - end) > 1e-4  # not where it could be touched
            assert abs(all_over - end) < 2e-3 if np.isfinite(end) else abs(all_over) >= 7.0


@pytest.mark.parametrize("name", ["silu", "gelu", "mish"])
def test_an_end_that_is_reached_elsewhere_than_at_one(name):
    """The least value of these is at z = -1.3, -0.8, -1.2, where it is reached."""
    low = ggn.activations.resolve(name).image.low
    net = ggn.MLP((1, 1), output_activation=name)
    assert of(Kind.EDGE, net, [[0.0], [1.0]], [low, 1.0]) is None
    below = of(Kind.RANGE, net, [[0.0], [1.0]], [low - 0.5, 1.0])
    assert below.lower_bound == pytest.approx(0.125, rel=1e-12)


def test_the_bound_of_the_range_is_approached():
    net = ggn.MLP((1, 4, 1), "tanh", "sigmoid")
    data = [[0.0], [1.0], [2.0]], [-0.5, 0.5, 0.25]
    bound = of(Kind.RANGE, net, *data).lower_bound
    J = ggn.train(net, *data, max_iter=200).fun
    assert bound < J < bound + 1e-6


@pytest.mark.parametrize("output", ["identity", "bent_identity", "leaky_relu"])
def test_outputs_without_a_range(output):
    net = ggn.MLP((1, 4, 1), "tanh", output)
    assert obstructions(net, [[0.0], [1.0]], [-1e9, 1e9]) == ()


def test_a_users_activation_has_no_range_until_it_says_so():
    cube = ggn.Activation("cube", lambda z: z**3, lambda z: 3 * z**2)
    net = ggn.MLP((1, 4, 1), "tanh", cube)
    assert obstructions(net, [[0.0], [1.0]], [-1e9, 1e9]) == ()
    cube.image = (0.0, np.inf)
    assert of(Kind.RANGE, net, [[0.0], [1.0]], [-3.0, 1e9]).lower_bound == 4.5
    assert of(Kind.EDGE, net, [[0.0], [1.0]], [0.0, 1e9]) is None  # not known to be open
    cube.image = ggn.activations.Interval(0.0, np.inf)
    assert of(Kind.EDGE, net, [[0.0], [1.0]], [0.0, 1e9]).samples.tolist() == [0]


def test_targets_at_an_edge_that_is_never_reached():
    """XOR's 0 and 1 for a sigmoid; the 0 of relu is reached."""
    one = of(Kind.EDGE, ggn.MLP((2, 9, 1), "tanh", "sigmoid"), X, Y)
    assert one.samples.tolist() == [0, 1, 2, 3]
    assert (one.rigorous, one.lower_bound) == (True, 0.0)
    assert of(Kind.EDGE, ggn.MLP((2, 9, 1), "tanh", "softplus"), X, Y).samples.tolist() == [0, 3]
    flat = ggn.activations.LeakyReLU(0.0)
    for output in ("identity", "relu", flat):
        assert of(Kind.EDGE, ggn.MLP((2, 9, 1), "tanh", output), X, Y) is None


# ------------------------------------------------------------------ no bias
def test_without_bias_the_output_at_zero_is_fixed():
    data = [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]], [2.0, 1.0, 2.0]
    net = ggn.MLP((2, 3, 1), "tanh", "sigmoid", bias=False)
    one = of(Kind.ZERO_INPUT, net, *data)
    assert one.samples.tolist() == [0, 2]
    assert one.lower_bound == pytest.approx(2 * 1.5**2 / 3.0, rel=1e-14)
    # a bias anywhere, or σ(0) ≠ 0 before the output, sets it free
    for free in (
        ggn.MLP((2, 3, 1), "tanh", "sigmoid", bias=[True, False]),
        ggn.MLP((2, 3, 1), "tanh", "sigmoid", bias=False, fixed_bias=0.1),
        ggn.MLP((2, 3, 1), "sigmoid", "sigmoid", bias=False),
    ):
        assert of(Kind.ZERO_INPUT, free, *data) is None


# ------------------------------------------------------------------ linear layers
@pytest.mark.parametrize(
    ("sizes", "bias"), [((4, 2, 3), True), ((4, 2, 3), False), ((3, 4, 1, 5, 3), [0, 1, 0, 1])]
)
def test_a_linear_network_reaches_its_bound_and_no_less(sizes, bias, rng):
    """Reduced-rank regression, against training from several starts; with sample weights."""
    T, weight = 15, rng.uniform(0.5, 2.0, 15)
    data = rng.normal(size=(T, sizes[0])) + 1.0, rng.normal(size=(T, sizes[-1])) - 2.0
    net = ggn.MLP(sizes, "identity", bias=bias)
    one = of(Kind.LINEAR, net, *data, sample_weight=weight)
    fits = [
        ggn.train(net, *data, rng=seed, sample_weight=weight, max_iter=300).fun for seed in range(6)
    ]
    assert one.rigorous
    assert one.attained
    assert min(fits) == pytest.approx(one.lower_bound, rel=1e-10)
    assert min(fits) >= one.lower_bound * (1.0 - 1e-12)


def test_one_layer_is_least_squares(rng):
    data = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    design = np.column_stack([data[0], np.ones(9)])
    left = np.linalg.lstsq(design, data[1], rcond=None)[1].sum() / 9
    assert of(Kind.LINEAR, ggn.MLP((3, 2)), *data).lower_bound == pytest.approx(left, rel=1e-12)


def test_collinear_inputs_in_any_units(rng):
    """A repeated column in millions of units adds nothing; one of its own in 1e-20 does."""
    base = np.round(1000.0 * rng.normal(size=(9, 2)))  # whole numbers: sums of them are exact
    y = rng.normal(size=9)
    bound = of(Kind.LINEAR, ggn.MLP((2, 1)), base, y).lower_bound
    repeated = np.column_stack([base, 2.0**20 * (base[:, 0] + base[:, 1])])
    again = of(Kind.LINEAR, ggn.MLP((3, 1)), repeated, y).lower_bound
    assert again == pytest.approx(bound, rel=1e-9)
    tiny = np.column_stack([base, 1e-20 * rng.normal(size=9)])
    with_units = of(Kind.LINEAR, ggn.MLP((3, 1)), tiny, y).lower_bound
    in_order = of(Kind.LINEAR, ggn.MLP((3, 1)), tiny * [1.0, 1.0, 1e20], y).lower_bound
    assert with_units == pytest.approx(in_order, rel=1e-9)
    assert with_units < 0.999 * bound


def test_a_bias_before_the_last_layer_only_makes_a_bound_that_may_not_be_reached(rng):
    data = rng.normal(size=(9, 3)), rng.normal(size=(9, 2)) + 5.0
    net = ggn.MLP((3, 1, 2), "identity", bias=[True, False])
    one = of(Kind.LINEAR, net, *data)
    assert not one.attained
    assert ggn.train(net, *data, max_iter=300).fun > one.lower_bound


def test_linear_data_are_no_obstruction_to_linear_layers(rng):
    inputs = rng.normal(size=(20, 4))
    maps = rng.normal(size=(4, 2)) @ rng.normal(size=(2, 3))
    net = ggn.MLP((4, 2, 3), "identity")
    assert of(Kind.LINEAR, net, inputs, inputs @ maps + 1e3) is None
    assert of(Kind.LINEAR, ggn.MLP((4, 3, 3), "identity"), inputs, inputs @ maps + 1e3) is None
    narrow = ggn.MLP((4, 1, 3), "identity")
    kinds = [o.kind for o in obstructions(narrow, inputs, inputs @ maps)]
    assert Kind.LINEAR in kinds
    other = of(Kind.LINEAR, narrow, inputs, inputs @ maps, loss="cauchy")
    assert (other.rigorous, other.lower_bound, other.attained) == (True, 0.0, False)


# ------------------------------------------------------------------ a narrow last layer
@pytest.mark.parametrize("bias", [True, False])
def test_targets_that_do_not_fit_through_the_last_hidden_layer(bias, rng):
    """Whatever φ_1 is: with enough freedom before it, the principal components are reached."""
    T = 5
    inputs, targets = rng.normal(size=(T, 2)), rng.normal(size=(T, 3))
    net = ggn.MLP((2, 12, 1, 3), ["tanh", "bent_identity"], bias=[True, True, bias])
    one = of(Kind.NARROW, net, inputs, targets)
    centred = targets - targets.mean(axis=0) if bias else targets
    expected = np.sum(np.linalg.svd(centred, compute_uv=False)[1:] ** 2) / T
    assert one.lower_bound == pytest.approx(expected, rel=1e-13)
    assert one.rigorous
    fit = ggn.train(net, inputs, targets, max_iter=500)
    assert one.lower_bound * (1.0 - 1e-12) <= fit.fun <= one.lower_bound * (1.0 + 1e-6)


def test_targets_that_do_fit_through_the_last_hidden_layer(rng):
    """Rank one about a large mean, and rank one about the fixed bias."""
    inputs = rng.normal(size=(5, 2))
    line = np.outer(rng.normal(size=5), [1.0, 2.0, -1.0])
    assert of(Kind.NARROW, ggn.MLP((2, 12, 1, 3)), inputs, line + 1e6) is None
    fixed = ggn.MLP((2, 12, 1, 3), bias=False, fixed_bias=0.5)
    assert of(Kind.NARROW, fixed, inputs, line - 0.5) is None
    assert of(Kind.NARROW, fixed, inputs, line - np.array([0.5, 0.5, 0.6])) is not None


# ------------------------------------------------------------------ Principle 2
def test_few_weights_are_no_proof(rng):
    net = ggn.MLP((2, 2, 1))  # 9 weights
    inputs = rng.normal(size=(10, 2))
    one = of(Kind.FEW_WEIGHTS, net, inputs, rng.normal(size=10))
    assert (one.rigorous, one.lower_bound) == (False, 0.0)
    assert "9 weights" in one.text
    # these targets are its own outputs, and a sample twice is no new number to fit
    own = net.forward(net.initial_weights(rng), inputs)
    assert lower_bound(obstructions(net, inputs, own)) == 0.0
    assert of(Kind.FEW_WEIGHTS, net, np.vstack([inputs[:9], inputs[:1]]), np.ones(10)) is None


def test_proofs_come_first_and_the_largest_bound_first(rng):
    net = ggn.MLP((1, 1, 1), "identity", "identity")
    data = np.array([[0.0], [0.0], [1.0], [2.0], [3.0]]), np.array([0.0, 1.0, 5.0, 0.0, 7.0])
    found = obstructions(net, *data)
    assert [o.kind for o in found] == [Kind.LINEAR, Kind.EQUAL_INPUTS]
    assert lower_bound(found) == found[0].lower_bound > found[1].lower_bound
    assert lower_bound(()) == 0.0


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="X must have 2 columns"):
        obstructions(ggn.MLP((2, 1)), [[1.0]], [1.0])
    with pytest.raises(ValueError, match="net must be an MLP"):
        obstructions("net", X, Y)

"""Saturation by net inputs set by hand, and the runaway stops of XOR."""

import numpy as np
import pytest
from runaway import VALUES, X, Y, on_the_way

import ggn
from ggn.surface import runaway_ray, saturation


def levels_of(activation, z):
    """Return the level of one unit at these net inputs."""
    net = ggn.MLP((1, 1, 1), activation, bias=False)
    return saturation(net, [1.0, 1.0], np.reshape(z, (-1, 1))).layers[0].level[:, 0].tolist()


def test_levels_of_a_sigmoid():
    """σ' is exp(-|z|) far out: 4 exp(-z) crosses sqrt(eps) at 19.4, eps at 37.4, 0 at 746."""
    z = [0.0, 19.0, -19.0, 20.0, -20.0, 37.0, 38.0, -740.0, -750.0]
    assert levels_of("sigmoid", z) == [0, 0, 0, 1, 1, 1, 2, 2, 3]


def test_levels_of_a_tanh():
    """σ' is 4 exp(-2|z|) far out, half the z of the sigmoid."""
    assert levels_of("tanh", [9.5, 10.0, -10.0, 18.5, 19.0, 380.0]) == [0, 1, 1, 1, 2, 3]


def test_levels_of_a_softsign():
    """σ' = (1 + |z|)^-2: sqrt(eps) at 8191, eps at 6.7e7."""
    assert levels_of("softsign", [8000.0, -8200.0, 6e7, 7e7]) == [0, 1, 1, 2]


@pytest.mark.parametrize("activation", ["softplus", "exponential"])
def test_levels_of_one_flat_end(activation):
    assert levels_of(activation, [-17.0, -20.0, -40.0, 300.0]) == [0, 1, 2, 0]


@pytest.mark.parametrize("activation", ["bent_identity", "identity"])
def test_what_cannot_saturate(activation):
    assert levels_of(activation, [-1e12, 0.0, 1e12]) == [0, 0, 0]


def test_a_users_activation_is_measured_by_its_own_steepest_slope():
    hundredfold = ggn.Activation(
        "hundredfold", lambda z: 100.0 * np.tanh(z), lambda z: 100.0 / np.cosh(z) ** 2
    )
    assert levels_of(hundredfold, [9.5, 10.0]) == levels_of("tanh", [9.5, 10.0])


def test_units_and_samples_are_named():
    """Unit 1 of layer 1 gets z = 30 x: flat where x is not 0; unit 0 never is."""
    net = ggn.MLP((1, 2, 1))
    w = net.pack([[[1.0, 30.0], [0.0, 0.0]], [[1.0], [1.0], [0.0]]])
    found = saturation(net, w, [[0.0], [1.0], [-2.0], [0.5]])
    (unit,) = found.units
    assert (unit.layer, unit.unit, unit.total) == (1, 1, 4)
    assert unit.samples.tolist() == [1, 2, 3]
    assert unit.vanished == 2
    assert not unit.everywhere
    assert str(found) == "saturated: unit 1 of layer 1 on 3 of 4 samples"
    assert found.layers[0].largest.tolist() == [2.0, 60.0]
    assert found.everywhere == ()


def test_deep_layers_and_chunks_are_swept():
    """One sample of many thousand saturates unit 2 of layer 2, by the oracle's net input."""
    net = ggn.MLP((1, 2, 3, 1), "bent_identity")
    T = 2 * net.chunk_size(1) + 100
    net = ggn.MLP((1, 2, 3, 1), ["bent_identity", "tanh"])
    inputs = np.zeros((T, 1))
    inputs[-7] = 40.0
    Ws = [np.zeros((2, 2)), np.zeros((3, 3)), np.ones((4, 1))]
    Ws[0][0, 1] = 1.0
    Ws[1][1, 2] = 1.0
    (unit,) = saturation(net, net.pack(Ws), inputs).units
    assert (unit.layer, unit.unit, unit.samples.tolist()) == (2, 2, [T - 7])


def test_nothing_saturated_says_so():
    net = ggn.MLP((2, 3, 1))
    assert str(saturation(net, np.zeros(net.n_weights), X)) == "no unit is saturated"


def test_relu_is_flat_only_where_it_is_dead():
    """Unit 0 is on for some samples, unit 1 for none."""
    net = ggn.MLP((1, 2, 1), "relu")
    w = net.pack([[[1.0, 1.0], [0.0, -9.0]], [[1.0], [1.0], [0.0]]])
    found = saturation(net, w, [[-1.0], [1.0], [2.0]])
    assert found.layers[0].flat_part
    assert found.layers[0].level.tolist() == [[3, 3], [0, 3], [0, 3]]
    assert [(u.unit, u.everywhere) for u in found.units] == [(1, True)]
    # the loss keeps still as a dead unit's weights grow: no infimum at infinity
    assert runaway_ray(net, w, [[-1.0], [1.0], [2.0]], [0.0, 1.0, 2.0]) is None


def test_large_weights_are_large_in_the_scale_of_the_data():
    net = ggn.MLP((2, 2, 1))
    w = net.pack([[[3.0, 60.0], [4.0, 0.0], [0.0, 0.0]], [[1.0], [1.0], [0.0]]])
    data = np.array([[1.0, 1.0], [-1.0, 1.0]])
    first = saturation(net, w, data).layers[0]
    assert first.weight_norm == pytest.approx([5.0, 60.0], rel=1e-14)
    assert first.fan_in == 3
    assert first.large.tolist() == [1]  # 60 > 10 sqrt(3) > 5
    scaled = net.pack([net.unpack(w)[0] / 100.0, net.unpack(w)[1]])
    again = saturation(net, scaled, 100.0 * data).layers[0]
    assert again.weight_norm == pytest.approx(first.weight_norm, rel=1e-14)


# ------------------------------------------------------------------ runaway weights
@pytest.mark.parametrize("output", ["identity", "sigmoid"])
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
@pytest.mark.parametrize("J", VALUES)
def test_xor_stops_at_an_eighth_and_a_sixth_are_infima_at_infinity(J, hidden, output):
    """Eq. 33-36, F(2,2,1): these values are approached, with saturated units, never reached."""
    net, w = on_the_way(J, hidden, output)
    assert any(unit.layer == 1 for unit in saturation(net, w, X).units)
    ray = runaway_ray(net, w, X, Y)
    assert ray.infimum
    assert ray.limit == pytest.approx(J, abs=1e-8)
    assert "levels off" in str(ray)
    # on the way there J fell
    assert ray.losses[0] > ray.limit + ray.rounding
    assert ray.slopes[0] < 0.0
    # nothing is left of the gradient along the ray
    assert abs(ray.slopes[-1]) < 1e-20


def test_every_stop_of_xor_above_zero_is_recognised():
    """A dozen starts from N(0, 1): an exact fit, an infimum at infinity, or a way back down."""
    net, kinds = ggn.MLP((2, 2, 1), "tanh", "sigmoid"), set()
    for seed in range(12):
        fit = ggn.train(net, X, Y, w0="normal", rng=seed)
        ray = runaway_ray(net, fit.w, X, Y)
        kinds.add("exact" if fit.fun < 1e-20 else "infimum" if ray.infimum else "way back")
        assert fit.fun < 1e-20 or ray.infimum or ray.falls_inwards
    assert "infimum" in kinds


def test_the_ray_moves_saturated_net_inputs_outwards_and_no_others():
    net, w = on_the_way(1 / 8, "sigmoid")
    ray = runaway_ray(net, w, X, Y)
    inputs = np.column_stack([X, np.ones(4)])
    before, after = (inputs @ net.unpack(v)[0] for v in (w, w + ray.direction))
    flat = np.zeros((4, 2), bool)
    for unit in ray.units:
        assert unit.layer == 1
        flat[unit.samples, unit.unit] = True
    assert flat.any()
    assert not flat.all()
    np.testing.assert_allclose(after[~flat], before[~flat], rtol=0, atol=1e-12)
    assert (np.abs(after[flat]) > 1.5 * np.abs(before[flat])).all()
    assert (np.sign(after[flat]) == np.sign(before[flat])).all()
    untouched = np.ones(9, bool)
    untouched[:6] = False
    assert not ray.direction[untouched].any()


def test_a_ray_by_hand():
    """φ = tanh(f v x) at x = ±1, y = ±1: J(f) = (1 - tanh 12 f)², falling to 0."""
    net, inputs = ggn.MLP((1, 1, 1), bias=False), [[-1.0], [1.0]]
    ray = runaway_ray(net, [12.0, 1.0], inputs, [-1.0, 1.0], factors=[0.25, 1.0, 2.0, 4.0])
    f = np.array([0.25, 1.0, 2.0, 4.0])
    np.testing.assert_allclose(ray.losses, (1.0 - np.tanh(12.0 * f)) ** 2, rtol=1e-6)
    np.testing.assert_allclose(
        ray.slopes[:1], -24.0 * (1 - np.tanh(3.0)) / np.cosh(3.0) ** 2, rtol=1e-12
    )
    assert ray.direction.tolist() == [12.0, 0.0]
    assert ray.infimum
    assert ray.limit == 0.0


def test_a_loss_that_falls_on_the_way_back_is_no_infimum():
    """The target tanh 1 lies inside, at f = 1/25."""
    net, inputs = ggn.MLP((1, 1, 1), bias=False), [[-1.0], [1.0]]
    y = [-np.tanh(1.0), np.tanh(1.0)]
    ray = runaway_ray(net, [25.0, 1.0], inputs, y)
    assert ray.nonincreasing
    assert ray.falls_inwards
    assert not ray.infimum
    assert "multiplied by 0.25 J is lower" in str(ray)
    assert ray.best.tolist() == [6.25, 1.0]
    assert ggn.train(net, inputs, y, w0=ray.best).fun < 1e-25


# a stop of Levenberg-Marquardt after 1000 steps, J = 1/8 - 9e-12
PLATEAU = [
    -4.611513088372741, -27.90588496970677, 0.019275650992415516,
    -0.8740289105825354, -23.925252345173075, -0.444964840527769,
    -2.9317055156923972, 2.509177545403725, 0.4999999999545064,
]  # fmt: skip


def test_a_saturated_stop_of_xor_that_is_no_infimum():
    """Here J tends to 1/8 from below: the way back leads to an exact fit."""
    net = ggn.MLP((2, 2, 1), "sigmoid")
    ray = runaway_ray(net, PLATEAU, X, Y)
    assert ray.limit == pytest.approx(1 / 8, abs=1e-11)
    assert ray.falls_inwards
    assert not ray.nonincreasing
    assert not ray.infimum
    assert ggn.linearize(net, ray.best, X, Y).loss == ray.losses.min() < 1 / 8 - 1e-7
    assert ggn.train(net, X, Y, w0=ray.best).fun < 1e-20


def test_a_loss_that_does_not_level_off():
    """z - sin z is flat at 2 pi and goes on behind it; the target is far off."""
    staircase = ggn.Activation(
        "staircase", lambda z: z - np.sin(z), lambda z: 1.0 - np.cos(z), lambda z: np.sin(z)
    )
    net = ggn.MLP((1, 1, 1), staircase, bias=False)
    ray = runaway_ray(net, [2.0 * np.pi, 1.0], [[1.0]], [100.0])  # σ' = 0 at 2 pi
    assert not ray.infimum
    assert "does not level off" in str(ray)


def test_a_penalty_stops_the_run():
    net = ggn.MLP((1, 1, 1), bias=False)
    ray = runaway_ray(net, [25.0, 1.0], [[-1.0], [1.0]], [-1.0, 1.0], l2=1e-6)
    assert not ray.nonincreasing
    assert ray.falls_inwards
    assert not ray.infimum


def test_saturated_units_that_other_samples_hold_in_place():
    """Flat on one sample of three, the weights being determined by the other two."""
    net = ggn.MLP((1, 1, 1))
    inputs = [[0.0], [1.0], [30.0]]
    w = [1.0, 0.0, 1.0, 0.0]
    assert [u.samples.tolist() for u in saturation(net, w, inputs).units] == [[2]]
    assert runaway_ray(net, w, inputs, [0.0, 1.0, 1.0]) is None
    # with one of them gone there is freedom
    assert runaway_ray(net, w, inputs[1:], [1.0, 1.0]) is not None


def test_the_ray_spans_chunks():
    """The sample that sets the direction is in the first chunk, the flat one in the last."""
    net = ggn.MLP((1, 1, 1))
    T = 2 * net.chunk_size(1) + 5
    inputs = np.zeros((T, 1))
    inputs[-1] = 30.0
    ray = runaway_ray(net, [1.0, 0.5, 1.0, 0.0], inputs, np.ones(T))
    np.testing.assert_allclose(ray.direction, [1.0, 0.0, 0.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("factors", [[1.0], [2.0, 1.0], [0.5, 2.0], [0.5, 1.0], []])
def test_factors_must_pass_one(factors):
    with pytest.raises(ValueError, match="factors must ascend, with 1 among them"):
        runaway_ray(ggn.MLP((2, 2, 1)), np.zeros(9), X, Y, factors=factors)


def test_saturation_of_no_samples_is_refused():
    net = ggn.MLP((2, 3, 1))
    with pytest.raises(ValueError, match=r"^X must hold at least one sample, got 0"):
        ggn.surface.saturation(net, net.initial_weights(0), np.zeros((0, 2)))

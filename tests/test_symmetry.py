"""The network's symmetry group against all of its elements, written out."""

import itertools
import math
from decimal import Decimal

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

import ggn
from ggn.surface import Symmetry
from ggn.surface.symmetry import parity

# by the oracle's formulas, on numbers that no period of a sine divides
Z = np.geomspace(1e-3, 7.0, 50)
ODD = {n for n, (f, *_) in reference.ACTIVATIONS.items() if np.allclose(f(-Z), -f(Z), 0.0, 1e-12)}
EVEN = {n for n, (f, *_) in reference.ACTIVATIONS.items() if np.allclose(f(-Z), f(Z), 0.0, 1e-12)}


@st.composite
def nets(draw):
    """At most three hidden layers and 48² elements, with any bias flags."""
    depth = draw(st.integers(1, 4))
    most = {1: 4, 2: 4, 3: 3, 4: 2}[depth]
    sizes = draw(st.lists(st.integers(1, most), min_size=depth + 1, max_size=depth + 1))
    names = draw(
        st.lists(
            st.sampled_from(["tanh", "sigmoid", "gaussian"]), min_size=depth - 1, max_size=depth - 1
        )
    )
    bias = draw(st.lists(st.booleans(), min_size=depth, max_size=depth))
    return ggn.MLP(sizes, names, bias=bias)


def orbit(net, w):
    """Return w under every element of the group, one row each."""
    choices = [
        [
            (np.array(p), np.array(s))
            for p in itertools.permutations(range(n))
            for s in itertools.product([1.0, -1.0] if a.name in ODD | EVEN else [1.0], repeat=n)
        ]
        for n, a in zip(net.sizes[1:-1], net.activations, strict=False)
    ]
    images = []
    for element in itertools.product(*choices):
        Ws = [W.copy() for W in net.unpack(w)]
        for h, (p, s) in enumerate(element):
            Ws[h] = Ws[h][:, p] * s
            out = s[:, np.newaxis] if net.activations[h].name in ODD else 1.0
            Ws[h + 1][: len(p)] = out * Ws[h + 1][p]
        images.append(net.pack(Ws))
    return np.array(images)


def special_weights(net, seed):
    """Return weights of -1, 0 and 1, as a rule with many units equal, opposite or zero."""
    rng = np.random.default_rng(seed)
    w = rng.integers(-1, 2, net.n_weights).astype(float)
    for _ in range(rng.integers(0, 3)):
        w = Symmetry(net).symmetrised(w, rng)
    return w, rng


@given(nets(), st.integers(0, 2**20), st.booleans())
def test_orbits(net, seed, generic):
    """Every element leaves the outputs; orbit sizes count distinct points; one representative."""
    w, rng = special_weights(net, seed)
    if generic:
        w = rng.normal(size=net.n_weights)
    group, images = Symmetry(net), orbit(net, w)
    X = rng.normal(size=(3, net.n_inputs))
    some = images[rng.integers(len(images), size=5)]
    for image in some:
        assert np.abs(net.forward(image, X) - net.forward(w, X)).max() <= 1e-11
    assert group.order == len(images)
    representative, size = group.canonical(w)
    assert size == len(np.unique(images.round(9) + 0.0, axis=0))
    assert np.abs(images - representative).max(axis=1).min() <= 1e-12
    for image in some:
        moved, its_size = group.canonical(image + 1e-9 * rng.normal(size=len(w)))
        assert np.abs(moved - representative).max() <= 1e-8
        assert its_size == size
        assert group.same_orbit(image, w)
    other = w + 1e-3 * rng.normal(size=len(w))
    assert not group.same_orbit(other, w)


@given(nets(), st.integers(0, 2**20))
def test_symmetrised_points_keep_their_symmetry_under_the_gradient(net, seed):
    """The gradient at a fixed point of g lies in the subspace that g fixes."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=net.n_weights)
    group = Symmetry(net)
    fixed = group.symmetrised(w, rng)
    X, Y = rng.normal(size=(5, net.n_inputs)), rng.normal(size=(5, net.sizes[-1]))
    step = ggn.linearize(net, fixed, X, Y, l2=0.1).gradient
    # a generic point's orbit is as large as the group; what is left is g's doing
    assert group.canonical(fixed - 0.1 * step)[1] == group.canonical(fixed)[1]
    assert fixed @ fixed <= w @ w * (1 + 1e-12)  # a mean of images is no longer than they are


def test_zero_equal_and_opposite_units():
    """F(2,2,1), tanh: w = (a1, a2, bias, b1, b2, bias, v1, v2)."""
    group = Symmetry(ggn.MLP((2, 2, 1), bias=[True, False]))
    unit = np.array([0.3, -1.2, 0.7])
    assert group.order == 8
    for second, v2, size in (
        ([5.0, 6.0, 7.0], 0.4, 8),  # generic
        (unit, 2.0, 4),  # equal
        (-unit, -2.0, 4),  # opposite: the same point after a flip
        (-unit, 2.0, 8),  # cancelling in their outputs, but distinct
        (np.zeros(3), 0.0, 4),  # one unit gone
    ):
        assert group.canonical([*unit, *second, 2.0, v2])[1] == size
    assert group.canonical(np.zeros(8))[1] == 1


def test_wide_layers_need_no_enumeration():
    net = ggn.MLP((3, 20, 12, 2))
    group = Symmetry(net)
    whole = math.factorial(20) * 2**20 * math.factorial(12) * 2**12
    assert group.order == whole
    rng = np.random.default_rng(0)
    assert group.canonical(rng.normal(size=net.n_weights))[1] == whole
    assert group.canonical(np.zeros(net.n_weights))[1] == 1
    Ws = [W.copy() for W in net.unpack(rng.normal(size=net.n_weights))]
    Ws[0][:, :5], Ws[1][:5] = 0.0, 0.0  # five units gone: 20!/5! places, 2^15 signs
    gone = math.factorial(5) * 2**5
    assert group.canonical(net.pack(Ws))[1] == whole // gone


@pytest.mark.parametrize("name", sorted(ggn.activations.BUILT_IN))
def test_odd_and_even_activations(name):
    assert {"identity", "tanh", "softsign", "arctan", "sine"} <= ODD
    assert "gaussian" in EVEN
    assert parity(ggn.activations.resolve(name)) == (name in EVEN) - (name in ODD)


def test_odd_and_even_functions_of_a_user():
    assert parity(ggn.Activation("sine", np.sin, np.cos)) == -1
    # odd, but for rounding
    assert parity(ggn.Activation("centred", lambda z: 1 / (1 + np.exp(-z)) - 0.5, np.cos)) == -1
    assert parity(ggn.Activation("shifted", lambda z: np.sin(z) + 1e-9, np.cos)) == 0
    assert parity(ggn.Activation("cosine", np.cos, lambda z: -np.sin(z))) == 1


def test_a_fixed_bias_leaves_no_flips():
    assert Symmetry(ggn.MLP((2, 3, 1))).order == 6 * 8
    assert Symmetry(ggn.MLP((2, 3, 1), fixed_bias=0.5)).order == 6


def test_a_penalty_that_tells_units_apart_leaves_no_permutations():
    net = ggn.MLP((1, 2, 1))  # (in, bias, in, bias, out, out, bias)
    w = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    swapped = [3.0, 4.0, 1.0, 2.0, 6.0, 5.0, 7.0]
    for l2, order in (
        ([0.1, 0.0, 0.1, 0.0, 0.2, 0.2, 0.0], 8),
        ([0.1, 0.0, 0.3, 0.0, 0.2, 0.2, 0.0], 4),
        ([0.1, 0.0, 0.1, 0.0, 0.2, 0.1, 0.0], 4),
    ):
        group = Symmetry(net, l2=l2)
        assert group.order == order
        assert group.same_orbit(w, swapped) == (order == 8)


def test_bad_input():
    group = Symmetry(ggn.MLP((1, 2, 1)))
    with pytest.raises(ValueError, match=r"w must have shape \(7,\)"):
        group.canonical([1.0, 2.0])
    with pytest.raises(ValueError, match=r"l2 must be a number or have shape \(7,\)"):
        Symmetry(ggn.MLP((1, 2, 1)), l2=[0.1, 0.2])


def test_many_units_in_a_chain_of_near_ones_are_refused():
    """Each within tol of the next, but not of all: every order would have to be tried."""
    net = ggn.MLP((1, 20, 1))
    W1 = np.full((2, 20), 0.5) + 0.6e-6 * np.arange(20)
    w = net.pack([W1, np.full((21, 1), 0.5)])
    with pytest.raises(ValueError, match=r"w must not have so many units .* got 20 in layer 1"):
        Symmetry(net).canonical(w)


def test_a_tolerance_may_be_any_number():
    group, w = Symmetry(ggn.MLP((1, 2, 1))), np.arange(1.0, 8.0)
    assert group.same_orbit(w, w, Decimal("1e-6"))


@pytest.mark.parametrize("tol", ["1", None, -1.0, np.nan, 1j, [1e-6]])
def test_how_near_is_a_number(tol):
    group = Symmetry(ggn.MLP((1, 2, 1)))
    for ask in (
        lambda: group.canonical(np.ones(7), tol),
        lambda: group.same_orbit(*2 * [np.ones(7)], tol),
    ):
        with pytest.raises(ValueError, match=r"^tol must be a number.*, got "):
            ask()

"""Principle 2, and what the principles are about: where it holds and where it fails."""

import dataclasses

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import case

import ggn
from ggn.surface import Outcome, check_principles, numerical_rank, ranks

HOLDS, FAILS, NUMERICALLY, NOT_APPLICABLE, UNKNOWN = (
    Outcome.HOLDS,
    Outcome.FAILS,
    Outcome.NUMERICALLY_FAILS,
    Outcome.NOT_APPLICABLE,
    Outcome.UNKNOWN,
)
ALL = ["1", "1.a", "2", "3", "4", "5", "5, corrected", "Curvature", "Flat units", "Features",
       "Sensitivities", "Prop. 5", "Prop. 2.2"]  # fmt: skip
X, Y = ggn.problems.xor()


def found(principle, *args, **options):
    """Return the finding of one principle."""
    (one,) = [f for f in check_principles(*args, **options) if f.principle == principle]
    return one


def test_all_are_checked_in_order():
    net = ggn.MLP((2, 3, 1))
    all_found = check_principles(net, net.initial_weights(rng=0), X, Y)
    assert [f.principle for f in all_found] == ALL
    for f in all_found:
        assert f.verdict.value in str(f)
        assert f.text in str(f)
        assert f.text.endswith(".")
        assert (f.design is None) == (f.principle in ALL[7:])
        assert f.design is None or f.design.value in str(f)


def test_they_print_as_a_table_with_a_note_on_what_is_amiss():
    net = ggn.MLP((2, 1, 2, 1), "bent_identity")
    found = check_principles(net, net.initial_weights(rng=0), X, Y)
    table, *notes = str(found).split("\n\n")
    rows = table.splitlines()
    assert rows[0].split() == ["by", "design", "here"]
    assert [row.removeprefix("Principle ").split("  ")[0] for row in rows[1:]] == ALL
    amiss = [f for f in found if {f.verdict, f.design} & {FAILS, NUMERICALLY, UNKNOWN}]
    assert [" ".join(note.split()) for note in notes] == [str(f) for f in amiss]
    assert [f.principle for f in amiss] == ["3", "5, corrected"]


# ------------------------------------------------------------------ Principle 2
def test_principle_2_counts_weights_and_targets(rng):
    net = ggn.MLP((2, 3, 2))  # 17 weights
    for T, verdict in ((8, HOLDS), (9, FAILS)):
        data = rng.normal(size=(T, 2)), rng.normal(size=(T, 2))
        one = found("2", net, np.zeros(17), *data)
        assert one.verdict is verdict
        assert one.numbers == {"weights": 17, "targets": 2 * T}


@given(st.lists(st.integers(1, 6), min_size=3, max_size=5), st.integers(2, 400), st.booleans())
def test_the_advice_of_principle_2_is_the_fewest_units_that_do(sizes, T, bias):
    """Add the units named, and Principle 2 holds; one less, and it does not."""
    net = ggn.MLP(sizes, bias=bias)
    data = np.arange(T)[:, None] * np.ones(sizes[0]), np.ones((T, sizes[-1]))
    one = found("2", net, np.zeros(net.n_weights), *data)
    if one.verdict is HOLDS:
        return
    more = int(one.advice.split(" more ")[0].split()[-1])
    for h, enough in ((more, True), (more - 1, False)):
        wider = [sizes[0], *(n + h for n in sizes[1:-1]), sizes[-1]]
        assert (ggn.MLP(wider, bias=bias).n_weights >= T * sizes[-1]) == enough


def test_samples_of_weight_zero_do_not_count(rng):
    net = ggn.MLP((1, 1, 1), bias=False)  # 2 weights
    data = rng.normal(size=(3, 1)), rng.normal(size=3)
    assert found("2", net, [1.0, 1.0], *data).verdict is FAILS
    kept = found("2", net, [1.0, 1.0], *data, sample_weight=[1.0, 0.0, 2.0])
    assert kept.verdict is HOLDS
    assert kept.numbers["targets"] == 2


# ------------------------------------------------------------------ Features
def test_features_holds_for_random_weights_and_distinct_inputs():
    net = ggn.MLP((2, 2, 1))
    one = found("Features", net, net.initial_weights(rng=0), X, Y)
    assert one.verdict is HOLDS
    assert one.numbers == {"samples": 4, "distinct": 4, "rank_0": 3, "rank_1": 3}
    wide = ggn.MLP((2, 9, 1))
    one = found("Features", wide, wide.initial_weights(rng=0), X, Y)
    assert (one.verdict, one.numbers["rank_1"]) == (HOLDS, 4)


def test_features_fails_for_equal_inputs_with_different_targets():
    net = ggn.MLP((2, 3, 1))
    w = net.initial_weights(rng=0)
    one = found("Features", net, w, np.vstack([X, X[:1]]), [0, 1, 1, 0, 1])
    assert one.verdict is FAILS
    assert "two targets" in one.text
    same = found("Features", net, w, np.vstack([X, X[:1]]), [0, 1, 1, 0, 0])
    assert same.verdict is HOLDS
    assert "Only 4 of 5" in same.text


def test_features_fails_for_equal_units_and_for_constant_ones():
    net = ggn.MLP((2, 2, 1))
    one = found("Features", net, np.zeros(9), X, Y)
    assert (one.verdict, one.numbers["rank_1"]) == (FAILS, 1)
    w = net.initial_weights(rng=0)
    net.unpack(w)[0][:, 1] = [0.0, 0.0, 300.0]
    lost = found("Features", net, w, X, Y)
    assert (lost.verdict, lost.numbers["rank_1"]) == (FAILS, 2)
    assert "saturated on all samples" in lost.text


def test_smooth_units_over_a_small_range_are_independent_in_exact_arithmetic_only():
    """Analytic functions of one input on [-1, 1]: singular values fall off without a gap."""
    net = ggn.MLP((1, 60, 1))
    inputs = np.linspace(-1.0, 1.0, 60)[:, None]
    for principle in ("Features", "Prop. 5", "Prop. 2.2"):
        one = found(principle, net, net.initial_weights(rng=0), inputs, inputs)
        assert one.verdict is NUMERICALLY
    spread = net.pack([np.vstack([np.full(60, 60.0), -60.0 * inputs.ravel()]), np.ones((61, 1))])
    for principle in ("Features", "Prop. 5", "Prop. 2.2"):
        assert found(principle, net, spread, inputs, inputs).verdict is HOLDS


# ------------------------------------------------------------------ Sensitivities
def test_sensitivities_fails_behind_a_bottleneck(rng):
    net = ggn.MLP((3, 4, 1, 2))
    data = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    one = found("Sensitivities", net, net.initial_weights(rng), *data)
    assert one.verdict is FAILS
    assert (one.numbers["rank_psi_1"], one.numbers["rank_psi_3"]) == (1, 2)
    assert "narrower" in one.text
    wide = ggn.MLP((3, 4, 2, 2))
    assert found("Sensitivities", wide, wide.initial_weights(rng), *data).verdict is HOLDS


def test_sensitivities_fails_for_weights_of_low_rank(rng):
    net = ggn.MLP((3, 4, 2))
    w = net.initial_weights(rng)
    net.unpack(w)[1][:, 1] = net.unpack(w)[1][:, 0]
    data = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    one = found("Sensitivities", net, w, *data)
    assert one.verdict is FAILS
    assert "W_2 has rank 1" in one.text


def test_sensitivities_fails_numerically_where_slopes_vanish(rng):
    """All but one hidden unit saturated, for two outputs."""
    net = ggn.MLP((1, 3, 2), "sigmoid")
    w = net.initial_weights(rng)
    net.unpack(w)[0][1, 1:] = 90.0
    one = found("Sensitivities", net, w, [[0.1], [0.2]], rng.normal(size=(2, 2)))
    assert one.verdict is NUMERICALLY
    assert one.numbers["rank_psi_1"] == 1


# ------------------------------------------------------------------ sufficient conditions
def test_prop_5_means_an_exact_fit_by_a_linear_solve(rng):
    """n1 + 1 = T: the output layer alone reaches J = 0, at the hidden weights given."""
    T = 7
    net, data = ggn.MLP((2, T - 1, 1)), rng.normal(size=(T, 2))
    w, y = net.initial_weights(rng), rng.normal(size=T)
    assert found("Prop. 5", net, w, data, y).verdict is HOLDS
    hidden = np.column_stack(
        [np.tanh(data @ net.unpack(w)[0][:2] + net.unpack(w)[0][2]), np.ones(T)]
    )
    net.unpack(w)[1][:, 0] = np.linalg.solve(hidden, y)
    assert ggn.linearize(net, w, data, y).loss < 1e-20
    less = ggn.MLP((2, T - 2, 1))
    one = found("Prop. 5", less, less.initial_weights(rng), data, y)
    assert one.verdict is NOT_APPLICABLE
    assert one.text == "6 inputs of the output layer, 7 samples."
    assert found("Prop. 5", net, np.zeros(net.n_weights), data, y).verdict is FAILS


def test_prop_5_needs_consistent_targets_in_the_range_of_the_output():
    net = ggn.MLP((2, 5, 1), "tanh", "sigmoid")
    w = net.initial_weights(rng=0)
    assert found("Prop. 5", net, w, X, [0.1, 0.5, 0.5, 0.9]).verdict is HOLDS
    assert "edge" in found("Prop. 5", net, w, X, Y).text
    assert "outside" in found("Prop. 5", net, w, X, 2.0 * Y - 0.5).text
    both = found("Prop. 5", ggn.MLP((2, 5, 1)), w, X[[0, 0, 1]], [0.0, 1.0, 2.0])
    assert both.verdict is FAILS
    assert "equal inputs" in both.text


@given(
    st.integers(0, 2**16), st.sampled_from([(2, 7, 1), (2, 9, 4, 4, 2), (8, 3, 1), (2, 3, 7, 2)])
)
def test_a_wide_pyramid_has_full_column_rank(seed, sizes):
    """Prop. 2, case 2: where the condition holds, P has rank T nL, by a plain SVD."""
    net = case(sizes, ("tanh",) * (len(sizes) - 2) + ("identity",), seed=seed)
    T = 6
    data = net.data(T)
    one = found("Prop. 2.2", net.net, net.w, *data)
    P = numerical_rank(reference.jacobian(net.spec, net.w, data[0]))
    assert one.verdict is HOLDS
    assert P.full_column


def test_what_a_wide_pyramid_lacks(rng):
    data = rng.normal(size=(6, 2)), rng.normal(size=(6, 3))
    narrow = ggn.MLP((2, 4, 3))
    one = found("Prop. 2.2", narrow, narrow.initial_weights(rng), *data)
    assert one.verdict is NOT_APPLICABLE
    growing = ggn.MLP((2, 8, 2, 3))
    one = found("Prop. 2.2", growing, growing.initial_weights(rng), *data)
    assert one.verdict is FAILS
    assert "grow" in one.text
    net = ggn.MLP((2, 8, 4, 3))
    w = net.initial_weights(rng)
    assert found("Prop. 2.2", net, w, *data).verdict is HOLDS
    net.unpack(w)[2][:, 1] = 0.0
    assert "not of full rank" in found("Prop. 2.2", net, w, *data).text
    assert "rank Φ_1 is 1" in found("Prop. 2.2", net, np.zeros(net.n_weights), *data).text


# ------------------------------------------------------------------ arguments
def test_a_report_at_hand_is_used(rng):
    """The ranks reported are believed, here a wrong one."""
    net = ggn.MLP((2, 3, 1))
    w = net.initial_weights(rng)
    report = ranks(net, w, X)
    assert check_principles(net, w, X, Y, report=report) == check_principles(net, w, X, Y)
    lower = dataclasses.replace(report.features[1], rank=1)
    false = dataclasses.replace(report, features=(report.features[0], lower))
    assert found("Features", net, w, X, Y, report=false).numbers["rank_1"] == 1
    with pytest.raises(ValueError, match="report must be on 3 samples, got one on 4"):
        check_principles(net, w, X[1:], Y[1:], report=report)


def test_an_estimated_rank_settles_nothing(rng):
    """A sketch of two columns has rank two, whatever the rank of what it stands for."""
    net = ggn.MLP((2, 3, 1))
    w = net.initial_weights(rng)
    report = ranks(net, w, X)
    below = [dataclasses.replace(one, rank=2, estimated=True) for one in report.features]
    report = dataclasses.replace(report, features=tuple(below))
    for principle in ("Features", "Prop. 5", "Prop. 2.2"):
        one = found(principle, net, w, X, Y, report=report)
        assert one.verdict is Outcome.UNKNOWN


def test_weights_that_overflow_are_refused():
    net = ggn.MLP((1, 1, 1), "exponential")
    with pytest.raises(ValueError, match="w must give a finite Jacobian"):
        check_principles(net, [800.0, 0.0, 1.0, 0.0], [[1.0], [2.0]], [0.0, 1.0])

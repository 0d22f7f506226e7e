"""The principles, Theorem 1 and Prop. 1 on random networks: no disagreement with their wording."""

from itertools import pairwise

import mpmath as mp
import numpy as np
import principles_census
import pytest
import reference
import reference_principles as plain

SHARES = 6
EACH = 50


@pytest.mark.parametrize("share", range(SHARES))
def test_a_sample_of_the_census(share):
    """`python tests/principles_census.py` takes 2400."""
    counts, wrong = principles_census.census(range(share * EACH, (share + 1) * EACH))
    assert wrong == []
    for statement in ("1", "1.a", "2", "3", "4", "5", "5, corrected", "Theorem 1", "Prop. 1"):
        assert counts[statement, plain.HOLDS] > 0
        if statement != "1":  # of these losses none has another zero that a sample would meet
            assert counts[statement, plain.FAILS] > 0
        assert counts[statement, "within the margin"] <= 0.1 * EACH


@pytest.mark.parametrize("name", sorted(set(plain.SIGMAS) & set(reference.ACTIVATIONS)))
def test_the_table_of_activations_at_high_precision(name):
    """σ' as 50 digits have it on a wide grid: 0 nowhere, 0 in float64 only, or 0."""
    grid = np.concatenate([-np.geomspace(1e-3, 1e4, 60), [0.0], np.geomspace(1e-3, 1e4, 60)])
    exact = [reference.activation_mp(name, z)[0][1] for z in grid]
    rounded = [float(slope) for slope in exact]
    zero = 0 in exact or min(exact) < 0 < max(exact)  # σ' is continuous
    expected = plain.FAILS if zero else plain.NUMERICALLY if 0.0 in rounded else plain.HOLDS
    assert plain.SIGMAS[name].design == expected


@pytest.mark.parametrize("name", [n for n, fact in plain.FACTS.items() if fact.inflection])
def test_the_table_of_losses_has_h_e_change_sign_where_it_says(name):
    fact = plain.FACTS[name]
    at = np.array([[fact.inflection]])
    near, far = (fact.hessian(at * t, 0.0 * at)[0, 0] for t in (1.0 - 1e-9, 1.0 + 1e-9))
    assert near * far < 0.0
    assert fact.principle_1a == plain.FAILS


def test_gradients_of_the_table_of_losses_vanish_at_the_least_value_only():
    """On a grid of r, with the digits that ρ of Blake-Zisserman takes far out."""
    s = {"cauchy": 2.0, "smooth_l0.5": 0.5, "blake_zisserman": 1.0}
    rho = {
        "cauchy": lambda r: s["cauchy"] ** 2 * mp.log1p((r / s["cauchy"]) ** 2),
        "smooth_l0.5": lambda r: (r * r + 0.25) ** mp.mpf("0.25") - mp.sqrt(0.5),
        "blake_zisserman": lambda r: (
            mp.log(mp.mpf("1.01")) - mp.log(mp.exp(-r * r) + mp.mpf("0.01"))
        ),
    }
    with mp.workdps(2000):
        for name, f in rho.items():
            values = [f(mp.mpf(float(r))) for r in np.linspace(0.0, 40.0, 81)]
            assert all(a < b for a, b in pairwise(values))  # ρ' > 0 for r > 0
            lost = plain.FACTS[name].gradient(np.array([[40.0]]), np.zeros((1, 1)))[0, 0] == 0.0
            assert plain.FACTS[name].principle_1 == (plain.NUMERICALLY if lost else plain.HOLDS)

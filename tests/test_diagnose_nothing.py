"""What `ggn.diagnose` says where J, penalty included, is next to nothing."""

import numpy as np
import pytest

import ggn
from ggn.fit.penalty import without_biases
from ggn.linearization import Objective
from ggn.sklearn import GGNRegressor
from ggn.surface import Verdict
from ggn.surface.fit import vanishes


@pytest.mark.parametrize("value", [3.7, 1e-9, 1e6, 0.0, -0.1])
@pytest.mark.parametrize("loss", ["squared", "cauchy", "smooth_lp"])
def test_a_constant_target_met_under_a_penalty_is_as_good_as_can_be(value, loss):
    """J is 1e-30 or less, all of it penalty; there is nothing to gain by training on."""
    X = np.random.default_rng(0).uniform(size=(60, 2))
    net, y = ggn.MLP((2, 5, 1)), np.full(60, value)
    l2 = without_biases(net, 1e-3)
    fit = ggn.train(net, X, y, loss, l2=l2)
    assert fit.success
    found = ggn.diagnose(fit, X, y)
    assert found.verdict is Verdict.GLOBAL_MINIMUM
    assert found.loss <= 1e-20 * max(value**2, 1e-300) or value == 0.0
    assert found.lower_bound == 0.0  # and no loss of residuals is below it
    # of the same fit with a target that is met less well, nothing of the kind is said
    y[7] += 1e-3 * (abs(value) or 1.0)
    assert ggn.diagnose(net, fit.w, X, y, loss, l2=l2).verdict is not Verdict.GLOBAL_MINIMUM


def test_an_estimator_of_a_constant_target():
    X = np.random.default_rng(0).uniform(size=(60, 2))
    for options in ({}, {"alpha": 1e-4}, {"alpha": 1e-4, "scale": None}, {"alpha": 0.0}):
        model = GGNRegressor((5,), random_state=0, **options).fit(X, np.full(60, -0.1))
        assert model.diagnosis_.verdict is Verdict.GLOBAL_MINIMUM
        assert "raining" not in str(model.diagnosis_.suggestion)


def test_a_misfit_is_not_hidden_by_an_output_in_large_units():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) * [1e10, 1e-3]
    net = ggn.MLP((2, 3, 2))
    # if only the second is off, by all of its deviation: next to nothing beside the first
    J = float(np.mean(Y[:, 1] ** 2))
    assert J < (1e-11 * Y[:, 0].std()) ** 2
    assert vanishes(Objective(net, X, Y, l2=1e-9), J) is None
    assert vanishes(Objective(net, X, Y, l2=1e-9), 1e-30) is not None

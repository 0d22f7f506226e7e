"""Penalties in units where they mean something else than was meant: told, once."""

import warnings

import numpy as np
import pytest

import ggn
from ggn.fit.units import ScalingWarning


@pytest.mark.parametrize("size", [1e-12, 1e-6])
def test_a_penalty_that_outweighs_tiny_targets_is_told(size):
    inputs = np.linspace(-1.0, 1.0, 40)
    targets, net = size * np.sin(3.0 * inputs), ggn.MLP((1, 5, 1))
    with pytest.warns(ScalingWarning, match="penalty l2 is in the units given"):
        fit = ggn.train(net, inputs[:, np.newaxis], targets, l2=1e-6, max_iter=20)
    assert fit.fun > 0.1 * np.var(targets)  # outweighed it is
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScalingWarning)
        ggn.train(net, inputs[:, np.newaxis], targets, l2=1e-6 * size**2, max_iter=20)


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")
@pytest.mark.parametrize("size", [1e-12, 1e9])
def test_one_prior_for_far_units_is_told(size):
    inputs = np.linspace(-1.0, 1.0, 40)
    targets = size * np.sin(3.0 * inputs)
    told = "The prior is one for all weights, and target 0"
    with pytest.warns(ScalingWarning, match=told) as log:
        ggn.train_bayesian(ggn.MLP((1, 5, 1)), inputs, targets, max_iter=5)
    assert log[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScalingWarning)
        ggn.train_bayesian(ggn.MLP((1, 5, 1)), inputs, targets, max_iter=5, n_estimators=2)

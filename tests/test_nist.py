"""Certified answers: the NIST StRD problems that are networks, from both starts, default settings.

LRE, the log relative error, is the number of correct digits of the worst
parameter; it is capped at 11, the digits that are certified.
"""

import functools

import numpy as np
import pytest
import reference
from nist import PROBLEMS

import ggn

RUNS = [(name, start) for name in PROBLEMS for start in (0, 1)]


@functools.cache
def fit(name, start):
    problem = PROBLEMS[name]
    X, Y = problem.data()
    return ggn.train(problem.network(), X, Y, w0=problem.weights(problem.starts[start]))


def digits(name, start):
    certified = PROBLEMS[name].weights(PROBLEMS[name].certified)
    error = np.abs(fit(name, start).w / certified - 1.0).max()
    return min(11.0, -np.log10(max(error, 1e-300)))


@pytest.mark.parametrize("name", PROBLEMS)
def test_data_and_model_belong_together(name):
    """The oracle finds the certified sum of squares at the certified parameters."""
    problem = PROBLEMS[name]
    X, Y = problem.data()
    functions = reference.ACTIVATIONS | {"rise": (lambda z: -np.expm1(-z), None, None)}
    hidden = problem.activation if isinstance(problem.activation, str) else "rise"
    layers = (functions[hidden], functions["identity"])
    spec = reference.Spec((1, problem.units, 1), layers, problem.bias)
    w = reference.pack(problem.matrices(problem.certified))
    F = reference.forward(spec, w, X)[0][-1]
    assert np.sum((F - Y) ** 2) == pytest.approx(problem.residual_sum_of_squares, rel=1e-7)


@pytest.mark.parametrize(("name", "start"), RUNS)
def test_certified_parameters(name, start, record_property):
    problem, found = PROBLEMS[name], fit(name, start)
    record_property("correct digits", digits(name, start))
    assert found.success
    assert digits(name, start) >= 8.0
    assert found.fun * len(problem.x) == pytest.approx(problem.residual_sum_of_squares, rel=1e-9)


def test_mean_of_correct_digits():
    assert np.mean([digits(*run) for run in RUNS]) >= 9.4

"""A run whose rule has nothing left to try ends, whatever rule it is."""

from dataclasses import dataclass

import numpy as np
import pytest

import ggn
from ggn import Status
from ggn.damping import Damping, Metric, Rule
from ggn.steps import Prepared, Step

X = np.linspace(-1.0, 1.0, 20)[:, np.newaxis]
NET = ggn.MLP((1, 3, 1))


class Nothing(Step):
    """No step is ever found."""

    def prepare(self, at, metric):
        return Empty(at)


class Empty(Prepared):
    def __init__(self, at):
        self.gradient = at.gradient

    def solve(self, mu):
        return None


class Uphill(Nothing):
    """Steps that only ever raise J, and are never small."""

    def prepare(self, at, metric):
        return Raising(at)


class Raising(Empty):
    def solve(self, mu):
        return -100.0 * self.gradient


@dataclass(frozen=True)
class Bounded(Damping):
    """Fourfold mu after a refusal, up to a thousand."""

    name = "bounded"

    def metric(self, objective):
        return Metric()

    def rule(self, objective):
        return UpTo()


class UpTo(Rule):
    mu = 0.1

    def reject(self, trial):
        self.mu = min(4.0 * self.mu, 1000.0)


RULES = [*sorted(ggn.damping.NAMES), Bounded()]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_without_a_step_a_run_ends(rule):
    fit = ggn.train(NET, X, np.sin(X), damping=rule, step=Nothing(), max_iter=50)
    assert fit.status is Status.SINGULAR
    assert fit.nit == 0


def test_a_rule_that_tries_the_same_again_ends():
    fit = ggn.train(NET, X, np.sin(X), damping=Bounded(), step=Uphill(), max_iter=50)
    assert fit.nit == 0
    assert fit.status is Status.STALLED
    assert not fit.success


def test_steps_that_alpha_makes_short_are_no_success():
    """They reduce J by less than tol, as predicted, when all of it is to be had."""
    net, damping = ggn.MLP((1, 1), bias=False), ggn.damping.Undamped(1e-10)
    fit = ggn.train(net, [1.0], [1.0], w0=[0.0], tol=1e-4, damping=damping)
    assert fit.status is Status.STALLED
    assert fit.fun > 0.99

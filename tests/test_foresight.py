"""Trials looked at ahead: fewer sums to wait for, and not a bit of the result is another."""

import numpy as np
import pytest

import ggn
from ggn.linearization.foreseen import several

RNG = np.random.default_rng(7)
X = RNG.normal(size=(600, 2))
Y = np.sin(3.0 * X[:, 0]) * X[:, 1]


class Far(ggn.Chunks):
    """Chunks whose sums are said to take long."""

    def __init__(self, seconds):
        super().__init__([(X[:250], Y[:250]), (X[250:], Y[250:])])
        self.seconds, self.asked = seconds, []

    def latency(self):
        return self.seconds

    def reduce(self, combine, function, *args):
        self.asked.append(args[1] if len(args) > 1 else function)
        return super().reduce(combine, function, *args)


NETS = {
    "accelerated, refit": (ggn.MLP((2, 8, 1)), "levenberg_marquardt"),
    "not refit": (ggn.MLP((2, 8, 1)), ggn.damping.LevenbergMarquardt(refits=False)),
    "neither": (
        ggn.MLP((2, 8, 1)), ggn.damping.LevenbergMarquardt(refits=False, acceleration=0.0)),
    "outputs with an activation": (
        ggn.MLP((2, 6, 1), output_activation="tanh"), "levenberg_marquardt"),
}  # fmt: skip


def trained(seconds, net, damping, **options):
    data = Far(seconds)
    options = {"max_iter": 25, "tol": 0.0, "step": "primal", "rng": 3, **options}
    return ggn.train(net, data, damping=damping, **options), data.asked


@pytest.mark.parametrize("kind", NETS)
def test_no_bit_is_another(kind):
    net, damping = NETS[kind]
    (one, each), (ahead, together) = (trained(s, net, damping) for s in (0.0, 60.0))
    assert one.w.tobytes() == ahead.w.tobytes()
    assert one.history.loss.tobytes() == ahead.history.loss.tobytes()
    assert one.history.damping[1:].tobytes() == ahead.history.damping[1:].tobytes()
    assert (one.nfev, one.njev, one.status) == (ahead.nfev, ahead.njev, ahead.status)
    assert several in together
    assert several not in each
    refused = one.history.damping[2:] > one.history.damping[1:-1]
    assert refused.any()  # or there was nothing to look ahead to
    assert len(together) < len(each)


def test_what_no_rule_foretells_is_not_looked_at():
    _, asked = trained(60.0, ggn.MLP((2, 8, 1)), ggn.damping.Undamped(), max_iter=2)
    assert several not in asked


def test_it_is_left_where_a_sum_is_quickly_asked_for():
    _, asked = trained(1e-9, ggn.MLP((2, 8, 1)), "levenberg_marquardt", max_iter=2)
    assert several not in asked


def test_a_rule_that_foretells_wrongly_changes_nothing(monkeypatch):
    net = ggn.MLP((2, 8, 1))
    right, _ = trained(0.0, net, "levenberg_marquardt")
    monkeypatch.setattr(ggn.damping.Nielsen, "ahead", lambda self, trials: (7.0 * self.mu,))
    wrong, asked = trained(60.0, net, "levenberg_marquardt")
    assert several in asked
    assert right.w.tobytes() == wrong.w.tobytes()


def test_nielsen_foretells_what_it_does():
    objective = ggn.linearization.Objective(NETS["neither"][0], X, Y)
    rule = ggn.damping.LevenbergMarquardt().rule(objective)
    for _ in range(3):
        told, seen = rule.ahead(4), []
        twin = ggn.damping.LevenbergMarquardt().rule(objective)
        twin.mu, twin.increase = rule.mu, rule.increase
        for _ in range(4):
            twin.reject(None)
            seen.append(twin.mu)
        assert list(told) == seen
        rule.reject(None)

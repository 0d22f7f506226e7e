"""Training where numbers overflow: a Status, the best finite weights, and an end to it."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import losses

import ggn
from ggn import Status
from ggn.damping import LevenbergMarquardt, Nielsen, Trial, Undamped
from ggn.linearization import Objective

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (6, 2))
Y = np.sin(3 * X[:, :1]) + X[:, 1:]
STEPS = ["primal", "dual", "minimum_norm", "conjugate_gradient", "gradient", "auto"]


class Watched(LevenbergMarquardt):
    """Levenberg-Marquardt, except that trying for ever at one point is a failure, not a hang."""

    def rule(self, objective):
        return _Watched(self, objective)


class _Watched(Nielsen):
    trials = 0

    def accept(self, trial):
        super().accept(trial)
        self.trials = 0

    def reject(self, trial):
        super().reject(trial)
        self.trials += 1
        assert self.trials < 200, "no step is good enough, and none the last"


@given(
    st.sampled_from(["exponential", "softplus", "tanh", "bent_identity"]),
    st.sampled_from(["identity", "exponential"]),
    st.sampled_from([1.0, 30.0, 1000.0]),
    st.sampled_from(STEPS),
    st.sampled_from(
        [
            Watched(),
            Watched(acceleration=0.0),
            Watched(initial=1e-9),
            Undamped(),
            Undamped(0.5),
        ]
    ),
    losses(),
    st.integers(0, 10**6),
)
def test_never_worse_and_always_finite(hidden, output, size, step, damping, loss, seed):
    """Weights that overflow exponentials, losses that stay bounded where outputs do not."""
    net = ggn.MLP((2, 3, 1), hidden, output)
    w0 = size * net.initial_weights(seed)
    spec = reference.named_spec((2, 3, 1), (hidden, output))
    with np.errstate(all="ignore"):
        before = reference.objective(spec, w0, X, Y, loss[1])
    r = ggn.train(
        net, X, Y, loss[0], w0=w0, step=step, damping=damping, max_iter=25
    )  # fmt: skip
    assert isinstance(r.status, Status)
    assert np.isfinite(r.w).all()
    if np.isfinite(before):
        assert r.fun <= before * (1 + 1e-12)
    else:
        assert r.status is Status.BAD_START or r.fun <= np.finfo(float).max


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("damping", [Undamped(), Watched()], ids=["undamped", "damped"])
@pytest.mark.parametrize(
    ("loss", "output", "w0"),
    [
        ("blake_zisserman", "identity", [1000.0, 1.0]),
        ("blake_zisserman", "identity", [500.0, 1.0]),
        ("blake_zisserman", "identity", [300.0, 1.0]),
        ("cauchy", "identity", [500.0, 1e-100]),
        ("squared", "exponential", [100.0, 1e-200]),
        ("squared", "exponential", [354.0, 1e-200]),
    ],
)
def test_overflow_beside_a_finite_loss_is_a_status(step, damping, loss, output, w0):
    """J is finite; P, G or the step is not.  No exception, no endless trying, finite weights."""
    net = ggn.MLP((1, 1, 1), "exponential", output, bias=False)
    options = {"w0": w0, "step": step, "damping": damping, "max_iter": 30}
    r = ggn.train(net, [1.0, -0.5], [0.0, 1.0], loss, **options)
    assert isinstance(r.status, Status)
    assert np.isfinite(r.w).all()
    assert r.fun <= r.history.loss[0]


@pytest.mark.parametrize("ratio", [1e3, 1e102, 1e103, 1e200, 1e300])
def test_any_gain_can_be_judged(ratio):
    """Far more gained than the model promised: taken, whatever powers the update forms."""
    rule = LevenbergMarquardt().rule(Objective(ggn.MLP((2, 4, 1)), np.ones((1, 2)), [1.0]))
    before, w = rule.mu, np.zeros(17)
    for actual, taken in ((ratio, True), (-ratio, False), (np.nan, False)):
        assert rule.judge(Trial(w, w, 1.0, rule.mu, actual, 1.0)) is taken
    rule.accept(Trial(w, w, 1.0, rule.mu, ratio, 1.0))
    assert 0.0 < rule.mu <= before


def test_never_worse_where_rounding_of_outputs_exceeds_the_loss():
    """eps x output is far above the robust loss, so that hardly a change of it can be trusted."""
    for x in (1e8, 1e16, 1e20, 1e150):
        r = ggn.train(
            ggn.MLP((1, 1), bias=False), [x], [1.0], "cauchy", w0=[1.0], step="gradient"
        )  # fmt: skip
        assert r.fun <= r.history.loss[0]


def test_undamped_divergence_returns_the_best():
    net = ggn.MLP((1, 1, 1))
    x = np.linspace(-3, 3, 20)
    for seed in range(20):
        r = ggn.train(net, x, np.sin(5 * x), rng=seed, damping="undamped", max_iter=40)
        assert r.fun == r.history.loss[np.isfinite(r.history.loss)].min()
        assert np.isfinite(r.w).all()

"""The curvature of the loss in P H_E Pᵀ: H_E itself, or its majoriser (eq. 37, 38)."""

from __future__ import annotations

import numpy as np
import pytest
import reference
from scipy.linalg import block_diag
from scipy.special import expit, softmax

import ggn
from ggn import Status, losses
from ggn.damping import LevenbergMarquardt, Nielsen, Undamped

ORACLES = reference.LOSSES
T = 40
RESIDUAL = {
    "squared": (losses.Squared(), ORACLES["squared"]()),
    "l2": (losses.SmoothLp(2.0), ORACLES["smooth_lp"](2.0, 0.1)),
    "l1.5": (losses.SmoothLp(1.5, 0.5), ORACLES["smooth_lp"](1.5, 0.5)),
    "l1": (losses.SmoothLp(1.0, 0.5), ORACLES["smooth_lp"](1.0, 0.5)),
    "l0.5": (losses.SmoothLp(0.5, 3.0), ORACLES["smooth_lp"](0.5, 3.0)),
    "cauchy": (losses.Cauchy(5.0), ORACLES["cauchy"](5.0)),
    "blake_zisserman": (
        losses.BlakeZisserman(6.0, 0.1),
        ORACLES["blake_zisserman"](scale=6.0, epsilon=0.1),
    ),
}


class Logistic:
    def gradient(self, F, Y):
        return expit(F) - Y

    def hessian(self, F, Y):
        return expit(F) * (1.0 - expit(F))


class Softmax:
    def gradient(self, F, Y):
        return softmax(F, axis=1) - Y

    def hessian(self, F, Y):
        return [np.diag(p) - np.outer(p, p) for p in softmax(F, axis=1)]


ALL = RESIDUAL | {
    "logistic": (losses.Logistic(), Logistic()),
    "softmax_cross_entropy": (losses.SoftmaxCrossEntropy(), Softmax()),
}


def problem(kind, seed, spread=1.0):
    """Return network, w, X, Y, and of eq. 38 the matrix P H_E Pᵀ, P ε and the blocks H_E."""
    rng = np.random.default_rng(seed)
    # through tanh, logits cannot all rise together, where softmax is flat
    names = ("tanh", "tanh" if "softmax" in kind else "identity")
    spec = reference.named_spec((2, 3, 2), names)
    X, w = rng.normal(size=(T, 2)), rng.normal(size=reference.n_weights(spec))
    Y = spread * rng.normal(size=(T, 2))
    if kind in ("logistic", "softmax_cross_entropy"):
        Y = np.eye(2)[rng.integers(2, size=T)]
    F = reference.forward(spec, w, X)[0][-1]
    H = [np.diag(h) if np.ndim(h) == 1 else h for h in ALL[kind][1].hessian(F, Y)]
    P = reference.jacobian(spec, w, X)
    G = P @ block_diag(*H) @ P.T / T
    g = P @ np.ravel(ALL[kind][1].gradient(F, Y)) / T
    net = ggn.MLP((2, 3, 2), *names)
    return net, w, X, Y, G, g, H


def problems(kind, suits, spread=1.0, count=10):
    """Yield problems whose H_E suits; the matrix is regular enough to tell ten digits."""
    found = 0
    for seed in range(400):
        p = problem(kind, seed, spread)
        if suits(np.concatenate([np.linalg.eigvalsh(h) for h in p[-1]])):
            if np.linalg.cond(p[4]) < 1e5:
                found += 1
                yield p
            if found == count:
                return
    raise AssertionError(f"only {found} problems for {kind}")


def first_step(net, X, Y, loss, w, **options):
    """Return w - w_1, which need not be better than w."""
    seen = []
    ggn.train(
        net, X, Y, loss, w0=w, max_iter=1, callback=lambda w: seen.append(w.copy()), **options
    )
    return w - seen[0]


@pytest.mark.parametrize("kind", ALL)
def test_undamped_steps_solve_eq_38(kind):
    """Where H_E is definite (softmax: semi-definite), for every loss, to 1e-10."""
    least = -1e-12 if kind == "softmax_cross_entropy" else 1e-6
    for net, w, X, Y, G, g, _ in problems(kind, lambda h: h.min() > least):
        xi = np.linalg.solve(G, g)
        for step in ("primal", "minimum_norm"):
            if step == "minimum_norm" and not ALL[kind][0].convex:
                continue
            damping = Undamped(0.5, curvature="hessian")
            d = first_step(net, X, Y, ALL[kind][0], w, step=step, damping=damping) / 0.5
            assert np.linalg.norm(d - xi) < 1e-10 * np.linalg.norm(xi)


@pytest.mark.parametrize("kind", ["l0.5", "cauchy", "blake_zisserman"])
def test_undamped_steps_solve_eq_38_where_the_matrix_is_indefinite(kind):
    indefinite = 0
    for net, w, X, Y, G, g, _ in problems(kind, lambda h: h.min() < 0.0, spread=9.0):
        indefinite += np.linalg.eigvalsh(G)[0] < 0.0
        xi = np.linalg.solve(G, g)
        d = first_step(net, X, Y, ALL[kind][0], w, damping="undamped", curvature="hessian")
        assert np.linalg.norm(d - xi) < 1e-10 * np.linalg.norm(xi)
    assert indefinite >= 5


def test_an_indefinite_matrix_without_inverse_ends_the_run():
    """A weight that nothing depends on: eq. 38 has no unique solution."""
    net = ggn.MLP((2, 1), bias=False)
    X, Y = [[1.0, 0.0], [2.0, 0.0]], [3.0, 9.0]
    options = {"w0": [0.0, 0.0], "damping": "undamped", "curvature": "hessian"}
    assert ggn.train(net, X, Y, "cauchy", **options).status is Status.SINGULAR


class Watched(LevenbergMarquardt):
    """Notes every trial, and how often there was none."""

    def rule(self, objective):
        self.made.append(_Watched(self, objective))
        return self.made[-1]


class _Watched(Nielsen):
    def __init__(self, damping, objective):
        super().__init__(damping, objective)
        self.trials, self.none = [], 0

    def judge(self, trial):
        self.trials.append(trial)
        return super().judge(trial)

    def reject(self, trial):
        self.none += trial is None
        super().reject(trial)


@pytest.mark.parametrize("kind", ["l0.5", "cauchy", "blake_zisserman"])
def test_damped_steps_with_an_indefinite_hessian_lead_down(kind):
    """No factor, no step: mu rises until there is one, and then -d is a direction of descent."""
    none = 0
    for net, w, X, Y, *_ in problems(kind, lambda h: h.min() < 0.0, spread=9.0, count=5):
        damping = Watched(acceleration=0.0)
        object.__setattr__(damping, "made", [])
        fit = ggn.train(
            net, X, Y, ALL[kind][0], w0=w, damping=damping, curvature="hessian", max_iter=60
        )
        (rule,) = damping.made
        none += rule.none
        assert rule.trials
        assert all(trial.predicted > 0.0 for trial in rule.trials)
        assert (np.diff(fit.history.loss) <= 1e-15).all()
        first = rule.trials[0]
        assert ggn.linearize(net, w, X, Y, ALL[kind][0]).gradient @ first.d > 0.0
    assert none > 0


def test_where_each_choice_leads():
    for curvature, expected in (("hessian", -0.24), ("majoriser", 0.4), ("auto", 0.4)):
        loss = losses.Cauchy().with_curvature(curvature)
        assert loss.hessian(np.array([[2.0]]), np.zeros((1, 1)), psd=True) == pytest.approx(
            expected
        )
        assert loss.semidefinite is (curvature != "hessian")
    l1 = losses.SmoothLp(1.0, 1.0)
    r, zero = np.array([[0.5], [1e3], [1e12]]), np.zeros((3, 1))
    for curvature in ("hessian", "auto"):
        H = l1.with_curvature(curvature).hessian(r, zero, psd=True)
        np.testing.assert_allclose(H[:2, 0], (1.0 + r[:2, 0] ** 2) ** -1.5, rtol=1e-13)
        # beyond 1/sqrt(eps) scales, eps times the majoriser: S⁺∇_E stays finite
        assert H[2, 0] == pytest.approx(2.0**-52 / 1e12)
        assert l1.with_curvature(curvature).reachable
    assert l1.with_curvature("majoriser") is l1
    assert not losses.Cauchy().with_curvature("hessian").reachable


def test_a_loss_of_your_own():
    """Its psd_hessian is what it was given for; "hessian" takes the other."""
    own = ggn.Loss(
        "own", lambda F, Y: (F**4).sum(1), lambda F, Y: 4 * F**3, lambda F, Y: 12 * F**2,
        lambda F, Y: 4 * F**2,
    )  # fmt: skip
    own.convex = True
    F = np.array([[1.0]])
    for curvature, expected in (("auto", 4.0), ("majoriser", 4.0), ("hessian", 12.0)):
        assert own.with_curvature(curvature).hessian(F, F, psd=True) == expected


@pytest.mark.parametrize("step", ["dual", "minimum_norm", "conjugate_gradient", "diagonal"])
def test_steps_that_need_a_root_are_refused(step):
    with pytest.raises(ValueError, match=r"^step must take an indefinite matrix .* got [A-Z]"):
        ggn.train(ggn.MLP((1, 1)), [[1.0]], [1.0], "cauchy", step=step, curvature="hessian")
    for curvature in ("majoriser", "auto"):
        options = {"step": step, "curvature": curvature, "max_iter": 1}
        assert ggn.train(ggn.MLP((1, 1)), [[1.0]], [1.0], "cauchy", **options).nit <= 1


@pytest.mark.parametrize(("sizes", "samples"), [((2, 3, 1), 50), ((2, 200, 1), 10)])
def test_auto_takes_a_step_that_can(sizes, samples):
    X = np.random.default_rng(0).normal(size=(samples, 2))
    fit = ggn.train(ggn.MLP(sizes), X, 5.0 * X[:, :1], "cauchy", curvature="hessian", max_iter=3)
    assert isinstance(fit.step, ggn.steps.Primal)


def test_step_sizes_above_one():
    """The paper asks for alpha > 0; on a linear net, over-relaxation by 1.5 halves the distance."""
    x = np.linspace(-1.0, 1.0, 9)[:, np.newaxis]
    fit = ggn.train(
        ggn.MLP((1, 1)), x, 2.0 * x, w0=[0.0, 0.0], damping=Undamped(1.5), max_iter=4, tol=0.0
    )
    np.testing.assert_allclose(
        fit.history.loss, fit.history.loss[0] * 0.25 ** np.arange(5), rtol=1e-9
    )

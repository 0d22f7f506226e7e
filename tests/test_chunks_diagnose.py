"""The diagnosis of samples in chunks against that of the same samples in memory."""

import numpy as np
import pytest

import ggn
from ggn.surface import Advice, EvidenceKind, Verdict
from ggn.surface.change import Changes, fall_of_sums


def noisy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    return X, np.sin(X[:, 0]) + 0.3 * X[:, 1] ** 2 + 0.1 * rng.normal(size=400)


def both(net, w, X, Y, **options):
    """Return the diagnosis in chunks, and that in memory."""
    chunks = ggn.Chunks.of_arrays(X, Y, rows=90)
    return ggn.diagnose(net, w, chunks, **options), ggn.diagnose(net, w, X, Y, **options)


@pytest.mark.parametrize(
    ("max_iter", "l2", "verdict"),
    [
        (3, 1e-3, Verdict.NOT_STATIONARY),
        (300, 1e-3, Verdict.LOCAL_MINIMUM),
        (300, 0.0, Verdict.INCONCLUSIVE),
    ],
)
def test_verdicts_are_those_in_memory(max_iter, l2, verdict):
    X, Y = noisy()
    net = ggn.MLP((2, 4, 1))
    w = ggn.train(net, X, Y, l2=l2, max_iter=max_iter).w
    a, b = both(net, w, X, Y, l2=l2)
    assert a.verdict is b.verdict is verdict
    assert a.loss == pytest.approx(b.loss, rel=1e-13)
    assert a.relative_gradient == pytest.approx(b.relative_gradient, rel=1e-6, abs=1e-12)
    np.testing.assert_allclose(a.scale, b.scale, rtol=1e-12)
    largest = b.spectrum.eigenvalues[-1]
    values = a.spectrum.eigenvalues, b.spectrum.eigenvalues
    np.testing.assert_allclose(*values, rtol=0.0, atol=1e-11 * largest)
    kinds = {found.kind for found in a.evidence}
    assert {EvidenceKind.SUMS_ONLY, EvidenceKind.NORMAL_INERTIA} <= kinds


def waves(rows=900):
    rng = np.random.default_rng(2)
    X = rng.uniform(-2.0, 2.0, (rows, 2))
    return X, np.sin(X[:, 0]) * X[:, 1] + 5.0


CAUCHY = {"loss": ggn.losses.Cauchy(0.3)}


@pytest.mark.parametrize(
    ("net", "data", "options", "weighted"),
    [
        (ggn.MLP((2, 6, 1)), waves, {}, False),
        (ggn.MLP((2, 4, 1)), noisy, {"l2": 1e-3}, False),
        (ggn.MLP((2, 4, 1)), noisy, CAUCHY, False),
        (ggn.MLP((2, 4, 1)), noisy, {}, True),
        (ggn.MLP((2, 3, 1), "relu"), noisy, {}, False),
    ],
    ids=["plain", "penalty", "robust", "weights", "kinks"],
)
def test_a_gradient_is_judged_as_in_memory_all_along_a_run(net, data, options, weighted):
    X, Y = data()
    s = np.arange(len(X)) % 3.0 if weighted else None
    chunks = ggn.Chunks.of_arrays(X, Y, s, rows=350)
    path = []
    ggn.train(
        net, X, Y, max_iter=60, sample_weight=s, **options,
        callback=lambda intermediate_result: path.append(intermediate_result.w.copy()),
    )  # fmt: skip
    for w in path[1::15]:
        a = ggn.diagnose(net, w, chunks, **options)
        b = ggn.diagnose(net, w, X, Y, sample_weight=s, **options)
        assert a.verdict is b.verdict
        if a.verdict is Verdict.NOT_STATIONARY:
            assert a.suggestion.advice == (Advice.TRAIN_ON,)
            falls = [float(d.evidence[0].fields["fall"]) for d in (a, b)]
            assert falls[0] == pytest.approx(falls[1], rel=1e-2)


def test_a_fall_by_sums_is_that_in_memory():
    X, Y = waves()
    Y = np.column_stack([Y, 1e-3 * X[:, 0] ** 2])
    net, rng = ggn.MLP((2, 3, 2)), np.random.default_rng(0)
    for l2 in (0.0, 1e-2):
        at = ggn.linearize(net, rng.normal(size=net.n_weights), X, Y, l2=l2)
        summed = ggn.linearize(net, at.w, ggn.Chunks.of_arrays(X, Y, rows=350), l2=l2)
        for size in (1.0, 1e-6, 1e3):
            d = size * at.gradient
            whole = Changes(at.objective, at.w).fall(d)
            assert fall_of_sums(summed.objective, at.w, d) == pytest.approx(whole, rel=1e-9)
            assert fall_of_sums(summed.objective, at.w, -d) == 0.0


def test_a_saddle_has_its_descent():
    x = np.linspace(-1.0, 1.0, 30)
    net, w = ggn.MLP((1, 2, 1)), np.zeros(7)
    w[-1] = np.mean(np.sin(2.0 * x))
    a, b = both(net, w, x, np.sin(2.0 * x))
    assert a.verdict is b.verdict is Verdict.SADDLE
    t, J = a.descent_path[-1]
    at = ggn.linearize(net, w + t * a.descent, x, np.sin(2.0 * x))
    assert at.loss == pytest.approx(J, rel=1e-12)
    assert a.loss - J > 0.1


def test_what_was_not_looked_at_is_said():
    X, Y = noisy()
    chunks = ggn.Chunks.of_arrays(X, Y, rows=90)
    fit = ggn.train(ggn.MLP((2, 4, 1)), chunks, max_iter=3)
    found = ggn.diagnose(fit, chunks)
    assert found.verdict is Verdict.NOT_STATIONARY
    assert "ranks of P were not looked at" in " ".join(str(found).split())
    assert found.saturation is None
    assert found.lower_bound == -np.inf
    assert found.status is ggn.Status.MAX_ITER
    for look in (found.ranks, found.principles):
        with pytest.raises(ValueError, match="samples must be in memory"):
            look()


def test_networks_without_a_hessian_or_with_too_many_weights():
    X, Y = noisy()
    chunks = ggn.Chunks.of_arrays(X, Y, rows=200)
    bent = ggn.Activation("bent", np.tanh, lambda z: 1.0 / np.cosh(z) ** 2)
    found = ggn.diagnose(ggn.MLP((2, 3, 1), activation=bent), np.zeros(13), chunks)
    assert found.spectrum is None
    assert found.verdict is Verdict.NOT_STATIONARY
    net = ggn.MLP((2, 4, 1))
    w = ggn.train(net, X, Y, l2=1e-3, max_iter=300).w
    found = ggn.diagnose(net, w, chunks, l2=1e-3, max_memory=1e3)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert EvidenceKind.TOO_MANY_WEIGHTS in {e.kind for e in found.evidence}


def test_a_loss_that_is_not_finite_is_refused():
    chunks = ggn.Chunks([(np.ones((2, 1)), np.ones(2))])
    with pytest.raises(ValueError, match="w must have a finite loss"):
        ggn.diagnose(ggn.MLP((1, 1)), [1e200, 0.0], chunks)


@pytest.mark.parametrize("seed", [0, 2])
def test_an_equal_shift_of_outputs_is_known_without_the_samples(seed):
    """Of three classes whose biases nothing penalises J is constant along it."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, (90, 2))
    Y = np.eye(3)[np.where(X[:, 0] > 0.5, 0, np.where(X[:, 1] > 0.0, 1, 2))]
    net, loss = ggn.MLP((2, 4, 3)), "softmax_cross_entropy"
    l2 = net.pack([np.vstack([np.full_like(W[:-1], 1e-3), 0.0 * W[-1:]])
                   for W in net.unpack(np.zeros(net.n_weights))])  # fmt: skip
    w = ggn.train(net, X, Y, loss, l2=l2, rng=seed, tol=0.0).w
    found = both(net, w, X, Y, loss=loss, l2=l2)
    assert [d.verdict for d in found] == [Verdict.LOCAL_MINIMUM] * 2
    assert all(d.evidence[0].kind is EvidenceKind.POSITIVE_BUT_FLAT for d in found)

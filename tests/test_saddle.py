"""Leaving saddles in training: where there is one, where there is none, and what is reported."""

import numpy as np
import pytest

import ggn
from ggn import Status
from ggn.damping import LevenbergMarquardt
from ggn.fit import saddle
from ggn.fit.result import Escape

RNG = np.random.default_rng(3)
X4 = RNG.normal(size=(50, 4))
Y3 = X4 @ RNG.normal(size=(4, 3)) + 0.1 * RNG.normal(size=(50, 3))
SIGMA = np.linalg.svd(Y3.T @ X4 / 50, compute_uv=False)


def linear_net(hidden):
    """y = W2' W1' x: every local minimum is global, W = 0 is a strict saddle."""
    return ggn.MLP((4, hidden, 3), "identity", bias=False)


def reduced_rank_loss(rank):
    """Least mean |B x - y|² over B of this rank (Reinsel & Velu 1998), exactly fitted inputs."""
    fitted = X4 @ np.linalg.lstsq(X4, Y3, rcond=None)[0]
    lost = np.linalg.svd(fitted, compute_uv=False)[rank:]
    return (np.sum((Y3 - fitted) ** 2) + np.sum(lost**2)) / 50


def from_zero(net, X, Y, **options):
    return ggn.train(net, X, Y, w0=np.zeros(net.n_weights), **options)


def wave(T=60):
    x = np.linspace(-1.0, 1.0, T)[:, np.newaxis]
    return x, np.sin(5.0 * x) + x**2


# ------------------------------------------------------------- strict saddles are left


@pytest.mark.parametrize("hidden", [1, 2, 3, 5])
def test_linear_network_from_zero_to_the_global_minimum(hidden):
    net = linear_net(hidden)
    stuck = from_zero(net, X4, Y3)
    assert (stuck.status, stuck.nit, stuck.escapes) == (Status.GRADIENT, 0, [])
    r = from_zero(net, X4, Y3, escape_saddles=True)
    assert r.success
    assert r.fun == pytest.approx(reduced_rank_loss(min(hidden, 3)), rel=1e-9)
    first = r.escapes[0]
    assert isinstance(first, Escape)
    assert (first.nit, first.loss) == (0, stuck.fun)
    assert first.eigenvalue == pytest.approx(-2.0 * SIGMA[0], rel=1e-12)
    assert r.history.loss[1] == first.loss_after < first.loss


@pytest.mark.parametrize("step", ["primal", "dual", "minimum_norm", "conjugate_gradient"])
def test_any_step(step):
    r = from_zero(linear_net(3), X4, Y3, escape_saddles=True, step=step)
    assert r.fun == pytest.approx(reduced_rank_loss(3), rel=1e-9)


def test_by_lanczos(monkeypatch):
    monkeypatch.setattr("ggn.linearization.spectrum.DENSE_NEGATIVE", 0)
    net = ggn.MLP((4, 10, 3), "identity", bias=False)
    r = from_zero(net, X4, Y3, escape_saddles=True)
    assert r.fun == pytest.approx(reduced_rank_loss(3), rel=1e-9)
    assert r.escapes[0].eigenvalue == pytest.approx(-2.0 * SIGMA[0], rel=1e-6)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_the_penalty_decides_whether_zero_is_a_saddle(factor):
    """The lowest eigenvalue at W = 0 is 2 (l2 - sigma_1)."""
    r = from_zero(linear_net(2), X4, Y3, escape_saddles=True, l2=factor * SIGMA[0])
    if factor > 1.0:
        assert (r.nit, r.escapes) == (0, [])
    else:
        assert r.escapes[0].eigenvalue == pytest.approx(-0.2 * SIGMA[0], rel=1e-10)
        assert r.fun < r.escapes[0].loss


def test_xor_from_zero():
    """Sigmoids reach an exact fit; without leaving, the run ends at J = 1/4.

    To a tol of 1e-6: any closer, rounding may tell the two units apart, and leave by itself.
    """
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 2, 1), "sigmoid")
    assert from_zero(net, X, Y, tol=1e-6).fun == pytest.approx(0.25, rel=1e-9)
    assert from_zero(net, X, Y, escape_saddles=True).fun < 1e-20
    assert len(from_zero(net, X, Y, tol=1e-6, escape_saddles=True).escapes) >= 1


def test_all_units_are_set_free_at_once():
    """At W = 0 all hidden units are alike; along one eigenvector most would stay so."""
    x, y = wave()
    net = ggn.MLP((1, 6, 1))
    r = from_zero(net, x, y, escape_saddles=True, max_iter=100)
    inner, outer = net.unpack(r.w)
    assert len(r.escapes) == 1
    assert (np.abs(inner[0]) > 1e-3).all()
    assert (np.abs(outer[:-1]) > 1e-3).all()
    assert r.fun < 0.01 * from_zero(net, x, y).fun


def scalar_loss(value, first, second):
    """A loss of one output alone, for J(w) as one likes it."""
    return ggn.Loss(
        "scalar",
        lambda F, Y: value(F[:, 0]),
        lambda F, Y: first(F),
        lambda F, Y: second(F),
        lambda F, Y: np.ones_like(F),
    )


ONE = ggn.MLP((1, 1), bias=False)


def test_the_step_is_no_longer_than_the_weights():
    """J = 1 / (1 + w²) falls for ever; the step off w = 0 goes to |w| <= 1."""
    hill = scalar_loss(
        lambda F: 1.0 / (1.0 + F**2),
        lambda F: -2.0 * F / (1.0 + F**2) ** 2,
        lambda F: (6.0 * F**2 - 2.0) / (1.0 + F**2) ** 3,
    )
    r = from_zero(ONE, [[1.0]], [[0.0]], loss=hill, escape_saddles=True, max_iter=1)
    assert r.escapes[0].eigenvalue == pytest.approx(-2.0, rel=1e-12)
    assert 0.25 < abs(r.w[0]) <= 1.0


@pytest.mark.parametrize("seed", range(8))
def test_the_better_of_both_ways(seed):
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 2, 1), "sigmoid")
    plain = from_zero(net, X, Y, tol=1e-6)  # closer, rounding may leave by itself
    options = {"tol": 1e-6, "rng": seed, "max_iter": plain.nit + 1}
    r = from_zero(net, X, Y, escape_saddles=True, **options)
    assert len(r.escapes) == 1
    assert r.fun <= ggn.linearize(net, 2.0 * plain.w - r.w, X, Y).loss


# ------------------------------------------------------------- no escape where there is none


def test_curvature_too_small_to_help():
    """J = 1 - w²/2e6 + 1e10 w⁴ falls by 5e-24 and no more: less than can be seen."""
    flat = scalar_loss(
        lambda F: 1.0 - 0.5e-6 * F**2 + 1e10 * F**4,
        lambda F: -1e-6 * F + 4e10 * F**3,
        lambda F: -1e-6 + 12e10 * F**2,
    )
    r = from_zero(ONE, [[1.0]], [[0.0]], loss=flat, escape_saddles=True)
    assert (r.status, r.nit, r.fun, r.escapes) == (Status.GRADIENT, 0, 1.0, [])


@pytest.mark.parametrize("tol", [1e-12, 0.0])
def test_flat_to_second_order(tol):
    """Three linear layers at zero: H_J = 0, so nothing is known of a way down."""
    net = ggn.MLP((4, 3, 3, 3), "identity", bias=False)
    r = from_zero(net, X4, Y3, escape_saddles=True, tol=tol)
    plain = from_zero(net, X4, Y3, tol=tol)
    assert (r.status, r.nit, r.escapes) == (plain.status, 0, [])
    assert not r.w.any()


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_xor_at_zero_weights_and_half(name):
    """H_J is positive semi-definite there: inconclusive, so the run stays."""
    X, Y = ggn.problems.xor()
    w0 = [*np.zeros(8), 0.5]
    r = ggn.train(ggn.MLP((2, 2, 1), name), X, Y, w0=w0, escape_saddles=True)
    assert (r.status, r.nit, r.fun, r.escapes) == (Status.GRADIENT, 0, 0.25, [])
    assert (r.w == w0).all()


@pytest.mark.parametrize("seed", range(5))
def test_nothing_changes_at_a_minimum(seed):
    """An exact fit with more weights than data, flat in most directions: the same bits."""
    x, y = wave(10)
    net = ggn.MLP((1, 10, 1))
    plain = ggn.train(net, x, y, rng=seed)
    r = ggn.train(net, x, y, rng=seed, escape_saddles=True)
    assert plain.fun < 1e-20
    assert r.escapes == []
    assert (r.w == plain.w).all()
    assert (r.status, r.nit) == (plain.status, plain.nit)


def test_only_stalls_are_looked_at():
    """A target reached, a callback's stop, a spent budget are no reason to go on."""
    net = linear_net(2)
    start = from_zero(net, X4, Y3).fun
    reached = from_zero(net, X4, Y3, escape_saddles=True, loss_target=start)
    assert (reached.status, reached.escapes) == (Status.TARGET, [])
    spent = from_zero(net, X4, Y3, escape_saddles=True, max_iter=0)
    assert (spent.status, spent.nit, spent.escapes) == (Status.GRADIENT, 0, [])
    late = from_zero(net, X4, Y3, escape_saddles=True, max_seconds=0)
    assert (late.nit, late.escapes) == (0, [])
    one = from_zero(net, X4, Y3, escape_saddles=True, max_iter=1)
    assert (one.status, one.nit, len(one.escapes)) == (Status.MAX_ITER, 1, 1)
    assert one.fun == one.escapes[0].loss_after

    def stop(intermediate_result):
        raise StopIteration

    stopped = from_zero(net, X4, Y3, escape_saddles=True, callback=stop)
    assert (stopped.status, stopped.nit, len(stopped.escapes)) == (Status.CALLBACK, 1, 1)


def test_escapes_are_bounded(monkeypatch):
    """Along the lowest eigenvector alone, the shortest steps go from saddle to saddle.

    With white inputs those of rank 0, 1 and 2 have the losses 9 + 4 + 1, 4 + 1 and 1.
    """
    everything = saddle.negative
    monkeypatch.setattr(
        saddle, "negative", lambda *given: tuple(part[..., :1] for part in everything(*given))
    )
    white = np.linalg.qr(X4)[0] * np.sqrt(50.0)
    Y = white[:, :3] * [3.0, 2.0, 1.0]
    options = {"step": "minimum_norm", "damping": "undamped", "escape_saddles": True}
    r = from_zero(linear_net(3), white, Y, **options)
    np.testing.assert_allclose([e.loss for e in r.escapes], [14.0, 5.0, 1.0], rtol=1e-9)
    np.testing.assert_allclose([e.eigenvalue for e in r.escapes], [-6.0, -4.0, -2.0], rtol=1e-6)
    assert r.fun < 1e-20
    monkeypatch.setattr(saddle, "MOST_ESCAPES", 2)
    r = from_zero(linear_net(3), white, Y, **options)
    assert len(r.escapes) == 2
    assert r.success
    assert r.fun == pytest.approx(1.0, rel=1e-9)


# ------------------------------------------------------------- what comes back


def test_history_and_callback_across_an_escape():
    x, y = wave()
    net, seen = ggn.MLP((1, 4, 1)), []
    plain = from_zero(net, x, y)

    def watch(intermediate_result):
        seen.append((intermediate_result.nit, intermediate_result.fun, intermediate_result.w))

    r = from_zero(net, x, y, escape_saddles=True, max_iter=30, callback=watch)
    h, (escape,) = r.history, r.escapes
    assert len(h) == r.nit + 1 == 31
    assert [nit for nit, _, _ in seen] == list(range(1, 31))
    assert [J for _, J, _ in seen] == h.loss[1:].tolist()
    at = escape.nit
    assert at == plain.nit
    assert (h.loss[: at + 1] == plain.history.loss).all()
    assert (escape.loss, escape.loss_after) == (h.loss[at], h.loss[at + 1])
    assert np.isnan([h.damping[at + 1], h.gain_ratio[at + 1], h.residual[at + 1]]).all()
    # damping starts afresh: the initial one, doubled, doubled twice ... where rejected
    assert np.log2(h.damping[at + 2] / LevenbergMarquardt().initial) in (0.0, 1.0, 3.0, 6.0)
    path = [w for _, _, w in seen]
    assert h.step_norm[at + 1] == pytest.approx(np.linalg.norm(path[at] - plain.w), rel=1e-12)
    assert (np.diff(h.loss) < 1e-15).all()


@pytest.mark.parametrize("damping", ["levenberg_marquardt", "undamped"])
@pytest.mark.parametrize("seed", range(4))
def test_never_worse_and_the_same_again(seed, damping):
    x, y = wave(30)
    net = ggn.MLP((1, 3, 1))
    w0 = net.initial_weights(seed, "fan_in")
    w0[3:6] = w0[:3] = w0[0]  # units alike: GGN keeps them so
    w0[6:9] = w0[6]
    options = {"w0": w0, "max_iter": 200, "damping": damping}
    plain = ggn.train(net, x, y, **options)
    first, again = (ggn.train(net, x, y, escape_saddles=True, rng=7, **options) for _ in range(2))
    assert first.fun <= plain.fun
    assert np.isfinite(first.w).all()
    assert (first.w == again.w).all()
    assert first.escapes == again.escapes
    assert all(e.loss_after < e.loss and e.eigenvalue < 0.0 for e in first.escapes)


def test_seed_of_the_initial_weights_is_kept():
    net = linear_net(2)
    for rng in (5, np.random.default_rng(5)):
        r = ggn.train(net, X4, Y3, w0="normal", rng=rng, max_iter=0)
        assert (r.w == net.initial_weights(5)).all()


def test_needs_second_derivatives():
    sine = ggn.Activation("sine", np.sin, np.cos)
    net = ggn.MLP((1, 2, 1), sine)
    with pytest.raises(ValueError, match="escape_saddles must be False where an activation has no"):
        ggn.train(net, [[1.0]], [[0.0]], escape_saddles=True)
    assert ggn.train(net, [[1.0]], [[0.0]]).success


def test_weights_where_the_hessian_overflows():
    """A stall is then simply where the run ends."""
    net = ggn.MLP((1, 1, 1), "exponential", bias=False)
    r = ggn.train(net, [[1.0]], [[0.0]], w0=[705.0, 1e-300], escape_saddles=True, max_iter=3)
    assert isinstance(r.status, Status)
    assert np.isfinite(r.w).all()


@pytest.mark.parametrize("units", [(1e8, 1e2, 1e-5), (1e6, 1.0, 1e-6), (1e9, 1e-3, 1e-3)])
def test_inputs_in_different_units_hide_no_saddle(units):
    """Two linear layers that keep the first singular value of three: a saddle (Baldi, Hornik)."""
    white = np.linalg.qr(X4)[0][:, :3] * np.sqrt(50.0)
    Y = white * [3.0, 2.0, 1.0]
    net = ggn.MLP((3, 3, 3), "identity", bias=False)
    W1, W2 = np.zeros((3, 3)), np.zeros((3, 3))
    W1[0, 0], W2[0, 0] = 3.0 / units[0], 1.0
    w0 = net.pack([W1, W2])
    assert ggn.diagnose(net, w0, white * units, Y).verdict is ggn.surface.Verdict.SADDLE
    fit = ggn.train(net, white * units, Y, w0=w0, escape_saddles=True, max_iter=300)
    assert fit.escapes
    assert fit.fun < 1e-10

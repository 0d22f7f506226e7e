"""Networks in a loop against the oracle: outputs, derivatives, and sums of these."""

import numpy as np
import pytest
import reference_loop as slow
from reference import ACTIVATIONS_COMPLEX

import ggn
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.sweeps import Sweeps
from ggn.recurrent.windows import Windows

SMOOTH = sorted(set(ACTIVATIONS_COMPLEX) - {"relu", "leaky_relu", "identity"})
TOL = 1e-11


def fast(spec, given, before, free, chunk_size=None):
    """The same in ggn."""
    parts = [
        (ggn.MLP(sizes, kinds[:-1], kinds[-1], bias), row) for sizes, kinds, bias, row in spec.parts
    ]
    recursion = Recursion(parts, spec.n, spec.k, spec.feeds, spec.linear)
    windows = Windows(spec.lengths)
    Z = np.full((windows.T, spec.n), np.nan)  # what is fed back must be written
    Z[:, len(spec.feeds) :] = given
    for i, (window, age) in enumerate(zip(windows.window, windows.age, strict=True)):
        for a, (o, d) in enumerate(spec.feeds):
            if age < d and not free:
                Z[i, a] = before[window, d - age - 1, o]
    return Sweeps(recursion, Z, windows, free, chunk_size)


def rows_of(sweeps, p):
    """S (T, k, parameters), from the chunks."""
    N, n0 = sweeps.N, sweeps.n_initial
    out = np.zeros((sweeps.T, sweeps.recursion.k, sweeps.n_parameters))

    def take(lane, rows, S):
        out[rows, :, :N] = S[:, :, :N]
        for i in range(rows.start, rows.stop):
            first = N + sweeps.windows.window[i] * n0
            out[i, :, first : first + n0] = S[i - rows.start, :, N:]
        S.fill(np.nan)  # the taker may overwrite it

    sweeps.each_rows(p, sweeps.windows.in_order(1e6), take)
    return out


def set_up(seed):
    """A random loop, its weights, inputs, values before windows, and whether these are free."""
    rng = np.random.default_rng(seed)
    spec = slow.random_spec(rng, SMOOTH)
    w = rng.normal(size=spec.n_weights) * 0.6
    given = rng.normal(size=(sum(spec.lengths), spec.n - len(spec.feeds)))
    before = rng.normal(size=(len(spec.lengths), spec.depth, spec.k))
    return spec, w, given, before, bool(rng.integers(0, 2)), rng


def check(seed):
    """Hold one set-up against the oracle; return the largest relative error."""
    spec, w, given, before, free, rng = set_up(seed)
    sweeps = fast(spec, given, before, free, int(rng.integers(1, 20)))
    recursion, N = sweeps.recursion, spec.n_weights
    p, P = w, slow.jacobian(spec, w, given, before)
    out = slow.simulate(spec, w, given, before).real
    own = P[:, :, :N]
    if free:
        places = [(i, o) for i in range(spec.depth) for o in range(spec.k)]
        kept = [j for j, (i, o) in enumerate(places) if recursion.start[i, o] >= 0]
        order = np.argsort([recursion.start[places[j]] for j in kept])
        kept = [kept[j] for j in order]
        flat = before.reshape(len(before), -1)
        p = np.concatenate([w, flat[:, kept].ravel()])
        own = np.concatenate(
            [own, P[:, :, N:].reshape(*P.shape[:2], len(before), -1)[..., kept].reshape(
                *P.shape[:2], -1)], axis=2,
        )  # fmt: skip
    if not (np.abs(out).max() <= 1e3 and np.abs(own).max() <= 1e6):
        return 0.0, False  # runs away: digits are lost in any arithmetic
    assert sweeps.simulate(p)
    errors = [error(sweeps.O, out), error(rows_of(sweeps, p), own)]
    lam, v = rng.normal(size=out.shape), rng.normal(size=len(p))
    expected = np.einsum("iop,io->p", own, lam)
    errors.append(error(sweeps.carry_back(p, lam.copy()), expected))
    errors.append(error(sweeps.along(p, v), own @ v))
    return max(errors), True


def error(got, expected):
    size = np.abs(expected).max() if expected.size else 0.0
    return float(np.abs(got - expected).max() / max(size, 1.0)) if expected.size else 0.0


def test_derivatives_of_random_loops_are_those_of_complex_step():
    counted = 0
    for seed in range(24):
        worst, counts = check(seed)
        assert worst <= TOL, seed
        counted += counts
    assert counted > 18


@pytest.mark.parametrize("windows", [1, 5, 6, 129, 140])
def test_windows_in_step_are_windows_alone(windows):
    rng = np.random.default_rng(windows)
    net = ggn.MLP((5, 6, 2))
    recursion = Recursion([(net, 0)], 5, 2, [(0, 1), (1, 1), (1, 3)])
    Z, w = rng.normal(size=(windows * 7, 5)), net.initial_weights(1)
    lengths = np.full(windows, 7)
    lengths[::2] -= 3
    lengths[1::2] += 3
    lengths[-1] += windows * 7 - lengths.sum()
    together = Sweeps(recursion, Z, Windows(lengths))
    assert together.simulate(w)
    for first, n in zip(together.windows.first, lengths, strict=True):
        alone = Sweeps(recursion, Z[first : first + n], Windows([n]))
        alone.simulate(w)
        np.testing.assert_allclose(together.O[first : first + n], alone.O, rtol=1e-13, atol=1e-13)


def test_a_loop_that_runs_away_says_so():
    net = ggn.MLP((1, 1), bias=False)
    for windows in ([3000], [300] * 10):
        recursion = Recursion([(net, 0)], 1, 1, [(0, 1)])
        sweeps = Sweeps(recursion, np.ones((3000, 1)), Windows(windows))
        assert not sweeps.simulate(np.array([20.0]))
        assert sweeps.simulate(np.array([0.9]))


def test_bits_do_not_depend_on_threads():
    rng = np.random.default_rng(0)
    net = ggn.MLP((4, 12, 1))
    recursion = Recursion([(net, 0)], 4, 1, [(0, 1), (0, 2)])
    Z, w = rng.normal(size=(40_000, 4)), 0.3 * net.initial_weights(1)
    seen = []
    for threads in (1, 2, 3):
        with ggn.threads(threads):
            sweeps = Sweeps(recursion, Z, Windows([9_000, 11_000, 12_000, 8_000]))
            assert sweeps.simulate(w)
            lam = np.ones_like(sweeps.O)
            seen.append((sweeps.O.copy(), sweeps.carry_back(w, lam), sweeps.along(w, w)))
    for others in seen[1:]:
        for a, b in zip(seen[0], others, strict=True):
            assert (a == b).all()


def test_activations_of_the_users_own_are_refused():
    own = ggn.Activation("own", np.tanh, lambda z: 1 - np.tanh(z) ** 2)
    with pytest.raises(ValueError, match="activation must be a built-in one"):
        Recursion([(ggn.MLP((1, 2, 1), own), 0)], 1, 1, [(0, 1)])

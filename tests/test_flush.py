"""Tiny numbers are 0 behind the door, and outside they are as NumPy has them."""

import platform
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import ggn
from ggn import _core
from ggn.recurrent.recursion import Recursion

FLUSHES = platform.machine().lower() in ("x86_64", "amd64", "arm64", "aarch64")
pytestmark = pytest.mark.skipif(not FLUSHES, reason="this processor has no such mode that we set")

NET = ggn.MLP((2, 3, 2), bias=False)
C, N, TINY = 4, 12, 1e-310
L = NET.layout
ROOT = 1e-160  # times itself, it is 1e-320


def subnormal_here():
    """Whether this thread's arithmetic has subnormals, as operands and as results."""
    return np.float64(TINY) * 1.0 == TINY and np.float64(ROOT) * ROOT > 0.0


def swept(columns=2, psi=None):
    """Scratch after a forward sweep, where every Psi is `psi`."""
    work = np.zeros(NET.work_size(C, columns))
    NET.sweep(np.ones(N), np.ones((C, 2)), work, keep=1)
    if psi is not None:
        for layer in (1, 2):
            L.sensitivities(work, C, layer)[:] = psi
    return work


def scratch():
    return np.zeros(100_000)


def last_of_forward(exact=False):
    net = ggn.MLP((2, 1), bias=False)
    work = np.zeros(net.work_size(C, 0))
    return net.sweep(np.full(2, ROOT), np.full((C, 2), ROOT), work, 0, exact)


def gradient():
    out = np.zeros(N)
    _core.gradient(L, np.ones(N), C, np.full((2, C), TINY), swept(), out)
    return out


def tangent():
    out = np.ones((2, C))
    _core.tangent(L, np.ones(N), np.full(N, TINY), C, False, swept(), scratch(), out)
    return out


def hessian_product():
    out, work = np.zeros(N), np.zeros(NET.work_size(C, 2))
    NET.sweep(np.ones(N), np.ones((C, 2)), work, keep=2)
    ones = np.ones((2, C))
    _core.hessian_product(L, np.ones(N), np.full(N, TINY), C, ones, ones, work, scratch(), out)
    return out


def sensitivities(exact=False):
    work = swept()
    _core.sensitivities(L, np.ones(N), C, np.full((2, C), TINY), work, exact)
    return L.sensitivities(work, C, 1)


def jacobian(exact=False):
    out = np.ones((N, 2 * C))
    _core.jacobian(L, C, swept(psi=TINY), out, exact)
    return out


def add_normal():
    sums = np.zeros(L.normal_sizes(C, 1)[0])
    h = np.full((2, C), TINY)
    _core.add_normal(L, C, h, swept(psi=1.0), scratch(), np.zeros(10**6), sums, True)
    return sums


def add_normal_of_small_slopes():
    sums = np.zeros(L.normal_sizes(C, 0)[0])
    _core.add_normal(L, C, None, swept(psi=ROOT), scratch(), np.zeros(10**6), sums, True)
    return sums[:18]  # block (1, 1): pairs of Psi


def scatter_normal():
    G = np.zeros((N, N))
    _core.scatter_normal(L, 0, TINY, np.ones(L.normal_sizes(C, 0)[0]), G)
    return G


def add_product():
    out = np.zeros((3, 3))
    _core.add_product(np.full((3, 2), ROOT), out)
    return out


def add_product_transposed():
    out = np.zeros((2, 2))
    _core.add_product(np.full((3, 2), ROOT), out, transposed=True)
    return out


def add_diagonal():
    out = np.zeros(N)
    _core.add_diagonal(L, C, swept(psi=ROOT), scratch(), out)
    return out


def add_kernel():
    out = np.zeros((2 * C, 2 * C))
    work = swept(psi=ROOT)
    buffer = scratch()
    _core.scale_kernel(L, C, np.ones(L.n_units), np.ones(L.n_inputs), work, buffer)
    for layer in range(1, len(L.shapes) + 1):
        _core.gram(L, layer, C, buffer, 0, C)
        _core.add_kernel(L, layer, C, 0, 2 * C, True, work, buffer, scratch(), out)
    return out


def scale_kernel():
    work = swept(psi=TINY)
    _core.scale_kernel(L, C, np.ones(L.n_units), np.ones(L.n_inputs), work, scratch())
    return L.sensitivities(work, C, 1) + 0.0


def gram():
    buffer = scratch()
    buffer[:] = ROOT
    _core.gram(L, 1, C, buffer, 0, C)
    return np.tril(buffer[: C * C].reshape(C, C))


def output_sums():
    sums = np.zeros(L.shapes[-1][0] * 3 + 9)
    work = swept()
    L.inputs(work, C, 2)[:] = ROOT
    _core.output_sums(L, C, None, np.full((2, C), ROOT), work, scratch(), sums)
    return sums


def squares(y):
    """What a pass under the squared loss takes, the slopes of the loss -2 y."""
    return L, np.zeros(N), np.ones((C, 2)), np.full((2, C), y), 0, 1.0, swept(), scratch(), C


def squares_value():
    return _core.squares_value(squares(0.0))


def squares_gradient():
    out = np.zeros(N)
    _core.squares_gradient(squares(TINY), out)
    return out


def squares_normal():
    """Tiny slopes of the loss; and of the units, whose products underflow."""
    out, sums = np.zeros(N), np.zeros(L.normal_sizes(C, 0)[0])
    passed = *squares(TINY)[:7], np.zeros(10**6), C
    _core.squares_normal(passed, out, sums, True)
    passed[1][L.weight_slices[-1]] = ROOT
    _core.squares_normal(passed, np.zeros(N), sums, True)
    return np.append(out, sums[:18])  # block (1, 1): pairs of Psi


def squares_product():
    out = np.zeros(N)
    _core.squares_product(squares(0.0), np.full(N, TINY), False, out)
    return out


def squares_output_sums():
    sums, slopes = np.zeros(L.shapes[-1][0] * 3 + 9), 6
    _core.squares_output_sums(squares(TINY), sums)
    return sums[:slopes]


def output_weights():
    sums = np.full(15, TINY)
    sums[6:] = np.eye(3).ravel()
    w, out = np.zeros(N), np.zeros(N)
    _core.output_weights(L, False, 1.0, sums, None, None, 0.0, w, w, out)
    return out


def metric():
    """A weight that J does not depend on has any scale: 1."""
    scale, ones = np.zeros(N), np.ones(L.n_inputs)
    _core.metric(L, np.full(N, TINY), ones, np.zeros(L.n_inputs), scale)
    return scale - 1.0


def scale_rows():
    out = np.zeros((2, 2))
    _core.scale_rows(np.diag([TINY, TINY]), None, 0.0, 0, 2, out)
    return out + 0.0


def factor_block():
    """A pivot of TINY is none."""
    return np.array([_core.factor_block(np.diag([1.0, TINY]), 0, 2, 0, 2) - 2])


def cholesky_solve():
    b = np.full(2, TINY)
    _core.cholesky_solve(np.eye(2), b)
    return b


def descend():
    """The gradient that a small fit begins with is that of outputs that are 0."""
    net = ggn.MLP((2, 1), bias=False)
    X, w0 = np.array([[1.0, 0.0], [0.0, 1.0]]), np.full(2, TINY)
    return ggn.train(net, X, np.zeros(2), w0=w0, max_iter=0).history.gradient_norm


LOOP = Recursion([(ggn.MLP((2, 1, 1), "identity", bias=False), 0)], 2, 1, [(0, 1)])
AGES, START = np.arange(2), np.full((1, 1), -1)


def loop_buffer(samples=2):
    return np.zeros(LOOP.loop.simulate_size(1) + LOOP.loop.sweep_size(samples))


def simulate():
    Z, outputs = np.full((2, 2), ROOT), np.ones((2, 1))
    window = np.array([[0], [2]])
    assert _core.simulate(LOOP.loop, np.array([0.0, ROOT, 1.0]), window, Z, outputs, loop_buffer())
    return outputs


def loop_slopes():
    A, rows = np.ones((2, 1, 1)), np.ones((2, 1, 3))
    w, Z = np.array([ROOT, 0.0, ROOT]), np.full((2, 2), ROOT)
    _core.loop_slopes(LOOP.loop, w, Z, loop_buffer(), A, rows)
    return np.concatenate([A.ravel(), rows[:, 0, :2].ravel()])


def recur():
    rows = np.array([[[ROOT]], [[0.0]]])
    _core.recur(LOOP.loop, np.full((2, 1, 1), ROOT), AGES, START, rows)
    return rows[1]


def recur_back():
    lam, windows = np.array([[0.0], [ROOT]]), np.zeros(2, dtype=np.intp)
    A = np.full((2, 1, 1), ROOT)
    _core.recur_back(LOOP.loop, A, AGES, windows, START, lam, np.zeros((1, 1)))
    return lam[0]


def loop_gradient():
    out = np.zeros(3)
    Z, lam = np.full((2, 2), ROOT), np.full((2, 1), ROOT)
    _core.loop_gradient(LOOP.loop, np.ones(3), Z, lam, loop_buffer(), out)
    return out


def loop_tangent():
    out = np.ones((2, 1))
    v, Z = np.array([0.0, ROOT, 0.0]), np.full((2, 2), ROOT)
    _core.loop_tangent(LOOP.loop, np.ones(3), v, Z, loop_buffer(), out)
    return out


def cross_validation():
    """Units that differ by ROOT alone have no squares."""
    H, c = np.array([[ROOT], [0.0]]), np.full(2, 0.5)
    V, total = _core.cross_validation(H, H + 1.0, c, 20.0, np.ones(1))
    return np.array([V, total])


INSIDE = [
    last_of_forward, gradient, tangent, hessian_product, sensitivities, jacobian, add_normal,
    add_normal_of_small_slopes, scatter_normal, add_product, add_product_transposed, add_diagonal,
    add_kernel, scale_kernel, gram, metric, scale_rows, factor_block, cholesky_solve,
    squares_value, squares_gradient, squares_normal, squares_product, squares_output_sums,
    output_sums, output_weights, descend, simulate, loop_slopes, recur, recur_back, loop_gradient,
    loop_tangent, cross_validation,
]  # fmt: skip


@pytest.mark.parametrize("kernel", INSIDE, ids=lambda kernel: kernel.__name__)
def test_tiny_numbers_are_zero_inside_and_not_outside(kernel):
    assert not np.any(kernel())
    assert subnormal_here()


@pytest.mark.parametrize("kernel", [last_of_forward, sensitivities, jacobian])
def test_what_is_asked_to_be_exact_is(kernel):
    assert np.any(kernel(exact=True))


def test_activate_is_exact():
    """What the user reads of a slope is right where it is subnormal."""
    out = np.zeros((2, 1))
    _core.activate(_core.ACTIVATIONS.index("sigmoid"), 0.0, np.array([-740.0]), out)
    np.testing.assert_allclose(out, np.exp(-740.0), rtol=1e-3)
    assert 0.0 < out[1, 0] < np.finfo(float).tiny


def test_outputs_that_a_user_reads_are_exact():
    net = ggn.MLP((1, 1), output_activation="sigmoid", bias=False)
    assert 0.0 < net.forward([1.0], [[-740.0]])[0, 0] < np.finfo(float).tiny


def test_a_users_functions_run_as_outside():
    seen = []

    def value(z):
        seen.append(subnormal_here())
        return z

    own = ggn.Activation("own", value, np.ones_like, np.zeros_like)
    ggn.MLP((2, 3, 1), own).jacobian(np.ones(13), np.ones((2, 2)))
    assert seen
    assert all(seen)


def test_after_an_exception():
    def fails(z):
        raise ZeroDivisionError

    net = ggn.MLP((2, 3, 1), ggn.Activation("fails", fails, np.ones_like, np.zeros_like))
    with pytest.raises(ZeroDivisionError):
        net.sweep(np.ones(13), np.ones((2, 2)), np.zeros(net.work_size(2, 1)), 1)
    with pytest.raises(ValueError, match="eps"):
        _core.gradient(L, np.ones(N), C, np.ones((2, 1)), swept(), np.zeros(N))
    assert subnormal_here()


def test_in_several_threads():
    def work(_):
        zero = not np.any(gradient())
        return zero and subnormal_here()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(200)))
    assert subnormal_here()


def test_no_function_of_the_door_is_left_out():
    shown = {
        name for name, f in vars(_core).items() if type(f).__name__ == "cython_function_or_method"
    }
    named = {kernel.__name__ for kernel in INSIDE} | {"activate", "forward", "squares_size"}
    named |= {
        "centre_and_size",
        "root_mean_square",
        "variance",
        "standardise",
    }  # of data as they are
    named |= {"share_out", "respond", "scale_draws"}  # weights to start from
    assert {name for name in shown if not name.startswith("_")} <= named
    assert len(shown) > 10

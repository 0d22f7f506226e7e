"""What an iteration of each step costs, in flops of a large matrix product and in bytes."""

from __future__ import annotations

import numpy as np

from ggn.fit.start import MOST_SAMPLES
from ggn.linearization.assembly import normal_memory, normal_work
from ggn.linearization.dual_system import tile_doubles
from ggn.linearization.sweeping import FLOPS_PER_ELEMENT, sweep_work
from ggn.network import MLP
from ggn.steps import ConjugateGradient, Step, Subsampled
from ggn.steps.subsampled import first_size

__all__ = [
    "BYTES",
    "bytes_of_sums",
    "conjugate_gradient_cost",
    "dual_cost",
    "minimum_norm_cost",
    "primal_cost",
    "start_bytes",
    "subsampled_cost",
    "sums_of",
    "undivided",
]

FLOPS_PER_CALL = 1.0e5  # 2 microseconds at 50 Gflop/s: a kernel called from Python
CG_PRODUCTS = 100  # products for a step as good as a direct one, or N if that is less; measured
BYTES = 8.0


def calls(net: MLP, T: int) -> float:
    """Return the overhead of Python in one iteration, in flops."""
    return FLOPS_PER_CALL * (20 + 12 * np.ceil(T / net.chunk_size(net.n_outputs, 256)))


def primal_cost(net: MLP, T: int, curved: int) -> tuple[float, float]:
    """Return the flops and bytes of a primal iteration, with the curvature of so many samples."""
    N, nL = net.n_weights, net.n_outputs
    work = curved * normal_work(net) + T * sweep_work(net, nL)
    work += N**3 / 3 / 0.6 + FLOPS_PER_ELEMENT * N * N
    memory = (
        2 * N * N
        + normal_memory(net, curved)
        + (curved * (net.n_inputs + nL) + T if curved < T else 0)
    )
    return work + calls(net, T), BYTES * memory + chunk_bytes(net, T)


def subsampled_cost(net: MLP, T: int) -> tuple[float, float]:
    """Return the flops and bytes of a primal iteration with the curvature of part of the samples.

    It takes more iterations, and the part grows: counted as half as much work again, and
    the memory of nearly all of them.
    """
    flops, _ = primal_cost(net, T, first_size(net, T))
    return 1.5 * flops, primal_cost(net, T, T - 1)[1]


def dual_cost(net: MLP, T: int, penalised: bool) -> tuple[float, float]:
    """Return the flops and bytes of a dual iteration."""
    N, k = net.n_weights, T * net.n_outputs
    if k > N:  # solved by the normal matrix, see `ggn.steps.dual`
        return primal_cost(net, T, T)
    work = k**3 / 3 / 0.6 + T * sweep_work(net, net.n_outputs) + calls(net, 1)
    work += 2 * FLOPS_PER_CALL
    if penalised:
        return work + 1.3 * (N * k**2 + 4 * FLOPS_PER_ELEMENT * N * k), BYTES * (
            2 * N * k + 2 * k * k
        )
    units = sum(n for n, _ in net.layout.shapes[:-1])
    inputs = sum(m for _, m in net.layout.shapes)
    work += 1.1 * (k * k * units + T * T * inputs) + 0.5 * FLOPS_PER_ELEMENT * k * k * net.depth
    doubles = 2 * k * k + net.layout.kernel_size(T) + tile_doubles(k)
    return work, BYTES * (doubles + net.work_size(T, net.n_outputs)) + chunk_bytes(net, T)


def minimum_norm_cost(net: MLP, T: int, penalised: bool) -> tuple[float, float]:
    """Return the flops and bytes of a minimum-norm iteration."""
    N, k = net.n_weights, T * net.n_outputs + (net.n_weights if penalised else 0)
    small, large = min(N, k), max(N, k)
    work = 25.0 * large * small**2 + T * sweep_work(net, net.n_outputs) + 2 * calls(net, 1)
    return work, BYTES * (4 * N * k + 2 * small**2 + net.work_size(T, net.n_outputs))


def conjugate_gradient_cost(net: MLP, T: int) -> tuple[float, float]:
    """Return the flops and bytes of an iteration by conjugate gradients."""
    work = min(CG_PRODUCTS, net.n_weights) * (T * sweep_work(net, 1) + calls(net, T))
    return work, BYTES * 12 * net.n_weights + chunk_bytes(net, T)


def sums_of(step: type[Step], net: MLP) -> tuple[float, float]:
    """Return how many sums over samples an iteration is, and of how many numbers together.

    Those of a trial are the acceleration, the output layer's and J.
    """
    N, m = net.n_weights, net.layout.shapes[-1][1]
    layer = m * (m + net.n_outputs)
    if step is ConjugateGradient:  # diagonal and gradient, products, and no acceleration
        products = min(CG_PRODUCTS, N)
        return products + 4.0, (products + 2.0) * N + layer + 1.0
    sums, numbers = 4.0, N * (N + 1) / 2 + 2.0 * N + layer + 1.0
    if step is Subsampled:  # the gradient of all samples, and their curvature along the step
        return sums + 2.0, numbers + N + 1.0
    return sums, numbers


def undivided(step: type[Step], net: MLP) -> float:
    """Return the flops of an iteration that are no work on samples: nobody shares them."""
    N = net.n_weights
    if step is ConjugateGradient:
        return 0.0
    return float(
        (1.5 if step is Subsampled else 1.0) * (N**3 / 3 / 0.6 + FLOPS_PER_ELEMENT * N * N)
    )


def bytes_of_sums(step: type[Step], net: MLP) -> float:
    """Return the bytes of an iteration where samples are elsewhere, and only sums are here."""
    N = net.n_weights
    return BYTES * (12.0 * N if step is ConjugateGradient else 2.5 * N * N + 12.0 * N)


def start_bytes(net: MLP, T: int) -> float:
    """Return the bytes of drawing weights that suit the data, see `ggn.fit.start.draw`."""
    some = min(T, MOST_SAMPLES)
    return BYTES * (some * (3 * net.n_inputs + 4 * max(net.sizes[1:])) + 4 * T)


def chunk_bytes(net: MLP, T: int) -> float:
    """Return the bytes of scratch for one chunk of samples."""
    c = min(net.chunk_size(net.n_outputs), T)
    return BYTES * 2 * net.work_size(c, net.n_outputs) + 2.0 * 2**20

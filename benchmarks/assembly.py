"""Whole assemblies against dsyrk alone on an already stored P.

A peer that stores the Jacobian pays dsyrk after having formed it; `ggn` does
forward sweep, sensitivities, normal (or kernel) matrix and gradient in less.
"""

from __future__ import annotations

import contextlib
import platform
from pathlib import Path

import numpy as np
from scipy.linalg.blas import dgemm, dsyrk

import ggn
from benchmarks.timing import medians
from ggn import _core
from ggn._core.machine import flop_rate
from ggn.linearization import Linearization, Objective, assembly
from ggn.linearization.dual_system import DualSystem

NORMAL = [
    ((64, 32, 10), 1797, 0.10),
    ((8, 50, 50, 1), 5000, 0.65),
    ((8, 50, 1), 20_000, 0.70),
    ((2, 10, 10, 4), 1000, 0.30),
]
KERNEL = [((10, 1000, 1), 500, 0.15)]


def objective(sizes: tuple[int, ...], T: int) -> tuple[Objective, np.ndarray]:
    """Return a tanh network's objective on random data, and weights."""
    rng = np.random.default_rng(0)
    net = ggn.MLP(sizes)
    data = Objective(net, rng.normal(size=(T, sizes[0])), rng.normal(size=(T, sizes[-1])))
    return data, net.initial_weights(0, "fan_in")


def normal(sizes: tuple[int, ...], T: int, seconds: float = 4.0) -> tuple[float, float]:
    """Return the ratio of a whole assembly to dsyrk on P, and dsyrk's seconds."""
    data, w = objective(sizes, T)
    N, k = data.net.n_weights, T * sizes[-1]
    P = np.asfortranarray(np.random.default_rng(1).normal(size=(N, k)))
    C, G = np.zeros((N, N), order="F"), np.empty((N, N))
    ours, theirs = medians(
        lambda: Linearization(data, w).assemble_normal(G),
        lambda: dsyrk(1.0, P, c=C, overwrite_c=1),
        seconds=seconds,
    )
    return ours / theirs, theirs


def kernel(sizes: tuple[int, ...], T: int, seconds: float = 4.0) -> tuple[float, float, float]:
    """Return the ratios of kernel matrix alone, and with the sweeps before it, to dsyrk on P."""
    data, w = objective(sizes, T)
    N, k = data.net.n_weights, T * sizes[-1]
    P = np.random.default_rng(1).normal(size=(N, k))  # as MLP.jacobian returns it
    C, K = np.zeros((k, k), order="F"), np.empty((k, k))
    sweep, whole, theirs = medians(
        lambda: DualSystem(data, w),
        lambda: DualSystem(data, w).kernel(None, K),
        lambda: dsyrk(1.0, P.T, c=C, overwrite_c=1),
        seconds=seconds,
    )
    return (whole - sweep) / theirs, whole / theirs, theirs


def share_of_peak(sizes: tuple[int, ...], T: int, seconds: float = 4.0) -> float:
    """Return the rate of the structured form's flops over the machine's dgemm rate."""
    data, w = objective(sizes, T)
    N = data.net.n_weights
    A, G = np.asfortranarray(np.ones((1500, 1500))), np.empty((N, N))
    ours, gemm = medians(
        lambda: Linearization(data, w).assemble_normal(G),
        lambda: dgemm(1.0, A, A),
        seconds=seconds,
    )
    elements = assembly.FLOPS_PER_ELEMENT
    assembly.FLOPS_PER_ELEMENT = 0.0
    try:
        flops = T * assembly.block_work(data.net)
    finally:
        assembly.FLOPS_PER_ELEMENT = elements
    return (flops / ours) / (2 * 1500**3 / gemm)


def machine() -> str:
    """Return the processor, its caches, the vectors of our own products, and dgemm's rate."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if "model name" in line), model)
    caches = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / n).read_text().strip() for n in ("level", "type", "size"))
        if kind != "Instruction":
            caches.append(f"L{level} {size}")
    rate = f"dgemm {flop_rate() / 1e9:.0f} Gflop/s"
    return ", ".join([model, *caches, f"GGN_SIMD={_core.SIMD}", rate])


def main() -> None:
    """Print the table.

    For narrower vectors of both: GGN_SIMD=avx2 OPENBLAS_CORETYPE=Haswell in the environment.
    """
    print(machine())
    print(f"{'network':<20}{'T':>8}{'assembly / dsyrk':>18}{'wanted':>9}")
    for sizes, T, wanted in NORMAL:
        ratio, _ = normal(sizes, T)
        print(f"{sizes!s:<20}{T:>8}{ratio:>18.3f}{wanted:>9.2f}", flush=True)
    print(f"\n{'network':<20}{'T':>8}{'kernel / dsyrk':>18}{'wanted':>9}{'with sweeps':>13}")
    for sizes, T, wanted in KERNEL:
        alone, whole, _ = kernel(sizes, T)
        print(f"{sizes!s:<20}{T:>8}{alone:>18.3f}{wanted:>9.2f}{whole:>13.3f}", flush=True)
    share = share_of_peak((8, 50, 50, 1), 10_000)
    print(f"\nshare of the dgemm rate, (8, 50, 50, 1), T = 10000: {share:.2f} (wanted 0.70)")


if __name__ == "__main__":
    main()

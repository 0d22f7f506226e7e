"""Which step to take: predicted work, memory and time of each, from sizes alone.

The work of a step is counted in flops of a large matrix product.  What is not
one is converted by two constants, measured once on an x86-64 core with AVX-512
and little different elsewhere: forming one element of an array in cache, and
one call from Python.  The choice uses these numbers only, so it is the same on
every run; the seconds shown come from a dgemm timed on this machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ggn import damping as dampings
from ggn import losses as loss_names
from ggn import steps
from ggn.fit.start import MOST_SAMPLES
from ggn.linearization import Objective
from ggn.linearization.assembly import normal_memory, normal_work
from ggn.linearization.dual_system import tile_doubles
from ggn.linearization.sweeping import FLOPS_PER_ELEMENT, sweep_work
from ggn.machine import flop_rate, memory_limit
from ggn.network import MLP
from ggn.steps import ConjugateGradient, Dual, MinimumNorm, Primal, Step, Subsampled
from ggn.steps.subsampled import first_size
from ggn.validation import ArgumentError, Setting, describe, integer

__all__ = ["Candidate", "Plan", "choose", "plan"]

FLOPS_PER_CALL = 1.0e5  # 2 microseconds at 50 Gflop/s: a kernel called from Python
CG_PRODUCTS = 100  # products for a step as good as a direct one, or N if that is less; measured
# Flops of a full iteration: quicker ones keep their exact curvature, which converges faster at the
# end.  Of 200,000 samples, to J = 1e-1 ... 1e-4, subsampled steps took 1.0 to 1.3 times as many
# iterations of 0.27 (F(8,20,1)), 0.37 (F(4,20,3)) and 0.11 (F(8,50,1)) of the flops.
SUBSAMPLE_FROM = 5e9
ROWS_OF_SUBSAMPLE = 4  # samples for each that gives curvature, below which it is not offered
BYTES = 8.0


@dataclass(frozen=True)
class Candidate:
    """One step on one problem: its predicted cost for an iteration with one trial."""

    step: Step
    flops: float
    bytes: float
    fits: bool
    why: str = ""

    @property
    def seconds(self) -> float:
        """Predicted time on this machine."""
        return self.flops / flop_rate()


@dataclass(frozen=True)
class Plan:
    """The candidates, best first; `step` is the choice.  Prints as a table."""

    net: MLP
    samples: int
    candidates: tuple[Candidate, ...]
    max_memory: float

    @property
    def best(self) -> Candidate:
        """The cheapest candidate that fits the memory.

        Raises
        ------
        ValueError
            If none does; the message says what would.
        """
        for candidate in self.candidates:
            if candidate.fits:
                return candidate
        least = min(self.candidates, key=lambda c: c.bytes)
        raise ArgumentError(
            "max_memory",
            f"must be at least {least.bytes / 2**20:.3g} MiB for ",
            least.step,
            f" on {self.net.n_weights} weights and {self.samples} samples, got "
            f"{self.max_memory / 2**20:.3g} MiB; ",
            Setting("step", ("gradient",)),
            " needs less",
        )

    @property
    def step(self) -> Step:
        """The step to take."""
        return self.best.step

    def __str__(self) -> str:
        lines = [
            f"{self.net!r}: {self.net.n_weights} weights, {self.samples} samples",
            f"{'step':<20}{'Gflop':>12}{'MiB':>12}{'seconds':>12}",
        ]
        chosen = next((c for c in self.candidates if c.fits), None)
        for c in self.candidates:
            name = type(c.step).__name__
            note = "  <- chosen" if c is chosen else "" if c.fits else "  exceeds max_memory"
            lines.append(
                f"{name:<20}{c.flops / 1e9:>12.3g}{c.bytes / 2**20:>12.3g}{c.seconds:>12.2g}"
                f"{note or (c.why and '  ' + c.why)}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def plan(
    net: MLP,
    T: int,
    loss: str | loss_names.Loss = "squared",
    *,
    damping: str | dampings.Damping = "levenberg_marquardt",
    max_memory: float | None = None,
    penalised: bool = False,
) -> Plan:
    """Predict work, memory and time of one iteration of each step, and choose.

    Parameters
    ----------
    net : MLP
    T : int
        Number of samples.
    loss : str or Loss, default "squared"
        For a user's own, whose curvature may vanish, dual and minimum-norm are left out.
    damping : str or Damping, default "levenberg_marquardt"
        Undamped steps can meet a singular matrix, so where the minimum-norm step
        is cheap in itself it is preferred there.
    max_memory : float, optional
        Bytes; by default half of the machine's memory.
    penalised : bool, default False
        Whether there is an l2 penalty (it makes the dual step dearer).

    Returns
    -------
    Plan
        Print it for the table; `.step` is the choice.

    Raises
    ------
    ValueError
        For arguments out of range.

    Examples
    --------
    >>> import ggn
    >>> ggn.plan(ggn.MLP((8, 50, 1)), 10_000).step
    Primal()
    >>> ggn.plan(ggn.MLP((8, 1000, 1)), 100).step
    Dual()
    """
    if not isinstance(net, MLP):
        raise ValueError(f"net must be an MLP, got {describe(net)}")
    T = integer("T", T, 1)
    curved = loss_names.resolve(loss)
    damped = dampings.resolve(damping).damped
    limit = memory_limit(max_memory)
    made: list[tuple[Step, float, float]] = [
        (Primal(), *primal_cost(net, T, T)),
    ]
    if curved.semidefinite:
        made.append((ConjugateGradient(), *conjugate_gradient_cost(net, T)))
    if curved.reachable:  # these two divide by the loss's curvature
        made += [
            (Dual(), *dual_cost(net, T, penalised)),
            (MinimumNorm(), *minimum_norm_cost(net, T, penalised)),
        ]
    exact = made[0][1]
    if damped and curved.semidefinite and ROWS_OF_SUBSAMPLE * first_size(net, T) <= T:
        made.append((Subsampled(), *subsampled_cost(net, T)))
    standing = BYTES * T * (net.n_inputs + net.n_outputs) if damped else 0.0  # in their own units
    least = start_bytes(net, T)
    made = [(step, flops, standing + max(memory, least)) for step, flops, memory in made]
    candidates = [Candidate(step, f, b, b <= limit, _note(step, exact)) for step, f, b in made]

    def order(c: Candidate) -> float:
        preferred = not damped and isinstance(c.step, MinimumNorm) and c.flops < 1e10
        behind = isinstance(c.step, Subsampled) and exact <= SUBSAMPLE_FROM
        return 0.0 if preferred else max(c.flops, exact) if behind else c.flops

    return Plan(net, T, tuple(sorted(candidates, key=order)), limit)


def _note(step: Step, exact: float) -> str:
    """Return what is to be known of a step beside its cost; exact: flops of a primal iteration."""
    if isinstance(step, Subsampled) and exact <= SUBSAMPLE_FROM:
        return "needs more iterations"
    return ""


def choose(
    objective: Objective, step: str | Step, damping: dampings.Damping, max_memory: float | None
) -> Step:
    """Return the step to take, planned where it is "auto"."""
    chosen = (
        steps.resolve(step)
        or plan(
            objective.net,
            objective.T,
            loss=objective.loss,
            damping=damping,
            penalised=objective.penalised,
            max_memory=max_memory,
        ).step
    )
    if not (chosen.indefinite or objective.loss.semidefinite):
        able = tuple(name for name, cls in steps.NAMES.items() if cls.indefinite)
        raise ArgumentError(
            "step",
            "must take an indefinite matrix where the curvature is the Hessian of a loss that is "
            "not convex, as ",
            Setting("step", able),
            f" do, got {chosen!r}",
        )
    return chosen


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


def start_bytes(net: MLP, T: int) -> float:
    """Return the bytes of drawing weights that suit the data, see `ggn.fit.start.draw`."""
    some = min(T, MOST_SAMPLES)
    return BYTES * (some * (3 * net.n_inputs + 4 * max(net.sizes[1:])) + 4 * T)


def chunk_bytes(net: MLP, T: int) -> float:
    """Return the bytes of scratch for one chunk of samples."""
    c = min(net.chunk_size(net.n_outputs), T)
    return BYTES * 2 * net.work_size(c, net.n_outputs) + 2.0 * 2**20

"""Which step to take: predicted work, memory and time of each, from sizes alone.

The work of a step is counted in flops of a large matrix product.  What is not
one is converted by two constants, measured once on an x86-64 core with AVX-512
and little different elsewhere: forming one element of an array in cache, and
one call from Python.  The choice uses these numbers only, so it is the same on
every run; the seconds shown come from a dgemm timed on this machine.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ggn import damping as dampings
from ggn import losses as loss_names
from ggn import steps
from ggn._core.machine import flop_rate, memory_limit, number_of_threads, one_thread
from ggn.fit.costs import (
    BYTES,
    bytes_of_sums,
    conjugate_gradient_cost,
    dual_cost,
    minimum_norm_cost,
    primal_cost,
    start_bytes,
    subsampled_cost,
    sums_of,
    undivided,
)
from ggn.linearization import BaseObjective
from ggn.linearization.transport import Transport
from ggn.network import MLP
from ggn.steps import ConjugateGradient, Dual, MinimumNorm, Primal, Step, Subsampled
from ggn.steps.subsampled import first_size
from ggn.validation import ArgumentError, Setting, flag, instance, integer

__all__ = ["Candidate", "Plan", "choose", "plan", "planned"]

# Flops of a full iteration: quicker ones keep their exact curvature, which converges faster at the
# end.  Of 200,000 samples, to J = 1e-1 ... 1e-4, subsampled steps took 1.0 to 1.3 times as many
# iterations of 0.27 (F(8,20,1)), 0.37 (F(4,20,3)) and 0.11 (F(8,50,1)) of the flops.
SUBSAMPLE_FROM = 5e9
ROWS_OF_SUBSAMPLE = 4  # samples for each that gives curvature, below which it is not offered


@dataclass(frozen=True)
class Candidate:
    """One step on one problem: its predicted cost for an iteration with one trial.

    Of samples on a cluster, `flops` are those of one core, with what sums take to be brought
    together, and `sent` are the bytes that go from one process to another.
    """

    step: Step
    flops: float
    bytes: float
    fits: bool
    why: str = ""
    sent: float = 0.0

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

    def check(self, step: Step) -> None:
        """Raise ValueError for a step, chosen by hand, that this machine cannot hold."""
        for c in self.candidates:
            if type(c.step) is type(step) and c.bytes > 2.0 * memory_limit(None):
                raise ArgumentError("step", f"must fit into memory, got {step!r}: {c.bytes:.2g} B")

    def __str__(self) -> str:
        wired = any(c.sent for c in self.candidates)
        lines = [
            f"{self.net!r}: {self.net.n_weights} weights, {self.samples} samples",
            f"{'step':<20}{'Gflop':>12}{'MiB':>12}{'seconds':>12}{'     MB sent' * wired}",
        ]
        chosen = next((c for c in self.candidates if c.fits), None)
        for c in self.candidates:
            name = type(c.step).__name__
            note = "  <- chosen" if c is chosen else "" if c.fits else "  exceeds max_memory"
            sent = f"{c.sent / 1e6:>12.3g}" if wired else ""
            lines.append(
                f"{name:<20}{c.flops / 1e9:>12.3g}{c.bytes / 2**20:>12.3g}{c.seconds:>12.2g}"
                f"{sent}{note or (c.why and '  ' + c.why)}"
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
    instance("net must be", net, MLP)
    T, penalised = integer("T", T, 1), flag("penalised", penalised)
    return planned(
        net, T, loss_names.resolve(loss), dampings.resolve(damping), max_memory, penalised
    )


def planned(
    net: MLP,
    T: int,
    curved: loss_names.Loss,
    damping: dampings.Damping,
    max_memory: float | None,
    penalised: bool,
    resident: bool = True,
    transport: Transport | None = None,
) -> Plan:
    """Return the plan; resident: whether the samples are in memory, all at once."""
    kinds = curved.semidefinite, curved.reachable, damping.damped, penalised, resident
    return _planned(net, T, kinds, memory_limit(max_memory), transport)


def _planned(
    net: MLP, T: int, kinds: tuple[bool, ...], limit: float, transport: Transport | None = None
) -> Plan:
    """Return the plan of a loss, a damping and data of these kinds, see `_costs`."""
    damped = kinds[2]
    costs = _costs(net, T, number_of_threads(), one_thread(), *kinds)
    exact, candidates = costs[0][1], []
    for step, flops, memory in costs:
        made, sent = step(), 0.0
        if transport is not None:
            flops, sent = _divided(step, net, flops, transport)
            memory = bytes_of_sums(step, net)
        candidates.append(Candidate(made, flops, memory, memory <= limit, _note(made, exact), sent))
    exactly = candidates[0].flops

    def order(c: Candidate) -> float:
        preferred = not damped and isinstance(c.step, MinimumNorm) and c.flops < 1e10
        behind = isinstance(c.step, Subsampled) and exact <= SUBSAMPLE_FROM
        return 0.0 if preferred else max(c.flops, exactly) if behind else c.flops

    return Plan(net, T, tuple(sorted(candidates, key=order)), limit)


@functools.lru_cache(maxsize=256)
def _cheapest(net: MLP, T: int, kinds: tuple[bool, ...], limit: float, *machine: int) -> type[Step]:
    """Return the kind of step that is chosen where all samples are here; machine: as `_costs`."""
    return type(_planned(net, T, kinds, limit).step)


@functools.lru_cache(maxsize=256)  # as many small fits of one shape would ask for
def _costs(
    net: MLP,
    T: int,
    threads: int,  # two of the machine's, which costs ask for themselves
    one_thread: bool,
    semidefinite: bool,
    reachable: bool,
    damped: bool,
    penalised: bool,
    resident: bool,
) -> tuple[tuple[type[Step], float, float], ...]:
    """Return the steps that there are with their flops and bytes, the primal one first."""
    made: list[tuple[type[Step], float, float]] = [(Primal, *primal_cost(net, T, T))]
    if semidefinite:
        made.append((ConjugateGradient, *conjugate_gradient_cost(net, T)))
    if reachable and resident:  # these two divide by the loss's curvature
        made += [
            (Dual, *dual_cost(net, T, penalised)),
            (MinimumNorm, *minimum_norm_cost(net, T, penalised)),
        ]
    if damped and semidefinite and ROWS_OF_SUBSAMPLE * first_size(net, T) <= T:
        made.append((Subsampled, *subsampled_cost(net, T)))
    own = damped and resident  # a copy in units of their own
    standing = BYTES * T * (net.n_inputs + net.n_outputs) if own else 0.0
    least = start_bytes(net, T) if resident else 0.0
    return tuple((step, flops, standing + max(memory, least)) for step, flops, memory in made)


def _divided(step: type[Step], net: MLP, whole: float, transport: Transport) -> tuple[float, float]:
    """Return the flops of one core of those that share the samples, and the bytes sent."""
    alone, (sums, numbers) = undivided(step, net), sums_of(step, net)
    flops = (whole - alone) / transport.parts + alone + transport.flops(sums, numbers)
    return flops, BYTES * numbers * transport.crossings


def _note(step: Step, exact: float) -> str:
    """Return what is to be known of a step beside its cost; exact: flops of a primal iteration."""
    if isinstance(step, Subsampled) and exact <= SUBSAMPLE_FROM:
        return "needs more iterations"
    return ""


def choose(
    objective: BaseObjective, step: str | Step, damping: dampings.Damping, max_memory: float | None
) -> Step:
    """Return the step to take, planned where it is "auto"."""
    chosen, own, loss = steps.resolve(step), objective, objective.loss
    kinds = loss.semidefinite, loss.reachable, damping.damped, own.penalised, own.rooted
    of = own.net, own.T, kinds, memory_limit(max_memory)
    if chosen is not None:
        _planned(*of, objective.transport).check(chosen)
    elif objective.transport is None:
        chosen = _cheapest(*of, number_of_threads(), one_thread())()
    else:
        chosen = _planned(*of, objective.transport).step
    if chosen.rooted and not objective.rooted:
        able = tuple(name for name, cls in steps.NAMES.items() if not cls.rooted)
        raise ArgumentError(
            "step",
            "must be one that sums over samples give where they come in chunks, as ",
            Setting("step", able),
            f" are, got {chosen!r}",
        )
    if not (chosen.indefinite or loss.semidefinite):
        able = tuple(name for name, cls in steps.NAMES.items() if cls.indefinite)
        raise ArgumentError(
            "step",
            "must take an indefinite matrix where the curvature is the Hessian of a loss that is "
            "not convex, as ",
            Setting("step", able),
            f" do, got {chosen!r}",
        )
    return chosen

"""`ggn.dask.plan`: which step to take, where the normal matrix has to be sent."""

from __future__ import annotations

from ggn import damping as dampings
from ggn import losses as loss_names
from ggn.damping import Damping
from ggn.dask.wire import transport
from ggn.fit.planner import Plan, planned
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import flag, instance, integer

__all__ = ["plan"]


def plan(
    net: MLP,
    T: int,
    chunks: int,
    loss: str | Loss = "squared",
    *,
    damping: str | Damping = "levenberg_marquardt",
    max_memory: float | None = None,
    penalised: bool = False,
) -> Plan:
    """Predict an iteration of each step on a cluster, and choose, as step="auto" does.

    Beside the work on samples, sums cost a graph of tasks each, and their numbers have to be
    sent: N² / 2 of a normal matrix, N of each product in conjugate gradients.  The choice
    depends on sizes alone, and on ``dask.config.set({"ggn.bandwidth": bytes_per_second})``, by
    default 1.25e9: not on the workers that there are, so that results do not either.

    Parameters
    ----------
    net : MLP
    T : int
        Number of samples, in all chunks.
    chunks : int
        How many there are; each is taken to have a core.
    loss, damping, max_memory, penalised
        As for `ggn.plan`; memory is this process's.

    Returns
    -------
    Plan
        Print it for the table: work of one core, with what sums take to be brought together;
        MB that go from one process to another in an iteration.

    Raises
    ------
    ValueError
        For arguments out of range.

    Examples
    --------
    >>> import dask, ggn, ggn.dask
    >>> small, large = ggn.MLP((8, 50, 1)), ggn.MLP((100, 200, 1))
    >>> ggn.dask.plan(small, 10_000, 4).step
    Primal()
    >>> with dask.config.set({"ggn.bandwidth": 1e7}):
    ...     ggn.dask.plan(large, 1_000_000, 64).step
    ConjugateGradient(tol=0.01, max_products=200)
    """
    instance("net must be", net, MLP)
    T, chunks = integer("T", T, 1), integer("chunks", chunks, 1)
    penalised = flag("penalised", penalised)
    curved, rules = loss_names.resolve(loss), dampings.resolve(damping)
    return planned(net, T, curved, rules, max_memory, penalised, False, transport(chunks))

"""Which weights a penalty is on, and what it weighs in the units of the data.

With inputs of size s and targets of size s_y, where J is k times that of data of size one (squared
loss: s_y²), weights of the first layer are 1/s of those for such data, and of the last s_y:

    h_1 = l2 / (k s²),    h_l = l2 / k,    h_L = l2 s_y² / k

is what a penalty l2 weighs on those.  Linear units depend on products of weights only, so of
L layers their geometric mean counts; others have a size at which they bend, so each h_l does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from ggn.activations import Identity
from ggn.fit.sizes import input_units, target_units
from ggn.fit.units import rescaled
from ggn.linearization import BaseObjective
from ggn.network import MLP

__all__ = ["HeavyPenalty", "heavier_by_units", "without_biases"]

HEAVIER = 10.0  # times what it would weigh for data of size one
ROUNDING = 1e-12  # of a deviation: a mean of zero
LEAST = 1e-6  # h: with less, no function of size one is held back


@dataclass(frozen=True)
class HeavyPenalty:
    """A penalty that the data's units have made heavier; prints as a sentence.

    Attributes
    ----------
    weight : float
        The largest of those means and h_l.
    small : str
        What is of a size below one, with mean and deviation.
    """

    weight: float
    small: str

    def __str__(self) -> str:
        return (
            f"The penalty may limit the fit: in these units, {self.small}, l2 weighs as "
            f"{self.weight:.1g} would for deviations of one; use (value - mean) / deviation of "
            "each input and target, or a smaller l2."
        )


def heavier_by_units(objective: BaseObjective) -> HeavyPenalty | None:
    """Return what a penalty weighs that small inputs or targets have made heavier, or None.

    Of inputs the smallest counts, which a penalty keeps from acting first.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> from ggn.linearization import Objective
    >>> x, net = np.linspace(-1, 1, 50), ggn.MLP((1, 5, 1))
    >>> print(heavier_by_units(Objective(net, x, 1e-9 * np.sin(x), l2=1e-6)))
    The penalty may limit the fit: in these units, target 0 is 0 ± 5e-10, l2 weighs as 1e+13
    would for deviations of one; use (value - mean) / deviation of each input and target, or a
    smaller l2.
    """
    net = objective.net
    if not (objective.penalised and objective.layered):
        return None
    l2 = net.matrices(objective.l2 * np.ones(net.n_weights))
    of_layers = [W[:-1] if has_dummy else W for W, has_dummy in zip(l2, net.bias, strict=True)]
    (m, s), (my, sy) = input_units(objective), target_units(objective)
    j = int(np.argmin(np.where(s > 0.0, s, np.inf)))
    size, of_targets = s[j] or 1.0, sy or float(np.abs(my).max()) or 1.0  # as units of a run
    with np.errstate(all="ignore"):
        given = np.log([np.mean(W) for W in of_layers])
        change = np.full(net.depth, -np.log(rescaled(objective.loss, of_targets)[1]))
        change[0] -= 2.0 * np.log(size)
        change[-1] += 2.0 * np.log(of_targets)
        bent = [i for i, activation in enumerate(net.activations[:-1]) if activation != Identity()]
        found = [(change.mean(), given.mean()), *((change[i], given[i]) for i in bent)]
    heavy = [c + own for c, own in found if c > math.log(HEAVIER) and c + own > math.log(LEAST)]
    if not heavy:
        return None
    of_both = ("target 0", my[0], sy, of_targets), (f"input {j}", m[j], s[j], size)
    what, mean, deviation, size = min(of_both, key=itemgetter(3))
    mean = 0.0 if abs(mean) < ROUNDING * size else mean
    return HeavyPenalty(math.exp(min(max(heavy), 700.0)), f"{what} is {mean:.3g} ± {deviation:.1g}")


def without_biases(net: MLP, l2: float) -> float | np.ndarray:
    """Return the penalty of each weight, (N,): l2, but 0 for those of dummy units.

    A bias says where a function is, not how steep: under a penalty, a rare class would
    be predicted too often.  For `ggn.train`, which takes a number for all weights alike.

    Examples
    --------
    >>> import ggn
    >>> without_biases(ggn.MLP((2, 1)), 0.5)
    array([0.5, 0.5, 0. ])
    """
    if l2 == 0.0:
        return 0.0
    Ws = [np.full_like(W, l2) for W in net.unpack(np.zeros(net.n_weights))]
    for W, has_dummy in zip(Ws, net.bias, strict=True):
        if has_dummy:
            W[-1] = 0.0
    return net.pack(Ws)

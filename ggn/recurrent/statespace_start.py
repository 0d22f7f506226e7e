"""Where the training of a state-space model begins: at the best linear model.

A and B, C and D are those of `subspace`; f and g have units that share out the range of (x, u)
on its run (Nguyen and Widrow) and outputs of zero.  So the first J is that of the linear model.
Where f alone moves the state, it is trained one step ahead to do what A and B did.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ggn.fit.train import train
from ggn.network import MLP, joined
from ggn.network.nguyen_widrow import hidden_layers
from ggn.recurrent.statespace_model import StateSpace
from ggn.recurrent.subspace import subspace

__all__ = ["linear_start", "with_networks"]

SMALL = 0.3  # deviation of states where f alone moves them, and must reach them
MOST = 2000  # samples that tell the range of (x, u), and that f is trained on


def linear_start(
    model: StateSpace, Us: Sequence[np.ndarray], Ys: Sequence[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (N,) to start from, and the singular values of the subspace method."""
    linear, w, s = subspace(Us, Ys, model.n_states, model.feedthrough)
    return with_networks(model, linear, w, Us, rng), s


def with_networks(
    model: StateSpace,
    linear: StateSpace,
    w: np.ndarray,
    Us: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the weights of a model that does, or nearly does, what a linear one does at w."""
    parts = linear.unpack(w)
    runs = [
        linear.states_and_outputs(w, U, linear.initial_state(w, e), len(U))[0]
        for e, U in enumerate(Us)
    ]
    X = np.concatenate([run[:-1] for run in runs])
    ahead = np.concatenate([run[1:] for run in runs])
    size = 1.0
    if not model.linear:
        size = SMALL
        parts["x0"] = parts["x0"] * size
        parts["C"] = parts["C"] / size
    Z = np.hstack([size * X, np.concatenate(Us)])
    every = -(-len(Z) // MOST)
    Z, ahead = Z[::every], size * ahead[::every]
    if not model.linear:
        assert model.f is not None
        parts["f"] = train(model.f, Z, ahead, max_iter=60, rng=rng).w
    elif model.f is not None:
        parts["f"] = _silent(model.f, Z, rng)
    if model.g is not None:
        parts["g"] = _silent(model.g, Z, rng)
        if not model.offset:  # the output layer's dummy units stand for o
            model.g.unpack(parts["g"])[-1][-1] = parts["o"]
    have = {name for name, at in model.parts.items() if at.stop > at.start}
    return model.pack({name: part for name, part in parts.items() if name in have})


def _silent(net: MLP, Z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return weights whose hidden units share out the range of Z, and whose outputs are zero."""
    equal = np.full(len(Z), 1.0 / len(Z))
    Ws, _ = hidden_layers(net, rng, Z, Z.min(axis=0), Z.max(axis=0), equal, smooth=True)
    return joined([*Ws, np.zeros(net.layout.shapes[-1][::-1])])

"""Weights in the layout of a PyTorch `state_dict`, as plain arrays.

nn.Sequential(nn.Linear, activation, nn.Linear, ...) has the keys

    "0.weight" K_1ᵀ (n_1, n0)    "0.bias" b_1    "2.weight" K_2ᵀ    "2.bias" b_2 ...

with K_l, b_l of `ggn.export.layers`; each activation takes a number too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ggn.activations import Activation
from ggn.export.layers import folded_layers
from ggn.export.reading import GivenLayer, chained_model
from ggn.fit.fitted import Fitted, as_model
from ggn.io import Model
from ggn.validation import describe, float_array

__all__ = ["from_torch_state_dict", "to_torch_state_dict"]


def to_torch_state_dict(model: Fitted) -> dict[str, np.ndarray]:
    """Return the weights in the layout of a PyTorch `state_dict`.

    Parameters
    ----------
    model : Model, TrainResult or estimator

    Returns
    -------
    dict of ndarray
        Float64, in the order of the layers.

    Raises
    ------
    ValueError
        For anything else.

    Notes
    -----
    The scaling of inputs and targets is folded into the weights.  Where targets are
    scaled behind an output activation that is not the identity, a linear layer is
    added at the end.

    `nn.Softplus` cuts its tail at 20, an error of 2e-9; give it ``threshold=40``.

    Examples
    --------
    >>> import ggn
    >>> from ggn.export import to_torch_state_dict
    >>> state = to_torch_state_dict(ggn.Model(ggn.MLP((2, 3, 1)), range(13)))
    >>> [(key, array.shape) for key, array in state.items()]
    [('0.weight', (3, 2)), ('0.bias', (3,)), ('2.weight', (1, 3)), ('2.bias', (1,))]

    In PyTorch, for a model of nn.Linear layers in this order::

        state = {key: torch.from_numpy(array) for key, array in state.items()}
        nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).load_state_dict(state)
    """
    state = {}
    for place, layer in enumerate(folded_layers(as_model(model))):
        state[f"{2 * place}.weight"] = np.ascontiguousarray(layer.kernel.T)
        if layer.bias is not None:
            state[f"{2 * place}.bias"] = layer.bias
    return state


def from_torch_state_dict(
    state: Mapping[str, Any],
    activation: str | Activation | Sequence[str | Activation],
    output_activation: str | Activation = "identity",
) -> Model:
    """Return the model of a PyTorch `state_dict` that holds nn.Linear layers only.

    Parameters
    ----------
    state : mapping of str to array or tensor
        Keys end in ``weight`` and ``bias``; the layers are taken in their order.
    activation : str or Activation, or a sequence of them
        Of all hidden layers, or one for each; a `state_dict` does not say.
    output_activation : str or Activation, default "identity"

    Returns
    -------
    Model
        Without scaling; a layer without bias has no dummy unit.

    Raises
    ------
    ValueError
        If the arrays are not those of linear layers that follow each other.

    Examples
    --------
    >>> from ggn.export import from_torch_state_dict
    >>> model = from_torch_state_dict({"weight": [[2.0, 1.0]], "bias": [0.5]}, "tanh")
    >>> model.predict([[1.0, 3.0]])
    array([[5.5]])
    """
    if not isinstance(state, Mapping):
        raise ValueError(f"state must be a mapping of names to arrays, got {describe(state)}")
    given = []
    for key in map(str, state):
        kind = key.rpartition(".")[2]
        module = key.removesuffix(kind)
        if kind not in ("weight", "bias") or f"{module}weight" not in state:
            raise ValueError(
                "state must hold weights and biases of linear layers only, got the key "
                f"{describe(key)}"
            )
        if kind == "weight":
            name, bias = f"state[{key!r}]", f"{module}bias"
            behind = (f"state[{bias!r}]", state[bias]) if bias in state else None
            given.append(GivenLayer(name, float_array(name, state[key], (2,)).T, behind))
    return chained_model("state", given, activation, output_activation)

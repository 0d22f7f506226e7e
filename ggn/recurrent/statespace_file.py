"""The file of a state-space model: of the kind that `ggn.Model` writes, see `ggn.io.archive`.

Its header has `states`: the flags of `StateSpace`, and under f and g what the header of a network
has, with n, how many weights.  x_mean and x_scale are the units of inputs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ggn.io.archive import (
    ARRAYS,
    network_header,
    network_of,
    read_archive,
    usable,
    write_archive,
)
from ggn.io.columns import names
from ggn.io.files import FilePath
from ggn.network import MLP
from ggn.recurrent.scaling import Scaling
from ggn.recurrent.statespace_model import StateSpace
from ggn.validation import integer, vector

__all__ = ["is_statespace", "read_statespace", "write_statespace"]

SIZES = "n_inputs", "n_states", "n_outputs", "initial_states"
FLAGS = "linear", "feedthrough"
Names = Sequence[str] | None


def write_statespace(
    path: FilePath,
    model: StateSpace,
    w: np.ndarray,
    scaling: Scaling,
    inputs: Names,
    targets: Names,
) -> None:
    """Write the file, replacing what was there only once all is written."""
    told: dict[str, Any] = {flag: getattr(model, flag) for flag in (*SIZES, *FLAGS)}
    for name, net in (("f", model.f), ("g", model.g)):
        told[name] = None if net is None else {**network_header(net), "n": net.n_weights}
    header = {
        "states": told,
        "input_names": names("input_names", inputs, model.n_inputs, "u"),
        "target_names": names("target_names", targets, model.n_outputs, "y"),
    }
    y_scale = np.full(model.n_outputs, scaling.y_scale)
    given = w, scaling.u_mean, scaling.u_scale, scaling.y_mean, y_scale
    write_archive(path, header, dict(zip(ARRAYS, given, strict=True)))


def is_statespace(path: FilePath) -> bool:
    """Whether a file, which must be one of a model, is one of states."""
    return "states" in read_archive(os.fsdecode(path))[0]


def read_statespace(path: FilePath) -> tuple[StateSpace, np.ndarray, Scaling, Any, Any]:
    """Return model, weights, units and names of inputs and outputs; nothing is ever executed."""
    header, arrays = read_archive(name := os.fsdecode(path))
    if "states" not in header:
        raise ValueError(f"{name} is not a state-space model: ggn.Model.load reads what it is")
    with usable(name):
        told, w = header["states"], arrays["w"]
        if not isinstance(told, Mapping):
            raise TypeError
        # before anything is allocated of the size claimed
        sizes = [integer(key, told[key], 0) for key in SIZES]
        if max(sizes) > w.size:
            raise ValueError(f"{w.size} weights do not fit {max(sizes)} columns")
        f, g = (_net(name, told[part], w.size) for part in ("f", "g"))
        nu, nx, ny, initial = sizes
        model = StateSpace(nu, nx, ny, f, g, told["linear"], told["feedthrough"], initial)
        counts = nu, nu, ny, ny
        u_mean, u_scale, y_mean, y_scale = (
            vector(key, arrays[key], n, "one per column")
            for key, n in zip(ARRAYS[1:], counts, strict=True)
        )
        if not (u_scale > 0.0).all() or not (y_scale > 0.0).all():
            raise ValueError("its scales are not positive")
        w = vector("w", w, model.n_weights, "the model's n_weights")
        scaling = Scaling(u_mean, u_scale, y_mean, float(y_scale[0]))
        return model, w, scaling, header["input_names"], header["target_names"]


def _net(path: str, told: Any, most: int) -> MLP | None:
    """Return a network of a file, which must be of no more weights than that."""
    if told is None:
        return None
    n = integer("n", told["n"], 0)
    if n > most:
        raise ValueError(f"{most} weights do not fit a network of {n}")
    return network_of(path, told, n, {})

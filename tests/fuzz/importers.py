"""Arrays that other libraries wrote, changed: torch, keras, scikit-learn."""

from __future__ import annotations

import functools
import types

import numpy as np

from fuzz import values
from ggn import export


def case(rng: np.random.Generator):
    """Return the call that reads changed weights."""
    good = values.things()
    kind = int(rng.integers(4))
    names = ["tanh", "relu", ["tanh"], "sigmoid", ["tanh", "relu"], 3, None, [], "nothing"]
    activation = names[min(int(rng.geometric(0.5)) - 1, len(names) - 1)]
    if kind == 0:
        state = dict(good["state"][0])
        for _ in range(int(rng.integers(1, 4))):
            _change_mapping(state, rng)
        given = state if rng.random() < 0.95 else _bad(rng)
        return functools.partial(_read, export.from_torch_state_dict, given, activation)
    if kind == 1:
        weights = _changed(list(good["weights"][0]), rng)
        return functools.partial(_read, export.from_keras_weights, weights, activation)
    coefs = _changed(list(good["coefs"][0]), rng)
    intercepts = _changed(list(good["intercepts"][0]), rng)
    if kind == 2:
        return functools.partial(_read, export.from_sklearn, coefs, intercepts, activation)
    estimator = types.SimpleNamespace(
        coefs_=coefs, intercepts_=intercepts, activation="tanh", out_activation_="identity"
    )
    for _ in range(int(rng.integers(0, 2))):
        setattr(estimator, str(rng.choice([*vars(estimator), "feature_names_in_"])), _bad(rng))
    return functools.partial(_read, export.from_mlp_regressor, estimator)


def _read(function, *given):
    model = function(*given)
    with np.errstate(all="ignore"):
        model.predict(np.zeros((2, model.net.n_inputs)))


def _bad(rng: np.random.Generator):
    return values.bad()[int(rng.integers(len(values.bad())))]


def _change_mapping(state: dict, rng: np.random.Generator) -> None:
    keys = [*state]
    what, key = int(rng.integers(5)), keys[int(rng.integers(len(keys)))] if keys else "weight"
    if what == 0:
        state.pop(key, None)
    elif what == 1:
        odd = [
            3,
            None,
            "bias",
            "weight",
            "a.b.weight",
            ".weight",
            "x" * 10000,
            ("weight",),
            b"0.weight",
            "running_mean",
        ]
        state[odd[int(rng.integers(len(odd)))]] = state.get(key, 1.0)
    elif what == 2 and keys and isinstance(state[key], np.ndarray):
        state[key] = state[key].T
    else:
        state[key] = _bad(rng)


def _changed(arrays: list, rng: np.random.Generator):
    if rng.random() < 0.05:
        return _bad(rng)
    for _ in range(int(rng.integers(0, 3))):
        what = int(rng.integers(5))
        i = int(rng.integers(len(arrays))) if arrays else 0
        if what == 0 and arrays:
            arrays.pop(i)
        elif what == 1 and arrays:
            arrays.insert(i, arrays[i])
        elif what == 2 and arrays:
            arrays[i] = arrays[i].T if isinstance(arrays[i], np.ndarray) else _bad(rng)
        elif arrays:
            arrays[i] = _bad(rng)
    return arrays if rng.random() < 0.9 else tuple(arrays)

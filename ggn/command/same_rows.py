"""Whether rows of a table are those that a saved model was trained on, as far as it can tell.

A model's file has the numbers of its rows and none of the data: of another table, or of the same
in another order, they are other rows.  But its units are statistics of the rows trained on, in
whatever order these came.
"""

from __future__ import annotations

import numpy as np

from ggn.io import Model
from ggn.io.scaling import minmax_units, robust_units, standard_units

__all__ = ["has_units_of"]

EPS = float(np.finfo(np.float64).eps)
ALIKE = 1e-9  # of a unit
SUMMED = 64.0 * EPS  # of a mean far from zero: what another order of the sum may change


def has_units_of(model: Model, X: np.ndarray, Y: np.ndarray) -> bool | None:
    """Whether the model's units are those of these rows, by one of the ways to choose them.

    Parameters
    ----------
    X, Y : ndarray, (T, n0) and (T, nL)
        In the units of the data.

    Returns
    -------
    bool or None
        None for a model in the data's own units, which tell of no rows.
    """
    own = [(model.x_mean, model.x_scale), (model.y_mean, model.y_scale)]
    if not any(mean.any() or (scale != 1.0).any() for mean, scale in own):
        return None
    X = X if model.x_transform is None else model.x_transform(X)
    columns = [X, Y] if model.classes is None else [X]  # targets of classes have no units
    return any(
        all(_alike(of(A), units) for A, units in zip(columns, own, strict=False))
        for of in (standard_units, robust_units, minmax_units)
    )


def _alike(found: tuple[np.ndarray, np.ndarray], own: tuple[np.ndarray, np.ndarray]) -> bool:
    mean, scale = found
    allowed = ALIKE * scale + SUMMED * np.abs(mean)
    return all(bool((np.abs(a - b) <= allowed).all()) for a, b in zip(found, own, strict=True))

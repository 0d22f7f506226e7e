"""What every estimator has, wherever it trains: its parameters as given, its weights by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ggn.io.model import Model
from ggn.io.scaling import fold, linear_units

__all__ = ["WithWeights"]


class WithWeights(BaseEstimator):
    """An estimator whose fit is a `Model`, `model_`."""

    model_: Model

    def _keep_parameters(self, given: dict[str, Any]) -> None:
        """Set what the constructor was given, as it is, from its local variables."""
        for name in self._get_param_names():
            setattr(self, name, given[name])

    def __sklearn_is_fitted__(self) -> bool:
        """Whether a fit has come to its end: one that was refused leaves attributes, too."""
        return "model_" in vars(self)

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights between layers, (n_(l-1), n_l) each, for data in their own units."""
        return [W[:-1] for W in self._folded()]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Bias of each layer, (n_l,), for data in their own units."""
        return [W[-1] for W in self._folded()]

    def _names(self) -> list[str] | None:
        """Return the columns' names if a model's file can have them."""
        names = list(getattr(self, "feature_names_in_", []))
        return names if all(names) and len(set(names)) == len(names) > 0 else None

    def _folded(self) -> list[np.ndarray]:
        check_is_fitted(self)
        m = self.model_
        return m.net.unpack(fold(m.net, m.w, *linear_units(m, "model_")))

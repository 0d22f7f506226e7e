"""Estimators for scikit-learn: `GGNRegressor`, `GGNClassifier` and `NARXRegressor`.

They need scikit-learn 1.6 or newer, `pip install 'ggn[sklearn]'`.
"""

try:
    from sklearn.utils.validation import validate_data  # noqa: F401  (since 1.6)
except ImportError as error:
    raise ImportError(
        "ggn.sklearn needs scikit-learn 1.6 or newer: pip install 'ggn[sklearn]'"
    ) from error

from ggn.sklearn.classifier import GGNClassifier
from ggn.sklearn.narx import NARXRegressor
from ggn.sklearn.regressor import GGNRegressor
from ggn.sklearn.units import ExtrapolationWarning

__all__ = ["ExtrapolationWarning", "GGNClassifier", "GGNRegressor", "NARXRegressor"]

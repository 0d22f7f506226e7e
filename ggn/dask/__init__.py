"""Training on a Dask cluster: the samples stay on its workers, sums over them come back.

They need dask and distributed, `pip install 'ggn[dask]'`; the estimators, `GGNRegressor` and
`GGNClassifier`, scikit-learn too: they are imported when one is asked for.
"""

try:
    import dask.array  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError("ggn.dask needs dask and distributed: pip install 'ggn[dask]'") from error

from ggn.dask.planner import plan
from ggn.dask.points import diagnose, linearize
from ggn.dask.training import train, train_restarts
from ggn.dask.waiting import ClusterError

__all__ = [
    "ClusterError",
    "diagnose",
    "linearize",
    "plan",
    "train",
    "train_restarts",
]


def __getattr__(name: str) -> object:
    """Import the estimators, which need scikit-learn."""
    if name == "GGNClassifier":
        from ggn.dask.classifier import GGNClassifier

        return GGNClassifier
    if name == "GGNRegressor":
        from ggn.dask.regressor import GGNRegressor

        return GGNRegressor
    raise AttributeError(f"module 'ggn.dask' has no attribute {name!r}")

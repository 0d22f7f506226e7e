"""Exact Generalised Gauss-Newton training of smooth multilayer perceptrons."""

import importlib
from typing import TYPE_CHECKING

from ggn import activations, damping, io, losses, problems, products, steps
from ggn._core.machine import done, threads
from ggn.activations import Activation
from ggn.fit.class_targets import ClassTargetsWarning
from ggn.fit.held_out import split
from ggn.fit.many import train_many
from ggn.fit.planner import plan
from ggn.fit.restarts import train_restarts
from ggn.fit.result import Status, TrainResult
from ggn.fit.train import train
from ggn.fit.units import ScalingWarning
from ggn.io import Chunks, Model
from ggn.linearization import Linearization, linearize
from ggn.losses import Loss
from ggn.network import MLP

if TYPE_CHECKING:
    from ggn import export, recurrent, surface
    from ggn.fit.approximate import approximate
    from ggn.fit.bayes import train_bayesian
    from ggn.fit.outliers import OutliersWarning
    from ggn.fit.robust import train_robust
    from ggn.fit.unsettled import EvidenceWarning
    from ggn.recurrent import narx, statespace
    from ggn.surface import Diagnosis, diagnose


def __getattr__(name: str) -> object:
    """Import what needs an extra, or is not for every script, when it is asked for."""
    if name in ("dask", "export", "paper", "plot", "recurrent", "sklearn", "surface"):
        return done(lambda: importlib.import_module(f"ggn.{name}"))
    owners = {
        "Diagnosis": "ggn.surface",
        "EvidenceWarning": "ggn.fit.unsettled",
        "OutliersWarning": "ggn.fit.outliers",
        "approximate": "ggn.fit.approximate",
        "diagnose": "ggn.surface",
        "narx": "ggn.recurrent",
        "statespace": "ggn.recurrent",
        "train_bayesian": "ggn.fit.bayes",
        "train_robust": "ggn.fit.robust",
    }
    if name in owners:
        return getattr(done(lambda: importlib.import_module(owners[name])), name)
    raise AttributeError(f"module 'ggn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__", "dask", "paper", "plot", "sklearn"})


__version__ = "0.1.0"

__all__ = [
    "MLP",
    "Activation",
    "Chunks",
    "ClassTargetsWarning",
    "Diagnosis",
    "EvidenceWarning",
    "Linearization",
    "Loss",
    "Model",
    "OutliersWarning",
    "ScalingWarning",
    "Status",
    "TrainResult",
    "activations",
    "approximate",
    "damping",
    "diagnose",
    "export",
    "io",
    "linearize",
    "losses",
    "narx",
    "plan",
    "problems",
    "products",
    "recurrent",
    "split",
    "statespace",
    "steps",
    "surface",
    "threads",
    "train",
    "train_bayesian",
    "train_many",
    "train_restarts",
    "train_robust",
]

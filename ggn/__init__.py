"""Exact Generalised Gauss-Newton training of smooth multilayer perceptrons."""

import importlib
from typing import TYPE_CHECKING

from ggn import activations, damping, io, losses, problems, products, steps, surface
from ggn._core.machine import done, threads
from ggn.activations import Activation
from ggn.fit.approximate import approximate
from ggn.fit.bayes import train_bayesian
from ggn.fit.class_targets import ClassTargetsWarning
from ggn.fit.held_out import split
from ggn.fit.many import train_many
from ggn.fit.planner import plan
from ggn.fit.restarts import train_restarts
from ggn.fit.result import Status, TrainResult
from ggn.fit.robust import train_robust
from ggn.fit.train import train
from ggn.fit.units import ScalingWarning
from ggn.fit.unsettled import EvidenceWarning
from ggn.io import Chunks, Model
from ggn.linearization import Linearization, linearize
from ggn.losses import Loss
from ggn.network import MLP
from ggn.surface import Diagnosis, diagnose

if TYPE_CHECKING:
    from ggn import export
    from ggn.recurrent import narx, statespace


def __getattr__(name: str) -> object:
    """Import what needs an extra, or is not for every script, when it is asked for."""
    if name in ("paper", "plot", "sklearn", "dask", "export"):
        return done(lambda: importlib.import_module(f"ggn.{name}"))
    if name in ("narx", "statespace"):
        return getattr(done(lambda: importlib.import_module("ggn.recurrent")), name)
    raise AttributeError(f"module 'ggn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__version__ = "0.1.0.dev0"

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

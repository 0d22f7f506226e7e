"""Calls of every public function, class and method, with arguments good and bad.

Found by introspection: what `__all__` of the public modules names.  Each parameter is given a
good value by its name, and one or two of them a bad one.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
import itertools
import sys
import tempfile

import numpy as np

import ggn
from fuzz import values
from fuzz.watch import Outcome, tried

MODULES = [
    "ggn", "ggn.activations", "ggn.damping", "ggn.export", "ggn.io", "ggn.losses", "ggn.problems", "ggn.products",
    "ggn.steps", "ggn.surface", "ggn.sklearn", "ggn.recurrent",
]  # fmt: skip
MODULES += ["ggn.plot"] * (importlib.util.find_spec("matplotlib") is not None)
MODULES += ["ggn.dask"] * (importlib.util.find_spec("distributed") is not None)
# what others of ours make, and their users only read; bases that say what a method must do
MADE = {
    "Diagnosis", "Linearization", "TrainResult", "Evidence", "Suggestion", "StationaryPoints", "RankReport",
    "Certificate", "Lasting", "Metric", "Rule", "Nielsen", "ScaleInvariant", "Trial", "Prepared", "Damping", "Step",
    "Residual", "natural_scale", "typical_scale", "StationaryPoint", "Findings", "LoopDiagnosis", "NARXResult",
    "Stability", "StateSpaceDiagnosis", "StateSpaceFit", "Lags", "Scaling",
}  # fmt: skip
PASSED_ON = {"f", "callback", "value", "derivative", "second_derivative", "gradient", "hessian"}


@functools.cache
def public() -> dict:
    """Return what is called, by name; methods of objects among them."""
    found: dict = {}
    for module in map(importlib.import_module, MODULES):
        for name in module.__all__:
            value = getattr(module, name)
            skipped = name in MADE or name == "threads" or not callable(value)
            if skipped or (isinstance(value, type) and not _made_by_users(value)):
                continue
            found.setdefault(f"{module.__name__}.{name}", value)
    return found | _methods()


def _made_by_users(cls: type) -> bool:
    return (
        cls.__module__.startswith("ggn")
        and not issubclass(cls, (Exception, tuple, __import__("enum").Enum))
        and cls.__module__.split(".")[1] != "surface"
    ) or cls.__name__ == "Symmetry"


@functools.cache
def objects() -> dict:
    """Return objects whose methods are called."""
    from ggn.sklearn import GGNClassifier, GGNRegressor, NARXRegressor

    fit = values.things()["w0"][3]
    y, few = values.Y[:, 0], {"max_iter": 3, "hidden_layer_sizes": (2,)}
    regressor = GGNRegressor(alpha=0.1, n_estimators=1, **few).fit(values.X, y)
    return {
        "MLP": values.NET, "Model": ggn.Model(values.NET, values.W), "Linearization": values.things()["at"][0],
        "TrainResult": fit, "Symmetry": ggn.surface.Symmetry(values.NET), "tanh": ggn.activations.Tanh(),
        "Cauchy": ggn.losses.Cauchy(), "Softmax": ggn.losses.SoftmaxCrossEntropy(), "report": values.things()["report"][1],
        "Restarts": ggn.train_restarts(values.NET, values.X, values.Y, n_restarts=2, max_iter=3),
        "Fits": ggn.train_many(values.NET, values.X, values.Y, n_fits=2, max_iter=3),
        "Bayesian": ggn.train_bayesian(values.NET, values.X, values.Y, max_iter=3),
        "Mixture": ggn.train_bayesian(values.NET, values.X, values.Y, max_iter=3, n_estimators=2),
        "Robust": ggn.train_robust(values.NET, values.X, values.Y, max_iter=3),
        "Diagnosis": ggn.diagnose(values.NET, values.W, values.X, values.Y),
        "GGNRegressor": regressor,
        "GGNClassifier": GGNClassifier(**few).fit(values.X, y > 0.0),
        "Regressor": GGNRegressor(**few),
        "narx_fit": values.series()["fit"][0], "statespace_fit": values.series()["fit"][1],
        "narx_diagnosis": values.series()["fit"][0].diagnose(values.U, values.RUN),
        "statespace_diagnosis": values.series()["fit"][1].diagnose(values.U, values.RUN),
        "narx_regressor": NARXRegressor(2, max_iter=3).fit(values.U, values.RUN[:, 0]),
        "simulator": values.simulator(), "statespace_model": values.simulator().model,
    }  # fmt: skip


DICT = set(dir(dict)) | set(dir(list))
INSIDE = {  # unchecked by design, as their docstrings say
    "sweep",
    "matrices", "hessian_product", "curvature_along", "normal_product", "work_size", "diagonal_size", "chunk_size", "assemble_normal", "bend", "bend_columns", "root", "whitened",
    "get_metadata_routing", "set_fit_request", "set_score_request", "set_predict_request", "normal_diagonal",
    "with_curvature", "with_scale", "check_targets", "set_params", "get_params", "draws", "component", "components", "score",
    "value", "gradient", "hessian", "derivative", "second_derivative", "report", "states_and_outputs", "jacobians", "learn",
    "shape", "statespace_model().initial_state",
}  # fmt: skip


def _methods() -> dict:
    found = {}
    for kind, value in objects().items():
        for name in dir(value):
            inside = name in INSIDE or f"{kind}().{name}" in INSIDE
            if name.startswith("_") or name in DICT or inside or name == "save":
                continue
            if callable(getattr(type(value), name, None)) or callable(vars(value).get(name)):
                found[f"{kind}().{name}"] = getattr(value, name)
    return found


def case(rng: np.random.Generator) -> Outcome:
    """Call one of them."""
    everything = _everything()
    name = everything[int(rng.integers(len(everything)))]
    outcome = tried(functools.partial(_call, name, rng))
    if outcome.fault is not None:
        outcome = outcome._replace(fault=f"{name}: {outcome.fault}")
    return outcome


@functools.cache
def _everything():
    return sorted(public())


def _call(name: str, rng: np.random.Generator):
    function = public()[name]
    args, kwargs = arguments(name, function, rng)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        result = function(*args, **kwargs)  # which may write to a path of any name
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    if isinstance(result, (str, np.ndarray)) or result is None:
        return
    if not hasattr(result, "get_params"):  # which shows its arguments, by their own repr
        repr(result)
        str(result)
    if hasattr(result, "__next__"):
        list(itertools.islice(result, 10))


def arguments(name: str, function, rng: np.random.Generator) -> tuple[list, dict]:
    """Return arguments for a function, of which most are good."""
    parameters = list(inspect.signature(function).parameters.values())
    given = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    needed = {p.name for p in given if p.default is p.empty}
    chosen = [
        p for p in given
        if p.name not in ("argument", "known")
        if p.name in needed or p.name in LIMITS or rng.random() < 0.3
    ]  # fmt: skip
    wrong = set(rng.choice([p.name for p in chosen], int(rng.integers(0, 3)))) if chosen else set()
    args, kwargs = [], {}
    for p in chosen:
        if p.name in wrong and not (p.name in LIMITS and (name in SLOW or p.name == "n_samples")):
            value = values.bad()[int(rng.integers(len(values.bad())))]
            if p.name in PASSED_ON and callable(value):
                value = np.tanh
        else:
            value = _good(name, p, rng)
        if p.kind is p.KEYWORD_ONLY:
            kwargs[p.name] = value
        elif len(args) == len([q for q in given[: given.index(p)] if q.kind is not p.KEYWORD_ONLY]):
            args.append(value)
        else:
            kwargs[p.name] = value
    if any(p.kind is p.VAR_KEYWORD for p in parameters) and "restarts" in name:
        kwargs["max_iter"] = 3
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        args += [values.X, values.Y]
    return args, kwargs


LIMITS = {
    "max_iter",
    "n_restarts",
    "n_starts",
    "n_estimators",
    "max_seconds",
    "n_fits",
    "max_units",
    "T",
    "n_samples",
    "n_jobs",
    "points",
    "rows",
    "columns",
    "size",
    "n_steps",
}
# whose work grows with these, as is asked: a large number of them is not a fault
SLOW = {
    "ggn.approximate", "ggn.train_bayesian", "ggn.train_robust", "ggn.train_restarts", "ggn.train_many",
    "ggn.surface.stationary_points", "ggn.problems.four_regions", "ggn.train",
    "ggn.plot.along", "ggn.plot.plane", "ggn.plot.regions",
}  # fmt: skip


# what takes series, and no samples that are told apart
SERIES = (
    "ggn.narx", "ggn.statespace", "ggn.recurrent.", "narx_", "statespace_", "simulator",
    "ggn.plot.correlations", "ggn.plot.horizons", "ggn.plot.poles", "ggn.plot.simulated", "ggn.sklearn.NARX",
)  # fmt: skip


def _good(name: str, p: inspect.Parameter, rng: np.random.Generator):
    known = values.things().get(p.name)
    if name.startswith(SERIES):
        known = values.series().get(p.name, known)
    if p.name == "activation" and rng.random() < 0.8:
        known = ["tanh"]
    if known is None or (p.default is not p.empty and rng.random() < 0.2 and p.name not in LIMITS):
        if p.default is not p.empty:
            return p.default
        return values.bad()[int(rng.integers(len(values.bad())))]
    return known[int(rng.integers(len(known)))]

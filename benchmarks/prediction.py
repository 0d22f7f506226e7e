"""Errors on data not seen, of the estimators as they come, beside scikit-learn's.

python -m benchmarks.prediction [FOLDER] [--splits 10] [--sets NAMES] [--models NAMES] [--cache DIR]

FOLDER holds yacht.csv, concrete.csv and airfoil.csv (a header line, the target last); a set that
is not there is left out.  Diabetes and Friedman's three functions with noise come with
scikit-learn.  A split holds a tenth out at random; all scaling and tuning is inside the rest.
With --cache, what was measured before is read, not measured again.

RMSE, mean log-likelihood of the targets held out, share of them in the intervals of 90 %, width
of these over the deviation of the targets: means over the splits, and the standard error of the
RMSE's.  CPU seconds of a fit, the median over the splits.  One thread.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ggn.sklearn import GGNRegressor

LEVEL = 0.9
FRIEDMAN_NOISE = {1: 1.0, 2: 125.0, 3: 0.1}
SETS = ("yacht", "concrete", "airfoil", "diabetes", "friedman1", "friedman2", "friedman3")
FIELDS = ("rmse", "loglik", "inside", "width", "seconds")


def read(name: str, folder: Path | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Return inputs and targets, or None where there is no such file."""
    if name == "diabetes":
        X, y = datasets.load_diabetes(return_X_y=True)
        return X, y
    if name.startswith("friedman"):
        k = int(name[-1])
        make = getattr(datasets, f"make_{name}")
        X, y = make(n_samples=500, noise=FRIEDMAN_NOISE[k], random_state=0)
        return X, y
    path = (folder or Path("/nowhere")) / f"{name}.csv"
    if folder is None or not path.exists():
        return None
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1]


def split(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to fit and those held out."""
    order = np.random.default_rng(1000 + seed).permutation(count)
    return order[count // 10 :], order[: count // 10]


def process(n: int) -> Any:
    kernel = ConstantKernel(1.0, (1e-3, 1e4)) * RBF(np.full(n, 3.0), (1e-2, 1e4))
    kernel += WhiteKernel(1e-2, (1e-8, 1e1))
    model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
    return make_pipeline(StandardScaler(), model)


def perceptron(_: int) -> Any:
    net = MLPRegressor(
        hidden_layer_sizes=(50,), activation="tanh", solver="lbfgs", max_iter=500, random_state=0
    )
    model = make_pipeline(StandardScaler(), net)
    grid = {"mlpregressor__alpha": [1e-3, 1e-2, 1e-1, 1.0, 10.0]}
    return TransformedTargetRegressor(GridSearchCV(model, grid, cv=3), transformer=StandardScaler())


MODELS: dict[str, Callable[[int], Any]] = {
    "default": lambda n: GGNRegressor(random_state=0),
    "alpha=1e-4": lambda n: GGNRegressor(20, alpha=1e-4, random_state=0),
    "HistGradientBoosting": lambda n: HistGradientBoostingRegressor(random_state=0),
    "GaussianProcess": process,
    "MLPRegressor": perceptron,
}
PEERS = ("HistGradientBoosting", "GaussianProcess", "MLPRegressor")


def measure(model: Any, X: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Return the FIELDS of one split; nan for what a model does not say."""
    fitted, held = split(len(y), seed)
    start = time.process_time()
    model.fit(X[fitted], y[fitted])
    seconds = time.process_time() - start
    loglik = inside = width = math.nan
    try:
        mean, std = model.predict(X[held], return_std=True)
    except (TypeError, ValueError):
        mean = model.predict(X[held])
    else:
        low, high = interval(model, X[held], mean, std)
        inside = float(np.mean((low < y[held]) & (y[held] < high)))
        width = float(np.mean(high - low)) / float(np.std(y[fitted]))
        loglik = likelihood(model, X[held], y[held], mean, std)
    rmse = float(np.sqrt(np.mean((mean - y[held]) ** 2)))
    return np.array([rmse, loglik, inside, width, seconds])


def interval(
    model: Any, X: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if hasattr(model, "predict_interval"):
        low, high = model.predict_interval(X, LEVEL)
        return low, high
    half = norm.ppf(0.5 + 0.5 * LEVEL) * std
    return mean - half, mean + half


def likelihood(
    model: Any, X: np.ndarray, y: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> float:
    if hasattr(model, "log_likelihood"):
        return float(np.mean(model.log_likelihood(X, y)))
    return float(np.mean(norm.logpdf(y, mean, std)))


def cached(cache: Path | None, key: str, run: Callable[[], np.ndarray]) -> np.ndarray:
    path = None if cache is None else cache / f"{key.replace(' ', '_')}.npy"
    if path is not None and path.exists():
        return np.asarray(np.load(path))
    found = run()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, found)
    return found


def compare(
    name: str, data: tuple[np.ndarray, np.ndarray], models: list[str], splits: int, cache: Any
) -> dict[str, np.ndarray]:
    """Print the table of one set; return the mean RMSE and its standard error by model."""
    X, y = data
    print(f"\n{name}: {len(X)} samples, {X.shape[1]} inputs, {splits} splits")
    print(f"{'':<22}{'RMSE':>9}{'s.e.':>9}{'log-lik.':>10}{'inside':>8}{'width':>8}{'CPU s':>8}")
    found = {}
    for label in models:
        rows = np.array(
            [
                cached(
                    cache,
                    f"{name}-{label}-{k}",
                    lambda label=label, k=k: measure(MODELS[label](X.shape[1]), X, y, k),
                )
                for k in range(splits)
            ]
        )
        mean, error = rows.mean(axis=0), rows[:, 0].std(ddof=1) / math.sqrt(splits)
        mean[4] = np.median(rows[:, 4])
        found[label] = np.array([mean[0], error])
        print(
            f"{label:<22}{mean[0]:>9.4g}{error:>9.2g}{mean[1]:>10.3f}{mean[2]:>8.3f}"
            f"{mean[3]:>8.3f}{mean[4]:>8.2f}",
            flush=True,
        )
    return found


def main() -> None:
    """Print a table for each set, and the default against the best peer."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of bounds and iteration limits
    models, ratios, won = options.models.split(","), [], 0
    for name in options.sets.split(","):
        data = read(name, options.folder)
        if data is None:
            continue
        found = compare(name, data, models, options.splits, options.cache)
        peers = [found[label] for label in PEERS if label in found]
        if peers and "default" in found:
            best = min(peers, key=lambda row: float(row[0]))
            ratios.append(found["default"][0] / best[0])
            won += found["default"][0] <= best[0] + best[1]
    if ratios:
        print(
            f"\ndefault: best or within a standard error of the best peer on {won} of "
            f"{len(ratios)}; geometric mean of the ratios {np.exp(np.mean(np.log(ratios))):.3f}"
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()

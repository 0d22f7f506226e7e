"""Log-loss and calibration on data not seen, of GGNClassifier beside scikit-learn's.

python -m benchmarks.classification [--splits 5] [--first 0] [--sets NAMES] [--alphas NUMBERS]

A split holds a fifth of each class out; scaling and tuning are inside the rest.  Mean log-loss
and its standard error over the splits; the expected calibration error in ten bins of the
likeliest class's probability, what it would be in the median had these probabilities been
exact, and the share of wrong labels, of the samples of all splits; the median of a fit's CPU
seconds.  The default's constants were chosen on splits 0 to 4.  One thread.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ggn.sklearn import GGNClassifier

BINS = 10
DRAWS = 200
TINY = 1e-15
HEADS = ("log-loss", "s.e.", "ECE", "exact", "wrong", "CPU s")
SETS: dict[str, Callable[[], Any]] = {
    "cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "moons": lambda: datasets.make_moons(500, noise=0.25, random_state=0),
    "rare": lambda: datasets.make_classification(
        800, 10, n_informative=5, weights=[0.92], flip_y=0.02, random_state=0
    ),
    "digits": lambda: datasets.load_digits(return_X_y=True),
}


def perceptron() -> Any:
    net = MLPClassifier((20,), "tanh", solver="lbfgs", max_iter=300, random_state=0)
    grid = {"mlpclassifier__alpha": [0.1, 1.0, 10.0]}
    model = make_pipeline(StandardScaler(), net)
    return GridSearchCV(model, grid, cv=3, scoring="neg_log_loss")


PEERS: dict[str, Callable[[], Any]] = {
    "LogisticRegression": lambda: make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=1000)
    ),
    "HistGradientBoosting": lambda: HistGradientBoostingClassifier(random_state=0),
    "MLPClassifier": perceptron,
}


def calibration(p: np.ndarray, y: np.ndarray) -> float:
    """Return the mean of |confidence - accuracy| over bins, each by its share of the samples."""
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    of = np.minimum((sure * BINS).astype(int), BINS - 1)
    sums = [np.bincount(of, each, BINS) for each in (sure, right)]
    return float(np.abs(sums[0] - sums[1]).sum() / len(y))


def calibration_of_exact(p: np.ndarray) -> float:
    """Return the median of `calibration` for labels drawn with these probabilities."""
    rng, below = np.random.default_rng(0), p.cumsum(axis=1)[:, :-1]
    drawn = [(rng.random((len(p), 1)) > below).sum(axis=1) for _ in range(DRAWS)]
    return float(np.median([calibration(p, y) for y in drawn]))


def row(label: str, make: Callable[[], Any], X: np.ndarray, y: np.ndarray, splits: range) -> None:
    """Fit on every split, and print."""
    losses, all_p, all_y, seconds = [], [], [], []
    for k in splits:
        fitted, held = train_test_split(
            np.arange(len(y)), test_size=0.2, random_state=k, stratify=y
        )
        start = time.process_time()
        model = make().fit(X[fitted], y[fitted])
        seconds.append(time.process_time() - start)
        p = model.predict_proba(X[held])
        losses.append(-np.log(np.maximum(p[np.arange(len(held)), y[held]], TINY)).mean())
        all_p.append(p)
        all_y.append(y[held])
    p, labels = np.concatenate(all_p), np.concatenate(all_y)
    n = len(splits)
    error = np.std(losses, ddof=1) / math.sqrt(n) if n > 1 else math.nan
    print(
        f"{label:<22}{np.mean(losses):>9.4f}{error:>9.4f}{calibration(p, labels):>9.4f}"
        f"{calibration_of_exact(p):>9.4f}{np.mean(p.argmax(axis=1) != labels):>9.4f}"
        f"{np.median(seconds):>9.2f}",
        flush=True,
    )


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--alphas", default="")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of iteration limits
    for name in options.sets.split(","):
        X, y = SETS[name]()
        splits = range(options.first, options.first + options.splits)
        print(f"\n{name}: {len(X)} samples, {X.shape[1]} inputs, {options.splits} splits")
        print(f"{'':<22}" + "".join(f"{head:>9}" for head in HEADS))
        ours = {"GGNClassifier": lambda: GGNClassifier(random_state=0)}
        for alpha in filter(None, options.alphas.split(",")):
            of = float(alpha)
            ours[f"alpha={of:g}"] = lambda of=of: GGNClassifier(alpha=of, random_state=0)
        for label, make in {**ours, **PEERS}.items():
            row(label, make, X, y, splits)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()

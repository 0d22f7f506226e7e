"""Log-loss and calibration on data not seen, of GGNClassifier beside scikit-learn's.

python -m benchmarks.classification [--splits 5] [--sets NAMES] [--alphas NUMBERS] [--members 1]

A split holds a fifth of each class out; scaling and tuning are inside the rest.  Mean log-loss
and its standard error over the splits; the expected calibration error in ten bins of the
likeliest class's probability and the share of wrong labels, of the samples of all splits.
With --members the mean of so many networks' logits, from different starts.  One thread.
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax
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
TINY = 1e-15
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


class Several:
    """The mean of the logits of networks from different starts."""

    def __init__(self, alpha: float, members: int) -> None:
        self.models = [
            GGNClassifier(alpha=alpha, max_iter=100, random_state=seed) for seed in range(members)
        ]

    def fit(self, X: np.ndarray, y: np.ndarray) -> Several:
        for model in self.models:
            model.fit(X, y)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        logs = np.mean([model.predict_log_proba(X) for model in self.models], axis=0)
        found: np.ndarray = softmax(logs, axis=1)
        return found


def calibration(p: np.ndarray, y: np.ndarray) -> float:
    """Return the mean of |confidence - accuracy| over bins, each by its share of the samples."""
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    of = np.minimum((sure * BINS).astype(int), BINS - 1)
    sums = [np.bincount(of, each, BINS) for each in (sure, right)]
    return float(np.abs(sums[0] - sums[1]).sum() / len(y))


def row(label: str, make: Callable[[], Any], X: np.ndarray, y: np.ndarray, splits: int) -> None:
    """Fit on every split, and print."""
    losses, all_p, all_y = [], [], []
    for k in range(splits):
        fitted, held = train_test_split(
            np.arange(len(y)), test_size=0.2, random_state=k, stratify=y
        )
        p = make().fit(X[fitted], y[fitted]).predict_proba(X[held])
        losses.append(-np.log(np.maximum(p[np.arange(len(held)), y[held]], TINY)).mean())
        all_p.append(p)
        all_y.append(y[held])
    p, labels = np.concatenate(all_p), np.concatenate(all_y)
    error = np.std(losses, ddof=1) / math.sqrt(splits) if splits > 1 else math.nan
    print(
        f"{label:<22}{np.mean(losses):>9.4f}{error:>9.4f}{calibration(p, labels):>9.4f}"
        f"{np.mean(p.argmax(axis=1) != labels):>9.4f}",
        flush=True,
    )


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--alphas", default="1e-3")
    parser.add_argument("--members", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of iteration limits
    for name in options.sets.split(","):
        X, y = SETS[name]()
        print(f"\n{name}: {len(X)} samples, {X.shape[1]} inputs, {options.splits} splits")
        print(f"{'':<22}{'log-loss':>9}{'s.e.':>9}{'ECE':>9}{'wrong':>9}")
        for alpha in map(float, options.alphas.split(",")):
            of = f"alpha={alpha:g}"
            row(of, lambda a=alpha: Several(a, options.members), X, y, options.splits)
        for label, make in PEERS.items():
            row(label, make, X, y, options.splits)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()

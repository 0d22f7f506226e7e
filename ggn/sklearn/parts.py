"""Which samples an estimator trains on, and which it stops by."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import _check_sample_weight, validate_data

from ggn.io.columns import of_data
from ggn.validation import ArgumentError, describe, number, plain, widened

__all__ = [
    "check_none_missing",
    "counted",
    "outputs",
    "plain_targets",
    "read",
    "sample_weights",
    "seed_of",
    "split",
    "target_names",
]


def seed_of(random_state: Any) -> int:
    """Return a seed drawn from what scikit-learn takes for a source of randomness."""
    try:
        return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    except RecursionError as error:  # its sentence would show what cannot be shown
        raise ArgumentError(
            "random_state", f"must be an integer or None, got {describe(random_state)}"
        ) from error


def read(estimator: Any, *data: Any, **options: Any) -> Any:
    """Return data as arrays of float64, checked as scikit-learn does."""
    try:
        return validate_data(estimator, *map(widened, data), dtype=np.float64, **options)
    except (MemoryError, OverflowError, RecursionError) as error:
        raise ArgumentError(
            "X", f"must be of numbers that float64 and memory hold, got {describe(data[0])}"
        ) from error


def check_none_missing(y: Any) -> None:
    """Raise ValueError where a label is missing, or bytes: before others stumble over it."""
    if not (hasattr(y, "dtype") and hasattr(y, "__array__")):
        return  # not an array nor a series yet
    labels = np.asarray(y)
    if labels.dtype.kind == "S":
        raise ArgumentError("y", "must have labels of text, got bytes; decode them")
    for i, label in enumerate(labels.ravel() if labels.dtype == object else ()):
        # pandas.NA is neither equal to itself nor not
        if label is None or type(label).__name__ == "NAType" or label != label:
            got = f"{label} at y[{i}]"
            raise ArgumentError("y", f"must have a label for every sample, got {got}")


def plain_targets(y: Any, labels: bool) -> None:
    """Refuse targets that NumPy would turn into something else, and labels that are missing."""
    plain("y", y, labels=labels)
    if labels:
        check_none_missing(y)


def target_names(y: Any) -> tuple[str, ...] | None:
    """Return what a data frame or a series calls its columns, where a model can say so."""
    return of_data(None, y).get("target_names")


def sample_weights(sample_weight: Any, X: np.ndarray) -> np.ndarray:
    """Return the weights (T,) of samples, checked as scikit-learn does."""
    plain("sample_weight", sample_weight)
    if isinstance(sample_weight, numbers.Number):  # which NumPy would cut to its real part
        sample_weight = number("sample_weight", sample_weight, 0.0)
    try:
        s: np.ndarray = _check_sample_weight(
            widened(sample_weight), X, dtype=np.float64, ensure_non_negative=True
        )
    except (MemoryError, OverflowError, RecursionError) as error:
        raise ArgumentError(
            "sample_weight",
            f"must be of numbers that float64 and memory hold, got {describe(sample_weight)}",
        ) from error
    return s


def counted(
    estimator: Any, X: np.ndarray, y: np.ndarray, s: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the samples and weights s (T,), without those of weight 0, which are not given."""
    some = s > 0.0
    if not some.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    check_array(X[some], ensure_min_samples=2, estimator=estimator, input_name="X")
    return X[some], y[some], s[some]


def outputs(y: Any) -> np.ndarray:
    """Return outputs (T,) or (T, columns) as float64, of which NaN are missing."""
    plain("y", y)
    try:
        found: np.ndarray = check_array(
            widened(y), dtype=np.float64, ensure_2d=False, ensure_all_finite="allow-nan",
            input_name="y",
        )  # fmt: skip
    except (MemoryError, OverflowError, RecursionError) as error:
        raise ArgumentError(
            "y", f"must be of numbers that float64 and memory hold, got {describe(y)}"
        ) from error
    return found


def split(
    T: int, fraction: Any, labels: np.ndarray | None, source: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and a fraction, if any, to stop by, stratified by labels."""
    rows = np.arange(T)
    if fraction is None:
        return rows, rows[:0]
    fraction = number("validation_fraction", fraction, 0.0, 1.0, open_low=True, open_high=True)
    fitted, kept = train_test_split(rows, test_size=fraction, random_state=source, stratify=labels)
    return fitted, kept

"""Which samples an estimator trains on, and which it stops by."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from ggn.validation import number

__all__ = ["split"]


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

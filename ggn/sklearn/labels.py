"""Labels of classes as targets, and how much each class counts.

one label per sample    two classes: 0 or 1; more: a column of 0 and 1 for each
several (multilabel)    a column of 0 and 1 for each label, as they are given
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from ggn.losses import Logistic, Loss, SoftmaxCrossEntropy, Squared
from ggn.sklearn.parts import check_none_missing, target_names
from ggn.validation import ArgumentError, describe, key, number, spelled, unknown_name

__all__ = [
    "Labels",
    "accuracy",
    "check_same",
    "class_weights",
    "has_probabilities",
    "is_squared",
    "loss_of",
    "named",
    "read_labels",
    "targets_of",
]


ANSWERS = dict.fromkeys(
    ("logistic", "crossentropy", "softmaxcrossentropy", "bce", "binarycrossentropy",
     "categoricalcrossentropy", "softmax", "deviance"),
    "'log_loss' is cross-entropy, logistic or softmax as the classes are",
)  # fmt: skip


LOSSES = ("log_loss", "squared")


def is_squared(loss: Any) -> bool:
    """Whether a classifier's loss is the squared one, not cross-entropy."""
    if isinstance(loss, str) and key(loss) in ANSWERS:
        raise unknown_name("loss", loss, LOSSES, ANSWERS)
    return spelled("loss", loss, LOSSES) == "squared"


def has_probabilities(estimator: Any) -> bool:
    """Whether the loss makes outputs logarithms of probabilities."""
    if is_squared(estimator.loss):
        raise AttributeError(f"probabilities need loss='log_loss', got loss={estimator.loss!r}")
    return True


@dataclass(frozen=True)
class Labels:
    """What y says.

    Attributes
    ----------
    classes : ndarray, (n_classes,)
        Sorted; of several labels per sample, the numbers of their columns.
    numbers : ndarray or None
        Which class each sample is of, (T,); None for several labels per sample.
    targets : ndarray, (T, nL)
        Zeros and ones.
    """

    classes: np.ndarray
    numbers: np.ndarray | None
    targets: np.ndarray


def read_labels(who: str, y: np.ndarray) -> Labels:
    """Return what labels y (T,), or zeros and ones (T, n_labels), say.

    Raises
    ------
    ValueError
        For labels that cannot be told apart or sorted, or only one class.
    """
    check_none_missing(y)
    try:
        if y.dtype == object and len({isinstance(label, str) for label in y.ravel()}) > 1:
            raise TypeError("words and numbers have no order")
        with np.errstate(invalid="ignore"):  # no label that is a number is beyond all integers
            check_classification_targets(y)
            kind = type_of_target(y)
        if kind == "multilabel-indicator":
            return Labels(np.arange(y.shape[1]), None, y.astype(np.float64))
        classes, numbers = np.unique(column_or_1d(y, warn=True), return_inverse=True)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in np.ravel(y)})
        raise ArgumentError("y", f"must have labels of one kind, got {' and '.join(kinds)}") from (
            error
        )
    if len(classes) < 2:
        raise ValueError(
            f"{who} needs samples of at least 2 classes, but the data has only one class: "
            f"{classes[0]}"
        )
    return Labels(classes, numbers, _columns(classes, numbers))


def named(y: Any, several: bool) -> tuple[str | None, tuple[str, ...] | None]:
    """Return what a frame or a series calls the column of labels, and each of several labels."""
    found = target_names(y)
    return (None, found) if several or found is None else (found[0], None)


def check_same(estimator: Any, labels: Labels) -> None:
    """Refuse labels other than those of the estimator's last fit, if there was one."""
    several = labels.numbers is None
    classes = getattr(estimator, "classes_", labels.classes)
    if (
        not np.array_equal(classes, labels.classes)
        or getattr(estimator, "_several", several) != several
    ):
        raise ValueError(
            f"warm_start=True goes on with the classes of the last fit, {classes}; "
            f"got {labels.classes}"
        )


def loss_of(labels: Labels, squared: bool) -> tuple[Loss, str]:
    """Return the loss of these labels, and what makes probabilities of outputs."""
    if squared:
        return Squared(), "identity"
    if labels.numbers is None or labels.targets.shape[1] == 1:
        return Logistic(), "logistic"
    return SoftmaxCrossEntropy(), "softmax"


def _columns(classes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the zeros and ones, (T, nL), of samples of these numbers among the classes."""
    if len(classes) == 2:
        return numbers[:, np.newaxis].astype(np.float64)
    return np.eye(len(classes))[numbers]


def targets_of(classes: np.ndarray, y: Any) -> np.ndarray:
    """Return the zeros and ones, (T, nL), of labels y (T,), each of which is of these classes."""
    known = {label: k for k, label in enumerate(classes.tolist())}
    given = np.asarray(y).ravel().tolist()
    strange = [label for label in given if label not in known]
    if strange:
        raise ArgumentError(
            "Y", f"must have labels of the fit, {describe(list(known))}, got {describe(strange[0])}"
        )
    return _columns(classes, np.array([known[label] for label in given], dtype=int))


def class_weights(
    given: Any, labels: Labels, sample_weight: np.ndarray | None
) -> np.ndarray | None:
    """Return sample weights (T,) times those of classes.

    "balanced" gives class k the weight Σ s / (n_classes Σ s of class k), so that all count
    the same.
    """
    if given is None:
        return sample_weight
    numbers, classes = labels.numbers, labels.classes
    if numbers is None:
        raise ArgumentError(
            "class_weight", f"must be None where samples have several labels, got {describe(given)}"
        )
    s = np.ones(len(numbers)) if sample_weight is None else sample_weight
    if isinstance(given, str) and given == "balanced":
        of_class = s.sum() / (len(classes) * np.bincount(numbers, weights=s))
    elif isinstance(given, Mapping):
        known = classes.tolist()
        strange = [label for label in given if label not in known]
        if strange:
            raise ArgumentError(
                "class_weight",
                f"must have weights of classes {describe(known)}, "
                f"got one of {describe(strange[0])}",
            )
        of_class = np.array(
            [number(f"class_weight[{k!r}]", given.get(k, 1.0), 0.0, open_low=True) for k in known]
        )
    else:
        raise ArgumentError(
            "class_weight", f"must be None, 'balanced' or a dict, got {describe(given)}"
        )
    weighted: np.ndarray = s * of_class[numbers]
    return weighted


def accuracy(
    threshold: float, several: bool, Y: np.ndarray, F: np.ndarray, weights: np.ndarray | None
) -> float:
    """Return the share of samples of the right class, or with all labels right."""
    if several or F.shape[1] == 1:
        right = ((F > threshold) == (Y > 0.5)).all(axis=1)
    else:
        right = F.argmax(axis=1) == Y.argmax(axis=1)
    return float(np.average(right, weights=weights))

"""What the outputs of a classifier say: probabilities of the classes, and the likeliest.

========  ============================  ===================================================
link      outputs φ                     probabilities
========  ============================  ===================================================
logistic  one, for two classes          1 - p and p = 1 / (1 + exp(-φ))
logistic  one per label, `several`      p of each label by itself
softmax   one per class                 exp φ_k / Σ_j exp φ_j
identity  as those of logistic          none: φ estimates 0 and 1, of which it is the nearer
          or softmax
========  ============================  ===================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax

from ggn.losses import Loss
from ggn.validation import ArgumentError, describe, items, number

__all__ = ["Classes", "plain_label"]

LINKS = ("logistic", "softmax", "identity")


class Classes:
    """The labels of classes, and how outputs tell them.

    Parameters
    ----------
    labels : sequence of str, int, float or bool
        In the order of the outputs; of one output, what 0 and 1 stand for.
    link : {"logistic", "softmax", "identity"}
    several : bool, default False
        Whether a sample may have several of the labels, each with an output.
    weights : sequence of float, optional
        What a sample of each class counted in training; by default 1.
    column : str, optional
        What the column of labels is called in a table.

    Raises
    ------
    ValueError
        For labels that are fewer than two, the same, or of another kind.

    Examples
    --------
    >>> import numpy as np
    >>> kinds = Classes(["no", "yes"], "logistic")
    >>> kinds.probabilities(np.array([[0.0]])), kinds.told(np.array([[-1.0], [2.0]]))
    (array([[0.5, 0.5]]), ['no', 'yes'])
    """

    def __init__(
        self,
        labels: Any,
        link: str,
        several: bool = False,
        weights: Sequence[float] | None = None,
        column: str | None = None,
    ) -> None:
        self.labels = tuple(map(plain_label, items("classes", labels, "a sequence of labels")))
        strange = [label for label in self.labels if not isinstance(label, (str, int, float))]
        if strange or len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ArgumentError(
                "classes",
                f"must be two or more distinct strings or numbers, got {describe(self.labels)}",
            )
        if link not in LINKS:
            raise ArgumentError("link", f"must be one of {', '.join(LINKS)}, got {describe(link)}")
        self.link, self.several, self.column = link, bool(several), column
        self.weights = None
        if weights is not None:
            self.weights = tuple(number("weights", value, 0.0, open_low=True) for value in weights)

    @classmethod
    def of(cls, labels: Any, loss: Loss | None, n_outputs: int) -> Classes:
        """Return labels with the link of a loss; such an object as it is.

        Several outputs under the logistic loss are labels of which a sample may have several.

        Raises
        ------
        ValueError
            If the network has not as many outputs as the labels need.
        """
        made = labels
        if not isinstance(labels, cls):
            links = {"logistic": "logistic", "softmax_cross_entropy": "softmax"}
            link = links.get("" if loss is None else loss.name, "identity")
            made = cls(labels, link, link == "logistic" and n_outputs > 1)
        needed = 1 if len(made.labels) == 2 and made.link != "softmax" else len(made.labels)
        if n_outputs not in (needed, len(made.labels)) or (made.several and n_outputs == 1):
            raise ArgumentError(
                "classes",
                f"must be as many as the {n_outputs} outputs tell, got {describe(made.labels)}",
            )
        return made

    def logarithms(self, F: np.ndarray) -> np.ndarray:
        """Return the logarithms of `probabilities`, to full precision.

        Parameters
        ----------
        F : ndarray, (T, nL)
            The outputs.
        """
        if self.link == "softmax":
            return np.asarray(log_softmax(F, axis=1))
        if self.link == "identity":
            raise ValueError("outputs trained by squared loss are no probabilities")
        return np.asarray(log_expit(F if self.several else np.hstack([-F, F])))

    def probabilities(self, F: np.ndarray) -> np.ndarray:
        """Return the probability of each label, (T, n_labels); their sum is 1 unless `several`."""
        if self.link == "softmax":
            return np.asarray(softmax(F, axis=1))
        if self.link == "identity":
            raise ValueError("outputs trained by squared loss are no probabilities")
        return np.asarray(expit(F if self.several else np.hstack([-F, F])))

    def indices(self, F: np.ndarray) -> np.ndarray:
        """Return which class is likeliest, (T,); with `several` zeros and ones, (T, n_labels)."""
        above = (F > (0.5 if self.link == "identity" else 0.0)).astype(int)
        if self.several:
            return above
        return above[:, 0] if F.shape[1] == 1 else F.argmax(axis=1)

    def told(self, F: np.ndarray) -> list[Any]:
        """Return the likeliest label of each sample; with `several` a list of those it has."""
        found = self.indices(F)
        if self.several:
            return [[self.labels[k] for k in np.flatnonzero(row)] for row in found]
        return [self.labels[k] for k in found]

    def targets(self, numbers: np.ndarray) -> np.ndarray:
        """Return zeros and ones (T, nL) for the numbers (T,) of classes."""
        if len(self.labels) == 2 and self.link != "softmax":
            return np.asarray(numbers, dtype=np.float64)[:, np.newaxis]
        return np.eye(len(self.labels))[numbers]

    def header(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        told: dict[str, Any] = {"labels": list(self.labels), "link": self.link}
        told |= {"several": self.several, "weights": self.weights, "column": self.column}
        return {key: value for key, value in told.items() if value is not None}

    @classmethod
    def from_header(cls, told: Mapping[str, Any]) -> Classes:
        """Return what `header` told."""
        more = told.get("weights"), told.get("column")
        return cls(told["labels"], told["link"], told["several"], *more)

    def __repr__(self) -> str:
        return f"Classes({list(self.labels)!r}, {self.link!r})"


def plain_label(label: Any) -> Any:
    """Return a label without NumPy's type; what a file cannot hold, as its text.

    Examples
    --------
    >>> import numpy as np
    >>> plain_label(np.str_("a")), plain_label(np.int64(3)), plain_label(np.datetime64("2026-01"))
    ('a', 3, '2026-01')
    """
    if isinstance(label, np.generic) and label.dtype.kind not in "Mm":
        label = label.item()
    if isinstance(label, (str, int, float)):
        return label
    try:
        return str(label)
    except Exception as error:  # whatever the label's own code raises
        raise ArgumentError("classes", f"must have a text each, got {describe(label)}") from error

"""The class that a model of two inputs gives every point of a plane.

an estimator with classes_        its own prediction
several outputs                   the largest
one output, logistic loss         whether it is above 0
one output, any other             the value among those of Y that is nearest
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ggn._core.machine import check_room
from ggn.fit.fitted import as_model
from ggn.io import Model
from ggn.io.columns import by_name
from ggn.losses import Logistic
from ggn.network import MLP
from ggn.plot.style import CLASSES, MARKERS, legend_above, pale, styled
from ggn.validation import integer, samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["decision_regions"]


def decision_regions(
    *data: Any, names: Sequence[str] | None = None, points: int = 200, ax: Axes | None = None
) -> Axes:
    """Draw the class that a model of two inputs gives every point, with the samples.

    Called as ``decision_regions(model, X, Y)``, or ``decision_regions(net, w, X, Y)`` for a
    network that takes X as it is.  The net inside a model or an estimator does not: it was
    trained on scaled inputs, which only the model or the estimator itself knows to scale.

    Parameters
    ----------
    model : TrainResult, Model or estimator
        With two inputs.
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, 2)
        In the units of the data.
    Y : array_like, (T,) or (T, nL)
        Class of each sample, by any labels that can be sorted: where an output stands for a
        class, in that order; or indicators, a column per output.
    names : sequence of str, optional
        Of the classes; by default as in Y, or Y's columns, or the model's names of its outputs.
    points : int, default 200
        Along each side of the grid.
    ax : Axes, optional

    Returns
    -------
    Axes
        Regions pale, samples in the same colour, each class with a marker of its own.

    Raises
    ------
    ValueError
        If there are not two inputs, Y has over ten classes, or they are not those of the model.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import ggn.plot
    >>> X, Y = ggn.problems.xor()
    >>> fit = ggn.train(ggn.MLP((2, 3, 1)), X, Y, max_iter=20)
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.decision_regions(fit, X, Y, ax=axes[0, 0])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['class 0', 'class 1']
    """
    source, model, X, Y = _arguments(data)
    X = samples("X", by_name(X, model.input_names), 2)
    if len(X) != len(Y):
        raise ValueError(f"Y must have as many rows as X, {len(X)}, got {len(Y)}")
    classes = _classes(source, model, Y)
    labels = classes.labels if names is None else [str(name) for name in names]
    if len(labels) != len(classes.labels):
        raise ValueError(
            f"names must be as many as classes, {len(classes.labels)}, got {len(labels)}"
        )
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.05 * np.where(high > low, high - low, 1.0)
    n = check_room("points", integer("points", points, 2), 24.0 * points)
    sides = [np.linspace(a, b, n) for a, b in zip(low - margin, high + margin, strict=True)]
    grid = np.stack(np.meshgrid(*sides), axis=-1)
    found = classes.of(grid.reshape(-1, 2)).reshape(n, n)
    with styled(ax) as ax:
        _draw(ax, sides, found, X, classes.true, labels)
        ax.set(xlabel=model.input_names[0], ylabel=model.input_names[1])
    return ax


class Classes(NamedTuple):
    """Labels, the number of the class that any inputs (T, 2) are given, and that of each sample."""

    labels: list[str]
    of: Callable[[np.ndarray], np.ndarray]
    true: np.ndarray


def _arguments(data: tuple[Any, ...]) -> tuple[Any, Model, Any, Any]:
    """Return whose classes are drawn, its model, X and Y."""
    if len(data) == 4 and isinstance(data[0], MLP):
        argument, source = "net", Model(data[0], data[1])
    elif len(data) == 3:
        argument, source = "model", data[0]
    else:
        raise ValueError(
            "decision_regions must be called as decision_regions(model, X, Y) or "
            f"decision_regions(net, w, X, Y), got {len(data)} arguments"
        )
    model = as_model(source)
    if model.net.n_inputs != 2:
        raise ValueError(f"{argument} must have two inputs to be drawn, got {model.net.n_inputs}")
    return source, model, data[-2], data[-1]


def _classes(source: Any, model: Model, Y: Any) -> Classes:
    """Return the classes of Y, and how the model tells them."""
    y, count = np.asarray(Y), model.net.n_outputs
    if y.ndim == 2 and y.shape[1] == count > 1:
        labels = [str(name) for name in getattr(Y, "columns", model.target_names)]
        _few(labels)
        return Classes(
            labels, lambda X: _largest(model.predict(X)), _largest(samples("Y", Y, count))
        )
    if y.ndim != 1 and y.shape != (len(y), 1):
        raise ValueError(f"Y must have shape (T,) or (T, {count}), got {y.shape}")
    y = y.ravel()
    known = getattr(source, "classes_", None)
    values = np.unique(y) if known is None else np.asarray(known)
    if known is None and y.dtype.kind in "fiub":
        y = samples("Y", y, 1)[:, 0]
        if count > 1 and len(values) < count and np.isin(values, np.arange(count)).all():
            values = np.arange(count)  # some class has no sample here
        if _logistic(model) and len(values) == 1 and values[0] in (0, 1):
            values = np.arange(2)
    _few(values)
    if not np.isin(y, values).all():
        raise ValueError(
            f"Y must hold classes of the model, {', '.join(map(str, values))}, "
            f"got {y[~np.isin(y, values)][0]}"
        )
    of = _own(source, values) if known is not None else _told(model, values)
    return Classes([_label(v) for v in values], of, np.searchsorted(values, y))


def _own(estimator: Any, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the predictions of a classifier, as numbers of its classes."""

    def of(X: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            # the grid has no column names, which is not the caller's fault
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return np.searchsorted(values, estimator.predict(X))

    return of


def _told(model: Model, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return how outputs tell classes of these values."""
    count = model.net.n_outputs
    numeric = values.dtype.kind in "fiub"
    if len(values) != count and (count > 1 or not (numeric or len(values) == 2)):
        raise ValueError(
            f"Y must hold {'two classes, or numbers' if count == 1 else f'{count} classes'}, "
            f"as the model has {count} output{'s' * (count > 1)}, got {len(values)}"
        )
    if count > 1:
        return lambda X: _largest(model.predict(X))
    if _logistic(model) and len(values) == 2:
        return lambda X: (model.predict(X)[:, 0] > 0.0).astype(int)
    levels = values.astype(float) if numeric else np.arange(float(len(values)))
    return lambda X: _largest(-np.abs(model.predict(X) - levels))


def _logistic(model: Model) -> bool:
    return model.net.n_outputs == 1 and isinstance(model.loss, Logistic)


def _few(classes: Sequence[Any] | np.ndarray) -> None:
    if len(classes) > len(CLASSES):
        raise ValueError(f"Y must hold at most {len(CLASSES)} classes, got {len(classes)}")


def _largest(scores: np.ndarray) -> np.ndarray:
    return np.asarray(scores.argmax(axis=1))


def _label(value: Any) -> str:
    number = isinstance(value, (float, np.floating))
    return f"class {value:g}" if number else f"class {value}"


def _draw(
    ax: Axes,
    sides: list[np.ndarray],
    found: np.ndarray,
    X: np.ndarray,
    true: np.ndarray,
    labels: list[str],
) -> None:
    """Draw the regions, the samples, and a legend in which each class has both."""
    from matplotlib.patches import Patch

    shades = [pale(CLASSES[k]) for k in range(len(labels))]
    ax.grid(visible=False)
    ax.contourf(*sides, found, np.arange(len(labels) + 1) - 0.5, colors=shades)
    for k in range(len(labels)):  # each around itself: lines between levels would lie on others
        if 0.0 < (found == k).mean() < 1.0:
            ax.contour(*sides, found == k, [0.5], colors="black", linewidths=0.8)
    handles = []
    for k in range(len(labels)):
        dots = ax.scatter(
            X[true == k, 0],
            X[true == k, 1],
            marker=MARKERS[k],
            s=22.0,
            facecolor=CLASSES[k],
            edgecolor="black",
            linewidth=0.6,
            label=labels[k],
        )
        handles.append((Patch(facecolor=shades[k], edgecolor="black", linewidth=0.6), dots))
    legend_above(ax, min(len(labels), 5), handles=handles, labels=labels, handlelength=2.5)

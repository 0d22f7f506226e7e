"""A model as an ONNX graph, in float64 or float32.

    Y = y_mean + y_scale · φ_L((X - x_mean) / x_scale)

One Gemm per layer, and the activations as `ggn.export.onnx_graph` puts them together; the
deviations of a model with posterior by `ggn.export.onnx_deviation`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ggn._core.machine import done
from ggn.export.expression import translate
from ggn.export.layers import built_in_layers
from ggn.export.onnx_deviation import add_deviation
from ggn.export.onnx_graph import Graph
from ggn.fit.fitted import Fitted, as_model
from ggn.io import Model
from ggn.io.asinh_transform import AsinhTransform
from ggn.io.classes import Classes
from ggn.io.files import FilePath, replacing
from ggn.io.scaling import PrecisionWarning
from ggn.validation import describe, unknown_name

__all__ = ["to_onnx"]

LOST = 1e-3  # of the unit of an input or a target: what its rounding may be without a warning


def to_onnx(model: Fitted, path: FilePath, dtype: str = "float64") -> None:
    """Write a model as an ONNX file: input X (samples, n0), output Y (samples, nL).

    A model of classes has two more outputs: probabilities (samples, n_labels), unless its loss
    was squared, and label (samples,), unless a sample may have several.  One with posterior has
    Y_std (samples, nL), the standard deviations of new targets that `Model.deviation` gives.

    Parameters
    ----------
    model : Model, TrainResult or estimator
        With built-in activations only; an estimator is fitted.
    path : path
        Replaced only once all is written.
    dtype : {"float64", "float32"}, default "float64"
        Of input, output and all that is between.

    Warns
    -----
    PrecisionWarning
        Where dtype cannot hold inputs or targets well beside their offset (in float32,
        time stamps, say).

    Raises
    ------
    ImportError
        If the package onnx is not installed.
    OSError
        If the file cannot be written; one that was there before is left intact.
    ValueError
        For a user's own activation, an unknown dtype, or numbers beyond float32; of a model
        with posterior in float32, with noise that varies with the inputs, or if it would take
        more than 2 GB.

    Notes
    -----
    Y_std takes N² numbers of the file for each network of N weights, and a runtime that is run
    N numbers for each output of each sample; set ``model.posterior = None`` to do without.

    The scaling of inputs and targets stays a step of its own: folded into the weights,
    x_mean / x_scale would cost as many digits as it is large.  The names of inputs
    and targets, and the labels of classes, are in the file's metadata, as JSON.

    Examples
    --------
    >>> import os, tempfile
    >>> import ggn, onnx
    >>> from ggn.export import to_onnx
    >>> net = ggn.MLP((2, 3, 1), "softplus")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.onnx")
    ...     to_onnx(ggn.Model(net, net.initial_weights(0)), path, dtype="float32")
    ...     [node.op_type for node in onnx.load(path).graph.node]
    ['Gemm', 'Softplus', 'Gemm', 'Identity']
    """
    try:
        onnx = done(_onnx)
    except ImportError as error:
        raise ImportError("to_onnx needs the package onnx: pip install ggn[onnx]") from error
    model = as_model(model)
    layers = built_in_layers(model, "ONNX")
    graph = Graph(onnx, _dtype(dtype))
    value = "X"
    _check_digits(model, graph.dtype)
    if model.x_transform is not None:
        value = _transformed(graph, value, model.x_transform)
    if model.x_mean.any():
        value = graph.add("Sub", value, graph.constant("x_mean", model.x_mean))
        rest = model.x_mean - graph.constants["x_mean"]  # what float32 does not hold of it
        if rest.any():
            value = graph.add("Sub", value, graph.constant("x_mean_rest", rest))
    if (model.x_scale != 1.0).any():
        value = graph.add("Div", value, graph.constant("x_scale", model.x_scale))
    scaled = value
    for number, (layer, activation) in enumerate(layers, start=1):
        terms = [graph.constant(f"W{number}", layer.kernel)]
        if layer.bias is not None:
            terms.append(graph.constant(f"b{number}", layer.bias))
        value = graph.activate(activation, graph.add("Gemm", value, *terms))
    if (model.y_scale != 1.0).any():
        value = graph.add("Mul", value, graph.constant("y_scale", model.y_scale))
    if model.y_mean.any():
        value = graph.add("Add", value, graph.constant("y_mean", model.y_mean))
    graph.output(value, "Y", model.net.n_outputs)
    if model.posterior is not None:
        deviation = add_deviation(graph, model, model.posterior, scaled)
        graph.output(deviation, "Y_std", model.net.n_outputs)
    if model.classes is not None:
        _tell(graph, value, model.classes)
    data = graph.serialize(model)
    with replacing(path) as stream:
        stream.write(data)


def _transformed(graph: Graph, x: str, x_transform: AsinhTransform) -> str:
    """Append e + b asinh((x - e) / b) of inputs; b is 0 of those that stay.

    asinh t = sign(t) log(|t| + sqrt(t² + 1)).
    """
    own = x_transform.applied
    start = graph.constant("x_start", np.where(own, x_transform.start, 0.0))
    inverse = graph.constant("x_inverse_width", np.where(own, 1.0 / x_transform.width, 0.0))
    t = graph.add("Mul", graph.add("Sub", x, start), inverse)
    log = "sign(z) * log(abs(z) + sqrt(z * z + 1.0))"
    asinh = translate(log, graph, z=t, slope=graph.number(1.0))
    width = graph.constant("x_width", np.where(own, x_transform.width, 0.0))
    u = graph.add("Add", graph.add("Mul", asinh, width), start)
    return graph.add("Add", u, graph.add("Mul", x, graph.constant("x_straight", ~own)))


def _onnx() -> Any:
    import onnx

    return onnx


def _tell(graph: Graph, outputs: str, classes: Classes) -> None:
    """Append what outputs say of classes."""
    one = len(classes.labels) == 2 and not classes.several and classes.link != "softmax"
    scores = outputs
    if classes.link == "softmax":
        scores = graph.add("Softmax", outputs, axis=1)
    elif one:  # both sides, so that the label is of the larger, and a tie of the first
        middle = graph.constant("middle", 0.5 if classes.link == "identity" else 0.0)
        above = graph.add("Sub", outputs, middle)
        scores = graph.add("Concat", graph.add("Neg", above), above, axis=1)
    if classes.link == "logistic":
        scores = graph.add("Sigmoid", scores)
    if classes.link != "identity":
        graph.output(scores, "probabilities", len(classes.labels))
    if not classes.several:
        place = graph.add("ArgMax", scores, axis=1, keepdims=0)
        labels, kind = graph.labels("labels", classes.labels)
        graph.output(graph.add("Gather", labels, place), "label", kind=kind)


def _check_digits(model: Model, dtype: np.dtype[Any]) -> None:
    """Warn where inputs or targets about the mean lose digits that matter in dtype."""
    eps = float(np.finfo(dtype).eps)
    for names, mean, scale in (
        (model.input_names, model.x_mean, model.x_scale),
        (model.target_names, model.y_mean, model.y_scale),
    ):
        lost = 0.5 * eps * np.abs(mean / scale)
        if lost.max() > LOST:
            name, unit = names[lost.argmax()], scale[lost.argmax()]
            warnings.warn(
                f"{dtype} holds {name} only to {lost.max():.1g} of its unit in the model, "
                f"{unit:g}: give it less an offset, in training too, or write it in float64",
                PrecisionWarning,
                stacklevel=3,
            )


def _dtype(value: Any) -> np.dtype[Any]:
    known = ("float32", "float64")
    try:
        name = np.dtype(value).name
    except Exception:  # what it is told of may not be shown
        name = value if isinstance(value, str) else describe(value)
    if name not in known:
        raise unknown_name("dtype", name, known)
    return np.dtype(name)

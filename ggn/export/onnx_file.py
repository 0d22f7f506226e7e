"""A model as an ONNX graph, in float64 or float32.

    Y = y_mean + y_scale · φ_L((X - x_mean) / x_scale)

One Gemm per layer, and the activations as `ggn.export.onnx_graph` puts them together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.export.layers import built_in_layers
from ggn.export.onnx_graph import Graph
from ggn.io import Model
from ggn.io.files import FilePath, replacing
from ggn.validation import describe, unknown_name

__all__ = ["to_onnx"]


def to_onnx(model: Model, path: FilePath, dtype: str = "float64") -> None:
    """Write a model as an ONNX file: input X (samples, n0), output Y (samples, nL).

    Parameters
    ----------
    model : Model
        With built-in activations only.
    path : path
        Replaced only once all is written.
    dtype : {"float64", "float32"}, default "float64"
        Of input, output and all that is between.

    Raises
    ------
    ImportError
        If the package onnx is not installed.
    OSError
        If the file cannot be written; one that was there before is left intact.
    ValueError
        For a user's own activation, an unknown dtype, or numbers beyond float32.

    Notes
    -----
    The scaling of inputs and targets stays a step of its own: folded into the weights,
    x_mean / x_scale would cost as many digits as it is large.  The names of inputs
    and targets are in the file's metadata, as JSON.

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
        import onnx
    except ImportError as error:
        raise ImportError("to_onnx needs the package onnx: pip install ggn[onnx]") from error
    layers = built_in_layers(model, "ONNX")
    graph = Graph(onnx, _dtype(dtype))
    value = "X"
    if model.x_mean.any():
        value = graph.add("Sub", value, graph.constant("x_mean", model.x_mean))
    if (model.x_scale != 1.0).any():
        value = graph.add("Div", value, graph.constant("x_scale", model.x_scale))
    for number, (layer, activation) in enumerate(layers, start=1):
        terms = [graph.constant(f"W{number}", layer.kernel)]
        if layer.bias is not None:
            terms.append(graph.constant(f"b{number}", layer.bias))
        value = graph.activate(activation, graph.add("Gemm", value, *terms))
    if (model.y_scale != 1.0).any():
        value = graph.add("Mul", value, graph.constant("y_scale", model.y_scale))
    if model.y_mean.any():
        value = graph.add("Add", value, graph.constant("y_mean", model.y_mean))
    data = graph.serialize(value, model)
    with replacing(path) as stream:
        stream.write(data)


def _dtype(value: Any) -> np.dtype[Any]:
    known = ("float32", "float64")
    try:
        name = np.dtype(value).name
    except TypeError:
        name = value if isinstance(value, str) else describe(value)
    if name not in known:
        raise unknown_name("dtype", name, known)
    return np.dtype(name)

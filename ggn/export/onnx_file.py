"""A model as an ONNX graph, in float64 or float32.

    Y = y_mean + y_scale · φ_L((X - x_mean) / x_scale)

One Gemm per layer and one node per activation.  ONNX has no bent identity, and
onnxruntime no float64 kernels of this operator set's softplus, softsign and leaky
ReLU; these are put together of others:

softplus        max(z, 0) + log(1 + exp(-|z|))
softsign        z / (1 + |z|)
leaky ReLU      max(z, slope · z)                       slope in [0, 1]
bent identity   z + z/2 · t / (sqrt(t² + 1) + 1)        t = z cut to ±1e18, whose square is finite
"""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import numpy as np

from ggn.activations import Activation
from ggn.export.layers import built_in_layers
from ggn.io import Model
from ggn.io.files import FilePath, replacing
from ggn.validation import describe, unknown_name

__all__ = ["to_onnx"]

OPSET, IR_VERSION = 13, 7  # of 2020, which every runtime since then reads
# The operator of each activation, and whether onnxruntime has it in float64.
OPERATORS = {
    "sigmoid": ("Sigmoid", True),
    "tanh": ("Tanh", True),
    "exponential": ("Exp", True),
    "relu": ("Relu", True),
    "softplus": ("Softplus", False),
    "softsign": ("Softsign", False),
    "leaky_relu": ("LeakyRelu", False),
}


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
    graph = _Graph(onnx, _dtype(dtype))
    value = "X"
    if model.x_mean.any():
        value = graph.add("Sub", value, graph.constant("x_mean", model.x_mean))
    if (model.x_scale != 1.0).any():
        value = graph.add("Div", value, graph.constant("x_scale", model.x_scale))
    for number, layer in enumerate(layers, start=1):
        terms = [graph.constant(f"W{number}", layer.kernel)]
        if layer.bias is not None:
            terms.append(graph.constant(f"b{number}", layer.bias))
        value = graph.activate(layer.activation, graph.add("Gemm", value, *terms))
    if (model.y_scale != 1.0).any():
        value = graph.add("Mul", value, graph.constant("y_scale", model.y_scale))
    if model.y_mean.any():
        value = graph.add("Add", value, graph.constant("y_mean", model.y_mean))
    data = graph.serialize(value, model)
    with replacing(path) as stream:
        stream.write(data)


class _Graph:
    """Nodes and constants of one graph, named as they come."""

    def __init__(self, onnx: ModuleType, dtype: np.dtype[Any]) -> None:
        self.onnx, self.dtype = onnx, dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}

    def constant(self, name: str, value: Any) -> str:
        array = np.asarray(value, dtype=np.float64)
        with np.errstate(over="ignore", under="ignore"):
            self.constants[name] = cast = array.astype(self.dtype)
        if not np.isfinite(cast).all() or (name == "x_scale" and not cast.all()):
            raise ValueError(
                f"model must have numbers within the range of {self.dtype} to be written in it, "
                f"got {name} from {array.min():g} to {array.max():g}"
            )
        return name

    def number(self, value: float) -> str:
        return self.constant(f"{value:g}", value)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        output = f"v{len(self.nodes) + 1}"
        node = self.onnx.helper.make_node(operator, list(inputs), [output], **attributes)
        self.nodes.append(node)
        return output

    def activate(self, activation: Activation, z: str) -> str:
        name, add, number = activation.name, self.add, self.number
        if name == "identity":
            return z
        if name == "bent_identity":
            t = add("Clip", z, number(-1e18), number(1e18))
            root = add("Sqrt", add("Add", add("Mul", t, t), number(1.0)))
            ratio = add("Div", t, add("Add", root, number(1.0)))
            return add("Add", z, add("Mul", add("Mul", number(0.5), z), ratio))
        operator, in_float64 = OPERATORS[name]
        if self.dtype == np.float32 or in_float64:
            return add(operator, z, **({"alpha": activation.slope} if name == "leaky_relu" else {}))
        if name == "leaky_relu":
            slope = self.constant(f"slope{len(self.nodes)}", activation.slope)
            return add("Max", z, add("Mul", slope, z))
        size = add("Abs", z)
        if name == "softsign":
            return add("Div", z, add("Add", number(1.0), size))
        tail = add("Log", add("Add", number(1.0), add("Exp", add("Neg", size))))
        return add("Add", add("Relu", z), tail)  # softplus

    def serialize(self, result: str, model: Model) -> bytes:
        """Return the file's bytes, after ONNX's own check."""
        helper = self.onnx.helper
        self.nodes.append(helper.make_node("Identity", [result], ["Y"]))
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        ends = [
            [helper.make_tensor_value_info(name, kind, ["samples", n])]
            for name, n in (("X", model.net.n_inputs), ("Y", model.net.n_outputs))
        ]
        constants = [
            self.onnx.numpy_helper.from_array(array, name) for name, array in self.constants.items()
        ]
        whole = helper.make_model(
            helper.make_graph(self.nodes, "ggn", *ends, constants),
            producer_name="ggn",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        names = {"input_names": model.input_names, "target_names": model.target_names}
        helper.set_model_props(whole, {key: json.dumps(value) for key, value in names.items()})
        self.onnx.checker.check_model(whole)
        data: bytes = whole.SerializeToString()
        return data


def _dtype(value: Any) -> np.dtype[Any]:
    known = ("float32", "float64")
    try:
        name = np.dtype(value).name
    except TypeError:
        name = value if isinstance(value, str) else describe(value)
    if name not in known:
        raise unknown_name("dtype", name, known)
    return np.dtype(name)

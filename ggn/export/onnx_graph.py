"""Nodes and constants of an ONNX graph, and activations put together of its operators.

An activation is one node where ONNX has its operator, and onnxruntime has that in the type
asked for; else its expression, node by node.  In float64 onnxruntime lacks Erf and Atan:

Φ(z)     1/2 + sign(z) (1/2 - φ(t) P(u) / (1 + t)),  t = min(|z|, 40), u = (t - 5)/(t + 5),
         P through Mills' ratio, times 1 + t, at Chebyshev points
atan z   4 b P(b²),  b = h(h(t)),  h(t) = tan(atan(t)/2) = t / (1 + sqrt(1 + t²)),
         t = z cut to ±1e18, whose square is finite, P through atan(√v)/√v
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from scipy import special

from ggn.activations.base import BuiltIn
from ggn.export.expression import translate
from ggn.io import Model

__all__ = ["Graph"]

OPSET = 13  # of 2020, which every runtime since then reads
IR_VERSIONS = {13: 7, 18: 8, 20: 9}  # the file formats that the operator sets came with
OPERATORS = {
    "+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "neg": "Neg", "abs": "Abs", "max": "Max",
    "min": "Min", "exp": "Exp", "sqrt": "Sqrt", "tanh": "Tanh", "sigmoid": "Sigmoid",
    "sin": "Sin", "sign": "Sign", "atan": "Atan",
}  # fmt: skip
# Functions that are no operators.
COMPOSED = {
    "log1p": "log(1 + z)",
    "expm1": "exp(z) - 1",
    "normal_cdf": "0.5 + 0.5 * erf(0.7071067811865476 * z)",
}
OPERATORS |= {"log": "Log", "erf": "Erf"}


class Graph:
    """Nodes and constants of one graph, named as they come."""

    def __init__(self, onnx: ModuleType, dtype: np.dtype[Any]) -> None:
        self.onnx, self.dtype, self.opset = onnx, dtype, OPSET
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.outputs: list[Any] = []

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

    def integers(self, *values: int) -> str:
        """Return the name of a constant of whole numbers: axes, a shape."""
        self.constants[f"{values}"] = np.array(values, dtype=np.int64)
        return f"{values}"

    def labels(self, name: str, labels: tuple[Any, ...]) -> tuple[str, int]:
        """Return the name of a constant of labels, and its type: whole numbers, or else text."""
        whole = all(isinstance(x, int) and abs(x) < 2**63 for x in labels)
        kept = [int(x) if whole else str(x) for x in labels]
        self.constants[name] = np.array(kept, dtype=np.int64 if whole else object)
        kinds = self.onnx.TensorProto
        return name, kinds.INT64 if whole else kinds.STRING

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        output = f"v{len(self.nodes) + 1}"
        node = self.onnx.helper.make_node(operator, list(inputs), [output], **attributes)
        self.nodes.append(node)
        return output

    def activate(self, activation: BuiltIn, z: str) -> str:
        """Append σ(z) and return the name of its output."""
        own = activation.onnx
        if own is not None and (own.float64 or self.dtype == np.float32):
            self.opset = max(self.opset, own.opset)
            attributes = {"alpha": activation.slope} if "slope" in activation.expression else {}
            return self.add(own.name, z, **attributes)
        return self._translated(activation, activation.expression, z)

    def slope(self, activation: BuiltIn, z: str) -> str:
        """Append σ'(z) and return the name of its output, which may be a constant."""
        return self._translated(activation, activation.slope_expression, z)

    def _translated(self, activation: BuiltIn, expression: str, z: str) -> str:
        return translate(expression, self, z=z, slope=self.number(activation.slope))

    # a target of expressions

    def number(self, value: float) -> str:
        return self.constant(f"{value!r}", value)

    def name(self, name: str, value: str) -> str:
        return value

    def operation(self, kind: str, *operands: str) -> str:
        if self.dtype == np.float64 and kind in ("normal_cdf", "atan"):
            text = _normal_cdf() if kind == "normal_cdf" else _atan()
            return translate(text, self, z=operands[0])
        if kind in COMPOSED:
            return translate(COMPOSED[kind], self, z=operands[0])
        return self.add(OPERATORS[kind], *operands)

    def output(self, value: str, name: str, *sizes: int, kind: Any = None) -> None:
        """Give a value this name, by which whoever runs the graph asks for it."""
        helper = self.onnx.helper
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        code = helper.np_dtype_to_tensor_dtype(self.dtype) if kind is None else kind
        self.outputs.append(helper.make_tensor_value_info(name, code, ["samples", *sizes]))

    def serialize(self, model: Model) -> bytes:
        """Return the file's bytes, after ONNX's own check."""
        helper = self.onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        taken = [helper.make_tensor_value_info("X", kind, ["samples", model.net.n_inputs])]
        used = {name for node in self.nodes for name in node.input}
        constants = [
            self.onnx.numpy_helper.from_array(array, name)
            for name, array in self.constants.items()
            if name in used
        ]
        whole = helper.make_model(
            helper.make_graph(self.nodes, "ggn", taken, self.outputs, constants),
            producer_name="ggn",
            ir_version=IR_VERSIONS[self.opset],
            opset_imports=[helper.make_opsetid("", self.opset)],
        )
        names: dict[str, Any] = {"input_names": model.input_names}
        names["target_names"] = model.target_names
        if model.classes is not None:
            names["classes"] = model.classes.labels
        helper.set_model_props(whole, {key: json.dumps(value) for key, value in names.items()})
        self.onnx.checker.check_model(whole)
        data: bytes = whole.SerializeToString()
        return data


def _normal_cdf() -> str:
    def ratio(u: np.ndarray) -> np.ndarray:
        t = 5.0 * (1.0 + u) / (1.0 - u)
        mills: np.ndarray = np.sqrt(np.pi / 2.0) * special.erfcx(t / np.sqrt(2.0))
        return mills * (1.0 + t)

    P = _horner(ratio, 24, (-1.0, 35.0 / 45.0), "u")
    return (
        "t = min(abs(z), 40.0); u = (t - 5.0) / (t + 5.0); phi = exp(-0.5 * t * t); "
        f"0.5 + sign(z) * (0.5 - {(2.0 * np.pi) ** -0.5!r} * phi * ({P}) / (1.0 + t))"
    )


def _atan() -> str:
    P = _horner(lambda v: np.arctan(np.sqrt(v)) / np.sqrt(v), 13, (0.0, 0.17158), "v")
    half = "{0} / (1.0 + sqrt(1.0 + {0} * {0}))"
    return (
        f"t = max(min(z, 1e18), -1e18); a = {half.format('t')}; b = {half.format('a')}; "
        f"v = b * b; 4.0 * b * ({P})"
    )


def _horner(
    function: Callable[[np.ndarray], np.ndarray], n: int, domain: tuple[float, float], x: str
) -> str:
    """Return the polynomial through a function at n Chebyshev points, as an expression of x."""
    series = Chebyshev.interpolate(function, n - 1, domain)
    first, *rest = series.convert(kind=Polynomial, domain=(-1, 1), window=(-1, 1)).coef[::-1]
    text = repr(float(first))
    for c in rest:
        text = f"{float(c)!r} + {x} * ({text})"
    return text

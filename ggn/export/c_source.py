"""A model as one C function: C99, of the mathematical library only, without allocation.

    y = y_mean + y_scale · φ_L((x - x_mean) / x_scale)          one sample

Every number is written with the digits that give the same float64 back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ggn.activations.base import BuiltIn
from ggn.export.c_classes import class_functions
from ggn.export.c_simulation import simulation
from ggn.export.expression import C
from ggn.export.layers import DenseLayer, built_in_layers
from ggn.fit.fitted import Fitted, as_model
from ggn.io import Model
from ggn.io.classes import Classes
from ggn.recurrent import NARXResult
from ggn.validation import describe

__all__ = ["to_c"]

# Keywords of C99.
KEYWORDS = """
auto break case char const continue default do double else enum extern float for goto if inline
int long register restrict return short signed sizeof static struct switch typedef union
unsigned void volatile while
"""
# Functions that the text or its caller has.
FUNCTIONS = "main exp expm1 fabs log log1p sqrt tanh"
RESERVED = frozenset(f"{KEYWORDS} {FUNCTIONS}".split())

PER_LINE = 4


def to_c(model: Fitted, name: str = "predict") -> str:
    """Return C source of a function that predicts one sample.

    Parameters
    ----------
    model : Model, TrainResult or estimator
        With built-in activations only; an estimator is fitted.
    name : str, default "predict"
        Of the function; every other name in the file begins with it, and is static but for
        those that tell classes.

    Returns
    -------
    str
        The definition of ``void predict(const double *x, double *y)`` with x (n0,)
        and y (nL,) apart from each other; compile it as C99 and link with ``-lm``.
        Of a model of classes also ``const char *const predict_classes[]``, the labels;
        ``void predict_probabilities(const double *x, double *p)``, the probability of each,
        unless the loss was squared; and ``int predict_class(const double *x)``, the place of
        the likeliest, unless a sample may have several.
        Of a fit of `ggn.narx` the one-step map, and ``void predict_simulate(int samples,
        const double *u, double *y)``, which runs it freely: y (samples, n_y) has the outputs
        that the run begins with in its first rows, u (samples, n_u) the inputs.

    Raises
    ------
    ValueError
        For a user's own activation, or a name that is no C identifier,
        or one of C itself.

    Examples
    --------
    >>> import ggn
    >>> from ggn.export import to_c
    >>> text = to_c(ggn.Model(ggn.MLP((1, 1), bias=False), [2.5]), name="gain")
    >>> print(text[text.index("static") :])
    static const double gain_W1[1][1] = {
        {2.5}
    };
    <BLANKLINE>
    void gain(const double *x, double *y)
    {
        for (int i = 0; i < 1; i++) {
            double z = 0.0;
            for (int j = 0; j < 1; j++)
                z += gain_W1[i][j] * x[j];
            y[i] = z;
        }
    }
    <BLANKLINE>
    """
    lags = model.lags if isinstance(model, NARXResult) else None
    model = as_model(model)
    pairs = built_in_layers(model, "C")
    valid = isinstance(name, str) and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)
    if not valid or name in RESERVED:
        raise ValueError(f"name must be a C identifier, got {describe(name)}")
    calls, functions = _functions([activation for _, activation in pairs], name)
    layers = [(layer, calls[activation]) for layer, activation in pairs]
    parts = [_comment(model, name), "#include <math.h>\n", *functions]
    for number, (layer, _) in enumerate(layers, start=1):
        parts.append(_table(f"{name}_W{number}", layer.kernel.T))
        if layer.bias is not None:
            parts.append(_table(f"{name}_b{number}", layer.bias))
    units = {key: getattr(model, key) for key in ("x_mean", "x_scale", "y_mean", "y_scale")}
    used = [key for key, value in units.items() if (value != float("scale" in key)).any()]
    parts += [_table(f"{name}_{key}", units[key]) for key in used]
    lines = [*_body(layers, name, used)]
    parts.append("\n".join([f"void {name}(const double *x, double *y)", "{", *lines, "}", ""]))
    if model.classes is not None:
        parts += class_functions(model.classes, model.net.n_outputs, name)
    if lags is not None:
        parts.append(simulation(lags, name))
    return "\n".join(parts)


def _comment(model: Model, name: str) -> str:
    def listed(letter: str, names: tuple[str, ...], labels: Any = ()) -> Iterator[str]:
        each = labels if len(labels) == len(names) else None
        for i, text in enumerate(map(json.dumps, names)):
            told = text if each is None else f"{text}, of {json.dumps(each[i])}"
            yield f" *   {letter}[{i}]  {told.replace('*/', '* /').replace('/*', '/ *')}"

    classes = model.classes
    return "\n".join(
        [
            f"/* {name}: a multilayer perceptron, {' - '.join(map(str, model.net.sizes))}.",
            " *",
            *listed("x", model.input_names),
            *listed("y", model.target_names, () if classes is None else classes.labels),
            *([] if classes is None else _told(classes)),
            " *",
            " * Written by ggn.  C99; x and y must not overlap; link with -lm. */",
        ]
    )


def _told(classes: Classes) -> list[str]:
    """Return what y means, as lines of the comment."""
    what = {
        "logistic": "y: logits; the probability is 1 / (1 + exp(-y))",
        "softmax": "y: logits; the probability is exp(y[k]) / sum of exp(y)",
        "identity": "y: estimates of 0 and 1",
    }[classes.link]
    return [" *", f" *   {what}; see the functions at the end."]


def _functions(chosen: list[BuiltIn], name: str) -> tuple[dict[BuiltIn, str], list[str]]:
    """Return how each activation is called, and the functions that are defined for it.

    What is z itself, or a call of the library's, needs none.
    """
    calls, defined = {}, []
    for activation in dict.fromkeys(chosen):
        lines, value = C.function(activation.expression, slope=repr(activation.slope))
        if not lines and re.fullmatch(r"z|[a-z]+\(z\)", value):
            calls[activation] = value
            continue
        # the slopes of leaky ReLUs tell them apart
        slopes = sorted({a.slope for a in chosen if a.name == activation.name})
        number = slopes.index(activation.slope) + 1 if "slope" in activation.expression else ""
        calls[activation] = f"{name}_{activation.name}{number}(z)"
        body = "\n    ".join([*lines, f"return {value};"])
        head = f"static double {name}_{activation.name}{number}(double z)"
        defined.append(f"{head}\n{{\n    {body}\n}}\n")
    return calls, defined


def _table(name: str, array: np.ndarray) -> str:
    """Return the definition of a constant array."""
    shape = "".join(f"[{n}]" for n in array.shape)
    rows = [_numbers(row) for row in np.atleast_2d(array).tolist()]
    if array.ndim == 1:
        return f"static const double {name}{shape} = {{\n    {rows[0]}\n}};\n"
    listed = ",\n    ".join(f"{{{row}}}" for row in rows)
    return f"static const double {name}{shape} = {{\n    {listed}\n}};\n"


def _numbers(row: list[float]) -> str:
    lines = [row[i : i + PER_LINE] for i in range(0, len(row), PER_LINE)]
    return ",\n     ".join(", ".join(map(repr, line)) for line in lines)


def _body(layers: list[tuple[DenseLayer, str]], name: str, used: list[str]) -> Iterator[str]:
    """Yield the lines of the function; v0 is the scaled input, v1, v2 ... the hidden layers."""
    n0, nL = len(layers[0][0].kernel), layers[-1][0].kernel.shape[1]
    scaled = "x_mean" in used or "x_scale" in used
    widths = [n0, *(layer.kernel.shape[1] for layer, _ in layers)]
    local = [*range(0 if scaled else 1, len(layers))]
    if local:
        yield f"    double {', '.join(f'v{i}[{widths[i]}]' for i in local)};"
    if scaled:
        value = f"x[j] - {name}_x_mean[j]" if "x_mean" in used else "x[j]"
        if "x_scale" in used:
            value = f"({value}) / {name}_x_scale[j]"
        yield f"    for (int j = 0; j < {n0}; j++)"
        yield f"        v0[j] = {value};"
    source = "v0" if scaled else "x"
    for number, (layer, call) in enumerate(layers, start=1):
        target = f"v{number}" if number < len(layers) else "y"
        start = f"{name}_b{number}[i]" if layer.bias is not None else "0.0"
        yield f"    for (int i = 0; i < {widths[number]}; i++) {{"
        yield f"        double z = {start};"
        yield f"        for (int j = 0; j < {widths[number - 1]}; j++)"
        yield f"            z += {name}_W{number}[i][j] * {source}[j];"
        yield f"        {target}[i] = {call};"
        yield "    }"
        source = target
    if "y_mean" in used or "y_scale" in used:
        shift = f"{name}_y_mean[i] + " if "y_mean" in used else ""
        factor = f"{name}_y_scale[i] * " if "y_scale" in used else ""
        yield f"    for (int i = 0; i < {nL}; i++)"
        yield f"        y[i] = {shift}{factor}y[i];"

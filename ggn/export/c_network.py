"""A network as a C function, and the tables and functions that it needs.

Every number is written with the digits that give the same float64 back.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

import numpy as np

from ggn.activations.base import BuiltIn
from ggn.export.expression import C
from ggn.export.layers import DenseLayer, built_in_layers
from ggn.io import Model
from ggn.validation import describe

__all__ = ["functions", "network_parts", "prefix_of", "scaled", "table", "units_used"]

PER_LINE = 4


def prefix_of(name: str) -> str:
    """Return what every name outside a function begins with.

    No keyword, macro or function of C begins so, whatever the user's name is.

    Raises
    ------
    ValueError
        For a name that is no C identifier.
    """
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"name must be a C identifier, got {describe(name)}")
    return f"ggn_{name}"


def network_parts(model: Model, name: str, static: bool = False) -> list[str]:
    """Return the definition of ``void name_predict(const double *x, double *y)``.

    What it needs comes first; a static one is called by the name alone.
    """
    pairs = built_in_layers(model, "C")
    calls, defined = functions([activation for _, activation in pairs], name)
    layers = [(layer, calls[activation]) for layer, activation in pairs]
    parts = [*defined]
    for number, (layer, _) in enumerate(layers, start=1):
        parts.append(table(f"{name}_W{number}", layer.kernel.T))
        if layer.bias is not None:
            parts.append(table(f"{name}_b{number}", layer.bias))
    used = units_used(model)
    parts += [table(f"{name}_{_plain(key)}", value) for key, value in used.items()]
    called = f"static void {name}" if static else f"void {name}_predict"
    head = f"{called}(const double *x, double *y)"
    return [*parts, "\n".join([head, "{", *_body(layers, name, used), "}", ""])]


def units_used(model: Model) -> dict[str, np.ndarray]:
    """Return the units of a model that are not 0 or 1; each has a table, by its plain name.

    A width of 0 stands for an input that stays as it is.
    """
    units = {key: getattr(model, key) for key in ("x_mean", "x_scale", "y_mean", "y_scale")}
    used = {key: value for key, value in units.items() if (value != float("scale" in key)).any()}
    if (transform := model.x_transform) is not None:
        width = np.where(transform.applied, transform.width, 0.0)
        used |= {"x_start": transform.start, "x_width": width}
    return used


def functions(
    chosen: list[BuiltIn], name: str, slopes: bool = False
) -> tuple[dict[BuiltIn, str], list[str]]:
    """Return how each activation, or its derivative, is called, and the functions defined for it.

    What is z itself, a number, or a call of the library's, needs none.
    """
    calls, defined = {}, []
    for activation in dict.fromkeys(chosen):
        expression = activation.slope_expression if slopes else activation.expression
        lines, value = C.function(expression, slope=repr(activation.slope))
        if not lines and re.fullmatch(r"z|1\.0|[a-z]+\(z\)", value):
            calls[activation] = value
            continue
        # the slopes of leaky ReLUs tell them apart
        known = sorted({a.slope for a in chosen if a.name == activation.name})
        number = known.index(activation.slope) + 1 if "slope" in activation.expression else ""
        word = f"{name}_{_plain(activation.name)}{'slope' if slopes else ''}{number}"
        calls[activation] = f"{word}(z)"
        body = "\n    ".join([*lines, f"return {value};"])
        defined.append(f"static double {word}(double z)\n{{\n    {body}\n}}\n")
    return calls, defined


def _plain(text: str) -> str:
    """Return a word without underscores, so that no two models share a name."""
    return text.replace("_", "")


def table(name: str, array: np.ndarray) -> str:
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


def _body(layers: list[tuple[DenseLayer, str]], name: str, used: Container[str]) -> Iterator[str]:
    """Yield the lines of the function; v0 is the scaled input, v1, v2 ... the hidden layers."""
    n0, nL = len(layers[0][0].kernel), layers[-1][0].kernel.shape[1]
    widths = [n0, *(layer.kernel.shape[1] for layer, _ in layers)]
    source, lines = scaled(used, name, n0)
    local = [*range(1 if source == "x" else 0, len(layers))]
    if local:
        yield f"    double {', '.join(f'v{i}[{widths[i]}]' for i in local)};"
    yield from lines
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
        shift = f"{name}_ymean[i] + " if "y_mean" in used else ""
        factor = f"{name}_yscale[i] * " if "y_scale" in used else ""
        yield f"    for (int i = 0; i < {nL}; i++)"
        yield f"        y[i] = {shift}{factor}y[i];"


def scaled(used: Container[str], name: str, n0: int) -> tuple[str, list[str]]:
    """Return what holds the scaled input, v0 or x itself, and the lines that put it there."""
    if not any(key in used for key in ("x_mean", "x_scale", "x_width")):
        return "x", []
    x = "u" if "x_width" in used else "x[j]"
    value = f"{x} - {name}_xmean[j]" if "x_mean" in used else x
    if "x_scale" in used:
        value = f"({value}) / {name}_xscale[j]"
    if "x_width" not in used:
        return "v0", [f"    for (int j = 0; j < {n0}; j++)", f"        v0[j] = {value};"]
    e, b = f"{name}_xstart[j]", f"{name}_xwidth[j]"
    return "v0", [
        f"    for (int j = 0; j < {n0}; j++) {{",
        "        double u = x[j];",
        f"        if ({b} > 0.0)",
        f"            u = {e} + {b} * asinh((u - {e}) / {b});",
        f"        v0[j] = {value};",
        "    }",
    ]

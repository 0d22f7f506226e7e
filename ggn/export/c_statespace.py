"""A state-space model as C: one sample, and the loop that simulates.

u' = (u - u_mean) / u_scale
y  = y_mean + y_scale (C x + D u' + o + g(x, u')),    x <- A x + B u' + f(x, u')
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ggn.export.c_network import network_parts, table
from ggn.io import Model
from ggn.recurrent.simulator import Simulates

__all__ = ["statespace_source"]


def statespace_source(of: Simulates, name: str) -> str:
    """Return the source of ``name_step`` and ``name_simulate``; see `ggn.export.to_c`."""
    model, scaling, parts = of.model, of.scaling, of.model.unpack(of.w)
    nu, nx, ny = model.n_inputs, model.n_states, model.n_outputs
    matrices = {key: parts[key] for key in ("A", "B", "C", "D", "o") if key in parts}
    matrices = {key: array for key, array in matrices.items() if array.size}
    text = [
        "\n".join(
            [
                f"/* {name}: a state-space model of {nx} states, {nu} inputs and {ny} outputs.",
                " *",
                f" * {name}_step takes the inputs u of a sample, in the units of the data, and",
                " * the state x; writes the outputs y, and x of the next sample.",
                f" * {name}_simulate does so for many samples, rows of u and y one by one.",
                " *",
                " * Written by ggn.  C99; arrays must not overlap; link with -lm. */",
            ]
        ),
        "#include <math.h>\n",
    ]
    nets = {key: net for key, net in (("f", model.f), ("g", model.g)) if net is not None}
    for key, net in nets.items():
        text += network_parts(Model(net, parts[key]), f"{name}_{key}", static=True)
    text += [table(f"{name}_{key}", array) for key, array in matrices.items()]
    units = {"y_mean": scaling.y_mean, "y_scale": np.full(ny, scaling.y_scale)}
    if nu:
        units |= {"u_mean": scaling.u_mean, "u_scale": scaling.u_scale}
    text += [table(f"{name}_{key}", array) for key, array in units.items()]
    text.append("\n".join(_step(of, name, set(matrices), set(nets))))
    text.append(
        "\n".join(
            [
                f"void {name}_simulate(int samples, const double *u, double *x, double *y)",
                "{",
                "    for (int k = 0; k < samples; k++)",
                f"        {name}_step(u + k * {nu}, x, y + k * {ny});",
                "}",
                "",
            ]
        )
    )
    return "\n".join(text)


def _step(of: Simulates, name: str, matrices: set[str], nets: set[str]) -> Iterator[str]:
    """Yield the lines of the function of one sample; z is (x, u')."""
    nu, nx, ny = of.model.n_inputs, of.model.n_states, of.model.n_outputs
    yield f"void {name}_step(const double *u, double *x, double *y)"
    yield "{"
    yield f"    double z[{nx + nu}]{f', f[{nx}]' if 'f' in nets else ''};"
    yield f"    for (int j = 0; j < {nx}; j++)"
    yield "        z[j] = x[j];"
    if nu:
        yield f"    for (int j = 0; j < {nu}; j++)"
        yield f"        z[{nx} + j] = (u[j] - {name}_u_mean[j]) / {name}_u_scale[j];"
    else:
        yield "    (void)u;"
    if "f" in nets:
        yield f"    {name}_f(z, f);"
    if "g" in nets:
        yield f"    {name}_g(z, y);"
    yield f"    for (int i = 0; i < {ny}; i++) {{"
    yield f"        double s = {'y[i]' if 'g' in nets else '0.0'};"
    if "o" in matrices:
        yield f"        s += {name}_o[i];"
    yield from _sums(name, {"C": (0, nx), "D": (nx, nu)}, matrices)
    yield f"        y[i] = {name}_y_mean[i] + {name}_y_scale[i] * s;"
    yield "    }"
    yield f"    for (int i = 0; i < {nx}; i++) {{"
    yield f"        double s = {'f[i]' if 'f' in nets else '0.0'};"
    yield from _sums(name, {"A": (0, nx), "B": (nx, nu)}, matrices)
    yield "        x[i] = s;"
    yield "    }"
    yield "}"
    yield ""


def _sums(name: str, of: dict[str, tuple[int, int]], matrices: set[str]) -> Iterator[str]:
    """Yield the lines that add a matrix's row times its part of z."""
    for key, (first, columns) in of.items():
        if key in matrices:
            place = f"z[{first} + j]" if first else "z[j]"
            yield f"        for (int j = 0; j < {columns}; j++)"
            yield f"            s += {name}_{key}[i][j] * {place};"

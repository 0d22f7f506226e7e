"""The function of a C file that gives the standard deviations of new targets.

s = y_scale · sqrt(1/M Σ_m c_m (σ_m² + ‖L_m⁻¹ p_m‖²) + 1/M Σ_m (f_m - mean)²)

p   the derivatives of an output by the weights, found backwards, in the order of w
L   the root of the posterior's H, row by row: L h = p is solved from above, in place of p
f   the outputs of each of M networks, with weights w_m of one shape; M = 1 unless they are mixed
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ggn.activations.base import BuiltIn
from ggn.export.c_network import functions, scaled, table, units_used
from ggn.io import Model
from ggn.io.laplace import Laplace, LaplaceMixture
from ggn.io.noise import VaryingNoise
from ggn.network import MLP
from ggn.validation import count

__all__ = ["deviation_parts"]

MOST, BYTES = 2**22, 22  # numbers of all roots in one file; what each takes there


def deviation_parts(
    model: Model, posterior: Laplace | LaplaceMixture, name: str, activations: list[BuiltIn]
) -> list[str]:
    """Return the definition of ``void name_deviation(const double *x, double *s)``.

    The tables of units and the activations are those of the function that predicts.

    Raises
    ------
    ValueError
        If the noise varies with the inputs, or the file would be too large for a compiler.
    """
    net, members = posterior.members(model.net, model.w)
    N, M = net.n_weights, len(members)
    numbers = M * N * (N + 1) // 2
    if isinstance(members[0][1].noise, VaryingNoise):
        raise ValueError(
            "model has a posterior with noise that varies with the inputs, which C cannot be told; "
            "without its posterior (model.posterior = None) the mean alone is written"
        )
    if numbers > MOST:
        raise ValueError(
            f"model has a posterior of {count(M, 'network')} of {N} weights, {numbers} numbers, of "
            f"which C would take {numbers * BYTES / 1e6:.0f} MB; without its posterior "
            "(model.posterior = None) the mean alone is written"
        )
    calls, _ = functions(activations, name)
    slopes, defined = functions(activations, name, slopes=True)
    called = [(calls[a], slopes[a]) for a in activations]
    return [
        *defined,
        table(f"{name}_w", np.array([w for w, _ in members])),
        table(f"{name}_root", np.array([part.packed() for _, part in members])),
        table(f"{name}_noise", np.array([part.noise_std**2 for _, part in members])),
        table(f"{name}_inflation", np.array([part.inflation for _, part in members])),
        "\n".join(_spread(net, name, called)),
        "\n".join(_deviation(model, net, name, M)),
    ]


def _spread(net: MLP, name: str, called: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the function of one network: v are layers, d their slopes, e what ends in output k."""
    n, L, nL, N = net.sizes, net.depth, net.n_outputs, net.n_weights
    # where the weights of a layer begin, and how many each of its units has
    places = [(int(W[0, 0]), len(W)) for W in net.unpack(np.arange(N, dtype=np.float64))]
    yield "/* Of one network, in its own units: outputs f, and the variance of each by weights. */"
    yield f"static void {name}_spread(const double *w, const double *root, const double *v0,"
    yield "    double *f, double *r)"
    yield "{"
    each = [f"v{i}[{n[i]}]" for i in range(1, L)]
    each += [f"{letter}{i}[{n[i]}]" for i in range(1, L + 1) for letter in "de"]
    yield f"    double {', '.join(each)};"
    yield f"    double p[{N}];"
    for i, (start, rows) in enumerate(places, start=1):
        first = f"u[{n[i - 1]}]" if rows > n[i - 1] else "0.0"
        yield f"    for (int i = 0; i < {n[i]}; i++) {{"
        yield f"        const double *u = w + {start} + i * {rows};"
        yield f"        double z = {first}{f' - {net.fixed_bias!r}' if net.fixed_bias else ''};"
        yield f"        for (int j = 0; j < {n[i - 1]}; j++)"
        yield f"            z += u[j] * v{i - 1}[j];"
        yield f"        {f'v{i}' if i < L else 'f'}[i] = {called[i - 1][0]};"
        yield f"        d{i}[i] = {called[i - 1][1]};"
        yield "    }"
    yield f"    for (int k = 0; k < {nL}; k++) {{"
    yield "        const double *row = root;"
    yield f"        for (int i = 0; i < {nL}; i++)"
    yield f"            e{L}[i] = i == k ? d{L}[i] : 0.0;"
    for i in range(L - 1, 0, -1):
        start, rows = places[i]
        yield f"        for (int j = 0; j < {n[i]}; j++) {{"
        yield "            double z = 0.0;"
        yield f"            for (int i = 0; i < {n[i + 1]}; i++)"
        yield f"                z += w[{start} + i * {rows} + j] * e{i + 1}[i];"
        yield f"            e{i}[j] = z * d{i}[j];"
        yield "        }"
    for i, (start, rows) in enumerate(places, start=1):
        yield f"        for (int i = 0; i < {n[i]}; i++) {{"
        yield f"            double *u = p + {start} + i * {rows};"
        yield f"            for (int j = 0; j < {n[i - 1]}; j++)"
        yield f"                u[j] = e{i}[i] * v{i - 1}[j];"
        if rows > n[i - 1]:
            yield f"            u[{n[i - 1]}] = e{i}[i];"
        yield "        }"
    yield "        r[k] = 0.0;"
    yield f"        for (int i = 0; i < {N}; row += ++i) {{"
    yield "            double z = p[i];"
    yield "            for (int j = 0; j < i; j++)"
    yield "                z -= row[j] * p[j];"
    yield "            p[i] = z / row[i];"
    yield "            r[k] += p[i] * p[i];"
    yield "        }"
    yield "    }"
    yield "}"
    yield ""


def _deviation(model: Model, net: MLP, name: str, M: int) -> Iterator[str]:
    """Yield the function that mixes the networks, in the units of the data."""
    n0, nL, used = net.n_inputs, net.n_outputs, units_used(model)
    source, lines = scaled(used, name, n0)
    yield "/* The standard deviations s of new targets at x, in the units of the data. */"
    yield f"void {name}_deviation(const double *x, double *s)"
    yield "{"
    yield f"    double {'' if source == 'x' else f'v0[{n0}], '}f[{M}][{nL}], r[{nL}];"
    yield from lines
    yield f"    for (int k = 0; k < {nL}; k++)"
    yield "        s[k] = 0.0;"
    yield f"    for (int m = 0; m < {M}; m++) {{"
    yield f"        {name}_spread({name}_w[m], {name}_root[m], {source}, f[m], r);"
    yield f"        for (int k = 0; k < {nL}; k++)"
    yield f"            s[k] += {name}_inflation[m] * ({name}_noise[m] + r[k]);"
    yield "    }"
    yield f"    for (int k = 0; k < {nL}; k++) {{"
    if M > 1:
        yield "        double mean = 0.0;"
        yield f"        for (int m = 0; m < {M}; m++)"
        yield f"            mean += f[m][k] / {M}.0;"
        yield f"        for (int m = 0; m < {M}; m++)"
        yield "            s[k] += (f[m][k] - mean) * (f[m][k] - mean);"
    scale = f"{name}_yscale[k] * " if "y_scale" in used else ""
    yield f"        s[k] = {scale}sqrt({f's[k] / {M}.0' if M > 1 else 's[k]'});"
    yield "    }"
    yield "}"
    yield ""

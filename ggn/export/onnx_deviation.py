"""The part of an ONNX graph that gives the standard deviations of new targets.

S = y_scale · sqrt(1/M Σ_m c_m (σ_m² + σ'(z_L)² ‖L_m⁻¹ p_m‖²) + 1/M Σ_m (f_m - mean)²)

p     the derivatives of each net input of the last layer by the weights, (samples, nL, N)
      layer l's are e_l ⊗ φ_{l-1}, where e_L = I and e_l = (e_{l+1} K_{l+1}ᵀ) ∘ σ'(z_l)
L⁻¹   a constant; of a triangular matrix that keeps its digits
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular

from ggn.export.layers import built_in_layers
from ggn.export.onnx_graph import Graph
from ggn.io import Model
from ggn.io.laplace import Laplace, LaplaceMixture
from ggn.io.noise import VaryingNoise
from ggn.network import MLP
from ggn.validation import count

__all__ = ["add_deviation"]

MOST = 2**31 - 2**20  # bytes of a file of ONNX, less what is not a root


def add_deviation(
    graph: Graph, model: Model, posterior: Laplace | LaplaceMixture, inputs: str
) -> str:
    """Append what gives the deviations at scaled inputs, and return their name.

    Raises
    ------
    ValueError
        In float32, where the noise varies with the inputs, or where the file would be larger
        than ONNX can be.
    """
    net, members = posterior.members(model.net, model.w)
    N, M = net.n_weights, len(members)
    without = "without its posterior (model.posterior = None) the mean alone is written"
    if isinstance(members[0][1].noise, VaryingNoise):
        raise ValueError(
            f"model has a posterior with noise that varies with the inputs, which ONNX cannot be "
            f"told; {without}"
        )
    if graph.dtype != np.float64:
        raise ValueError(
            f"dtype must be float64 for a model with posterior, whose deviations need its digits, "
            f"got {graph.dtype}; {without}"
        )
    if (size := 8 * M * N * N) > MOST:
        raise ValueError(
            f"model has a posterior of {count(M, 'network')} of {N} weights, of which ONNX would "
            f"take {size / 1e9:.1f} GB, and cannot; {without}"
        )
    variances, means = [], []
    for m, (w, part) in enumerate(members, start=1):
        f, p, slope = _derivatives(graph, net, w, inputs, f"member{m}_")
        inverse = solve_triangular(part.root, np.eye(N), lower=True, overwrite_b=True)
        half = graph.add("MatMul", p, graph.constant(f"member{m}_inverse_root", inverse.T))
        r = graph.add("ReduceSum", graph.add("Mul", half, half), graph.integers(2), keepdims=0)
        if slope != graph.number(1.0):
            r = graph.add("Mul", r, graph.add("Mul", slope, slope))
        noise = graph.constant(f"member{m}_noise", part.noise_std**2)
        both = graph.add("Add", r, noise)
        variances.append(
            graph.add("Mul", both, graph.constant(f"member{m}_inflation", part.inflation))
        )
        means.append(f)
    variance = _mean(graph, variances)
    if M > 1:
        mean = _mean(graph, means)
        away = [graph.add("Sub", f, mean) for f in means]
        between = _mean(graph, [graph.add("Mul", x, x) for x in away])
        variance = graph.add("Add", variance, between)
    deviation = graph.add("Sqrt", variance)
    if (model.y_scale == 1.0).all():
        return deviation
    return graph.add("Mul", deviation, graph.constant("y_scale", model.y_scale))


def _mean(graph: Graph, values: list[str]) -> str:
    if len(values) == 1:
        return values[0]
    return graph.add("Div", graph.add("Sum", *values), graph.number(float(len(values))))


def _derivatives(
    graph: Graph, net: MLP, w: np.ndarray, inputs: str, name: str
) -> tuple[str, str, str]:
    """Return outputs f, the derivatives p, and the slope of the outputs' activation."""
    pairs, nL = built_in_layers(Model(net, w), "ONNX"), net.n_outputs
    values, slopes, kernels = [inputs], [], []
    for number, (layer, activation) in enumerate(pairs, start=1):
        kernels.append(graph.constant(f"{name}W{number}", layer.kernel))
        bias = [] if layer.bias is None else [graph.constant(f"{name}b{number}", layer.bias)]
        z = graph.add("Gemm", values[-1], kernels[-1], *bias)
        values.append(graph.activate(activation, z))
        slopes.append(graph.slope(activation, z))
    e, one = graph.constant("unit", np.eye(nL)[np.newaxis]), graph.number(1.0)
    found: list[str] = []
    for place in range(len(pairs) - 1, -1, -1):
        seen = values[place]
        if net.bias[place]:
            seen = graph.add("Pad", seen, graph.integers(0, 0, 0, 1), one)
        seen = graph.add("Unsqueeze", seen, graph.integers(1, 2))
        outer = graph.add("Mul", graph.add("Unsqueeze", e, graph.integers(3)), seen)
        size = net.sizes[place + 1] * (net.sizes[place] + net.bias[place])
        found.insert(0, graph.add("Reshape", outer, graph.integers(0, nL, size)))
        if place:
            e = graph.add("MatMul", e, graph.add("Transpose", kernels[place], perm=[1, 0]))
            if slopes[place - 1] != one:
                across = graph.add("Unsqueeze", slopes[place - 1], graph.integers(1))
                e = graph.add("Mul", e, across)
    return values[-1], graph.add("Concat", *found, axis=2), slopes[-1]

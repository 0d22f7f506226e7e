"""The slow oracle of state-space models: the recursion as it is written, derivatives by complex step.

    x_{k+1} = A x + B u + f(x, u),    y = C x + D u + o + g(x, u)

Written from the equations, in NumPy for real and complex weights; it knows the library's models
only by their sizes and flags.  Weights: A, B, f, C, D, o, g, x0 of each experiment.
"""

import numpy as np
from reference_functions import ACTIVATIONS_COMPLEX

STEP = 1e-40


def network(net, w, z):
    """An MLP's outputs at one z, weights layer by layer, unit by unit."""
    at, h = 0, z
    for layer, activation in enumerate(net.activations):
        n, m = net.sizes[layer + 1], net.sizes[layer] + net.bias[layer]
        W = w[at : at + n * m].reshape(n, m)
        at += n * m
        if net.bias[layer]:
            h = np.append(h, 1.0)
        h = ACTIVATIONS_COMPLEX[activation.name](W @ h - net.fixed_bias)
    return h


def parts(model, w):
    """The weights as matrices, in the order above; None for what is not there."""
    nu, nx, ny = model.n_inputs, model.n_states, model.n_outputs
    found, at = {}, 0

    def take(name, there, *shape):
        nonlocal at
        size = int(np.prod(shape))
        found[name] = w[at : at + size].reshape(shape) if there else None
        at += size if there else 0

    take("A", model.linear, nx, nx)
    take("B", model.linear, nx, nu)
    take("f", model.f is not None, model.f.n_weights if model.f else 0)
    take("C", True, ny, nx)
    take("D", model.feedthrough, ny, nu)
    take("o", model.g is None or not model.g.bias[-1], ny)
    take("g", model.g is not None, model.g.n_weights if model.g else 0)
    take("x0", model.initial_states > 0, model.initial_states, nx)
    assert at == len(w)
    return found


def simulate(model, w, Us):
    """Outputs (T_e, ny) of every experiment."""
    p, results = parts(model, w), []
    for e, U in enumerate(Us):
        x = p["x0"][e] if p["x0"] is not None else np.zeros(model.n_states)
        Y = []
        for u in U:
            z = np.concatenate([x, u])
            y = p["C"] @ x
            if p["D"] is not None:
                y = y + p["D"] @ u
            if p["o"] is not None:
                y = y + p["o"]
            if p["g"] is not None:
                y = y + network(model.g, p["g"], z)
            Y.append(y)
            following = np.zeros(model.n_states)
            if p["A"] is not None:
                following = following + p["A"] @ x + p["B"] @ u
            if p["f"] is not None:
                following = following + network(model.f, p["f"], z)
            x = following
        results.append(np.array(Y))
    return results


def stacked(model, w, Us):
    """All outputs in a row: by experiment, time, output."""
    return np.concatenate([Y.ravel() for Y in simulate(model, w, Us)])


def jacobian(model, w, Us):
    """d outputs / d w, (T ny, N), by complex step: no cancellation, so to the last digits."""
    columns = []
    for j in range(len(w)):
        v = w.astype(complex)
        v[j] += STEP * 1j
        columns.append(stacked(model, v, Us).imag / STEP)
    return np.array(columns).T


def second_derivative(model, w, Us, v):
    """d² outputs / dt² along v, by central differences of the complex-step derivative."""

    def slope(t):
        return stacked(model, (w + t * v) + STEP * 1j * v, Us).imag / STEP

    h = 1e-5
    return (slope(h) - slope(-h)) / (2 * h)

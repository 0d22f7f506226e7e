"""Systems with known state-space models, and generators like the public benchmarks."""

import numpy as np

from ggn.recurrent import StateSpace


def known(rng, nx=2, nu=1, ny=1, f=3, g=None, lengths=(200, 210), scale=0.3):
    """A model, its weights, and inputs and outputs without noise."""
    model = StateSpace(nu, nx, ny, f=f, g=g, initial_states=len(lengths))
    w = rng.normal(size=model.n_weights)
    parts = model.unpack(w)
    parts["A"] *= 0.8 / np.abs(np.linalg.eigvals(parts["A"])).max()
    for name, net in (("f", model.f), ("g", model.g)):
        if net is not None:
            net.unpack(parts[name])[-1][:] *= scale
    Us = [rng.normal(size=(T, nu)) for T in lengths]
    return model, w, Us, outputs(model, w, Us)


def outputs(model, w, Us):
    return [
        model.states_and_outputs(w, U, model.initial_state(w, e), len(U))[1]
        for e, U in enumerate(Us)
    ]


def wiener_hammerstein(rng, T):
    """A filter, a saturation, a filter (after Schoukens, Suykens & Ljung 2009)."""
    from scipy.signal import butter, lfilter

    u = rng.normal(size=T)
    b1, a1 = butter(2, 0.3)
    b2, a2 = butter(2, 0.4)
    x = lfilter(b1, a1, u)
    return u, lfilter(b2, a2, np.where(x > 0.0, np.tanh(x), 0.5 * np.tanh(x)))


def bouc_wen(rng, T, steps=10):
    """A mass on a hysteretic spring (after Noël & Schoukens 2016), a slow random force on it."""
    from scipy.signal import butter, lfilter

    b, a = butter(4, 0.1)
    force = 120.0 * lfilter(b, a, rng.normal(size=T)) / np.sqrt(0.1)
    m, c, k, alpha, beta, gamma, delta, nu = 2.0, 10.0, 5e4, 5e4, 1e3, 0.8, -1.1, 1
    dt, y, v, z = 1.0 / 750.0, 0.0, 0.0, 0.0
    out = np.empty(T)
    for i in range(T):
        out[i] = y
        for _ in range(steps):
            h = dt / steps
            dz = alpha * v - beta * (
                gamma * abs(v) * abs(z) ** (nu - 1) * z + delta * v * abs(z) ** nu
            )
            v += h * (force[i] - k * y - c * v - z) / m
            y += h * v
            z += h * dz
    return force, out * 1e3

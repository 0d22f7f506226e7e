"""Long runs of what the tests of state-space models take a sample of.

python tests/statespace_campaign.py jacobian 500 | recovery 100 | coverage 100 | verdicts 50
"""

import sys

import numpy as np
from reference_functions import ACTIVATIONS_COMPLEX
from reference_statespace import jacobian, stacked
from statespace_data import known, outputs

import ggn
from ggn.recurrent import StateSpace
from ggn.recurrent.statespace_diagnosis import diagnose_statespace
from ggn.recurrent.statespace_objective import StateSpaceObjective

ROUGH = {"relu", "leaky_relu"}  # not smooth: no complex step across their kinks
SMOOTH = sorted(set(ACTIVATIONS_COMPLEX) - ROUGH)


def random_model(rng):
    """Any flags, sizes, depths and smooth activations."""
    nu, nx, ny = (int(n) for n in (rng.integers(0, 4), rng.integers(1, 5), rng.integers(1, 4)))
    E = int(rng.integers(1, 4))

    def net(outputs):
        depth = int(rng.integers(0, 3))
        sizes = (nx + nu, *(int(n) for n in rng.integers(1, 5, depth)), outputs)
        hidden = [str(rng.choice(SMOOTH)) for _ in range(depth)]
        last = "tanh" if depth == 0 else "identity"
        bias = [bool(b) for b in rng.integers(0, 2, depth + 1)]
        return ggn.MLP(sizes, hidden or "tanh", last, bias, fixed_bias=float(rng.integers(0, 2)))

    f = net(nx) if rng.random() < 0.8 else None
    g = net(ny) if rng.random() < 0.4 else None
    return StateSpace(
        nu, nx, ny, f, g, linear=f is None or rng.random() < 0.7,
        feedthrough=bool(rng.random() < 0.5), initial_states=E if rng.random() < 0.8 else 0,
    ), E  # fmt: skip


def random_problem(seed):
    """A model, experiments of unequal length, some outputs missing, and weights."""
    rng = np.random.default_rng(seed)
    model, E = random_model(rng)
    w = 0.4 * rng.normal(size=model.n_weights)
    lengths = rng.integers(2, 12, E)
    Us = [rng.normal(size=(T, model.n_inputs)) for T in lengths]
    with np.errstate(all="ignore"):
        while not np.abs(np.concatenate(outputs(model, w, Us))).max() < 1e3:
            w *= 0.7
    Ys = [rng.normal(size=(T, model.n_outputs)) for T in lengths]
    if seed % 3 == 0:
        for Y in Ys:
            Y[rng.random(Y.shape) < 0.2] = np.nan
        Ys[0][0] = 0.0
    return model, w, Us, Ys


def of_seed(seed):
    """The errors of P, gradient and GGN matrix against the oracle, relative to their sizes."""
    model, w, Us, Ys = random_problem(seed)
    l2 = 0.1 * (seed % 2)
    objective = StateSpaceObjective(model, Us, Ys, l2=l2)
    at, P = objective.at(w), jacobian(model, w, Us)
    target = np.concatenate([Y.ravel() for Y in Ys])
    seen = np.isfinite(target)
    steps = sum(int(np.isfinite(Y).any(axis=1).sum()) for Y in Ys)
    r = (stacked(model, w, Us) - target)[seen]
    gradient = 2.0 / steps * P[seen].T @ r + 2.0 * l2 * w
    G = 2.0 / steps * P[seen].T @ P[seen] + 2.0 * l2 * np.eye(len(w))
    J = r @ r / steps + l2 * w @ w

    def error(found, expected):
        return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-300))

    return (
        error(at.jacobian(), P.T), error(at.gradient, gradient), error(at.normal_matrix(), G),
        abs(at.loss - J) / J,
    )  # fmt: skip


def standard(seed, lengths=(200, 210), **sizes):
    """A known system whose inputs and outputs have mean 0 and deviation 1."""
    rng = np.random.default_rng(seed)
    model, w, Us, _ = known(rng, lengths=lengths, **sizes)
    U = np.concatenate(Us)
    Us = [(u - U.mean(axis=0)) / U.std(axis=0) for u in Us]
    Y = np.concatenate(outputs(model, w, Us))
    parts, size = model.unpack(w), float(np.sqrt(Y.var(axis=0).mean()))
    last = parts["C"][:0] if model.g is None else model.g.unpack(parts["g"])[-1]
    offset = parts["o"] if model.offset else last[-1]
    offset -= Y.mean(axis=0)
    for array in (parts["C"], parts["D"], parts["o"] if model.offset else last):
        array /= size
    return rng, model, w, Us, outputs(model, w, Us)


def recovered(seed, size=0.1, window=8):
    """J at the end from perturbed weights of a known net, and how it ended."""
    rng, model, w, Us, Ys = standard(seed)
    w0 = w + size * rng.normal(size=len(w))
    fit = ggn.statespace(Us, Ys, model.n_states, w0=w0, f=model.f, window=window, loss_target=1e-26)
    return fit.fun, fit.status, fit.nit


def covered(seed, noise=0.05, T=400):
    """The share of outputs, without and with noise, inside their 90 % intervals."""
    rng, model, w, Us, Ys = standard(seed, lengths=(T, T // 2), f=2)
    noisy = [Y + noise * rng.normal(size=Y.shape) for Y in Ys]
    fit = ggn.statespace(Us, noisy, model.n_states, w0=w, f=model.f)
    shares = []
    for data, with_noise in ((Ys, False), (noisy, True)):
        bounds = np.concatenate(fit.intervals(0.9, noise=with_noise))
        Y = np.concatenate(data)
        shares.append(float(np.mean((bounds[:, 0] <= Y) & (Y <= bounds[:, 2]))))
    return shares


def main(what, count):
    if what == "jacobian":
        worst = np.max([of_seed(seed) for seed in range(count)], axis=0)
        print("largest errors of P, gradient, GGN, J:", worst)
    if what == "recovery":
        for size, window in ((0.1, None), (0.3, None), (0.3, 8)):
            ends = [recovered(seed, size, window) for seed in range(count)]
            good = sum(J < 1e-20 for J, _, _ in ends)
            left = [(i, f"{J:.1e}", s.name) for i, (J, s, _) in enumerate(ends) if not J < 1e-20]
            print(f"perturbed by {size}, windows {window}: {good} of {count};", left, flush=True)
    if what == "coverage":
        shares = np.array([covered(seed) for seed in range(count)])
        print("inside 90 % intervals, of true and of measured outputs:", shares.mean(axis=0))
        print("by fit, 5 and 95 %:", np.quantile(shares, [0.05, 0.95], axis=0).round(3).tolist())
    if what == "verdicts":
        from statespace_kinds import points

        for name, objective, w, kind in points(count):
            found = diagnose_statespace(objective, w)
            note = "" if found.verdict is kind else f"  NOT {kind.name}"
            print(f"{name:18} {found.verdict.name:15} J = {found.loss:.2e}{note}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""Points of state-space models whose kind is known, by construction or by the oracle."""

import numpy as np
from reference_statespace import jacobian, stacked
from statespace_campaign import standard

import ggn
from ggn.recurrent import StateSpace
from ggn.recurrent.statespace_objective import StateSpaceObjective
from ggn.recurrent.statespace_symmetry import invariant_directions

GLOBAL, MOVING, SADDLE, MINIMUM = (
    ggn.surface.Verdict.GLOBAL_MINIMUM,
    ggn.surface.Verdict.NOT_STATIONARY,
    ggn.surface.Verdict.SADDLE,
    ggn.surface.Verdict.LOCAL_MINIMUM,
)
SHAPES = ({}, {"nx": 1}, {"nx": 3, "f": 2}, {"ny": 2, "nu": 2}, {"f": 2, "g": 2}, {"f": None})


def exact(seed):
    """The weights that made the data: J = 0."""
    _, model, w, Us, Ys = standard(seed, lengths=(80, 60), **SHAPES[seed % len(SHAPES)])
    return StateSpaceObjective(model, Us, Ys), w, GLOBAL


def moving(seed):
    """Weights near those, where J is not 0 and its gradient neither."""
    objective, w, _ = exact(seed)
    return objective, w + 0.02 * np.random.default_rng(seed).normal(size=len(w)), MOVING


def ended(objective, w):
    """Where training ends, or None where its gradient is not zero to seven digits there."""
    from ggn.damping import LevenbergMarquardt
    from ggn.fit.limits import Limits
    from ggn.fit.method import Method
    from ggn.fit.train import minimise
    from ggn.fit.units import Units
    from ggn.steps import Primal

    limits = Limits(150, 0.0, None, 5.0, None)
    method = Method(Primal(), LevenbergMarquardt(initial=10.0), limits, False)
    w = minimise(method, Units(objective), np.random.default_rng(0), w).w
    at = objective.at(w)
    D = np.sqrt(at.normal_diagonal())
    return w if np.abs(at.gradient / D).max() <= 1e-7 * np.sqrt(at.loss) else None


def silent_unit_in_f(seed):
    """The best of a model with one unit, and another unit without weights in or out: a saddle.

    H has the block Σ λ_{k+1} z_kᵀ between the weights out and in, and zeros beside it.
    """
    rng, _, _, Us, Ys = standard(seed, lengths=(150,), f=3)
    small = StateSpace(1, 1, 1, f=1, linear=False)
    large = StateSpace(1, 1, 1, f=2, linear=False)
    w = 0.5 * rng.normal(size=small.n_weights)
    w = ended(StateSpaceObjective(small, Us, Ys), w)
    return w is not None and (
        StateSpaceObjective(large, Us, Ys),
        _widened(small, large, w, "f"),
        SADDLE,
    )


def silent_unit_in_g(seed):
    """The same in the outputs, where u has no other way to them: the block is Σ ε u."""
    rng, _, _, Us, Ys = standard(seed, lengths=(150,), f=3)
    Ys = [Y + 0.5 * (U - 0.3) ** 3 for U, Y in zip(Us, Ys, strict=True)]
    small = StateSpace(1, 1, 1, g=1, feedthrough=False)
    large = StateSpace(1, 1, 1, g=2, feedthrough=False)
    w = 0.5 * rng.normal(size=small.n_weights)
    small_parts = small.unpack(w)
    small_parts["A"][:] = 0.5
    w = ended(StateSpaceObjective(small, Us, Ys), w)
    return w is not None and (
        StateSpaceObjective(large, Us, Ys),
        _widened(small, large, w, "g"),
        SADDLE,
    )


def _widened(small, large, w, name):
    parts = {k: v.copy() for k, v in small.unpack(w).items()}
    net, wide = getattr(small, name), getattr(large, name)
    W1, W2 = net.unpack(parts[name])
    parts[name] = wide.pack([
        np.hstack([W1, np.zeros((len(W1), 1))]), np.vstack([W2[:1], np.zeros_like(W2[:1]), W2[1:]])
    ])  # fmt: skip
    return large.pack(parts)


def minimum(seed):
    """Where training on noisy data ends, if the oracle's Hessian is definite there."""
    rng, model, w, Us, Ys = standard(seed, lengths=(120, 80), f=2 if seed % 2 else None)
    noisy = [Y + 0.1 * rng.normal(size=Y.shape) for Y in Ys]
    objective = StateSpaceObjective(model, Us, noisy)
    w = ended(objective, w)
    if w is None:
        return None
    values = oracles_eigenvalues(model, w, Us, noisy)
    return (objective, w, MINIMUM) if values[0] > 1e-5 * values[-1] else None


def oracles_eigenvalues(model, w, Us, Ys):
    """Of the Hessian by differences of the oracle's gradient, in weights D w, across symmetries."""
    y = np.concatenate([Y.ravel() for Y in Ys])

    def gradient(v):
        return 2.0 / len(y) * jacobian(model, v, Us).T @ (stacked(model, v, Us) - y)

    P = jacobian(model, w, Us)
    D, h = np.sqrt(2.0 / len(y) * np.square(P).sum(axis=0)), 1e-5
    steps = np.diag(h / D)
    H = np.array([gradient(w + s) - gradient(w - s) for s in steps]) / (2.0 * h) / D
    K = np.linalg.qr(D[:, np.newaxis] * invariant_directions(model, w), mode="complete")[0]
    Q = K[:, invariant_directions(model, w).shape[1] :]
    return np.linalg.eigvalsh(Q.T @ (0.5 * (H + H.T)) @ Q)


def points(count):
    """Yield points of all kinds in turn, with the name of their construction."""
    made = (exact, moving, silent_unit_in_f, silent_unit_in_g, minimum)
    found = seed = 0
    while found < count:
        make = made[seed % len(made)]
        point = make(seed // len(made))
        if point:
            found += 1
            yield make.__name__, *point
        seed += 1

"""The paper's principles, Theorem 1 and Prop. 1 in plain NumPy, from their wording (arXiv form).

Every function returns the set of answers that do not contradict the numbers: one, or, where they lie within the
margin, all that rounding may decide between.  The margin: a singular value (of the largest), |sigma'| (of its
maximum over |z| <= 1), an eigenvalue of H_E (of the largest) or grad_E counts as 0 up to the first number below and
as not 0 from the second on.

What holds by design is a fact about a function, so a table with its reason; `test_principles_census.py` checks the
tables at high precision.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from reference import ACTIVATIONS, LOSSES, forward, jacobian, unpack

HOLDS, FAILS, NUMERICALLY, UNKNOWN = (
    "holds", "fails", "fails only numerically", "is not known to hold",
)  # fmt: skip
MARGIN = frozenset({HOLDS, FAILS, NUMERICALLY})
EPS = 2.0**-52
SINGULAR = 0.25 * EPS, 1e-12  # the first times the larger side
SLOPE = 1e-17, 1e-14
EIGENVALUE = 1e-17, 1e-13
GRADIENT = 1e-9, 1e-7  # of grad_E at a residual of one scale: lost beside others below sqrt(eps)
SPAN = 1e-10, 1e-6  # of eps off the row span of P


def only(answer):
    return frozenset({answer})


# ---------------------------------------------------------------- activations
@dataclass(frozen=True)
class Sigma:
    """sigma and sigma', what Principle 4 is by design, and where sigma' is exactly 0."""

    functions: tuple
    design: str
    zero: Any = None  # z -> distance in z to where sigma' = 0; negative inside a range of zeros


OWN_TANH = ACTIVATIONS["tanh"]
SIGMAS = {
    # strictly monotone with sigma' above 1/2, 1, a slope, or falling as a power of z
    "identity": Sigma(ACTIVATIONS["identity"], HOLDS),
    "bent_identity": Sigma(ACTIVATIONS["bent_identity"], HOLDS),
    "leaky_relu": Sigma(ACTIVATIONS["leaky_relu"], HOLDS),
    "softsign": Sigma(ACTIVATIONS["softsign"], HOLDS),
    # strictly monotone, sigma' falls exponentially and leaves float64 (Remark 3)
    "sigmoid": Sigma(ACTIVATIONS["sigmoid"], NUMERICALLY),
    "tanh": Sigma(ACTIVATIONS["tanh"], NUMERICALLY),
    "softplus": Sigma(ACTIVATIONS["softplus"], NUMERICALLY),
    "exponential": Sigma(ACTIVATIONS["exponential"], NUMERICALLY),
    # not strictly monotone
    "relu": Sigma(ACTIVATIONS["relu"], FAILS, lambda z: z),
    "square": Sigma((np.square, lambda z: 2.0 * z, lambda z: 2.0 + 0.0 * z), FAILS, np.abs),
    "sine": Sigma(
        (np.sin, np.cos, lambda z: -np.sin(z)), FAILS, lambda z: np.abs((z / np.pi) % 1.0 - 0.5)
    ),
    "bell": Sigma(
        (
            lambda z: np.exp(-z * z),
            lambda z: -2.0 * z * np.exp(-z * z),
            lambda z: (4.0 * z * z - 2.0) * np.exp(-z * z),
        ),
        FAILS,
        np.abs,
    ),
    # strictly monotone, but its author does not say so
    "own_tanh": Sigma(OWN_TANH, UNKNOWN),
}


# ---------------------------------------------------------------- losses
@dataclass(frozen=True)
class E:
    """A loss, Principles 1 and 1.a by design, least E given y, and the |r| at which H_E = 0."""

    value: Any
    gradient: Any
    hessian: Any
    principle_1: str
    principle_1a: str
    least: Any
    inflection: Any = None
    scale: float = 1.0
    declared: bool = True  # else nobody says what the loss obeys


def residual(loss, p1, p1a, inflection=None, scale=1.0):
    return E(loss.value, loss.gradient, loss.hessian, p1, p1a,
             lambda Y: np.zeros(len(Y)), inflection, scale)  # fmt: skip


def _softmax(F):
    e = np.exp(F - F.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _xlogx(y):
    return np.where(y > 0.0, y * np.log(np.where(y > 0.0, y, 1.0)), 0.0)


def _p(F):
    return 1.0 / (1.0 + np.exp(-F))


def of_residual(rho, rho1, rho2, p1, p1a, least, inflection=None, declared=False):
    return E(
        lambda F, Y: rho(F - Y).sum(axis=1), lambda F, Y: rho1(F - Y), lambda F, Y: rho2(F - Y),
        p1, p1a, lambda Y: np.full(len(Y), least), inflection, 1.0, declared,
    )  # fmt: skip


LOG_COSH = (
    lambda r: np.logaddexp(r, -r) - np.log(2.0), np.tanh, lambda r: np.cosh(np.clip(r, -300, 300)) ** -2.0,
)  # fmt: skip
FACTS = {
    "squared": residual(LOSSES["squared"](), HOLDS, HOLDS),
    # convex; rho'' falls as |r|^(p-2) (p > 1), as |r|^-3 (p = 1, and leaves float64 far out)
    "smooth_l1.5": residual(LOSSES["smooth_lp"](1.5, 0.5), HOLDS, HOLDS, scale=0.5),
    "smooth_l1": residual(LOSSES["smooth_lp"](1.0, 0.1), HOLDS, NUMERICALLY, scale=0.1),
    # p < 1: rho' = 0 at 0 only; rho'' = 0 at s / sqrt(1 - p)
    "smooth_l0.5": residual(LOSSES["smooth_lp"](0.5, 0.5), HOLDS, FAILS, 0.5 / np.sqrt(0.5), 0.5),
    # rho' = 2 r / (1 + r^2/s^2) = 0 at 0 only; rho'' = 0 at |r| = s
    "cauchy": residual(LOSSES["cauchy"](2.0), HOLDS, FAILS, 2.0, 2.0),
    # rho' = 2 r exp(-r^2) / (exp(-r^2) + e): 0 at 0 only, but it underflows at |r| = 27
    "blake_zisserman": residual(
        LOSSES["blake_zisserman"](epsilon=0.01), NUMERICALLY, FAILS, 1.7311707469858
    ),
    # convex; H_E = p (1 - p) is not 0, but underflows
    "logistic": E(
        lambda F, Y: (np.logaddexp(0.0, F) - Y * F).sum(axis=1),
        lambda F, Y: (1.0 - Y) * _p(F) - Y * _p(-F),
        lambda F, Y: _p(F) * _p(-F),
        HOLDS,
        NUMERICALLY,
        lambda Y: -(_xlogx(Y) + _xlogx(1.0 - Y)).sum(axis=1),
    ),
    # convex; H_E 1 = 0 always
    "softmax_cross_entropy": E(
        lambda F, Y: -(Y * np.log(_softmax(F))).sum(axis=1),
        lambda F, Y: _softmax(F) - Y,
        lambda F, Y: np.array([np.diag(p) - np.outer(p, p) for p in _softmax(F)]),
        HOLDS,
        FAILS,
        lambda Y: -_xlogx(Y).sum(axis=1),
    ),
    # the user's own: convex, said and not said; and one with a maximum at the target
    "log_cosh, declared": of_residual(*LOG_COSH, HOLDS, UNKNOWN, 0.0, declared=True),
    "log_cosh": of_residual(*LOG_COSH, UNKNOWN, UNKNOWN, 0.0),
    "double_well": of_residual(
        lambda r: (r * r - 1.0) ** 2,
        lambda r: 4.0 * r * (r * r - 1.0),
        lambda r: 12.0 * r * r - 4.0,
        FAILS,
        FAILS,
        0.0,
        np.sqrt(1.0 / 3.0),
    ),
}


# ---------------------------------------------------------------- the principles
def principle_1(fact, F, Y):
    """At every sample: if grad_E(phi_L) = 0, then phi_L is a global minimum of E."""
    size = np.linalg.norm(fact.gradient(F, Y), axis=1)
    typical = np.linalg.norm(fact.gradient(Y + fact.scale, Y), axis=1)
    if not fact.declared:  # one scale off may be a zero as well
        typical = np.linalg.norm(fact.gradient(Y + 0.5, Y), axis=1)
    ratio = size / np.where(typical > 0.0, typical, 1.0)
    unit = np.abs(fact.value(Y + fact.scale, Y) - fact.least(Y)) + np.abs(fact.least(Y))
    high = fact.value(F, Y) - fact.least(Y) > 1e-5 * (unit + 1e-300)
    answers = []
    for q, above in zip(ratio, high):
        if q >= GRADIENT[1]:
            answers.append(only(HOLDS))
        elif not fact.declared:  # whether E is least here is for its author to say
            answers.append({FAILS, NUMERICALLY, UNKNOWN} if above else {HOLDS, UNKNOWN})
        elif above:
            answers.append(only(NUMERICALLY) if q <= GRADIENT[0] else {HOLDS, NUMERICALLY})
    return worst(answers)


def principle_1a(fact, F, Y):
    """Principle 1, and H_E(phi_L) non-degenerate, at every sample."""
    H = fact.hessian(F, Y)
    values = H if H.ndim == 2 else np.linalg.eigvalsh(H)
    at_target = fact.hessian(Y, Y)
    largest = max(np.abs(values).max(), np.abs(at_target).max())
    least = np.abs(values).min() / largest
    if H.ndim == 3:
        return only(FAILS)  # H_E 1 = 0
    if least >= EIGENVALUE[1]:
        here = only(HOLDS)
    elif least > EIGENVALUE[0]:
        here = MARGIN
    else:
        off = np.inf if fact.inflection is None else np.abs(np.abs(F - Y) - fact.inflection).min()
        here = only(NUMERICALLY) if off > 1e-9 else frozenset({FAILS, NUMERICALLY})
    answers = worst([here, principle_1(fact, F, Y)])
    if not fact.declared and FAILS in answers:
        return answers | {UNKNOWN}
    return answers


def principle_2(spec, T):
    """N_net, eq. 20 with dummy units, is at least T nL."""
    N = sum((m + int(b)) * n for m, n, b in zip(spec.sizes, spec.sizes[1:], spec.bias))
    return only(HOLDS if N >= T * spec.sizes[-1] else FAILS)


def rank(A):
    """The rank of A, or None within the margin."""
    s = np.linalg.svd(A, compute_uv=False)
    if s[0] == 0.0:
        return 0
    s = s / s[0]
    zero = max(A.shape) * SINGULAR[0]
    return None if ((s > zero) & (s < SINGULAR[1])).any() else int(np.sum(s >= SINGULAR[1]))


def full_rank(A):
    found = rank(A)
    return MARGIN if found is None else only(HOLDS if found == min(A.shape) else FAILS)


def principle_3(spec, w):
    """All W_l have full rank, the dummy unit's row left out."""
    return worst([full_rank(W[:n]) for W, n in zip(unpack(spec, w), spec.sizes)])


def principle_4(spec, names, w, X):
    """sigma'(z) is not 0 at any net input."""
    answers = [only(HOLDS)]
    for name, z in zip(names, forward(spec, w, X)[1][1:]):
        sigma = SIGMAS[name]
        with np.errstate(under="ignore"):
            slope = np.abs(sigma.functions[1](z))
        slope = slope / np.abs(sigma.functions[1](np.linspace(-1.0, 1.0, 41))).max()
        off = np.full(z.shape, np.inf) if sigma.zero is None else sigma.zero(z)
        flat = slope <= SLOPE[0]
        if (flat & (off <= 0.0)).any():
            near = (np.abs(off) < 1e-12) & (off != 0.0)
            answers.append(MARGIN if (near | ~(off <= 0.0))[flat].all() else only(FAILS))
        if (flat & (off > 0.0)).any():
            # next to a zero of sigma', rounding of z decides between it and 0
            answers.append(MARGIN if (off[flat & (off > 0.0)] < 1e-12).any() else only(NUMERICALLY))
        if ((slope > SLOPE[0]) & (slope < SLOPE[1])).any():
            answers.append(frozenset({HOLDS, NUMERICALLY}))
    return worst(answers)


def principle_4_design(names):
    return worst([only(SIGMAS[name].design) for name in names])


def principle_5(sizes):
    """Eq. 25 as printed: n_l <= max(n_{l-1}, n_{l+1}) for l = 1 ... L-2."""
    L = len(sizes) - 1
    return only(
        HOLDS
        if all(sizes[l] <= max(sizes[l - 1], sizes[l + 1]) for l in range(1, L - 1))
        else FAILS
    )


def principle_5_corrected(sizes):
    """No i < j < k in 1 ... L with n_j > n_i and n_j > n_k."""
    n = sizes[1:]
    hill = any(
        n[j] > max(n[i], n[k])
        for j in range(len(n)) for i in range(j) for k in range(j + 1, len(n))
    )  # fmt: skip
    return only(FAILS if hill else HOLDS)


def theorem_1(spec, w, X, eps):
    """P(W) is not 0, and eps lies in its row span."""
    P = jacobian(spec, w, X)
    if not P.any():
        return only(FAILS)
    if not eps.any():
        return only(HOLDS)
    r = rank(P)
    if r is None:
        return frozenset({HOLDS, FAILS})
    V = np.linalg.svd(P, full_matrices=False)[2][:r]
    eps = eps / np.abs(eps).max()  # squares may underflow
    off = np.linalg.norm(eps - V.T @ (V @ eps)) / np.linalg.norm(eps)
    if SPAN[0] < off < SPAN[1]:
        return frozenset({HOLDS, FAILS})
    return only(HOLDS if off <= SPAN[0] else FAILS)


def proposition_1(spec, w, X):
    """rank P(W) = T nL."""
    P = jacobian(spec, w, X)
    r = rank(P)
    return frozenset({HOLDS, FAILS}) if r is None else only(HOLDS if r == P.shape[1] else FAILS)


def worst(answers):
    """The answers that may be given of all of several demands together."""
    order = (HOLDS, NUMERICALLY, UNKNOWN, FAILS)
    found = frozenset({HOLDS})
    for one in answers:
        found = frozenset(max(a, b, key=order.index) for a in found for b in one)
    return found

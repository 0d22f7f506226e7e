"""The oracle's activations and losses, from their definitions; see reference.py."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

LEAKY_SLOPE = 0.01


# ---------------------------------------------------------------- activations
# Near 0 and in the tails every formula keeps its relative accuracy; e = exp(-|z|) never overflows.


def _sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def _sigmoid_d1(z):
    e = np.exp(-np.abs(z))
    return e / (1.0 + e) ** 2


def _sigmoid_d2(z):
    return -_sigmoid_d1(z) * np.tanh(0.5 * z)  # 1 - 2 sigma = -tanh(z/2), without cancellation at 0


def _tanh_d1(z):
    e = np.exp(-np.abs(z))
    return (2.0 * e / (1.0 + e * e)) ** 2  # sech^2, not 1 - tanh^2, which is 0 from |z| = 20 on


def _softsign_d1(z):
    return (1.0 / (1.0 + np.abs(z))) ** 2


def _bent_d2(z):
    return 0.5 * (1.0 / np.hypot(z, 1.0)) ** 3


def _normal(z):
    """phi(z), the normal density."""
    return np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)


def _silu_d2(z):
    return _sigmoid_d1(z) * (2.0 - np.clip(z, -1e3, 1e3) * np.tanh(0.5 * z))


def _mish_gate(z):
    """T = tanh(log(1 + e^z)) = (w^2 + 2w) / (w^2 + 2w + 2), w = e^z <= e^40, and T', T''."""
    z = np.clip(z, -750.0, 40.0)  # below -746 e^z is 0, and so is all here
    w = np.exp(z)
    D = w * w + 2.0 * w + 2.0
    T2 = 4.0 * w * ((2.0 + 2.0 * w - 3.0 * w * w - 2.0 * w**3) / D) / D / D
    return w * (w + 2.0) / D, 4.0 * (w / D) * ((1.0 + w) / D), T2


def _mish_d1(z):
    T, T1, _ = _mish_gate(z)
    return T + np.clip(z, -1e3, 1e3) * T1


def _mish_d2(z):
    _, T1, T2 = _mish_gate(z)
    return 2.0 * T1 + np.clip(z, -1e3, 1e3) * T2


ACTIVATIONS = {  # name: (sigma, sigma', sigma'')
    "sigmoid": (_sigmoid, _sigmoid_d1, _sigmoid_d2),
    "tanh": (np.tanh, _tanh_d1, lambda z: -2.0 * np.tanh(z) * _tanh_d1(z)),
    "softsign": (
        lambda z: z / (1.0 + np.abs(z)),
        _softsign_d1,
        lambda z: -2.0 * np.sign(z) * (1.0 / (1.0 + np.abs(z))) ** 3,
    ),
    "softplus": (
        lambda z: np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z))),
        _sigmoid,
        _sigmoid_d1,
    ),
    # (sqrt(z^2+1)-1)/2 + z, with sqrt(z^2+1)-1 = z^2/(sqrt(z^2+1)+1)
    "bent_identity": (
        lambda z: z * (1.0 + 0.5 * (z / (np.hypot(z, 1.0) + 1.0))),
        lambda z: 1.0 + 0.5 * (z / np.hypot(z, 1.0)),
        _bent_d2,
    ),
    "identity": (lambda z: z * 1.0, np.ones_like, np.zeros_like),
    "exponential": (np.exp, np.exp, np.exp),
    # at the kink both take the derivative of the negative side
    "leaky_relu": (
        lambda z: np.where(z > 0, z, LEAKY_SLOPE * z),
        lambda z: np.where(z > 0, 1.0, LEAKY_SLOPE),
        np.zeros_like,
    ),
    "relu": (lambda z: np.where(z > 0, z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0), np.zeros_like),
    "silu": (
        lambda z: z * _sigmoid(z),
        lambda z: _sigmoid(z) * (1.0 + np.clip(z, -1e3, 1e3) * _sigmoid(-z)),
        _silu_d2,
    ),
    "gelu": (
        lambda z: z * special.ndtr(z),
        lambda z: special.ndtr(z) + np.clip(z, -40.0, 40.0) * _normal(np.clip(z, -40.0, 40.0)),
        lambda z: _normal(np.clip(z, -40.0, 40.0)) * (2.0 - np.clip(z, -40.0, 40.0) ** 2),
    ),
    "mish": (lambda z: z * _mish_gate(z)[0], _mish_d1, _mish_d2),
    # as it is at 0, sigma'' is taken from the negative side
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0.0))),
        lambda z: np.exp(np.minimum(z, 0.0)),
        lambda z: np.where(z > 0, 0.0, np.exp(np.minimum(z, 0.0))),
    ),
    "arctan": (
        np.arctan,
        lambda z: (1.0 / np.hypot(z, 1.0)) ** 2,
        lambda z: -2.0 * (z / np.hypot(z, 1.0)) * (1.0 / np.hypot(z, 1.0)) ** 3,
    ),
    "gaussian": (
        lambda z: np.exp(-(np.clip(z, -40.0, 40.0) ** 2)),
        lambda z: -2.0 * np.clip(z, -40.0, 40.0) * np.exp(-(np.clip(z, -40.0, 40.0) ** 2)),
        lambda z: (
            (4.0 * np.clip(z, -40.0, 40.0) ** 2 - 2.0) * np.exp(-(np.clip(z, -40.0, 40.0) ** 2))
        ),
    ),
    "sine": (np.sin, np.cos, lambda z: -np.sin(z)),
}


def _positive_side(z):
    """z or -z, whichever has real part >= 0: the analytic continuation of |z| off the imaginary axis."""
    return np.where(np.real(z) < 0, -z, z)


def _sigmoid_complex(z):
    e = np.exp(-_positive_side(z))
    return np.where(np.real(z) >= 0, 1.0, e) / (1.0 + e)


ACTIVATIONS_COMPLEX = {  # values only, for complex arguments near the real axis
    "sigmoid": _sigmoid_complex,
    "tanh": np.tanh,
    "softsign": lambda z: z / (1.0 + _positive_side(z)),
    "softplus": lambda z: np.where(np.real(z) > 0, z, 0.0) + np.log1p(np.exp(-_positive_side(z))),
    "bent_identity": lambda z: z * (1.0 + 0.5 * z / (np.sqrt(z * z + 1.0) + 1.0)),
    "identity": lambda z: z * 1.0,
    "exponential": np.exp,
    "leaky_relu": lambda z: np.where(np.real(z) > 0, z, LEAKY_SLOPE * z),
    "relu": lambda z: np.where(np.real(z) > 0, z, 0.0),
    "silu": lambda z: z * _sigmoid_complex(z),
    "gelu": lambda z: 0.5 * z * special.erfc(-z / np.sqrt(2.0)),
    "mish": lambda z: (
        z * np.tanh(np.where(np.real(z) > 0, z, 0.0) + np.log1p(np.exp(-_positive_side(z))))
    ),
    "elu": lambda z: np.where(np.real(z) > 0, z, np.expm1(np.where(np.real(z) > 0, 0.0, z))),
    "arctan": np.arctan,
    "gaussian": lambda z: np.exp(-z * z),
    "sine": np.sin,
}


def activation_mp(name, z, dps=50):
    """(sigma, sigma', sigma'') at the float z as mpmath numbers right to about `dps` digits, in relative terms; and the
    sizes that their errors are measured by: the numbers' own, or of the largest of the terms that make a sum near a zero
    inside the line.

    Written from the definitions, independently of `ACTIVATIONS`; only 1 - (tiny) is avoided, because no fixed number of
    digits holds it at |z| = 745.  The numbers keep their digits; arithmetic on them needs `mpmath.workdps` again.
    """
    import mpmath as mp

    whole = (
        int(math.log10(abs(float(z)) + 1.0)) if name == "sine" else 0
    )  # digits of a period's multiple
    with mp.workdps(dps + 10 + whole):
        z = mp.mpf(float(z))
        one, zero, slope = mp.mpf(1), mp.mpf(0), mp.mpf(LEAKY_SLOPE)

        def logistic():
            e = mp.exp(-abs(z))
            s, s1 = (one if z >= 0 else e) / (1 + e), e / (1 + e) ** 2
            return e, s, s1, -s1 * mp.tanh(z / 2)

        def tanh():
            t, s = mp.tanh(z), mp.sech(z) ** 2
            return t, s, -2 * t * s

        def softplus():
            e, s, s1, _ = logistic()
            return max(z, zero) + mp.log1p(e), s, s1

        def silu():
            _, s, s1, s2 = logistic()
            return z * s, [s, z * s1], [2 * s1, z * s2]

        def softsign():
            a = 1 + abs(z)
            return z / a, 1 / a**2, -2 * mp.sign(z) / a**3

        def bent_identity():
            root = mp.sqrt(z * z + 1)
            return z * z / (root + 1) / 2 + z, z / (2 * root) + 1, 1 / (2 * root**3)

        def arctan():
            q = z * z + 1
            return mp.atan(z), 1 / q, -2 * z / q**2

        def gelu():
            normal = mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)
            cdf = mp.ncdf(z) if abs(z) < 1e4 else mp.mpf(z > 0)
            return z * cdf, [cdf, z * normal], [2 * normal, -z * z * normal]

        def mish():
            w = mp.exp(min(z, mp.mpf(10) ** 4))  # beyond, w^2 swamps all else
            D = w * w + 2 * w + 2
            T, T1, bend = w * (w + 2) / D, 4 * w * (1 + w) / D**2, 4 * z * w / D**3
            second = [2 * T1, 2 * bend, 2 * w * bend, -3 * w**2 * bend, -2 * w**3 * bend]
            return z * T, [T, z * T1], zero if z > 10**4 else second

        def gaussian():
            bell = mp.exp(-z * z)
            return bell, -2 * z * bell, [4 * z * z * bell, -2 * bell]

        def sine():
            s = mp.sin(z)
            return s, mp.cos(z), -s

        table = {
            "sigmoid": lambda: logistic()[1:],
            "tanh": tanh,
            "softsign": softsign,
            "softplus": softplus,
            "bent_identity": bent_identity,
            "identity": lambda: (z, one, zero),
            "exponential": lambda: (mp.exp(z),) * 3,
            "leaky_relu": lambda: (z if z > 0 else slope * z, one if z > 0 else slope, zero),
            "relu": lambda: (z if z > 0 else zero, one if z > 0 else zero, zero),
            "silu": silu,
            "gelu": gelu,
            "mish": mish,
            "elu": lambda: (z, one, zero) if z > 0 else (mp.expm1(z), mp.exp(z), mp.exp(z)),
            "arctan": arctan,
            "gaussian": gaussian,
            "sine": sine,
        }
        terms = [t if isinstance(t, list) else [t] for t in table[name]()]
        return tuple(mp.fsum(t) for t in terms), tuple(max(map(abs, t)) for t in terms)


# ---------------------------------------------------------------- losses
class SeparableLoss:
    """E(phi_L) = sum_k rho(r_k), r = phi_L - y.  Subclasses give rho, rho', rho'' and rho'(r)/r elementwise.

    rho'(r)/r is >= 0 and, where it does not increase with |r| (all here but smooth_lp with p > 2), majorises rho''.
    Each works on complex r too, hence r*r and not |r|.
    """

    def value(self, F, Y):
        return np.sum(self.rho(F - Y), axis=1)

    def gradient(self, F, Y):
        return self.rho1(F - Y)

    def hessian(self, F, Y):
        return self.rho2(F - Y)

    def curvature(self, F, Y):
        return self.ratio(F - Y)

    def rho1(self, r):
        return r * self.ratio(r)


class SquaredLoss(SeparableLoss):
    """rho = r^2, eq. 35 (no 1/2)."""

    def rho(self, r):
        return r * r

    def ratio(self, r):
        return np.full(np.shape(r), 2.0)

    rho2 = ratio


@dataclass(frozen=True)
class SmoothLpLoss(SeparableLoss):
    """rho = (r^2 + s^2)^(p/2) - s^p."""

    p: float
    scale: float = 1.0

    def rho(self, r):
        q = (r / self.scale) * (r / self.scale)
        t = 0.5 * self.p * np.log1p(q)
        near = np.real(t) < 1.0  # expm1 for small r; the power is more accurate for large t
        return self.scale**self.p * np.where(
            near, np.expm1(np.where(near, t, 0.0)), (1.0 + q) ** (0.5 * self.p) - 1.0
        )

    def ratio(self, r):
        b = 1.0 + (r / self.scale) * (r / self.scale)
        # b^(p/2) / b, not b^(p/2 - 1): the rounding of the exponent would be multiplied by log b
        return self.p * self.scale**self.p / self.scale**2 * (b ** (0.5 * self.p) / b)

    def rho2(self, r):
        q = (r / self.scale) * (r / self.scale)
        return self.ratio(r) * ((1.0 + (self.p - 1.0) * q) / (1.0 + q))


@dataclass(frozen=True)
class CauchyLoss(SeparableLoss):
    """rho = s^2 log(1 + r^2/s^2)."""

    scale: float = 1.0

    def rho(self, r):
        u = r / self.scale
        return self.scale**2 * np.log1p(u * u)

    def ratio(self, r):
        u = r / self.scale
        return 2.0 / (1.0 + u * u)

    def rho2(self, r):
        u = r / self.scale
        return 2.0 * (1.0 - u) * (1.0 + u) / (1.0 + u * u) ** 2


@dataclass(frozen=True)
class BlakeZissermanLoss(SeparableLoss):
    """rho = s^2 (log(1+e) - log(g + e)), g = exp(-r^2/s^2), e > 0."""

    epsilon: float
    scale: float = 1.0

    def _weight(self, r):
        q = (r / self.scale) * (r / self.scale)
        g = np.exp(-q)
        return q, g, g / (g + self.epsilon)

    def rho(self, r):
        q, g, _ = self._weight(r)  # (1+e)/(g+e) = 1 + (1-g)/(g+e): accurate at both ends
        return self.scale**2 * np.log1p(-np.expm1(-q) / (g + self.epsilon))

    def ratio(self, r):
        return 2.0 * self._weight(r)[2]

    def rho2(self, r):
        q, g, weight = self._weight(r)
        return 2.0 * weight * (1.0 - 2.0 * q * (self.epsilon / (g + self.epsilon)))


LOSSES = {
    "squared": SquaredLoss,
    "smooth_lp": SmoothLpLoss,
    "cauchy": CauchyLoss,
    "blake_zisserman": BlakeZissermanLoss,
}

"""The oracle's activations and losses, from their definitions; see reference.py."""

from dataclasses import dataclass

import numpy as np

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
}


def activation_mp(name, z, dps=50):
    """(sigma, sigma', sigma'') at the float z as mpmath numbers right to about `dps` digits, in relative terms.

    Written from the definitions, independently of `ACTIVATIONS`; only 1 - (tiny) is avoided, because no fixed number of
    digits holds it at |z| = 745.  The numbers keep their digits; arithmetic on them needs `mpmath.workdps` again.
    """
    import mpmath as mp

    with mp.workdps(dps + 10):
        z = mp.mpf(float(z))
        one, zero, slope = mp.mpf(1), mp.mpf(0), mp.mpf(LEAKY_SLOPE)
        e = mp.exp(-abs(z))
        s = (one if z >= 0 else e) / (1 + e)
        s1 = e / (1 + e) ** 2
        s2 = -s1 * mp.tanh(z / 2)
        a, root = 1 + abs(z), mp.sqrt(z * z + 1)
        table = {
            "sigmoid": lambda: (s, s1, s2),
            "tanh": lambda: (mp.tanh(z), mp.sech(z) ** 2, -2 * mp.tanh(z) * mp.sech(z) ** 2),
            "softsign": lambda: (z / a, 1 / a**2, -2 * mp.sign(z) / a**3),
            "softplus": lambda: (max(z, zero) + mp.log1p(e), s, s1),
            "bent_identity": lambda: (
                z * z / (root + 1) / 2 + z,
                z / (2 * root) + 1,
                1 / (2 * root**3),
            ),
            "identity": lambda: (z, one, zero),
            "exponential": lambda: (mp.exp(z),) * 3,
            "leaky_relu": lambda: (z if z > 0 else slope * z, one if z > 0 else slope, zero),
            "relu": lambda: (z if z > 0 else zero, one if z > 0 else zero, zero),
        }
        return table[name]()


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

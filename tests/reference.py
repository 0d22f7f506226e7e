"""The oracle: the paper's equations in plain NumPy, sample by sample, slow on purpose.

Every compiled kernel is compared with this file, so it shares no code and no trick with them: Jacobians are
Kronecker products, sensitivities are explicit products of matrices, sums over samples are loops.
Equation numbers are those of Hao Shen, arXiv form of the CVPR 2018 paper, with the corrections that
test_paper.py shows one by one.

Symbols, one sample: phi_l output of layer l, z_l its net input, Sigma'_l = diag(sigma'(z_l)), hat(phi)_l = phi_l with a
trailing 1 where a dummy unit feeds layer l+1, W_l (n_{l-1}[+1], n_l), Psi_l = d phi_L / d z_l (n_l, nL),
omega_l = Psi_l grad_E.  Lists over layers have layer l at [l-1], except phi and z of `forward`, with layer l at [l].
"""

from dataclasses import dataclass

import numpy as np
from reference_functions import (
    ACTIVATIONS,
    ACTIVATIONS_COMPLEX,
    LEAKY_SLOPE,
    LOSSES,
    BlakeZissermanLoss,
    CauchyLoss,
    SeparableLoss,
    SmoothLpLoss,
    SquaredLoss,
    activation_mp,
)

__all__ = [
    "ACTIVATIONS",
    "ACTIVATIONS_COMPLEX",
    "LEAKY_SLOPE",
    "LOSSES",
    "BlakeZissermanLoss",
    "CauchyLoss",
    "SeparableLoss",
    "SmoothLpLoss",
    "SquaredLoss",
    "activation_mp",
]


# ---------------------------------------------------------------- the network
@dataclass(frozen=True)
class Spec:
    """F(n0, ..., nL).  `activations[l-1]` = (sigma, sigma', sigma'') of layer l (output layer included), `bias[l-1]`: a
    dummy unit feeds layer l, `fixed_bias`: the constant b of eq. 2, subtracted from every net input."""

    sizes: tuple
    activations: tuple
    bias: tuple
    fixed_bias: float = 0.0

    def __post_init__(self):
        assert len(self.sizes) >= 2 and len(self.activations) == len(self.bias) == self.L

    @property
    def L(self):
        return len(self.sizes) - 1

    def shape(self, l):
        """Shape of W_l, l = 1..L."""
        return self.sizes[l - 1] + bool(self.bias[l - 1]), self.sizes[l]


def named_spec(sizes, names, bias=True, fixed_bias=0.0, complex_safe=False):
    """A Spec from activation names (one, or one per layer) and bias flags (one, or one per layer); `complex_safe=True`
    gives the twin, without derivatives, that `gradient_complex_step` wants."""
    L = len(sizes) - 1
    names = (names,) * L if isinstance(names, str) else tuple(names)
    bias = (bias,) * L if isinstance(bias, (bool, np.bool_)) else tuple(bias)
    table = (
        {k: (f, None, None) for k, f in ACTIVATIONS_COMPLEX.items()}
        if complex_safe
        else ACTIVATIONS
    )
    return Spec(tuple(sizes), tuple(table[k] for k in names), bias, fixed_bias)


def n_weights(spec):
    """N_net, eq. 20, dummy units counted."""
    return sum(rows * units for rows, units in map(spec.shape, range(1, spec.L + 1)))


def unpack(spec, w):
    """[W_1, ..., W_L] from w = vec(W): layer by layer, inside a layer unit by unit, bias weight last in its unit."""
    w = np.asarray(w)
    assert w.shape == (n_weights(spec),)
    Ws, start = [], 0
    for l in range(1, spec.L + 1):
        rows, units = spec.shape(l)
        Ws.append(w[start : start + rows * units].reshape(units, rows).T)
        start += rows * units
    return Ws


def pack(Ws):
    """vec(W): the inverse of `unpack`."""
    return np.concatenate([np.asarray(W).T.ravel() for W in Ws])


def forward(spec, w, X):
    """Eq. 2 layer by layer.  Returns phi, z: phi[l] (T, n_l) for l = 0..L, without dummy unit; z[l] for l = 1..L (z[0] is
    None)."""
    phi, z = [np.asarray(X)], [None]
    for l, W in enumerate(unpack(spec, w), start=1):
        z.append(_with_dummy(phi[-1], spec.bias[l - 1]) @ W - spec.fixed_bias)
        phi.append(spec.activations[l - 1][0](z[l]))
    return phi, z


def _with_dummy(phi, has_dummy):
    """hat(phi): a trailing 1 where a dummy unit feeds the next layer."""
    if not has_dummy:
        return phi
    hat = np.ones((*phi.shape[:-1], phi.shape[-1] + 1), phi.dtype)
    hat[..., :-1] = phi
    return hat


def _one_sample(spec, w, x):
    """For one sample: hat(phi)_{l-1}, sigma'(z_l), z_l, and W_l without its dummy row, layer l at [l-1]."""
    phi, z = forward(spec, w, np.asarray(x)[None, :])
    hat = [_with_dummy(phi[l - 1][0], spec.bias[l - 1]) for l in range(1, spec.L + 1)]
    d1 = [spec.activations[l - 1][1](z[l][0]) for l in range(1, spec.L + 1)]
    W = [W[:n] for W, n in zip(unpack(spec, w), spec.sizes)]
    return hat, d1, [z_l[0] for z_l in z[1:]], W


def kron(A, B):
    """A (x) B of two vectors or two matrices, as defined: the blocks A_ij B; np.kron's numbers in a tenth of its time."""
    A, B = np.asarray(A), np.asarray(B)
    if A.ndim == 1:
        return np.outer(A, B).ravel()
    shape = A.shape[0] * B.shape[0], A.shape[1] * B.shape[1]
    return (A[:, None, :, None] * B[None, :, None, :]).reshape(shape)


def psi(spec, w, x, at=None):
    """Eq. 17: Psi_l = Sigma'_l W_{l+1} Sigma'_{l+1} ... W_L Sigma'_L, (n_l, nL), at one sample x; layer l at [l-1]."""
    _, d1, _, W = at or _one_sample(spec, w, x)
    Psi = []
    for l in range(spec.L):
        product = np.diag(d1[l])
        for k in range(l + 1, spec.L):
            product = product @ W[k] @ np.diag(d1[k])
        Psi.append(product)
    return Psi


def omega(spec, w, x, grad_E, at=None):
    """Eq. 15, with diag(phi'_l): omega_L = Sigma'_L grad_E, omega_l = Sigma'_l W_{l+1} omega_{l+1}; layer l at [l-1]."""
    _, d1, _, W = at or _one_sample(spec, w, x)
    om = [d1[-1] * grad_E]
    for l in range(spec.L - 1, 0, -1):
        om.insert(0, d1[l - 1] * (W[l] @ om[0]))
    return om


def _sample_jacobian(spec, w, x):
    """P_i, (N, nL), one block column of eq. 19: row block l is Psi_l (x) hat(phi)_{l-1}."""
    at = _one_sample(spec, w, x)
    return np.vstack([kron(Psi_l, h[:, None]) for Psi_l, h in zip(psi(spec, w, x, at), at[0])])


def jacobian(spec, w, X):
    """P of eq. 19/22, (N, T nL): d phi_L / d w transposed; columns i nL .. (i+1) nL belong to sample i.  No 1/T inside."""
    return np.hstack([np.zeros((n_weights(spec), 0))] + [_sample_jacobian(spec, w, x) for x in X])


# ---------------------------------------------------------------- the total loss
def _shares(X, sample_weight):
    """c_i = s_i / sum s: the 1/T of eq. 6 when no weights are given."""
    s = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    assert s.shape == (len(X),)
    return s / np.sum(s) if len(X) else s


def objective(spec, w, X, Y, loss, sample_weight=None, l2=0.0):
    """J = sum_i c_i E(phi_L(x_i), y_i) + sum_j l2_j w_j^2, eq. 6; without samples only the penalty."""
    F = forward(spec, w, X)[0][-1]
    return np.sum(_shares(X, sample_weight) * loss.value(F, Y)) + np.sum(l2 * w * w)


def gradient(spec, w, X, Y, loss, sample_weight=None, l2=0.0):
    """Eq. 16 with the 1/T of eq. 6: sum_i c_i [omega_l (x) hat(phi)_{l-1}]_l + 2 l2 w, (N,)."""
    G = loss.gradient(forward(spec, w, X)[0][-1], Y)
    total = 2.0 * l2 * np.asarray(w)
    for c, x, g in zip(_shares(X, sample_weight), X, G):
        at = _one_sample(spec, w, x)
        blocks = [kron(om, h) for om, h in zip(omega(spec, w, x, g, at), at[0])]
        total = total + c * np.concatenate(blocks)
    return total


def gradient_complex_step(spec_complex, w, X, Y, loss, sample_weight=None, l2=0.0, step=1e-40):
    """dJ/dw_j = Im J(w + i h e_j) / h: exact to rounding and free of any derivative formula, eq. 6 alone.
    A smaller step gains nothing and underflows sooner where the derivative is tiny."""
    out = np.empty(len(w))
    for j in range(len(w)):
        shifted = np.asarray(w, complex)  # a fresh copy: w is float64
        shifted[j] += 1j * step
        out[j] = np.imag(objective(spec_complex, shifted, X, Y, loss, sample_weight, l2)) / step
    return out


def normal_matrix(spec, w, X, Y, loss, sample_weight=None, l2=0.0, psd=False):
    """Eq. 37: sum_i c_i P_i H_i P_i^T + 2 diag(l2), (N, N); psd=True puts the curvature rho'(r)/r for H_E."""
    F = forward(spec, w, X)[0][-1]
    H = loss.curvature(F, Y) if psd else loss.hessian(F, Y)
    total = 2.0 * np.diag(np.broadcast_to(np.asarray(l2, float), (n_weights(spec),)))
    for c, x, h in zip(_shares(X, sample_weight), X, H):
        P = _sample_jacobian(spec, w, x)
        total = total + c * (P @ np.diag(h) @ P.T)
    return total


def kernel_matrix(spec, w, X):
    """P^T P, (T nL, T nL): the empirical tangent kernel."""
    P = jacobian(spec, w, X)
    return P.T @ P


def weighted_kernel(spec, w, X, Y, loss, sample_weight=None):
    """S^T P^T P S, S S^T = block diag(c_i H_i) with the psd curvature; the matrix of the dual step (eq. 39)."""
    H = loss.curvature(forward(spec, w, X)[0][-1], Y)
    S = np.diag(np.sqrt(_shares(X, sample_weight)[:, None] * H).ravel())
    return S.T @ kernel_matrix(spec, w, X) @ S


def _second_order_term(spec, w, x, g):
    """sum_m g_m Hessian of phi_{L,m} at one sample, (N, N): the second part of eq. 26, for a constant g.

    The gradient of g^T phi_L is [omega_l (x) hat(phi)_{l-1}]_l.  Differentiate it by the product rule, D being the
    full matrix of derivatives with respect to w: D z and D phi go up the layers, D omega comes down.
    """
    hat, d1, z, W = _one_sample(spec, w, x)
    d2 = [activation[2](z_l) for activation, z_l in zip(spec.activations, z)]
    N, L = n_weights(spec), spec.L
    blocks, start = [], 0
    for l in range(1, L + 1):
        size = int(np.prod(spec.shape(l)))
        blocks.append(slice(start, start + size))
        start += size
    Dhat, Dz, Dphi = [], [], np.zeros((spec.sizes[0], N))
    for l in range(L):
        Dhat.append(
            np.vstack([Dphi, np.zeros((int(spec.bias[l]), N))])
        )  # the dummy unit is constant
        D = W[l].T @ Dphi
        D[:, blocks[l]] += kron(np.eye(spec.sizes[l + 1]), hat[l][None])  # z_u = w_u^T hat(phi)
        Dz.append(D)
        Dphi = d1[l][:, None] * D
    out = np.zeros((N, N))
    v, Dv = g, np.zeros((spec.sizes[L], N))  # omega_l = Sigma'_l v_l
    for l in range(L - 1, -1, -1):
        om, Dom = d1[l] * v, (d2[l] * v)[:, None] * Dz[l] + d1[l][:, None] * Dv
        out[blocks[l]] = kron(Dom, hat[l][:, None]) + kron(om[:, None], Dhat[l])
        v, Dv = W[l] @ om, W[l] @ Dom  # v_{l-1} = W_l omega_l, dummy row left out
        Dv[:, blocks[l]] += kron(om[None], np.eye(spec.sizes[l], len(hat[l])))
    return out


def hessian(spec, w, X, Y, loss, sample_weight=None, l2=0.0):
    """H_J, eq. 26, exact, (N, N): the GGN part plus the second derivatives of the network.  Symmetric up to rounding
    only, on purpose: the asymmetry is a check of the derivation."""
    G = loss.gradient(forward(spec, w, X)[0][-1], Y)
    total = normal_matrix(spec, w, X, Y, loss, sample_weight, l2)
    for c, x, g in zip(_shares(X, sample_weight), X, G):
        total = total + c * _second_order_term(spec, w, x, g)
    return total


def hessian_fd(spec, w, X, Y, loss, sample_weight=None, l2=0.0, step=6e-6):
    """H_J by central differences of `gradient`; truncation is step^2/6 times third derivatives of `gradient`, so compare to
    about 1e-7 of max(1, |H|), away from kinks."""
    w = np.asarray(w, float)
    columns = []
    for j in range(len(w)):
        up, down = w.copy(), w.copy()
        up[j] += step * max(1.0, abs(w[j]))
        down[j] -= step * max(1.0, abs(w[j]))
        difference = gradient(spec, up, X, Y, loss, sample_weight, l2) - gradient(
            spec, down, X, Y, loss, sample_weight, l2
        )
        columns.append(difference / (up[j] - down[j]))
    return np.column_stack(columns)

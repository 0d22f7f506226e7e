"""Forward and backward sweeps; the legend is in net.pxd."""

from libc.string cimport memcpy, memset

from ggn._core.activation_loops cimport ggn_activations
from ggn._core.matmul cimport gemm_nn, gemm_nt, gemm_tn
from ggn._core.net cimport Net, a_block, back_block, d_block, fan_in
from ggn._core.rows cimport ggn_khatri_rao, ggn_scale_rows, ggn_transpose


cdef inline void fill(double *p, Py_ssize_t n, double value) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        p[i] = value


cdef void load(const Net *net, Py_ssize_t c, const double *x, double *work) noexcept nogil:
    """A_0 = X^T, and the dummy rows of ones of all layers."""
    cdef Py_ssize_t l
    ggn_transpose(c, net.width[0], x, a_block(net, 0, c, work))
    for l in range(net.depth):
        if net.bias[l + 1]:
            fill(a_block(net, l, c, work) + net.width[l] * c, c, 1.0)


cdef void affine(const Net *net, Py_ssize_t l, const double *w, Py_ssize_t c, double *work,
                 bint keep) noexcept nogil:
    """Net input Z_l = W_l^T A_{l-1} - b (eq. 2): into D_l if a derivative is to be kept, else into A_l."""
    cdef Py_ssize_t n = net.width[l], m = fan_in(net, l)
    cdef double *z = d_block(net, l, c, work) if keep else a_block(net, l, c, work)
    cdef double b = net.slope[0]
    if b != 0.0:
        fill(z, n * c, -b)
    gemm_nn(net.own, n, c, m, 1.0, w + net.w_offset[l], m, a_block(net, l - 1, c, work), c,
            1.0 if b != 0.0 else 0.0, z, c)


cdef void activate(const Net *net, Py_ssize_t l, Py_ssize_t c, double *work,
                   int keep) noexcept nogil:
    """A_l = sigma(Z_l), D_l = sigma'(Z_l) if keep >= 1, D2_l = sigma''(Z_l) if keep = 2."""
    cdef double *a = a_block(net, l, c, work)
    cdef double *d = d_block(net, l, c, work) if keep else NULL
    cdef double *d2 = back_block(net, l, 1, c, work) if keep == 2 else NULL
    ggn_activations[net.code[l]](net.width[l] * c, net.slope[l], d if keep else a, a, d, d2)


cdef Py_ssize_t forward(const Net *net, Py_ssize_t l, const double *w, Py_ssize_t c,
                        const double *x, double *work, int keep) noexcept nogil:
    """From A_l, or X where l = 0, to the next layer whose activation is the user's own.

    Returns that layer, which has its net input and waits for its outputs; L + 1 at the end.
    """
    if l == 0:
        load(net, c, x, work)
    for l in range(l + 1, net.depth + 1):
        affine(net, l, w, c, work, keep)
        if net.code[l] < 0:
            return l
        activate(net, l, c, work, keep)
    return net.depth + 1


cdef void backward(const Net *net, const double *w, Py_ssize_t c, const double *eps,
                   double *work, double *gradient) noexcept nogil:
    """Add the chunk's gradient: omega_L = D_L eps, omega_{l-1} = D_{l-1} W_l omega_l, eq. 15, 16."""
    cdef Py_ssize_t l = net.depth, n, m
    cdef double *omega = back_block(net, l, 1, c, work)
    cdef double *below
    ggn_scale_rows(net.width[l], 1, c, eps, d_block(net, l, c, work), omega)
    while True:
        n = net.width[l]
        m = fan_in(net, l)
        gemm_nt(net.own, n, m, c, omega, c, a_block(net, l - 1, c, work), c, 1.0,
                gradient + net.w_offset[l], m)
        l -= 1
        if l == 0:
            return
        below = back_block(net, l, 1, c, work)
        gemm_tn(net.own, net.width[l], c, n, 1.0, w + net.w_offset[l + 1], m, omega, c, 0.0,
                below, c)
        omega = below
        ggn_scale_rows(net.width[l], 1, c, omega, d_block(net, l, c, work), omega)


cdef void sensitivities(const Net *net, const double *w, Py_ssize_t c, const double *s,
                        Py_ssize_t form, double *work) noexcept nogil:
    """Psi_L = D_L S, Psi_{l-1} = D_{l-1} (W_l Psi_l), eq. 17, per sample.

    S (nL, nL) per sample is the identity (form 0), diagonal with s (nL, c)
    (form 1), or full with s (nL, nL, c) (form 2).
    """
    cdef Py_ssize_t l = net.depth, o, k = net.width[net.depth], row = k * c
    cdef double *psi = back_block(net, l, k, c, work)
    cdef double *d = d_block(net, l, c, work)
    cdef double *below
    if form == 2:
        ggn_scale_rows(k * k, k, c, s, d, psi)
    else:
        memset(psi, 0, k * row * sizeof(double))
        for o in range(k):
            if form == 1:
                ggn_scale_rows(1, 1, c, d + o * c, s + o * c, psi + o * (row + c))
            else:
                memcpy(psi + o * (row + c), d + o * c, c * sizeof(double))
    while l > 1:
        below = back_block(net, l - 1, k, c, work)
        gemm_tn(net.own, net.width[l - 1], row, net.width[l], 1.0, w + net.w_offset[l],
                fan_in(net, l), psi, row, 0.0, below, row)
        psi = below
        l -= 1
        ggn_scale_rows(net.width[l] * k, k, c, psi, d_block(net, l, c, work), psi)


cdef void jacobian(const Net *net, Py_ssize_t c, const double *work, double *p,
                   Py_ssize_t ldp) noexcept nogil:
    """P (N, nL * c) of eq. 19 from A and Psi: row (l, u, a), column (o, i)."""
    cdef Py_ssize_t l, m, k = net.width[net.depth]
    for l in range(1, net.depth + 1):
        m = fan_in(net, l)
        ggn_khatri_rao(net.width[l], m, k, c, back_block(net, l, k, c, work),
                       a_block(net, l - 1, c, work), p + net.w_offset[l] * ldp, ldp)

"""Forward and backward sweeps; the legend is in sweep.pxd."""

from libc.string cimport memcpy, memset

from ggn._kernels.matmul cimport gemm_nn, gemm_nt, gemm_tn

cdef extern from "rows.h" nogil:
    void ggn_scale_rows(Py_ssize_t rows, Py_ssize_t repeat, Py_ssize_t n,
                        const double *a, const double *b, double *out)
    void ggn_khatri_rao(Py_ssize_t nu, Py_ssize_t nv, Py_ssize_t no, Py_ssize_t n,
                        const double *a, const double *b, double *out, Py_ssize_t ldo)
    void ggn_transpose(Py_ssize_t rows, Py_ssize_t cols, const double *src, double *out)

cdef extern from "activation_loops.h" nogil:
    ctypedef void (*ggn_activation)(Py_ssize_t n, double slope, const double *z,
                                    double *s, double *d1, double *d2)
    const ggn_activation *ggn_activations


cdef Net net_at(Py_ssize_t depth, const Py_ssize_t *table, const double *par) noexcept nogil:
    """Point into the layout's table: six rows of depth + 2 sizes."""
    cdef Net net
    cdef Py_ssize_t row = depth + 2
    net.depth = depth
    net.width = table
    net.bias = table + row
    net.code = table + 2 * row
    net.w_offset = table + 3 * row
    net.a_offset = table + 4 * row
    net.z_offset = table + 5 * row
    net.slope = par
    return net


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
    cdef Py_ssize_t n = net.width[l], m = net.width[l - 1] + net.bias[l]
    cdef double *z = d_block(net, l, c, work) if keep else a_block(net, l, c, work)
    cdef double b = net.slope[0]
    if b != 0.0:
        fill(z, n * c, -b)
    gemm_nn(n, c, m, 1.0, w + net.w_offset[l], m, a_block(net, l - 1, c, work), c,
            1.0 if b != 0.0 else 0.0, z, c)


cdef void activate(const Net *net, Py_ssize_t l, Py_ssize_t c, double *work,
                   int keep) noexcept nogil:
    """A_l = sigma(Z_l), D_l = sigma'(Z_l) if keep >= 1, D2_l = sigma''(Z_l) if keep = 2."""
    cdef double *a = a_block(net, l, c, work)
    cdef double *d = d_block(net, l, c, work) if keep else NULL
    cdef double *d2 = back_block(net, l, 1, c, work) if keep == 2 else NULL
    ggn_activations[net.code[l]](net.width[l] * c, net.slope[l], d if keep else a, a, d, d2)


cdef void backward(const Net *net, const double *w, Py_ssize_t c, const double *eps,
                   double *work, double *gradient) noexcept nogil:
    """Add the chunk's gradient: omega_L = D_L eps, omega_{l-1} = D_{l-1} (W_l omega_l), eq. 15, 16."""
    cdef Py_ssize_t l = net.depth, n, m
    cdef double *omega = back_block(net, l, 1, c, work)
    cdef double *below
    ggn_scale_rows(net.width[l], 1, c, eps, d_block(net, l, c, work), omega)
    while True:
        n = net.width[l]
        m = net.width[l - 1] + net.bias[l]
        gemm_nt(n, m, c, omega, c, a_block(net, l - 1, c, work), c, 1.0,
                gradient + net.w_offset[l], m)
        l -= 1
        if l == 0:
            return
        below = back_block(net, l, 1, c, work)
        gemm_tn(net.width[l], c, n, 1.0, w + net.w_offset[l + 1], m, omega, c, 0.0, below, c)
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
        gemm_tn(net.width[l - 1], row, net.width[l], 1.0, w + net.w_offset[l],
                net.width[l - 1] + net.bias[l], psi, row, 0.0, below, row)
        psi = below
        l -= 1
        ggn_scale_rows(net.width[l] * k, k, c, psi, d_block(net, l, c, work), psi)


cdef void jacobian(const Net *net, Py_ssize_t c, const double *work, double *p,
                   Py_ssize_t ldp) noexcept nogil:
    """P (N, nL * c) of eq. 19 from A and Psi: row (l, u, a), column (o, i)."""
    cdef Py_ssize_t l, m, k = net.width[net.depth]
    for l in range(1, net.depth + 1):
        m = net.width[l - 1] + net.bias[l]
        ggn_khatri_rao(net.width[l], m, k, c, back_block(net, l, k, c, <double*>work),
                       a_block(net, l - 1, c, <double*>work), p + net.w_offset[l] * ldp, ldp)


cdef Py_ssize_t tangent_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles of buffer for `tangent`: A' and A'' of two layers."""
    cdef Py_ssize_t l, widest = 0
    for l in range(1, net.depth + 1):
        widest = max(widest, net.width[l])
    return 4 * widest * c


cdef void tangent(const Net *net, const double *w, const double *v, Py_ssize_t c, bint second,
                  const double *work, double *buffer, double *out) noexcept nogil:
    """First or second derivative of the outputs along v, (nL, c): P^T v, or v^T (grad^2 phi_L) v.

    Z' = V A + W A', A' = D Z'; Z'' = 2 V A' + W A'', A'' = D2 Z'^2 + D Z''
    (V the layer's part of v; a dummy unit has A' = A'' = 0).
    """
    cdef Py_ssize_t l, i, n, m, below, room = tangent_size(net, c) // 4
    cdef double *first = buffer  # A' of the layer below, then above
    cdef double *next_first = buffer + room
    cdef double *bend = buffer + 2 * room  # A''
    cdef double *next_bend = buffer + 3 * room
    cdef const double *d
    cdef const double *d2
    for l in range(1, net.depth + 1):
        n = net.width[l]
        below = net.width[l - 1]
        m = below + net.bias[l]
        if l == net.depth and not second:
            next_first = out
        gemm_nn(n, c, m, 1.0, v + net.w_offset[l], m, a_block(net, l - 1, c, <double*>work), c,
                0.0, next_first, c)
        if l > 1:
            gemm_nn(n, c, below, 1.0, w + net.w_offset[l], m, first, c, 1.0, next_first, c)
        d = d_block(net, l, c, <double*>work)
        if second:
            if l == net.depth:
                next_bend = out
            if l > 1:
                gemm_nn(n, c, below, 2.0, v + net.w_offset[l], m, first, c, 0.0, next_bend, c)
                gemm_nn(n, c, below, 1.0, w + net.w_offset[l], m, bend, c, 1.0, next_bend, c)
            else:
                memset(next_bend, 0, n * c * sizeof(double))
            d2 = back_block(net, l, 1, c, <double*>work)
            for i in range(n * c):
                next_bend[i] = d2[i] * next_first[i] * next_first[i] + d[i] * next_bend[i]
            bend, next_bend = next_bend, bend
        ggn_scale_rows(n, 1, c, next_first, d, next_first)
        first, next_first = next_first, first

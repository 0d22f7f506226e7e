"""Derivatives along a direction v of the weights: first, second, and the exact Hessian times v.

With V_l the layer's part of v, a prime for the derivative along v, and a dummy unit's
A' = A'' = 0, a sweep forward gives P^T v = A'_L and v^T (grad^2 phi_L) v = A''_L:

    Z'_l  = V_l A_{l-1} + W_l A'_{l-1},        A'_l  = D_l Z'_l
    Z''_l = 2 V_l A'_{l-1} + W_l A''_{l-1},    A''_l = D2_l Z'_l^2 + D_l Z''_l

and with g_l the gradient of the loss in A_l, two sweeps back give H v (Pearlmutter 1994):

    g_L  = eps,  g'_L = H_E A'_L
    omega_l = D_l g_l,                         omega'_l = D2_l Z'_l g_l + D_l g'_l
    (H v)_l = sum_i omega'_l A_{l-1}^T + omega_l A'_{l-1}^T
    g_{l-1} = W_l^T omega_l,                   g'_{l-1} = V_l^T omega_l + W_l^T omega'_l
"""

from libc.string cimport memcpy, memset

from ggn._core.matmul cimport gemm_nn, gemm_nt, gemm_tn
from ggn._core.net cimport Net, a_block, back_block, d_block, fan_in, widest
from ggn._core.rows cimport ggn_scale_rows


cdef void net_input(const Net *net, Py_ssize_t l, const double *w, const double *v, Py_ssize_t c,
                    const double *work, const double *below, double *out) noexcept nogil:
    """Z'_l; `below` holds A'_{l-1} and is not read for l = 1, where A'_0 = 0."""
    cdef Py_ssize_t n = net.width[l], m = fan_in(net, l)
    gemm_nn(net.own, n, c, m, 1.0, v + net.w_offset[l], m, a_block(net, l - 1, c, work), c,
            0.0, out, c)
    if l > 1:
        gemm_nn(net.own, n, c, net.width[l - 1], 1.0, w + net.w_offset[l], m, below, c,
                1.0, out, c)


cdef Py_ssize_t tangent_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles of buffer for `tangent`: A' and A'' of two layers."""
    return 4 * widest(net) * c


cdef void tangent(const Net *net, const double *w, const double *v, Py_ssize_t c, bint second,
                  const double *work, double *buffer, double *out) noexcept nogil:
    """First or second derivative of the outputs along v, (nL, c); work holds A, D and D2."""
    cdef Py_ssize_t l, i, n, m, below, room = widest(net) * c
    cdef double *first = buffer  # A' of the layer below, then above
    cdef double *next_first = buffer + room
    cdef double *bend = buffer + 2 * room  # A''
    cdef double *next_bend = buffer + 3 * room
    cdef const double *d
    cdef const double *d2
    for l in range(1, net.depth + 1):
        n = net.width[l]
        if l == net.depth and not second:
            next_first = out
        net_input(net, l, w, v, c, work, first, next_first)
        d = d_block(net, l, c, work)
        if second:
            if l == net.depth:
                next_bend = out
            if l > 1:
                below = net.width[l - 1]
                m = fan_in(net, l)
                gemm_nn(net.own, n, c, below, 2.0, v + net.w_offset[l], m, first, c,
                        0.0, next_bend, c)
                gemm_nn(net.own, n, c, below, 1.0, w + net.w_offset[l], m, bend, c,
                        1.0, next_bend, c)
            else:
                memset(next_bend, 0, n * c * sizeof(double))
            d2 = back_block(net, l, 1, c, work)
            for i in range(n * c):
                next_bend[i] = d2[i] * next_first[i] * next_first[i] + d[i] * next_bend[i]
            bend, next_bend = next_bend, bend
        ggn_scale_rows(n, 1, c, next_first, d, next_first)
        first, next_first = next_first, first


cdef Py_ssize_t product_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles of buffer for `hessian_product`: A' and D2 Z' of all layers, g and g' of two."""
    return (2 * net.z_offset[net.depth + 1] + 4 * widest(net)) * c


cdef void slopes_and_bends(const Net *net, const double *w, const double *v, Py_ssize_t c,
                           const double *work, double *slope, double *bend) noexcept nogil:
    """A' of all layers to slope, D2 Z' to bend; both have layer l at z_offset[l]."""
    cdef Py_ssize_t l, i
    cdef const double *below = NULL
    cdef const double *d
    cdef const double *d2
    for l in range(1, net.depth + 1):
        net_input(net, l, w, v, c, work, below, bend)
        d = d_block(net, l, c, work)
        d2 = back_block(net, l, 1, c, work)
        for i in range(net.width[l] * c):
            slope[i] = d[i] * bend[i]
            bend[i] = d2[i] * bend[i]
        below = slope
        slope += net.width[l] * c
        bend += net.width[l] * c


cdef void weigh(Py_ssize_t k, Py_ssize_t c, const double *h, bint full, const double *u,
                double *out) noexcept nogil:
    """out = H u for each sample; h is (k, c), or (k, k, c) if full."""
    cdef Py_ssize_t o, p, i
    if not full:
        for i in range(k * c):
            out[i] = h[i] * u[i]
        return
    memset(out, 0, k * c * sizeof(double))
    for o in range(k):
        for p in range(k):
            for i in range(c):
                out[o * c + i] += h[(o * k + p) * c + i] * u[p * c + i]


cdef void hessian_product(const Net *net, const double *w, const double *v, Py_ssize_t c,
                          const double *eps, const double *h, bint full, const double *work,
                          double *buffer, double *out) noexcept nogil:
    """Add the chunk's H v to out; work holds A, D and D2."""
    cdef Py_ssize_t l = net.depth, i, n, m, below, total = net.z_offset[l + 1] * c
    cdef Py_ssize_t room = widest(net) * c
    cdef double *slope = buffer
    cdef double *bend = buffer + total
    cdef double *g = buffer + 2 * total
    cdef double *dg = g + room  # g'
    cdef double *next_g = dg + room
    cdef double *next_dg = next_g + room
    cdef const double *d
    cdef const double *b
    slopes_and_bends(net, w, v, c, work, slope, bend)
    memcpy(g, eps, net.width[l] * c * sizeof(double))
    weigh(net.width[l], c, h, full, slope + net.z_offset[l] * c, dg)
    while True:
        n = net.width[l]
        below = net.width[l - 1]
        m = fan_in(net, l)
        d = d_block(net, l, c, work)
        b = bend + net.z_offset[l] * c
        for i in range(n * c):
            dg[i] = b[i] * g[i] + d[i] * dg[i]
            g[i] = d[i] * g[i]
        gemm_nt(net.own, n, m, c, dg, c, a_block(net, l - 1, c, work), c, 1.0,
                out + net.w_offset[l], m)
        if l == 1:
            return
        gemm_nt(net.own, n, below, c, g, c, slope + net.z_offset[l - 1] * c, c, 1.0,
                out + net.w_offset[l], m)
        gemm_tn(net.own, below, c, n, 1.0, w + net.w_offset[l], m, g, c, 0.0, next_g, c)
        gemm_tn(net.own, below, c, n, 1.0, w + net.w_offset[l], m, dg, c, 0.0, next_dg, c)
        gemm_tn(net.own, below, c, n, 1.0, v + net.w_offset[l], m, g, c, 1.0, next_dg, c)
        g, next_g = next_g, g
        dg, next_dg = next_dg, dg
        l -= 1

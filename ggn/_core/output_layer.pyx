"""The output layer's weights for given hidden ones: a damped linear least-squares problem.

With phi the inputs of an output layer that has no activation, eps the losses' gradient and h
their curvature (diagonal), output o's row of weights moves by -v, where

    (sum_i h_io phi_i phi_i^T + 2 l2 + mu D^2) v = sum_i eps_io phi_i + 2 l2 w + mu D^2 (w - before)

so that the loss (as a quadratic) + l2 w^2 + mu/2 ||D (w - before)||^2 is least.
"""

from libc.string cimport memcpy

from ggn._core.matmul cimport gemm_nt
from ggn._core.net cimport Net, a_block, fan_in
from ggn._core.solve cimport cholesky_solve, factor_block, scale_rows


cdef Py_ssize_t sums_size(const Net *net, bint own) noexcept nogil:
    """Doubles of sums: the slopes (nL, m), and (m, m) for all outputs, or one of its own each."""
    cdef Py_ssize_t m = fan_in(net, net.depth), k = net.width[net.depth]
    return k * m + (k if own else 1) * m * m


cdef Py_ssize_t add_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles of buffer that `add` needs."""
    return fan_in(net, net.depth) * c


cdef Py_ssize_t solve_size(const Net *net) noexcept nogil:
    """Doubles of buffer that `solve` needs."""
    cdef Py_ssize_t m = fan_in(net, net.depth)
    return m * m + m


cdef void add(const Net *net, Py_ssize_t c, const double *h, const double *eps,
              const double *work, double *buffer, double *sums) noexcept nogil:
    """Add a chunk; h (nL, c), or NULL for 1 throughout, eps (nL, c)."""
    cdef Py_ssize_t m = fan_in(net, net.depth), k = net.width[net.depth], o, a, i
    cdef const double *phi = a_block(net, net.depth - 1, c, work)
    gemm_nt(net.own, k, m, c, eps, c, phi, c, 1.0, sums, m)
    sums += k * m
    if h == NULL:
        gemm_nt(net.own, m, m, c, phi, c, phi, c, 1.0, sums, m)
        return
    for o in range(k):
        for a in range(m):
            for i in range(c):
                buffer[a * c + i] = phi[a * c + i] * h[o * c + i]
        gemm_nt(net.own, m, m, c, buffer, c, phi, c, 1.0, sums + o * m * m, m)


cdef bint solve(const Net *net, bint own, double alpha, const double *sums, const double *l2,
                const double *scale, double mu, const double *before, const double *w,
                double *buffer, double *out) noexcept nogil:
    """Write w (N,) with the new output layer to out; whether there is one.

    alpha: what the sums over phi phi^T are to be multiplied by.  l2 (N,) and scale, D (N,),
    may be NULL.  `own` as in `sums_size`; sums are used up.
    """
    cdef Py_ssize_t N = net.w_offset[net.depth + 1], first = net.w_offset[net.depth]
    cdef Py_ssize_t m = fan_in(net, net.depth), k = net.width[net.depth], o, a, at
    cdef const double *slopes = sums
    cdef double *matrix = <double*>sums + k * m
    cdef double *x = buffer + m * m
    cdef const double *metric
    cdef double D
    memcpy(out, w, N * sizeof(double))
    for a in range((k if own else 1) * m * m):
        matrix[a] *= alpha
    for o in range(k):
        at = first + o * m
        metric = scale
        if scale != NULL:
            metric += at
        scale_rows(m, matrix, metric, mu, 0, m, buffer)
        for a in range(m):
            D = 1.0 if scale == NULL else metric[a]
            x[a] = slopes[o * m + a] / D + mu * D * (w[at + a] - before[at + a])
            if l2 != NULL:
                buffer[a * m + a] += 2.0 * l2[at + a] / D / D
                x[a] += 2.0 * l2[at + a] * w[at + a] / D
        if factor_block(m, buffer, 0, m, 0, m) != 0:
            return False
        cholesky_solve(m, buffer, x)
        for a in range(m):
            out[at + a] -= x[a] / (1.0 if scale == NULL else metric[a])
        if own:
            matrix += m * m
    return True

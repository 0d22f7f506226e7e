"""Weights to start from, layer by layer: what ggn.network.nguyen_widrow makes of its draws."""

from libc.math cimport INFINITY, fabs, isfinite, sqrt

from ggn._core.activation_loops cimport ggn_activations
from ggn._core.blas cimport dot_of, gemm_nn, gemv_n, gemv_t
from ggn._core.loss_loops cimport ggn_sum

cdef double EPS = 2.220446049250313e-16


cdef Py_ssize_t size_of_all(Py_ssize_t T, Py_ssize_t m, Py_ssize_t n) noexcept nogil:
    """Doubles of memory that each of the functions here needs."""
    return 4 * m + 2 * n + 2 * T * m + T * n + T


cdef void product(Py_ssize_t T, Py_ssize_t m, Py_ssize_t n, const double *x, const double *W,
                  double *out) noexcept nogil:
    """out (T, n) = X (T, m) W (m, n), by the routine that NumPy takes: the bits are its."""
    if T == 1 and n == 1:
        out[0] = dot_of(m, x, W)
    elif T == 1:
        gemv_t(m, n, W, x, out)
    elif n == 1:
        gemv_n(T, m, x, W, out)
    else:
        gemm_nn(T, n, m, 1.0, x, m, W, n, 0.0, out, n)


cdef void share_out(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const Py_ssize_t *varies,
                    const double *low, const double *high, double *V, double reach, bint dummy,
                    double times, double *memory, double *W) noexcept nogil:
    """W (m [+ 1], n) of directions V (k, n) of the inputs that vary, from low to high; V is used up."""
    cdef double *length = memory
    cdef double *middle = length + n
    cdef double *bias = W + m * n
    cdef double half
    cdef Py_ssize_t i, j
    for i in range((m + dummy) * n):
        W[i] = 0.0
    for i in range(k):
        middle[i] = V[i * n] * V[i * n]
    for j in range(n):
        length[j] = ggn_sum(k, middle) if n == 1 else 0.0
        for i in range(0 if n == 1 else k):
            length[j] += V[i * n + j] * V[i * n + j]
        length[j] = reach / sqrt(length[j])
        if dummy:
            bias[j] = 0.0
            if n > 1:
                bias[j] = reach if j == n - 1 else j * (2.0 * reach / (n - 1)) - reach
            bias[j] *= (V[j] > 0.0) - (V[j] < 0.0)
    for i in range(k):
        half = 0.5 * high[varies[i]] - 0.5 * low[varies[i]]
        middle[i] = low[varies[i]] + half
        for j in range(n):
            V[i * n + j] = V[i * n + j] * length[j] / half
            W[varies[i] * n + j] = V[i * n + j]
    if dummy:
        product(1, k, n, middle, V, length)
        for j in range(n):
            bias[j] -= length[j]
    if times != 1.0:
        for i in range((m + dummy) * n):
            W[i] *= times


cdef void respond(Py_ssize_t T, Py_ssize_t m, Py_ssize_t n, const double *x, const double *W,
                  bint dummy, int code, double slope, double *memory, double *H) noexcept nogil:
    """H (T, n) of units W on inputs X (T, m); 0 of those that are 0 but for rounding."""
    cdef double *rounding = memory
    cdef double *largest = rounding + n
    cdef double *z = largest + n
    cdef const double *bias = W + m * n
    cdef double most
    cdef Py_ssize_t i, j
    product(T, m, n, x, W, z)
    for j in range(n):
        rounding[j], largest[j] = fabs(bias[j]) if dummy else 0.0, 0.0
    for i in range(m):
        most = 0.0
        for j in range(T):
            most = max(most, fabs(x[j * m + i]))
        for j in range(n):
            rounding[j] += most * fabs(W[i * n + j])
    for i in range(T):
        for j in range(n):
            z[i * n + j] += bias[j] if dummy else 0.0
    ggn_activations[code](T * n, slope, z, H, NULL, NULL)
    for i in range(T):
        for j in range(n):
            # nan is larger than any
            if largest[j] == largest[j] and not fabs(H[i * n + j]) <= largest[j]:
                largest[j] = fabs(H[i * n + j])
    for j in range(n):
        if largest[j] <= 16.0 * EPS * rounding[j]:
            for i in range(T):
                H[i * n + j] = 0.0


cdef inline bint alike(double low, double high) noexcept nogil:
    """Whether such a range is none but by rounding."""
    return high - low <= 16.0 * EPS * max(fabs(low), fabs(high))


cdef void by_size(Py_ssize_t T, Py_ssize_t m, Py_ssize_t n, const double *x, const double *c,
                  bint dummy, double *memory, double *W) noexcept nogil:
    """Make net inputs of normal draws W (m [+ 1], n) of size one, for inputs X (T, m)."""
    cdef double *largest = memory
    cdef double *mean = largest + m
    cdef double *Z = mean + m
    cdef double *squares = Z + T * m
    cdef double *share = squares + T * m
    cdef double *shift = share + T
    cdef double whole = ggn_sum(T, c), low, high, size
    cdef Py_ssize_t i, j
    for i in range(T):
        share[i] = c[i] / whole
    for j in range(m):
        low, high = INFINITY, -INFINITY
        for i in range(T):
            low, high = min(low, x[i * m + j]), max(high, x[i * m + j])
        largest[j] = max(high, -low)
        largest[j] = largest[j] if largest[j] > 0.0 else 1.0
        mean[j] = 0.0
    for i in range(T):
        for j in range(m):
            Z[i * m + j] = x[i * m + j] / largest[j]
            squares[i * m + j] = share[i] * Z[i * m + j]
    if dummy and m == 1:
        mean[0] = ggn_sum(T, squares)
    elif dummy:
        for i in range(T):
            for j in range(m):
                mean[j] += squares[i * m + j]
    for i in range(T):
        for j in range(m):
            Z[i * m + j] -= mean[j]
            squares[i * m + j] = share[i] * (Z[i * m + j] * Z[i * m + j])
    size = ggn_sum(T * m, squares) + dummy
    size = sqrt(size) if isfinite(size) and size > 0.0 else 1.0
    for j in range(m):
        low, high = INFINITY, -INFINITY
        for i in range(T):
            low, high = min(low, Z[i * m + j] + mean[j]), max(high, Z[i * m + j] + mean[j])
        for i in range(n):
            if dummy and alike(low, high):
                W[j * n + i] *= 0.0
            W[j * n + i] = W[j * n + i] / size / largest[j]
        mean[j] *= largest[j]
    if dummy:
        product(1, m, n, mean, W, shift)
        for i in range(n):
            W[m * n + i] = W[m * n + i] / size - shift[i]

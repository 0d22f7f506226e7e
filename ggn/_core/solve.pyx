"""The damping metric D, and the factor of a damped matrix: D^-1 G D^-1 + mu I = F F^T.

Working with the scaled matrix is the same step as (G + mu D^2) d = g and keeps
the factorisation as well conditioned as a diagonal scaling can (van der Sluis).
"""

from libc.math cimport sqrt

from ggn._core.blas cimport cholesky as blas_cholesky
from ggn._core.blas cimport cholesky_solve as blas_cholesky_solve
from ggn._core.blas cimport divide_by_factor, gemm_nt, syrk_n
from ggn._core.matmul cimport gemm_tn, simd
from ggn._core.net cimport Net, fan_in

cdef extern from "simd.h" nogil:
    enum:
        GGN_AVX512

cdef extern from "small_factor.h" nogil:
    enum:
        GGN_SMALL_FACTOR
        GGN_FACTOR_ROWS
    int ggn_factor(Py_ssize_t n, double *a, Py_ssize_t lda)
    int ggn_factor_rows(Py_ssize_t rows, Py_ssize_t n, double *u, Py_ssize_t ld)
    void ggn_mirror(Py_ssize_t n, double *a, Py_ssize_t lda, int upper)
    void ggn_substitute(Py_ssize_t n, const double *f, double *b)


cdef void scale_rows(Py_ssize_t n, const double *g, const double *scale, double mu,
                     Py_ssize_t first, Py_ssize_t stop, double *out) noexcept nogil:
    """Write these rows of D^-1 G D^-1 + mu I, its lower triangle; scale NULL means D = I."""
    cdef Py_ssize_t i, j
    cdef double inverse
    cdef const double *row
    for i in range(first, stop):
        row = g + i * n
        if scale == NULL:
            for j in range(i + 1):
                out[i * n + j] = row[j]
        else:
            inverse = 1.0 / scale[i]
            for j in range(i + 1):
                out[i * n + j] = row[j] * inverse / scale[j]
        out[i * n + i] += mu


# Rows of the factor's transpose whose products are taken away from all below at once.
cdef enum:
    BLOCK = 64

cdef int factor_by_rows(Py_ssize_t n, double *a, Py_ssize_t lda) noexcept nogil:
    """What `cholesky` does, by rows of the factor's transpose in the upper triangle."""
    # rows of what is taken away begin so far left of the diagonal that they are whole vectors: what
    # is there is of no use, and written at the end, if there is a factor
    cdef Py_ssize_t s = 0, r, stop, rows, left = -n & 7
    cdef int info
    ggn_mirror(n, a, lda, True)
    while s < n:
        stop, r = min(s + BLOCK, n), s
        while r < stop:
            rows = min(<Py_ssize_t>GGN_FACTOR_ROWS, stop - r)
            if r > s:
                take_away(rows, n - r, r - s, left, a + s * lda + r, a + r * lda + r, lda)
            info = ggn_factor_rows(rows, n - r, a + r * lda + r, lda)
            if info:
                return <int>r + info
            r += rows
        r = stop
        while r < n:
            rows = min(<Py_ssize_t>BLOCK, n - r)
            take_away(rows, n - r, stop - s, left, a + s * lda + r, a + r * lda + r, lda)
            r += rows
        s = stop
    ggn_mirror(n, a, lda, False)
    return 0


cdef inline void take_away(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, Py_ssize_t left,
                           const double *u, double *a, Py_ssize_t lda) noexcept nogil:
    """a (m, n) -= U^T U, the first m columns of U (k, n) by all, and by so many left of them."""
    gemm_tn(<Py_ssize_t>1 << 60, m, n + left, k, -1.0, u, lda, u - left, lda, 1.0, a - left, lda)


cdef int cholesky(Py_ssize_t n, double *a, Py_ssize_t lda) noexcept nogil:
    """Lower factor of a (n, n) in place of its lower triangle; 0, or the failing pivot.

    The upper triangle may be overwritten.
    """
    if n <= GGN_SMALL_FACTOR:
        return ggn_factor(n, a, lda)
    # 0.6 to 0.95 of the time of LAPACK with AVX-512 for 80 to 3000 rows, 0.62 for 1000 of that with
    # AVX2 (EPYC, Zen 5); with vectors of AVX2 themselves 0.95 to 1.05, but 1.5 for 512
    if simd() == GGN_AVX512:
        return factor_by_rows(n, a, lda)
    return blas_cholesky(n, a, lda)


cdef void cholesky_solve(Py_ssize_t n, const double *factor, double *b) noexcept nogil:
    """Solve with the lower factor, b (n,) in place."""
    if n <= GGN_SMALL_FACTOR:
        ggn_substitute(n, factor, b)
    else:
        blas_cholesky_solve(n, factor, b)


cdef int factor_block(Py_ssize_t n, double *a, Py_ssize_t left, Py_ssize_t right,
                      Py_ssize_t first, Py_ssize_t stop) noexcept nogil:
    """Make rows [first, stop) of columns [left, right) of a (n, n) those of its lower factor.

    Columns left of them are done, and so are the rows [left, right), unless these are asked
    for.  0, or the order of the failing minor.
    """
    cdef double *above = a + left * n
    cdef double *rows = a + first * n
    cdef int info
    if first == left:
        if left > 0:
            syrk_n(right - left, left, -1.0, above, n, 1.0, above + left, n)
        info = cholesky(right - left, above + left, n)
        return info + <int>left if info else 0
    gemm_nt(stop - first, right - left, left, -1.0, rows, n, above, n, 1.0, rows + left, n)
    divide_by_factor(stop - first, right - left, above + left, rows + left, n)
    return 0


cdef inline double or_one(double x) noexcept nogil:
    """1 for 0: a weight that J does not depend on can have any scale."""
    return x if x != 0.0 else 1.0


cdef inline double eighth_root(double x) noexcept nogil:
    return sqrt(sqrt(sqrt(x)))


cdef void metric(const Net *net, const double *diagonal, const double *fixed, double *largest,
                 double *scale) noexcept nogil:
    """D(u, a) = fixed(a) (c(a) r(u))^(1/8) for unit u and input a of each layer.

    c is the mean over units of the diagonal of G, the largest so far (kept in
    `largest`); r the mean over inputs of that diagonal relative to its mean.
    `largest` and `fixed` have one entry per input of each layer.
    """
    cdef Py_ssize_t l, u, a, n, m
    cdef double mean, unit
    cdef const double *g
    cdef double *d
    for l in range(1, net.depth + 1):
        n = net.width[l]
        m = fan_in(net, l)
        g = diagonal + net.w_offset[l]
        d = scale + net.w_offset[l]
        for a in range(m):  # the first row of D holds the present means for a while
            mean = 0.0
            for u in range(n):
                mean += g[u * m + a]
            d[a] = or_one(mean / n)
            largest[a] = max(largest[a], mean / n)
        for u in range(n - 1, -1, -1):
            unit = 0.0
            for a in range(m):
                unit += g[u * m + a] / d[a]
            unit = eighth_root(or_one(unit / m))
            for a in range(m):
                d[u * m + a] = fixed[a] * unit * eighth_root(or_one(largest[a]))
        largest += m
        fixed += m

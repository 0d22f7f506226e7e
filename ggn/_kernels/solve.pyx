"""Factor a damped symmetric matrix: D^-1 G D^-1 + mu I = F F^T.

Working with the scaled matrix is the same step as (G + mu D^2) d = g and keeps
the factorisation as well conditioned as a diagonal scaling can (van der Sluis).
"""

from ggn._kernels.blas cimport cholesky


cdef int damped_cholesky(Py_ssize_t n, const double *g, const double *scale, double mu,
                         double *factor) noexcept nogil:
    """Write the lower factor; scale NULL means D = I.  0, or the order of the failing minor."""
    cdef Py_ssize_t i, j
    cdef double inverse
    cdef const double *row
    cdef double *out
    for i in range(n):
        row = g + i * n
        out = factor + i * n
        if scale == NULL:
            for j in range(i + 1):
                out[j] = row[j]
        else:
            inverse = 1.0 / scale[i]
            for j in range(i + 1):
                out[j] = row[j] * inverse / scale[j]
        out[i] += mu
    return cholesky(n, factor)

# cython: allow_none_for_extension_args=False
"""The part of the door that knows no samples: products of a matrix with itself, the damping
metric, Cholesky factors.  `ggn._core` shows them with the rest.
"""

from libc.limits cimport INT_MAX

from ggn._core cimport solve
from ggn._core.blas cimport syrk_n, syrk_t
from ggn._core.checks cimport check_matrix, check_range, check_vector
from ggn._core.flush cimport ggn_enter, ggn_leave
from ggn._core.layout cimport Layout


def add_product(const double[:, ::1] B, double[:, ::1] out, bint transposed=False):
    """Lower triangle of out += B B^T, or B^T B if transposed; B is (n, k)."""
    cdef Py_ssize_t n = B.shape[0], k = B.shape[1], size = k if transposed else n
    check_matrix("out", out.shape, size, size)
    if not (n <= INT_MAX and k <= INT_MAX):
        raise ValueError(f"B must have fewer than 2**31 rows and columns, got ({n}, {k})")
    with nogil:
        mode = ggn_enter(False)
        if transposed:
            syrk_t(k, n, 1.0, &B[0, 0], k, 1.0, &out[0, 0], k)
        else:
            syrk_n(n, k, 1.0, &B[0, 0], k, 1.0, &out[0, 0], n)
        ggn_leave(mode)


def metric(Layout layout, const double[::1] diagonal, const double[::1] fixed,
           double[::1] largest, double[::1] scale):
    """Write the damping metric D (N,) for a GGN matrix with this diagonal (see solve.pyx).

    fixed and largest have one entry per input of each layer; largest starts as zeros and is
    kept between calls.
    """
    check_vector("diagonal", diagonal.shape[0], layout.n_weights)
    check_vector("fixed", fixed.shape[0], layout.n_inputs)
    check_vector("largest", largest.shape[0], layout.n_inputs)
    check_vector("scale", scale.shape[0], layout.n_weights)
    with nogil:
        mode = ggn_enter(False)
        solve.metric(&layout.net, &diagonal[0], &fixed[0], &largest[0], &scale[0])
        ggn_leave(mode)


def scale_rows(const double[:, ::1] G, scale, double mu, Py_ssize_t first, Py_ssize_t stop,
               double[:, ::1] out):
    """Write rows of D^-1 G D^-1 + mu I, its lower triangle; D = diag(scale), or I for None."""
    cdef Py_ssize_t n = out.shape[0]
    cdef const double[::1] D = scale  # NULL for None
    check_matrix("out", out.shape, n, n)
    check_matrix("G", G.shape, n, n)
    check_range("rows", first, stop, n)
    if scale is not None:
        check_vector("scale", D.shape[0], n)
    if first == stop:
        return
    with nogil:
        mode = ggn_enter(False)
        solve.scale_rows(n, &G[0, 0], &D[0], mu, first, stop, &out[0, 0])
        ggn_leave(mode)


def factor_block(double[:, ::1] factor, Py_ssize_t left, Py_ssize_t right, Py_ssize_t first,
                 Py_ssize_t stop):
    """Make rows [first, stop) of columns [left, right) those of the lower Cholesky factor.

    Columns left of them are done, and so are the rows [left, right), unless these are asked
    for.  Returns 0, or the order of the first leading minor that is not positive.  Above the
    diagonal of the rows [left, right) may be anything afterwards.
    """
    cdef Py_ssize_t n = factor.shape[0]
    cdef int info
    check_matrix("factor", factor.shape, n, n)
    check_range("columns", left, right, n)
    check_range("rows", first, stop, n)
    if n > INT_MAX:
        raise ValueError(f"factor must have fewer than 2**31 rows, got {n}")
    if (first, stop) != (left, right) and first < right:
        raise ValueError(f"rows must be {left}:{right} or below, got {first}:{stop}")
    if left == right or first == stop:
        return 0
    with nogil:
        mode = ggn_enter(False)
        info = solve.factor_block(n, &factor[0, 0], left, right, first, stop)
        ggn_leave(mode)
    return info


def cholesky_solve(const double[:, ::1] factor, double[::1] b):
    """Solve in place with a lower Cholesky factor."""
    cdef Py_ssize_t n = b.shape[0]
    check_matrix("factor", factor.shape, n, n)
    if n == 0:
        return
    with nogil:
        mode = ggn_enter(False)
        solve.cholesky_solve(n, &factor[0, 0], &b[0])
        ggn_leave(mode)

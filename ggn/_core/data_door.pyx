# cython: allow_none_for_extension_args=False
"""The part of the door that knows data, and no network: what columns of numbers are like.
`ggn._core` shows it with the rest.
"""

import numpy as np

from libc.limits cimport INT_MAX

from ggn._core cimport initial
from ggn._core.checks cimport check_matrix, check_range, check_vector
from ggn._core.column_loops cimport (
    ggn_centre_and_size, ggn_root_square, ggn_standardise, ggn_table, ggn_variance
)
from ggn._core.flush cimport ggn_enter, ggn_leave
from ggn._core.activation_loops cimport ggn_n_activations
from ggn._core.ridge cimport ridge_size, validate, work_size


cdef ggn_table table(str name, const double[:, :] A) except *:
    """A table of at least one number, for the kernels."""
    cdef Py_ssize_t T = A.shape[0], n = A.shape[1], each = sizeof(double)
    if T == 0 or n == 0 or A.strides[0] % each or A.strides[1] % each:
        raise ValueError(f"{name} must have whole numbers in rows and columns, got ({T}, {n})")
    return ggn_table(T, n, A.strides[0] // each, A.strides[1] // each, &A[0, 0])


def centre_and_size(const double[:, :] A, bint shift):
    """Return mean and deviation (n,) of each column of A (T, n); 0 and the root mean square without
    a shift.
    """
    cdef ggn_table t = table("A", A)
    cdef double[::1] centre = np.empty(t.n), size = np.empty(t.n), spare = np.empty(5 * t.n)
    with nogil:
        ggn_centre_and_size(&t, shift, &centre[0], &size[0], &spare[0])
    return centre.base, size.base


def root_mean_square(const double[:, :] A, double share, Py_ssize_t chunk):
    """Return the root (n,) of the sum of squares of each column of A (T, n) times their share."""
    cdef ggn_table t = table("A", A)
    cdef double[::1] out = np.empty(t.n), spare = np.empty(3 * t.n)
    check_chunk(chunk)
    with nogil:
        ggn_root_square(&t, share, chunk, &out[0], &spare[0])
    return out.base


def variance(const double[:, :] A, double share, Py_ssize_t chunk, double rounding):
    """Return the sum of the variances of A's columns (T, n), in units of the largest number, and that.

    A variance below (rounding mean)^2 counts as 0; every number has this share in a mean.
    """
    cdef ggn_table t = table("A", A)
    cdef double largest, found
    check_chunk(chunk)
    with nogil:
        found = ggn_variance(&t, share, chunk, rounding, &largest)
    return found, largest


def standardise(const double[:, :] A, const double[::1] m, const double[::1] s, double[:, :] out):
    """Write (A - m) / s to out, both (T, n); return whether all of it is finite."""
    cdef ggn_table t = table("A", A), to = table("out", out)
    cdef bint finite
    check_matrix("out", out.shape, t.T, t.n)
    check_vector("m", m.shape[0], t.n)
    check_vector("s", s.shape[0], t.n)
    with nogil:
        finite = ggn_standardise(&t, &m[0], &s[0], <double*>to.a, to.rs, to.cs)
    return finite


cdef check_chunk(Py_ssize_t chunk):
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, got {chunk}")


def cross_validation(const double[:, :] H, const double[:, :] Y, const double[::1] c,
                     double count, const double[::1] ridges):
    """Return V of targets Y (T, nL) by units H (T, n), and the targets' squares; see ridge.pyx.

    c (T,) are the samples' shares, which add up to 1, of so many samples; V is the least for a
    penalty of one of these ridges.
    """
    cdef ggn_table h = table("H", H), y = table("Y", Y)
    cdef double total = 0.0, found
    check_matrix("Y", Y.shape, h.T, y.n)
    check_vector("c", c.shape[0], h.T)
    if not (h.cs == 1 or h.n == 1) or not (y.cs == 1 or y.n == 1):
        raise ValueError("H and Y must have rows whose numbers lie together")
    if max(h.T, h.n, work_size(min(h.T, h.n), y.n)) > INT_MAX:
        raise ValueError(f"H and Y must have fewer rows and columns, got ({h.T}, {h.n} and {y.n})")
    cdef double[::1] memory = np.empty(ridge_size(h.T, h.n, y.n))
    with nogil:
        mode = ggn_enter(True)
        found = validate(h.T, h.n, y.n, h.a, h.rs, y.a, y.rs, &c[0], count, ridges.shape[0],
                         &ridges[0], &memory[0], &total)
        ggn_leave(mode)
    return found, total


def share_out(const double[::1] low, const double[::1] high, const Py_ssize_t[::1] varies,
              double[:, ::1] V, double reach, bint dummy, double times):
    """Return W (m [+ 1], n) of units that share out the ranges of their inputs, from low to high.

    V (k, n), which is used up, are directions for the inputs that vary, of which `reach` is to be
    the length; all weights are taken so many times.
    """
    cdef Py_ssize_t m = low.shape[0], n = V.shape[1], k = V.shape[0], i
    check_vector("high", high.shape[0], m)
    check_vector("varies", varies.shape[0], k)
    check_range("varies", 0, k, m)
    for i in range(k):
        check_range("varies", 0, varies[i], m - 1)
    check_drawn(k, m, n)
    cdef double[:, ::1] W = np.empty((m + dummy, n))
    cdef double[::1] memory = np.empty(initial.size_of_all(1, m, n))
    with nogil:
        mode = ggn_enter(True)
        initial.share_out(m, n, k, &varies[0], &low[0], &high[0], &V[0, 0], reach, dummy, times,
                          &memory[0], &W[0, 0])
        ggn_leave(mode)
    return W.base


def respond(const double[:, ::1] X, const double[:, ::1] W, bint dummy, int code, double slope):
    """Return what units W (m [+ 1], n) put out, (T, n), or 0 where it is but rounding."""
    cdef Py_ssize_t T = X.shape[0], m = X.shape[1], n = W.shape[1]
    check_matrix("W", W.shape, m + dummy, n)
    check_drawn(T, m, n)
    if not (0 <= code < ggn_n_activations):
        raise ValueError(f"code must be below {ggn_n_activations}, got {code}")
    cdef double[:, ::1] H = np.empty((T, n))
    cdef double[::1] memory = np.empty(initial.size_of_all(T, m, n))
    with nogil:
        mode = ggn_enter(True)
        initial.respond(T, m, n, &X[0, 0], &W[0, 0], dummy, code, slope, &memory[0], &H[0, 0])
        ggn_leave(mode)
    return H.base


def scale_draws(const double[:, ::1] X, const double[::1] c, bint dummy, double[:, ::1] W):
    """Make net inputs of size one of normal draws W (m [+ 1], n), for inputs X (T, m) of shares c."""
    cdef Py_ssize_t T = X.shape[0], m = X.shape[1], n = W.shape[1]
    check_matrix("W", W.shape, m + dummy, n)
    check_vector("c", c.shape[0], T)
    check_drawn(T, m, n)
    cdef double[::1] memory = np.empty(initial.size_of_all(T, m, n))
    with nogil:
        mode = ggn_enter(True)
        initial.by_size(T, m, n, &X[0, 0], &c[0], dummy, &memory[0], &W[0, 0])
        ggn_leave(mode)


cdef check_drawn(Py_ssize_t T, Py_ssize_t m, Py_ssize_t n):
    if not (0 < T <= INT_MAX and 0 < m <= INT_MAX and 0 < n <= INT_MAX):
        raise ValueError(f"X must have rows and columns, fewer than 2**31, got ({T}, {m}) and {n}")

"""Products and lengths of vectors, summed in an order of our own."""

from libc.math cimport INFINITY, fabs, isfinite, sqrt


cdef inline double dot(Py_ssize_t n, const double *x, const double *y) noexcept nogil:
    cdef double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0
    cdef Py_ssize_t i = 0
    while i + 4 <= n:
        s0 += x[i] * y[i]
        s1 += x[i + 1] * y[i + 1]
        s2 += x[i + 2] * y[i + 2]
        s3 += x[i + 3] * y[i + 3]
        i += 4
    while i < n:
        s0 += x[i] * y[i]
        i += 1
    return (s0 + s1) + (s2 + s3)


cdef inline double scaled_square(Py_ssize_t n, const double *D, const double *x) noexcept nogil:
    """||D x||^2."""
    cdef double s0 = 0.0, s1 = 0.0, y
    cdef Py_ssize_t i = 0
    while i + 2 <= n:
        y = D[i] * x[i]
        s0 += y * y
        y = D[i + 1] * x[i + 1]
        s1 += y * y
        i += 2
    if i < n:
        y = D[i] * x[i]
        s0 += y * y
    return s0 + s1


cdef inline double length(Py_ssize_t n, const double *x) noexcept nogil:
    """||x||; squares do not overflow, nor vanish."""
    cdef double square = dot(n, x, x), largest = 0.0
    cdef Py_ssize_t i
    if 1e-280 < square < INFINITY:
        return sqrt(square)
    for i in range(n):
        if not fabs(x[i]) <= largest:
            largest = fabs(x[i])
    if largest == 0.0 or not isfinite(largest):
        return largest
    square = 0.0
    for i in range(n):
        square += (x[i] / largest) * (x[i] / largest)
    return largest * sqrt(square)

"""Generalised cross-validation of a ridge regression."""

cdef inline Py_ssize_t work_size(Py_ssize_t k, Py_ssize_t nL) noexcept nogil:
    """Doubles that LAPACK is lent, which it is told as an int."""
    return max(32 * k, nL)  # columns at once


cdef Py_ssize_t ridge_size(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL) noexcept nogil
cdef double validate(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL, const double *h, Py_ssize_t row,
                     const double *y, Py_ssize_t row_of_y, const double *c, double count,
                     Py_ssize_t ridges, const double *ridge, double *memory,
                     double *total) noexcept nogil

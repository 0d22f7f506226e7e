"""Generalised cross-validation of a ridge regression."""

cdef Py_ssize_t ridge_size(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL) noexcept nogil
cdef double validate(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL, const double *h, Py_ssize_t row,
                     const double *y, Py_ssize_t row_of_y, const double *c, double count,
                     Py_ssize_t ridges, const double *ridge, double *memory,
                     double *total) noexcept nogil

from ggn._core.net cimport Net

cdef void scale_rows(Py_ssize_t n, const double *g, const double *scale, double mu,
                     Py_ssize_t first, Py_ssize_t stop, double *out) noexcept nogil
cdef void cholesky_solve(Py_ssize_t n, const double *factor, double *b) noexcept nogil
cdef int factor_block(Py_ssize_t n, double *a, Py_ssize_t left, Py_ssize_t right,
                      Py_ssize_t first, Py_ssize_t stop) noexcept nogil
cdef void metric(const Net *net, const double *diagonal, const double *fixed, double *largest,
                 double *scale) noexcept nogil

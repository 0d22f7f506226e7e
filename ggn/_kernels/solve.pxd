from ggn._kernels.net cimport Net

cdef int damped_cholesky(Py_ssize_t n, const double *g, const double *scale, double mu,
                         double *factor) noexcept nogil
cdef void metric(const Net *net, const double *diagonal, const double *fixed, double *largest,
                 double *scale) noexcept nogil

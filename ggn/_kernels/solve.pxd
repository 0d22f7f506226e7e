cdef int damped_cholesky(Py_ssize_t n, const double *g, const double *scale, double mu,
                         double *factor) noexcept nogil

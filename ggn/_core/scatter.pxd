from ggn._core.net cimport Net

cdef void scatter(const Net *net, Py_ssize_t form, double alpha, const double *sums,
                  double *g) noexcept nogil

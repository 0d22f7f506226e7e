from ggn._core.net cimport Net

cdef void scatter(const Net *net, Py_ssize_t form, double alpha, const double *sums, double *g,
                  Py_ssize_t part, Py_ssize_t parts) noexcept nogil

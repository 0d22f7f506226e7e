from ggn._core.net cimport Net

cdef Py_ssize_t tangent_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef void tangent(const Net *net, const double *w, const double *v, Py_ssize_t c, bint second,
                  const double *work, double *buffer, double *out) noexcept nogil
cdef Py_ssize_t product_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef void hessian_product(const Net *net, const double *w, const double *v, Py_ssize_t c,
                          const double *eps, const double *h, bint full, const double *work,
                          double *buffer, double *out) noexcept nogil

from ggn._kernels.net cimport Net

cdef Py_ssize_t diagonal_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef Py_ssize_t kernel_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef void diagonal(const Net *net, Py_ssize_t c, const double *work, double *buffer,
                   double *out) noexcept nogil
cdef void kernel(const Net *net, Py_ssize_t c, bint coupled, const double *units,
                 const double *inputs, double *work, double *buffer, double *k) noexcept nogil

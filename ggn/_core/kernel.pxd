from ggn._core.net cimport Net

cdef Py_ssize_t diagonal_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef Py_ssize_t kernel_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef void diagonal(const Net *net, Py_ssize_t c, const double *work, double *buffer,
                   double *out) noexcept nogil
cdef void scale(const Net *net, Py_ssize_t c, const double *units, const double *inputs,
                double *work, double *buffer) noexcept nogil
cdef void gram(const Net *net, Py_ssize_t l, Py_ssize_t c, Py_ssize_t first, Py_ssize_t rows,
               double *buffer) noexcept nogil
cdef void add_rows(const Net *net, Py_ssize_t l, Py_ssize_t c, bint coupled, Py_ssize_t first,
                   Py_ssize_t rows, const double *work, const double *buffer, double *tile,
                   double *k) noexcept nogil

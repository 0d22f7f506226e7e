from ggn._core.net cimport Net

cdef inline Py_ssize_t triangle(Py_ssize_t n) noexcept nogil:
    return n * (n + 1) // 2

cdef bint by_triples(const Net *net, Py_ssize_t l) noexcept nogil
cdef Py_ssize_t block_size(const Net *net, Py_ssize_t l, Py_ssize_t k,
                           Py_ssize_t form) noexcept nogil
cdef Py_ssize_t normal_size(const Net *net, Py_ssize_t form) noexcept nogil
cdef Py_ssize_t tile_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef Py_ssize_t weighted_size(const Net *net, Py_ssize_t c, Py_ssize_t form) noexcept nogil
cdef void weigh(const Net *net, Py_ssize_t c, const double *h, Py_ssize_t form,
                const double *work, double *hpsi) noexcept nogil
cdef void accumulate(const Net *net, Py_ssize_t c, const double *h, Py_ssize_t form,
                     const double *work, double *hpsi, double *tile, double beta,
                     double *sums) noexcept nogil

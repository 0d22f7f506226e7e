from ggn._core.net cimport Net

cdef Py_ssize_t normal_size(const Net *net, Py_ssize_t form) noexcept nogil
cdef Py_ssize_t tile_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef Py_ssize_t weighted_size(const Net *net, Py_ssize_t c, Py_ssize_t form) noexcept nogil
cdef void weigh(const Net *net, Py_ssize_t c, const double *h, Py_ssize_t form,
                const double *work, double *hpsi) noexcept nogil
cdef void accumulate(const Net *net, Py_ssize_t c, const double *h, Py_ssize_t form,
                     const double *work, double *hpsi, double *tile, double beta,
                     double *sums) noexcept nogil
cdef void scatter(const Net *net, Py_ssize_t form, double alpha, const double *sums,
                  double *g) noexcept nogil

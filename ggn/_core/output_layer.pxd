from ggn._core.net cimport Net

cdef Py_ssize_t sums_size(const Net *net, bint own) noexcept nogil
cdef Py_ssize_t add_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef Py_ssize_t solve_size(const Net *net) noexcept nogil
cdef void add(const Net *net, Py_ssize_t c, const double *h, const double *eps,
              const double *work, double *buffer, double *sums) noexcept nogil
cdef bint solve(const Net *net, bint own, double alpha, const double *sums, const double *l2,
                const double *scale, double mu, const double *before, const double *w,
                double *buffer, double *out) noexcept nogil

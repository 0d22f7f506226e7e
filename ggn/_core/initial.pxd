"""Weights to start from, layer by layer; what they are is in ggn.network.nguyen_widrow."""

cdef Py_ssize_t size_of_all(Py_ssize_t T, Py_ssize_t m, Py_ssize_t n) noexcept nogil
cdef void share_out(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const Py_ssize_t *varies,
                    const double *low, const double *high, double *V, double reach, bint dummy,
                    double times, double *memory, double *W) noexcept nogil
cdef void respond(Py_ssize_t T, Py_ssize_t m, Py_ssize_t n, const double *x, const double *W,
                  bint dummy, int code, double slope, double *memory, double *H) noexcept nogil
cdef void by_size(Py_ssize_t T, Py_ssize_t m, Py_ssize_t n, const double *x, const double *c,
                  bint dummy, double *memory, double *W) noexcept nogil

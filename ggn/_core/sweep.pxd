"""Forward and backward sweeps through a network, one chunk of samples at a time."""

from ggn._core.net cimport Net

cdef Py_ssize_t forward(const Net *net, Py_ssize_t l, const double *w, Py_ssize_t c,
                        const double *x, double *work, int keep) noexcept nogil
cdef void backward(const Net *net, const double *w, Py_ssize_t c, const double *eps,
                   double *work, double *gradient) noexcept nogil
cdef void sensitivities(const Net *net, const double *w, Py_ssize_t c, const double *s,
                        Py_ssize_t form, double *work) noexcept nogil
cdef void jacobian(const Net *net, Py_ssize_t c, const double *work, double *p,
                   Py_ssize_t ldp) noexcept nogil

"""A state-space model, and scratch for its recursion; see statespace.pyx."""

from ggn._core.net cimport Net

cdef struct Map:                # f or g, with z = (x, u) as the weights of a first layer
    const Net *net              # NULL where the model has none
    Py_ssize_t nz, outputs
    double *w                   # (z, weights)
    double *v                   # the same along a direction
    double *bend                # (second derivative of z, zeros)
    double *g                   # a gradient in all of them
    double *h                   # a Hessian product
    double *zero                # outputs zeros
    double *work
    double *buffer

cdef struct System:
    Py_ssize_t nu, nx, ny
    Py_ssize_t n                # weights of the model, initial states left out
    Py_ssize_t ns               # those of them that move the state: A, B, f
    bint linear, feedthrough, offset   # whether there are A and B, D, o
    Py_ssize_t b, f_at, c, d, o, g_at  # where parts begin; A is first
    Py_ssize_t own              # see net.pxd
    Map f
    Map g

cdef Py_ssize_t place(System *s, double *memory) noexcept nogil
cdef void open_weights(System *s, const double *w) noexcept nogil
cdef void open_direction(System *s, const double *v) noexcept nogil
cdef void simulate(System *s, const double *w, Py_ssize_t c, const double *u, double *x,
                   double *states, double *y, double *buffer) noexcept nogil
cdef void rows(System *s, const double *w, Py_ssize_t c, const double *u, double *x, double *S,
               double *y, double *p, double *buffer) noexcept nogil
cdef const double *evaluate(System *s, Map *m, const double *x, const double *u,
                            int keep) noexcept nogil


cdef inline void multiply(Py_ssize_t n, Py_ssize_t m, const double *a, const double *x,
                          double factor, double *y) noexcept nogil:
    """y (n,) += factor a (n, m) x."""
    cdef Py_ssize_t i, j
    cdef double total
    for i in range(n):
        total = 0.0
        for j in range(m):
            total += a[i * m + j] * x[j]
        y[i] += factor * total


cdef inline void multiply_back(Py_ssize_t n, Py_ssize_t m, const double *a, const double *x,
                               double *y) noexcept nogil:
    """y (m,) += a^T x, a (n, m)."""
    cdef Py_ssize_t i, j
    for i in range(n):
        for j in range(m):
            y[j] += a[i * m + j] * x[i]


cdef inline void outer(Py_ssize_t n, Py_ssize_t m, const double *a, const double *b,
                       double *out) noexcept nogil:
    """out (n, m) += a b^T."""
    cdef Py_ssize_t i, j
    for i in range(n):
        for j in range(m):
            out[i * m + j] += a[i] * b[j]


cdef inline void add(Py_ssize_t n, const double *x, double *y) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] += x[i]

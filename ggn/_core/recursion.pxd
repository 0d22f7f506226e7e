"""Networks in a loop: outputs of a sample are inputs of later ones; the legend is in recursion.pyx."""

from ggn._core.net cimport Net

cdef enum:
    MOST_PARTS = 4

cdef struct Map:
    Py_ssize_t n, k, f          # inputs z, outputs o, how many inputs (the first) are fed back
    Py_ssize_t N                # weights of all parts, and of L
    Py_ssize_t parts
    const Net *net[MOST_PARTS]  # each sees all of z
    Py_ssize_t row[MOST_PARTS]  # the first output that it adds to
    Py_ssize_t weight[MOST_PARTS]
    Py_ssize_t linear           # first weight of L (k, n), or -1
    const Py_ssize_t *output    # of each input fed back: whose value it is,
    const Py_ssize_t *delay     # and how many samples earlier, at least 1

cdef Py_ssize_t simulate_size(const Map *map, Py_ssize_t windows) noexcept nogil
cdef bint simulate(const Map *map, const double *w, Py_ssize_t windows, const Py_ssize_t *first,
                   const Py_ssize_t *length, double *Z, double *O, double *buffer) noexcept nogil
cdef Py_ssize_t sweep_size(const Map *map, Py_ssize_t c) noexcept nogil
cdef void linearize(const Map *map, const double *w, Py_ssize_t c, const double *Z,
                    double *buffer, double *A, Py_ssize_t M, double *rows) noexcept nogil
cdef void carry_back(const Map *map, const double *w, Py_ssize_t c, const double *Z,
                     const double *lam, double *buffer, double *gradient) noexcept nogil
cdef void carry_along(const Map *map, const double *w, const double *v, Py_ssize_t c,
                      const double *Z, double *buffer, double *out) noexcept nogil

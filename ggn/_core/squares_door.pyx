# cython: allow_none_for_extension_args=False
"""Whole passes over a chunk under the squared loss: the sweep, its loss and what goes back, in one.

Each is what the door's functions do in turn with what `ggn.losses` says between them, to the same
bits but for the last of a sum of squares.  Between two calls a thread must have Python's lock again,
and threads wait for each other's: that took a quarter of a chunk of 80 us.
"""

from libc.string cimport memcpy

from ggn._core cimport directional, output_layer, sweep
from ggn._core.checks cimport check_matrix, check_range, check_scratch, check_vector, open_chunk
from ggn._core.flush cimport ggn_enter, ggn_leave
from ggn._core.layout cimport Layout
from ggn._core.loss_loops cimport ggn_loss, ggn_loss_slopes, ggn_loss_spare, ggn_loss_value
from ggn._core.net cimport Net, a_block


cdef struct Chunk:
    const Net *net
    Py_ssize_t c, k               # samples, and outputs
    const double *w
    const double *x
    double share                  # c_i
    double *work
    double *y                     # (nL, c), as eps and u
    double *eps
    double *u
    double *spare
    double *rest                  # of buffer


cdef inline Py_ssize_t own_size(const Net *net, Py_ssize_t c) noexcept nogil:
    cdef Py_ssize_t k = net.width[net.depth]
    return 3 * k * c + ggn_loss_spare(k, c)


cdef Chunk chunk_of(Layout layout, const double[::1] w, const double[:, ::1] X,
                    const double[:, ::1] Yt, Py_ssize_t first, double share, double[::1] work,
                    Py_ssize_t columns, double[::1] buffer, Py_ssize_t more) except *:
    """The samples from `first` on, checked; `more` is what a pass needs of the buffer itself."""
    cdef Chunk at
    cdef Py_ssize_t o
    at.c = X.shape[0]
    at.net = open_chunk(layout, at.c, columns, work.shape[0])
    at.k = at.net.width[at.net.depth]
    check_vector("w", w.shape[0], layout.n_weights)
    check_matrix("X", X.shape, at.c, at.net.width[0])
    check_matrix("Yt", Yt.shape, at.k, Yt.shape[1])
    check_range("samples", first, first + at.c, Yt.shape[1])
    check_scratch("buffer", buffer.shape[0], own_size(at.net, at.c) + more)
    for o in range(at.net.depth):
        if at.net.code[o + 1] < 0:
            raise ValueError("activations must be built in")
    at.w, at.x, at.share, at.work = &w[0], &X[0, 0], share, &work[0]
    at.y = &buffer[0]
    at.eps, at.u, at.spare = at.y + at.k * at.c, at.y + 2 * at.k * at.c, at.y + 3 * at.k * at.c
    at.rest = at.y + own_size(at.net, at.c)
    for o in range(at.k):
        memcpy(at.y + o * at.c, &Yt[o, first], at.c * sizeof(double))
    return at


cdef inline void forward(const Chunk *at, int keep) noexcept nogil:
    mode = ggn_enter(False)
    sweep.forward(at.net, 0, at.w, at.c, at.x, at.work, keep)
    ggn_leave(mode)


cdef inline void backward(const Chunk *at, double *out) noexcept nogil:
    mode = ggn_enter(False)
    sweep.backward(at.net, at.w, at.c, at.eps, at.work, out)
    ggn_leave(mode)


cdef inline double value(const Chunk *at) noexcept nogil:
    cdef ggn_loss loss = ggn_loss(0, 0.0, 1.0, 0.0)
    return ggn_loss_value(&loss, at.k, at.c, a_block(at.net, at.net.depth, at.c, at.work), at.y,
                          at.share, NULL, at.spare)


cdef inline void slopes(const Chunk *at) noexcept nogil:
    cdef ggn_loss loss = ggn_loss(0, 0.0, 1.0, 0.0)
    ggn_loss_slopes(&loss, at.k, at.c, a_block(at.net, at.net.depth, at.c, at.work), at.y,
                    at.share, NULL, at.eps, NULL, at.spare)


def squares_size(Layout layout, Py_ssize_t c):
    """Doubles of buffer that a pass takes for itself."""
    layout.check_samples(c)
    return own_size(&layout.net, c)


def squares_value(Layout layout, const double[::1] w, const double[:, ::1] X,
                  const double[:, ::1] Yt, Py_ssize_t first, double share, double[::1] work,
                  double[::1] buffer):
    """Return share times the sum of squares of the samples X, whose targets begin at `first`."""
    cdef Chunk at = chunk_of(layout, w, X, Yt, first, share, work, 0, buffer, 0)
    cdef double total
    with nogil:
        forward(&at, 0)
        total = value(&at)
    return total


def squares_gradient(Layout layout, const double[::1] w, const double[:, ::1] X,
                     const double[:, ::1] Yt, Py_ssize_t first, double share, double[::1] work,
                     double[::1] buffer, double[::1] out):
    """Add the chunk's gradient to out (N,); work keeps the sweep, with sigma'."""
    cdef Chunk at = chunk_of(layout, w, X, Yt, first, share, work, 1, buffer, 0)
    check_vector("out", out.shape[0], layout.n_weights)
    with nogil:
        forward(&at, 1)
        slopes(&at)
        backward(&at, &out[0])


def squares_product(Layout layout, const double[::1] w, const double[:, ::1] X,
                    const double[:, ::1] Yt, Py_ssize_t first, double share, double[::1] work,
                    double[::1] buffer, const double[::1] v, bint second, double[::1] out):
    """Add P H_E u to out (N,), u the outputs' first or second derivative along v."""
    cdef Py_ssize_t more = directional.tangent_size(&layout.net, X.shape[0])
    cdef Chunk at = chunk_of(layout, w, X, Yt, first, share, work, 1, buffer, more)
    cdef Py_ssize_t i
    check_vector("v", v.shape[0], layout.n_weights)
    check_vector("out", out.shape[0], layout.n_weights)
    with nogil:
        forward(&at, 2 if second else 1)
        mode = ggn_enter(False)
        directional.tangent(at.net, at.w, &v[0], at.c, second, at.work, at.rest, at.u)
        ggn_leave(mode)
        for i in range(at.k * at.c):
            at.eps[i] = 2.0 * at.share * at.u[i]
        backward(&at, &out[0])


def squares_output_sums(Layout layout, const double[::1] w, const double[:, ::1] X,
                        const double[:, ::1] Yt, Py_ssize_t first, double share,
                        double[::1] work, double[::1] buffer, double[::1] sums):
    """Add the chunk to the door's `output_sums`, without h; return what `squares_value` does."""
    cdef Py_ssize_t more = output_layer.add_size(&layout.net, X.shape[0])
    cdef Chunk at = chunk_of(layout, w, X, Yt, first, share, work, 0, buffer, more)
    cdef double total
    check_scratch("sums", sums.shape[0], output_layer.sums_size(at.net, False))
    with nogil:
        forward(&at, 0)
        total = value(&at)
        slopes(&at)
        mode = ggn_enter(False)
        output_layer.add(at.net, at.c, NULL, at.eps, at.work, at.rest, &sums[0])
        ggn_leave(mode)
    return total

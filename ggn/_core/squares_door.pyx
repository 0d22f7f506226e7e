# cython: allow_none_for_extension_args=False
"""Whole passes over samples under the squared loss, chunk by chunk, in one compiled call.

On each chunk they do what the door's functions do in turn with what `ggn.losses` says between them,
to the same bits but for the last of a sum of squares.  Between two calls a thread must have Python's
lock again, and threads wait for each other's: that took a quarter of a chunk of 80 us.
"""

from libc.string cimport memcpy, memset

from ggn._core cimport directional, normal, output_layer, sweep
from ggn._core.checks cimport check_matrix, check_range, check_scratch, check_vector, open_chunk
from ggn._core.flush cimport ggn_enter, ggn_leave
from ggn._core.layout cimport Layout
from ggn._core.loss_loops cimport ggn_loss, ggn_loss_slopes, ggn_loss_spare, ggn_loss_value
from ggn._core.net cimport Net, a_block


cdef enum:
    OUTPUTS = -1


cdef struct Pass:
    const Net *net
    Py_ssize_t c, k, N            # samples of this chunk, outputs and weights
    Py_ssize_t most, left         # samples of a chunk at most, and of this and all to come
    const double *w
    const double *x               # of this chunk, as yt, rows of `stride`
    const double *yt
    Py_ssize_t stride
    double share                  # c_i
    double *work
    double *y                     # (nL, c), as eps and u
    double *eps
    double *u
    double *spare
    double *rest                  # of buffer, which has `room` doubles
    Py_ssize_t room


cdef inline Py_ssize_t own_size(const Net *net, Py_ssize_t c) noexcept nogil:
    cdef Py_ssize_t k = net.width[net.depth]
    return 3 * k * c + ggn_loss_spare(k, c)


cdef Pass begin(tuple passed, Py_ssize_t columns) except *:
    """A pass before its first chunk, with what `Squares.of` says checked.

    All is kept alive by `passed`.  `columns` go backward: OUTPUTS for as many as there are.
    """
    cdef Layout layout
    cdef const double[::1] w
    cdef const double[:, ::1] X, Yt
    cdef double[::1] work, buffer
    cdef Py_ssize_t first, c, l, rows
    cdef double share
    cdef Pass at
    layout, w, X, Yt, first, share, work, buffer, c = passed
    if layout is None:
        raise TypeError("layout must be a Layout, got None")
    rows = X.shape[0]
    if c < 1:
        raise ValueError(f"c must be at least 1, got {c}")
    at.c, at.most, at.left = 0, min(c, rows), rows
    at.k, at.N = layout.net.width[layout.net.depth], layout.n_weights
    at.net = open_chunk(layout, at.most, at.k if columns == OUTPUTS else columns, work.shape[0])
    check_vector("w", w.shape[0], at.N)
    check_matrix("X", X.shape, rows, at.net.width[0])
    check_matrix("Yt", Yt.shape, at.k, Yt.shape[1])
    check_range("samples", first, first + rows, Yt.shape[1])
    check_scratch("buffer", buffer.shape[0], own_size(at.net, at.most))
    for l in range(1, at.net.depth + 1):
        if at.net.code[l] < 0:
            raise ValueError("activations must be built in")
    at.w, at.x, at.share, at.work = &w[0], &X[0, 0], share, &work[0]
    at.yt, at.stride = &Yt[0, 0] + first, Yt.shape[1]
    at.y = &buffer[0]
    at.eps, at.u = at.y + at.k * at.most, at.y + 2 * at.k * at.most
    at.spare = at.y + 3 * at.k * at.most
    at.rest = at.y + own_size(at.net, at.most)
    at.room = buffer.shape[0]
    return at


cdef inline bint next_chunk(Pass *at) noexcept nogil:
    """Go on to the next chunk, or say that there is none."""
    cdef Py_ssize_t o
    at.x += at.c * at.net.width[0]
    at.yt += at.c
    at.left -= at.c
    at.c = min(at.most, at.left)
    for o in range(at.k):
        memcpy(at.y + o * at.c, at.yt + o * at.stride, at.c * sizeof(double))
    return at.c > 0


cdef inline void forward(const Pass *at, int keep) noexcept nogil:
    mode = ggn_enter(False)
    sweep.forward(at.net, 0, at.w, at.c, at.x, at.work, keep)
    ggn_leave(mode)


cdef inline void backward(const Pass *at, double *out) noexcept nogil:
    mode = ggn_enter(False)
    sweep.backward(at.net, at.w, at.c, at.eps, at.work, out)
    ggn_leave(mode)


cdef inline double value(const Pass *at) noexcept nogil:
    cdef ggn_loss loss = ggn_loss(0, 0.0, 1.0, 0.0)
    return ggn_loss_value(&loss, at.k, at.c, a_block(at.net, at.net.depth, at.c, at.work), at.y,
                          at.share, NULL, at.spare)


cdef inline void slopes(const Pass *at) noexcept nogil:
    cdef ggn_loss loss = ggn_loss(0, 0.0, 1.0, 0.0)
    ggn_loss_slopes(&loss, at.k, at.c, a_block(at.net, at.net.depth, at.c, at.work), at.y,
                    at.share, NULL, at.eps, NULL, at.spare)


def squares_size(Layout layout, Py_ssize_t c):
    """Doubles of buffer that a pass takes for itself, in chunks of c samples."""
    layout.check_samples(c)
    return own_size(&layout.net, c)


def squares_value(tuple passed):
    """Return share times the sum of squares of the samples X, whose targets begin at `first`."""
    cdef Pass at = begin(passed, 0)
    cdef double total = 0.0
    with nogil:
        while next_chunk(&at):
            forward(&at, 0)
            total += value(&at)
    return total


def squares_gradient(tuple passed, double[::1] out):
    """Add the gradient to out (N,); work keeps the last chunk's sweep, with sigma'."""
    cdef Pass at = begin(passed, 1)
    check_vector("out", out.shape[0], at.N)
    with nogil:
        while next_chunk(&at):
            forward(&at, 1)
            slopes(&at)
            backward(&at, &out[0])


def squares_normal(tuple passed, double[::1] out, double[::1] sums, bint begins):
    """Add the gradient to out (N,), and to sums what `add_normal` does, in form 0.

    Its tile is in buffer, where the pass has been before.  Linear outputs, as there.
    """
    cdef Pass at = begin(passed, OUTPUTS)
    cdef double beta = 0.0 if begins else 1.0
    check_vector("out", out.shape[0], at.N)
    check_scratch("buffer", at.room, normal.tile_size(at.net, at.most))
    check_scratch("sums", sums.shape[0], normal.normal_size(at.net, 0))
    with nogil:
        if begins and at.left == 0:
            memset(&sums[0], 0, normal.normal_size(at.net, 0) * sizeof(double))
        while next_chunk(&at):
            forward(&at, 1)
            slopes(&at)
            backward(&at, &out[0])
            mode = ggn_enter(False)
            sweep.sensitivities(at.net, at.w, at.c, NULL, 0, at.work)
            normal.accumulate(at.net, at.c, NULL, 0, at.work, at.work, at.y, beta, &sums[0])
            ggn_leave(mode)
            beta = 1.0


def squares_product(tuple passed, const double[::1] v, bint second, double[::1] out):
    """Add P H_E u to out (N,), u the outputs' first or second derivative along v."""
    cdef Pass at = begin(passed, 1)
    cdef Py_ssize_t i, more = directional.tangent_size(at.net, at.most)
    check_scratch("buffer", at.room, own_size(at.net, at.most) + more)
    check_vector("v", v.shape[0], at.N)
    check_vector("out", out.shape[0], at.N)
    with nogil:
        while next_chunk(&at):
            forward(&at, 2 if second else 1)
            mode = ggn_enter(False)
            directional.tangent(at.net, at.w, &v[0], at.c, second, at.work, at.rest, at.u)
            ggn_leave(mode)
            for i in range(at.k * at.c):
                at.eps[i] = 2.0 * at.share * at.u[i]
            backward(&at, &out[0])


def squares_output_sums(tuple passed, double[::1] sums):
    """Add the samples to the door's `output_sums`, without h; return what `squares_value` does."""
    cdef Pass at = begin(passed, 0)
    cdef Py_ssize_t more = output_layer.add_size(at.net, at.most)
    cdef double total = 0.0
    check_scratch("buffer", at.room, own_size(at.net, at.most) + more)
    check_scratch("sums", sums.shape[0], output_layer.sums_size(at.net, False))
    with nogil:
        while next_chunk(&at):
            forward(&at, 0)
            total += value(&at)
            slopes(&at)
            mode = ggn_enter(False)
            output_layer.add(at.net, at.c, NULL, at.eps, at.work, at.rest, &sums[0])
            ggn_leave(mode)
    return total

# cython: allow_none_for_extension_args=False
"""The door to the compiled kernels: checks every array, releases the GIL, holds no state.

Arrays are C-contiguous float64.  A `Layout` describes a network; `work` is scratch for one
chunk of c samples, of at least `Layout.work_size` doubles, and carries the chunk's
activations from `forward` to the functions that go backward.

Numbers below the smallest normal one count as 0 behind the door (see flush.h), and the mode
of the thread that calls is put back before anything of Python runs; `activate` is exact, so is
what measures columns of data, and what is asked to be, for who reads what is left of a slope.
"""

import numpy as np

from ggn._core.data_door import (
    centre_and_size, cross_validation, respond, root_mean_square, scale_draws, share_out,
    standardise, variance
)
from ggn._core.layout import LOSSES, Layout
from ggn._core.matmul import SIMD, SIMD_HERE
from ggn._core.matrix_door import add_product, cholesky_solve, factor_block, metric, scale_rows
from ggn._core.recursion_door import Loop, loop_gradient, loop_slopes, loop_tangent
from ggn._core.recursion_door import recur, recur_back, simulate
from ggn._core.squares_door import squares_gradient, squares_normal, squares_output_sums
from ggn._core.squares_door import squares_product, squares_size, squares_value
from ggn._core.statespace_door import StateSpaceLayout

from ggn._core cimport directional, kernel, normal, output_layer, scatter, sweep
from ggn._core.activation_loops cimport ggn_activation_names, ggn_activations, ggn_n_activations
from ggn._core.checks cimport check_matrix, check_range, check_scratch, check_vector
from ggn._core.checks cimport of_samples, open_chunk
from ggn._core.flush cimport ggn_enter, ggn_leave
from ggn._core.layout cimport Layout as CLayout
from ggn._core.net cimport Net

ACTIVATIONS = tuple([ggn_activation_names[i].decode() for i in range(ggn_n_activations)])  # by code


def activate(Py_ssize_t code, double slope, const double[::1] z, double[:, ::1] out):
    """Write sigma(z), and its first and second derivative if out (1 to 3, n) has rows for them."""
    cdef Py_ssize_t n = z.shape[0], rows = out.shape[0]
    if not (0 <= code < ggn_n_activations):
        raise ValueError(f"code must be below {ggn_n_activations}, got {code}")
    if not (1 <= rows <= 3 and out.shape[1] == n):
        raise ValueError(f"out must be (1 to 3, {n}), got ({rows}, {out.shape[1]})")
    with nogil:
        ggn_activations[code](n, slope, &z[0], &out[0, 0], &out[1, 0] if rows >= 2 else NULL,
                              &out[2, 0] if rows >= 3 else NULL)


def forward(CLayout layout, const double[::1] w, const double[:, ::1] X, double[::1] work, int keep,
            bint exact=False):
    """Carry X (c, n0) through the network; keep = 1 keeps sigma', keep = 2 sigma'' too.

    The outputs are the last nL * c of the activations in work.
    """
    cdef Py_ssize_t c = X.shape[0], l = 0
    cdef const Net *net = open_chunk(layout, c, 1 if keep else 0, work.shape[0])
    check_vector("w", w.shape[0], layout.n_weights)
    check_matrix("X", X.shape, c, net.width[0])
    while True:
        with nogil:
            mode = ggn_enter(exact)
            l = sweep.forward(net, l, &w[0], c, &X[0, 0], &work[0], keep)
            ggn_leave(mode)
        if l > net.depth:
            return
        layout.activate_own(np.asarray(work), l, c, keep)


def gradient(CLayout layout, const double[::1] w, Py_ssize_t c, const double[:, ::1] eps,
             double[::1] work, double[::1] out):
    """Add P eps of the chunk that `forward` left in work to out (N,); eps is (nL, c), eq. 16."""
    cdef const Net *net = open_chunk(layout, c, 1, work.shape[0])
    check_vector("w", w.shape[0], layout.n_weights)
    check_matrix("eps", eps.shape, net.width[net.depth], c)
    check_vector("out", out.shape[0], layout.n_weights)
    with nogil:
        mode = ggn_enter(False)
        sweep.backward(net, &w[0], c, &eps[0, 0], &work[0], &out[0])
        ggn_leave(mode)


def tangent(CLayout layout, const double[::1] w, const double[::1] v, Py_ssize_t c, bint second,
            const double[::1] work, double[::1] buffer, double[:, ::1] out):
    """Write P^T v of the chunk in work to out (nL, c), or the second derivative along v.

    The second needs a forward sweep with keep = 2 just before.
    """
    cdef const Net *net = open_chunk(layout, c, 1, work.shape[0])
    check_vector("w", w.shape[0], layout.n_weights)
    check_vector("v", v.shape[0], layout.n_weights)
    check_matrix("out", out.shape, net.width[net.depth], c)
    check_scratch("buffer", buffer.shape[0], directional.tangent_size(net, c))
    with nogil:
        mode = ggn_enter(False)
        directional.tangent(net, &w[0], &v[0], c, second, &work[0], &buffer[0], &out[0, 0])
        ggn_leave(mode)


def hessian_product(CLayout layout, const double[::1] w, const double[::1] v, Py_ssize_t c,
                    const double[:, ::1] eps, h not None, const double[::1] work,
                    double[::1] buffer, double[::1] out):
    """Add the exact Hessian times v of the chunk that `forward` left in work (keep = 2) to out.

    eps is the losses' gradient (nL, c), h their Hessian, (nL, c) or (nL, nL, c), eq. 26.
    """
    cdef const Net *net = open_chunk(layout, c, 1, work.shape[0])
    cdef const double[::1] H = of_samples("h", h, net, c)
    cdef bint full = h.ndim == 3
    check_vector("w", w.shape[0], layout.n_weights)
    check_vector("v", v.shape[0], layout.n_weights)
    check_matrix("eps", eps.shape, net.width[net.depth], c)
    check_scratch("buffer", buffer.shape[0], directional.product_size(net, c))
    check_vector("out", out.shape[0], layout.n_weights)
    with nogil:
        mode = ggn_enter(False)
        directional.hessian_product(net, &w[0], &v[0], c, &eps[0, 0], &H[0], full, &work[0],
                                    &buffer[0], &out[0])
        ggn_leave(mode)


def sensitivities(CLayout layout, const double[::1] w, Py_ssize_t c, s, double[::1] work,
                  bint exact=False):
    """Leave Psi_l S of the chunk in work; s is None (identity), (nL, c) or (nL, nL, c), eq. 17."""
    cdef const Net *net = open_chunk(layout, c, layout.net.width[layout.net.depth], work.shape[0])
    cdef const double[::1] S = w if s is None else of_samples("s", s, net, c)
    cdef Py_ssize_t form = 0 if s is None else s.ndim - 1
    check_vector("w", w.shape[0], layout.n_weights)
    with nogil:
        mode = ggn_enter(exact)
        sweep.sensitivities(net, &w[0], c, &S[0], form, &work[0])
        ggn_leave(mode)


def jacobian(CLayout layout, Py_ssize_t c, const double[::1] work, double[:, ::1] out,
             bint exact=False):
    """Write P S of the chunk, (N, nL * c) with columns (output, sample), eq. 19."""
    cdef Py_ssize_t k = layout.net.width[layout.net.depth]
    cdef const Net *net = open_chunk(layout, c, k, work.shape[0])
    check_matrix("out", out.shape, layout.n_weights, k * c)
    with nogil:
        mode = ggn_enter(exact)
        sweep.jacobian(net, c, &work[0], &out[0, 0], k * c)
        ggn_leave(mode)


def add_normal(CLayout layout, Py_ssize_t c, h, const double[::1] work, double[::1] hpsi,
               double[::1] tile, double[::1] sums, bint first):
    """Add the chunk's P H_E P^T to the sums of its blocks (write them, if it is the first).

    `sensitivities` has left Psi in work.  h is None (form 0: H_E a multiple of I and the
    output activation the identity), (nL, c) (form 1) or (nL, nL, c) (form 2).
    """
    cdef const Net *net = open_chunk(layout, c, layout.net.width[layout.net.depth], work.shape[0])
    cdef const double[::1] H = work if h is None else of_samples("h", h, net, c)
    cdef Py_ssize_t form = 0 if h is None else h.ndim - 1
    check_scratch("hpsi", hpsi.shape[0], normal.weighted_size(net, c, form))
    check_scratch("tile", tile.shape[0], normal.tile_size(net, c))
    check_scratch("sums", sums.shape[0], normal.normal_size(net, form))
    with nogil:
        mode = ggn_enter(False)
        if form:
            normal.weigh(net, c, &H[0], form, &work[0], &hpsi[0])
        normal.accumulate(net, c, &H[0], form, &work[0], &hpsi[0], &tile[0],
                          0.0 if first else 1.0, &sums[0])
        ggn_leave(mode)


def scatter_normal(CLayout layout, Py_ssize_t form, double alpha, const double[::1] sums,
                   double[:, ::1] G, Py_ssize_t part=0, Py_ssize_t parts=1):
    """Write alpha * the sums of all chunks to the lower triangle of G (N, N), or a part of it."""
    if not (0 <= form <= 2):
        raise ValueError(f"form must be 0, 1 or 2, got {form}")
    check_range("part", part, part + 1, parts)
    check_scratch("sums", sums.shape[0], normal.normal_size(&layout.net, form))
    check_matrix("G", G.shape, layout.n_weights, layout.n_weights)
    with nogil:
        mode = ggn_enter(False)
        scatter.scatter(&layout.net, form, alpha, &sums[0], &G[0, 0], part, parts)
        ggn_leave(mode)


def add_diagonal(CLayout layout, Py_ssize_t c, const double[::1] work, double[::1] buffer,
                 double[::1] out):
    """Add the diagonal of P S S^T P^T to out (N,); `sensitivities` has left Psi S in work."""
    cdef const Net *net = open_chunk(layout, c, layout.net.width[layout.net.depth], work.shape[0])
    check_scratch("buffer", buffer.shape[0], kernel.diagonal_size(net, c))
    check_vector("out", out.shape[0], layout.n_weights)
    with nogil:
        mode = ggn_enter(False)
        kernel.diagonal(net, c, &work[0], &buffer[0], &out[0])
        ggn_leave(mode)


def scale_kernel(CLayout layout, Py_ssize_t c, const double[::1] units,
                 const double[::1] inputs, double[::1] work, double[::1] buffer):
    """Divide Psi S in work, and phi of all layers, into buffer, by D: the kernel matrix's factors.

    D is units (one per unit) times inputs (one per input of each layer).
    """
    cdef const Net *net = open_chunk(layout, c, layout.net.width[layout.net.depth], work.shape[0])
    check_vector("units", units.shape[0], layout.n_units)
    check_vector("inputs", inputs.shape[0], layout.n_inputs)
    check_scratch("buffer", buffer.shape[0], kernel.kernel_size(net, c))
    if c == 0:
        return
    with nogil:
        mode = ggn_enter(False)
        kernel.scale(net, c, &units[0], &inputs[0], &work[0], &buffer[0])
        ggn_leave(mode)


def gram(CLayout layout, Py_ssize_t l, Py_ssize_t c, double[::1] buffer, Py_ssize_t first,
         Py_ssize_t stop):
    """Leave rows of phi^T phi of layer l (1 to L), as `scale_kernel` left it, in buffer."""
    check_scratch("buffer", buffer.shape[0], layout.kernel_size(c))
    check_range("l", 1, l, layout.net.depth)
    check_range("rows", first, stop, c)
    if first == stop:
        return
    with nogil:
        mode = ggn_enter(False)
        kernel.gram(&layout.net, l, c, first, stop - first, &buffer[0])
        ggn_leave(mode)


def add_kernel(CLayout layout, Py_ssize_t l, Py_ssize_t c, Py_ssize_t first, Py_ssize_t stop,
               bint coupled, const double[::1] work, const double[::1] buffer,
               double[::1] tile, double[:, ::1] out):
    """Add layer l's part of S^T P^T D^-2 P S to rows of out's lower triangle.

    Columns run by output, then sample; coupled: S is not diagonal.  `scale_kernel` and `gram`
    have been called; tile is scratch for these rows.
    """
    cdef Py_ssize_t k = layout.net.width[layout.net.depth]
    cdef const Net *net = open_chunk(layout, c, k, work.shape[0])
    check_range("l", 1, l, net.depth)
    check_matrix("out", out.shape, k * c, k * c)
    check_range("rows", first, stop, k * c)
    check_scratch("buffer", buffer.shape[0], kernel.kernel_size(net, c))
    check_scratch("tile", tile.shape[0], (stop - first) * k * c)
    if first == stop:
        return
    with nogil:
        mode = ggn_enter(False)
        kernel.add_rows(net, l, c, coupled, first, stop - first, &work[0], &buffer[0], &tile[0],
                        &out[0, 0])
        ggn_leave(mode)


def output_sums(CLayout layout, Py_ssize_t c, h, const double[:, ::1] eps,
                const double[::1] work, double[::1] buffer, double[::1] sums):
    """Add the chunk that `forward` left in work to sums; h is (nL, c), or None for 1."""
    cdef const Net *net = open_chunk(layout, c, 0, work.shape[0])
    cdef Py_ssize_t k = net.width[net.depth]
    cdef const double[:, ::1] H = h  # NULL for None
    check_matrix("eps", eps.shape, k, c)
    if h is not None:
        check_matrix("h", H.shape, k, c)
    check_scratch("buffer", buffer.shape[0], output_layer.add_size(net, c))
    check_scratch("sums", sums.shape[0], output_layer.sums_size(net, h is not None))
    with nogil:
        mode = ggn_enter(False)
        output_layer.add(net, c, &H[0, 0], &eps[0, 0], &work[0], &buffer[0], &sums[0])
        ggn_leave(mode)


def output_weights(CLayout layout, bint own, double alpha, double[::1] sums, l2, scale, double mu,
                   const double[::1] before, const double[::1] w, double[::1] out):
    """Write w with the new output layer to out, and return whether there is one; see above.

    `own`: each output has a curvature of its own.  alpha multiplies the sums of curvatures,
    which are used up; l2 (N,) and scale (N,), D, may be None.
    """
    cdef const Net *net = &layout.net
    cdef Py_ssize_t N = layout.n_weights
    cdef const double[::1] L = l2, D = scale  # NULL for None
    cdef bint found
    for name, x in (("l2", l2), ("scale", scale), ("before", before), ("w", w), ("out", out)):
        if x is not None:
            check_vector(name, len(x), N)
    check_scratch("sums", sums.shape[0], output_layer.sums_size(net, own))
    cdef double[::1] buffer = np.empty(output_layer.solve_size(net))
    with nogil:
        mode = ggn_enter(False)
        found = output_layer.solve(net, own, alpha, &sums[0], &L[0], &D[0], mu, &before[0], &w[0], &buffer[0],
                      &out[0])
        ggn_leave(mode)
    return found


def descend(CLayout layout, const double[:, ::1] X, const double[:, ::1] Yt, dict numbers,
            double[::1] memory, double[:, ::1] history):
    """Go on with a small fit (descent.pyx); return why it came back, and the numbers then."""
    check_matrix("X", X.shape, X.shape[0], layout.net.width[0])
    check_matrix("Yt", Yt.shape, layout.net.width[layout.net.depth], X.shape[0])
    check_matrix("history", history.shape, history.shape[0], 7)
    return layout.descend(X.shape[0], &X[0, 0], &Yt[0, 0], numbers, memory.shape[0], &memory[0],
                          history.shape[0], &history[0, 0])

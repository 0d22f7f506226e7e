# cython: allow_none_for_extension_args=False
"""The door to the compiled kernels: checks every array, releases the GIL, holds no state.

Arrays are C-contiguous float64.  A `Layout` describes a network; `work` is scratch for one
chunk of c samples, of at least `Layout.work_size` doubles, and carries the chunk's
activations from `forward` to the functions that go backward.

Numbers below the smallest normal one count as 0 behind the door (see flush.h), and the mode
of the thread that calls is put back before anything of Python runs; `activate` is exact, and
so are those that are asked to be, for who reads what is left of a slope.
"""

import numpy as np

from libc.limits cimport INT_MAX

from ggn._kernels.layout import Layout
from ggn._kernels.matmul import SIMD, SIMD_HERE

from ggn._kernels cimport blas, directional, kernel, normal, solve, sweep
from ggn._kernels.activation_loops cimport ggn_activation_names, ggn_activations, ggn_n_activations
from ggn._kernels.flush cimport ggn_enter, ggn_leave
from ggn._kernels.layout cimport Layout as CLayout
from ggn._kernels.net cimport Net, chunk_size

ACTIVATIONS = tuple([ggn_activation_names[i].decode() for i in range(ggn_n_activations)])  # by code


cdef check_vector(str name, Py_ssize_t got, Py_ssize_t entries):
    if got != entries:
        raise ValueError(f"{name} must have {entries} entries, got {got}")


cdef check_matrix(str name, const Py_ssize_t *got, Py_ssize_t rows, Py_ssize_t columns):
    if got[0] != rows or got[1] != columns:
        raise ValueError(f"{name} must be ({rows}, {columns}), got ({got[0]}, {got[1]})")


cdef check_scratch(str name, Py_ssize_t got, Py_ssize_t doubles):
    if got < doubles:
        raise ValueError(f"{name} must hold {doubles} doubles, got {got}")


cdef const Net *open_chunk(CLayout layout, Py_ssize_t c, Py_ssize_t columns,
                           Py_ssize_t work) except NULL:
    """The network, where work holds c samples with so many columns (see Layout.work_size)."""
    layout.check_samples(c)
    check_scratch("work", work, chunk_size(&layout.net, c, columns))
    return &layout.net


cdef const double[::1] of_samples(str name, h, const Net *net, Py_ssize_t c):
    """h, one matrix per sample, as a vector: (nL, c) where diagonal, or (nL, nL, c)."""
    k = net.width[net.depth]
    if h.shape not in ((k, c), (k, k, c)):
        raise ValueError(f"{name} must be ({k}, {c}) or ({k}, {k}, {c}), got {h.shape}")
    return h.reshape(-1)


def activate(Py_ssize_t code, double slope, const double[::1] z, double[:, ::1] out):
    """Write sigma(z), and its first and second derivative if out (1 to 3, n) has rows for them."""
    cdef Py_ssize_t n = z.shape[0], rows = out.shape[0]
    if not (0 <= code < ggn_n_activations):
        raise ValueError(f"code must be below {ggn_n_activations}, got {code}")
    if not (1 <= rows <= 3 and out.shape[1] == n):
        raise ValueError(f"out must be (1 to 3, {n}), got ({rows}, {out.shape[1]})")
    cdef double *d1 = &out[1, 0] if rows >= 2 else NULL
    cdef double *d2 = &out[2, 0] if rows >= 3 else NULL
    with nogil:
        ggn_activations[code](n, slope, &z[0], &out[0, 0], d1, d2)


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
                   double[:, ::1] G):
    """Write alpha * the sums of all chunks to the lower triangle of G (N, N)."""
    if not (0 <= form <= 2):
        raise ValueError(f"form must be 0, 1 or 2, got {form}")
    check_scratch("sums", sums.shape[0], normal.normal_size(&layout.net, form))
    check_matrix("G", G.shape, layout.n_weights, layout.n_weights)
    with nogil:
        mode = ggn_enter(False)
        normal.scatter(&layout.net, form, alpha, &sums[0], &G[0, 0])
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


def add_kernel(CLayout layout, Py_ssize_t c, bint coupled, const double[::1] units,
               const double[::1] inputs, double[::1] work, double[::1] buffer, double[:, ::1] out):
    """Add S^T P^T D^-2 P S to the lower triangle of out, columns by output, then sample.

    D is units (one per unit) times inputs (one per input of each layer);
    coupled: S is not diagonal.  Psi S in work is used up.
    """
    cdef Py_ssize_t k = layout.net.width[layout.net.depth]
    cdef const Net *net = open_chunk(layout, c, k, work.shape[0])
    check_vector("units", units.shape[0], layout.n_units)
    check_vector("inputs", inputs.shape[0], layout.n_inputs)
    check_scratch("buffer", buffer.shape[0], kernel.kernel_size(net, c))
    check_matrix("out", out.shape, k * c, k * c)
    with nogil:
        mode = ggn_enter(False)
        kernel.kernel(net, c, coupled, &units[0], &inputs[0], &work[0], &buffer[0], &out[0, 0])
        ggn_leave(mode)


def add_product(const double[:, ::1] B, double[:, ::1] out, bint transposed=False):
    """Lower triangle of out += B B^T, or B^T B if transposed; B is (n, k)."""
    cdef Py_ssize_t n = B.shape[0], k = B.shape[1], size = k if transposed else n
    check_matrix("out", out.shape, size, size)
    if not (n <= INT_MAX and k <= INT_MAX):
        raise ValueError(f"B must have fewer than 2**31 rows and columns, got ({n}, {k})")
    with nogil:
        mode = ggn_enter(False)
        if transposed:
            blas.syrk_t(k, n, 1.0, &B[0, 0], k, 1.0, &out[0, 0], k)
        else:
            blas.syrk_n(n, k, 1.0, &B[0, 0], k, 1.0, &out[0, 0], n)
        ggn_leave(mode)


def metric(CLayout layout, const double[::1] diagonal, const double[::1] fixed,
           double[::1] largest, double[::1] scale):
    """Write the damping metric D (N,) for a GGN matrix with this diagonal (see solve.pyx).

    fixed and largest have one entry per input of each layer; largest starts as zeros and is
    kept between calls.
    """
    check_vector("diagonal", diagonal.shape[0], layout.n_weights)
    check_vector("fixed", fixed.shape[0], layout.n_inputs)
    check_vector("largest", largest.shape[0], layout.n_inputs)
    check_vector("scale", scale.shape[0], layout.n_weights)
    with nogil:
        mode = ggn_enter(False)
        solve.metric(&layout.net, &diagonal[0], &fixed[0], &largest[0], &scale[0])
        ggn_leave(mode)


def damped_cholesky(const double[:, ::1] G, scale, double mu, double[:, ::1] factor):
    """Factor D^-1 G D^-1 + mu I from G's lower triangle; D = diag(scale), or I for None.

    Returns 0, or the order of the first leading minor that is not positive.
    """
    cdef Py_ssize_t n = factor.shape[0]
    cdef const double[::1] D = scale  # NULL for None
    cdef int info
    check_matrix("factor", factor.shape, n, n)
    check_matrix("G", G.shape, n, n)
    if scale is not None:
        check_vector("scale", D.shape[0], n)
    with nogil:
        mode = ggn_enter(False)
        info = solve.damped_cholesky(n, &G[0, 0], &D[0], mu, &factor[0, 0])
        ggn_leave(mode)
    return info


def cholesky_solve(const double[:, ::1] factor, double[::1] b):
    """Solve in place with the factor that `damped_cholesky` wrote."""
    cdef Py_ssize_t n = b.shape[0]
    check_matrix("factor", factor.shape, n, n)
    with nogil:
        mode = ggn_enter(False)
        blas.cholesky_solve(n, &factor[0, 0], &b[0])
        ggn_leave(mode)

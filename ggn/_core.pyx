"""The door to the compiled kernels: checks every array, releases the GIL, holds no state.

Arrays are C-contiguous float64.  `layout` and `par` describe a network (see
`layout`); `work` is scratch for one chunk of c samples, of at least
`work_size` doubles, and carries the chunk's activations from `forward` to the
functions that go backward.
"""

import numpy as np

from libc.limits cimport INT_MAX

from ggn._kernels.blas cimport cholesky_solve as blas_cholesky_solve
from ggn._kernels.blas cimport syrk_n, syrk_t
from ggn._kernels cimport solve as _solve
from ggn._kernels cimport kernel as _kernel
from ggn._kernels cimport normal as _normal
from ggn._kernels cimport sweep
from ggn._kernels.sweep cimport Net, net_at

cdef extern from "activation_loops.h" nogil:
    ctypedef void (*ggn_activation)(Py_ssize_t n, double slope, const double *z,
                                    double *s, double *d1, double *d2)
    const ggn_activation *ggn_activations
    enum:
        GGN_N_ACTIVATIONS


def activate(Py_ssize_t code, double slope, const double[::1] z, Py_ssize_t order):
    """Return sigma(z) and its derivatives up to `order`, stacked (order + 1, n)."""
    cdef Py_ssize_t n = z.shape[0]
    if not (0 <= code < GGN_N_ACTIVATIONS):
        raise ValueError(f"code must be below {GGN_N_ACTIVATIONS}, got {code}")
    if not (0 <= order <= 2):
        raise ValueError(f"order must be 0, 1 or 2, got {order}")
    out = np.empty((order + 1, n))
    if n == 0:
        return out
    cdef double[:, ::1] o = out
    cdef double *d1 = &o[1, 0] if order >= 1 else NULL
    cdef double *d2 = &o[2, 0] if order >= 2 else NULL
    with nogil:
        ggn_activations[code](n, slope, &z[0], &o[0, 0], d1, d2)
    return out


def layout(sizes, bias, codes):
    """Describe a network to the kernels: depth, then rows of depth + 2 sizes (see sweep.pxd)."""
    cdef Py_ssize_t l, depth = len(sizes) - 1
    if not (depth >= 1 and len(bias) == depth and len(codes) == depth):
        raise ValueError("sizes, bias and codes must describe the same number of layers")
    table = np.zeros((6, depth + 2), dtype=np.intp)
    width, dummy, code, w_offset, a_offset, z_offset = table
    width[:depth + 1] = sizes
    dummy[1:depth + 1] = bias
    code[1:depth + 1] = codes
    for l in range(depth + 1):
        a_offset[l + 1] = a_offset[l] + width[l] + dummy[l + 1]
        if l > 0:
            w_offset[l + 1] = w_offset[l] + width[l] * (width[l - 1] + dummy[l])
            z_offset[l + 1] = z_offset[l] + width[l]
    flat = np.concatenate([[depth], table.ravel()]).astype(np.intp)
    flat.flags.writeable = False
    return flat


cdef Net open_net(const Py_ssize_t[::1] layout, const double[::1] par) except *:
    if not (layout.shape[0] > 1 and layout.shape[0] == 1 + 6 * (layout[0] + 2)):
        raise ValueError("layout must come from ggn._core.layout")
    if not (par.shape[0] == layout[0] + 1):
        raise ValueError("par must hold the fixed bias and one slope per layer")
    return net_at(&layout[0], &par[0])


cdef Py_ssize_t room(const Net *net, Py_ssize_t c, Py_ssize_t columns) noexcept:
    cdef Py_ssize_t last = net.depth + 1, z = net.z_offset[last] if columns else 0
    return c * (net.a_offset[last] + z + columns * z)


def work_size(const Py_ssize_t[::1] layout, Py_ssize_t c, Py_ssize_t columns):
    """Doubles of scratch for c samples: columns is 0 (values only), 1 (gradient) or nL (Psi)."""
    cdef Py_ssize_t last = layout[0] + 1
    cdef Py_ssize_t a = layout[1 + 5 * (last + 1) - 1], z = layout[1 + 6 * (last + 1) - 1]
    return c * (a + (z + columns * z if columns else 0))


cdef check_chunk(const Net *net, Py_ssize_t c, Py_ssize_t columns, const double[::1] w,
                 Py_ssize_t work):
    cdef Py_ssize_t n = net.w_offset[net.depth + 1], need = room(net, c, columns)
    if not (w.shape[0] == n):
        raise ValueError(f"w must have {n} weights, got {w.shape[0]}")
    if not (work >= need):
        raise ValueError(f"work must hold {need} doubles for {c} samples, got {work}")
    if not (c * net.width[net.depth] <= INT_MAX and n <= INT_MAX):
        raise ValueError("samples x outputs of a chunk and the number of weights must stay below 2**31")


def forward(const Py_ssize_t[::1] layout, const double[::1] par, custom, const double[::1] w,
            const double[:, ::1] X, double[::1] work, int keep):
    """Carry X (c, n0) through the network; keep = 1 keeps sigma', keep = 2 sigma'' too.

    custom[l - 1] is an object with `value` and `derivative` where layer l has
    code -1.  The outputs are the last nL * c of the activations in work.
    """
    cdef Net net = open_net(layout, par)
    cdef Py_ssize_t c = X.shape[0], l
    if not (X.shape[1] == net.width[0]):
        raise ValueError(f"X must have {net.width[0]} columns, got {X.shape[1]}")
    check_chunk(&net, c, 1 if keep else 0, w, work.shape[0])
    if c == 0:
        return
    if custom is None:
        with nogil:
            sweep.load(&net, c, &X[0, 0], &work[0])
            for l in range(1, net.depth + 1):
                sweep.affine(&net, l, &w[0], c, &work[0], keep)
                sweep.activate(&net, l, c, &work[0], keep)
        return
    sweep.load(&net, c, &X[0, 0], &work[0])
    for l in range(1, net.depth + 1):
        with nogil:
            sweep.affine(&net, l, &w[0], c, &work[0], keep)
            if net.code[l] >= 0:
                sweep.activate(&net, l, c, &work[0], keep)
        if net.code[l] < 0:
            activate_custom(&net, l, c, work, keep, custom[l - 1])


cdef activate_custom(const Net *net, Py_ssize_t l, Py_ssize_t c, double[::1] work, int keep,
                     activation):
    """Call the user's functions on the net inputs of layer l, a 1-D copy."""
    cdef Py_ssize_t n = net.width[l] * c, a = c * net.a_offset[l]
    cdef Py_ssize_t d = c * (net.a_offset[net.depth + 1] + net.z_offset[l])
    cdef Py_ssize_t source = d if keep else a
    buffer = np.asarray(work)
    z = buffer[source:source + n].copy()
    buffer[a:a + n] = activation.value(z)
    if keep:
        buffer[d:d + n] = activation.derivative(z)
    if keep == 2:
        d = room(net, c, 0) + c * (net.z_offset[net.depth + 1] + net.z_offset[l])
        buffer[d:d + n] = activation.second_derivative(z)


def gradient(const Py_ssize_t[::1] layout, const double[::1] par, const double[::1] w,
             Py_ssize_t c, const double[:, ::1] eps, double[::1] work, double[::1] out):
    """Add P eps of the chunk that `forward` left in work to out (N,); eps is (nL, c), eq. 16."""
    cdef Net net = open_net(layout, par)
    check_chunk(&net, c, 1, w, work.shape[0])
    if not (eps.shape[0] == net.width[net.depth] and eps.shape[1] == c):
        raise ValueError("eps must be (nL, c)")
    if not (out.shape[0] == w.shape[0]):
        raise ValueError("out must have one entry per weight")
    if c == 0:
        return
    with nogil:
        sweep.backward(&net, &w[0], c, &eps[0, 0], &work[0], &out[0])


def tangent_size(const Py_ssize_t[::1] layout, const double[::1] par, Py_ssize_t c):
    """Doubles of buffer that `tangent` needs for c samples."""
    cdef Net net = open_net(layout, par)
    return sweep.tangent_size(&net, c)


def tangent(const Py_ssize_t[::1] layout, const double[::1] par, const double[::1] w,
            const double[::1] v, Py_ssize_t c, bint second, const double[::1] work,
            double[::1] buffer, double[:, ::1] out):
    """Write P^T v of the chunk in work to out (nL, c), or the second derivative along v.

    The second needs a forward sweep with keep = 2 just before.
    """
    cdef Net net = open_net(layout, par)
    check_chunk(&net, c, 1, w, work.shape[0])
    if not (v.shape[0] == w.shape[0]):
        raise ValueError(f"v must have {w.shape[0]} entries, got {v.shape[0]}")
    if not (out.shape[0] == net.width[net.depth] and out.shape[1] == c):
        raise ValueError("out must be (nL, c)")
    if not (buffer.shape[0] >= sweep.tangent_size(&net, c)):
        raise ValueError("buffer is too small")
    if c == 0:
        return
    with nogil:
        sweep.tangent(&net, &w[0], &v[0], c, second, &work[0], &buffer[0], &out[0, 0])


def sensitivities(const Py_ssize_t[::1] layout, const double[::1] par, const double[::1] w,
                  Py_ssize_t c, s, double[::1] work):
    """Leave Psi_l S of the chunk in work; s is None (identity), (nL, c) or (nL, nL, c), eq. 17."""
    cdef Net net = open_net(layout, par)
    cdef Py_ssize_t k = net.width[net.depth]
    cdef Py_ssize_t form = 0 if s is None else s.ndim - 1
    cdef const double[::1] flat
    cdef const double *p = NULL
    check_chunk(&net, c, k, w, work.shape[0])
    if form:
        if not (s.shape == (k,) * form + (c,)):
            raise ValueError("s must be (nL, c) or (nL, nL, c)")
        flat = s.reshape(-1)
        if c > 0:
            p = &flat[0]
    if c == 0:
        return
    with nogil:
        sweep.sensitivities(&net, &w[0], c, p, form, &work[0])


def jacobian(const Py_ssize_t[::1] layout, const double[::1] par, Py_ssize_t c,
             const double[::1] work, double[:, ::1] out):
    """Write P S of the chunk, (N, nL * c) with columns (output, sample), eq. 19."""
    cdef Net net = open_net(layout, par)
    cdef Py_ssize_t n = net.w_offset[net.depth + 1], k = net.width[net.depth]
    if not (work.shape[0] >= room(&net, c, k)):
        raise ValueError("work is too small")
    if not (out.shape[0] == n and out.shape[1] == k * c):
        raise ValueError(f"out must be ({n}, {k * c})")
    if c == 0:
        return
    with nogil:
        sweep.jacobian(&net, c, &work[0], &out[0, 0], k * c)


def normal_sizes(const Py_ssize_t[::1] layout, const double[::1] par, Py_ssize_t c,
                 Py_ssize_t form):
    """Doubles of (sums, tile, hpsi) that `add_normal` needs for chunks of c samples."""
    cdef Net net = open_net(layout, par)
    cdef Py_ssize_t k = net.width[net.depth]
    return (_normal.normal_size(&net, form), _normal.tile_size(&net, c),
            0 if form == 0 else k * c * net.z_offset[net.depth])


def add_normal(const Py_ssize_t[::1] layout, const double[::1] par, Py_ssize_t c, h,
               const double[::1] work, double[::1] hpsi, double[::1] tile, double[::1] sums,
               bint first):
    """Add the chunk's P H_E P^T to the sums of its blocks (write them, if it is the first).

    `sensitivities` has left Psi in work.
    h is None (form 0: H_E a multiple of I and the output activation the
    identity), (nL, c) (form 1) or (nL, nL, c) (form 2).
    """
    cdef Net net = open_net(layout, par)
    cdef Py_ssize_t k = net.width[net.depth], form = 0 if h is None else h.ndim - 1
    cdef const double[::1] flat
    cdef const double *p = NULL
    if c == 0:
        return
    if not (work.shape[0] >= room(&net, c, k)
            and hpsi.shape[0] >= (0 if form == 0 else k * c * net.z_offset[net.depth])
            and tile.shape[0] >= _normal.tile_size(&net, c)
            and sums.shape[0] >= _normal.normal_size(&net, form)):
        raise ValueError("work, hpsi, tile or sums is too small")
    if form:
        if h.shape != (k,) * form + (c,):
            raise ValueError("h must be (nL, c) or (nL, nL, c)")
        flat = h.reshape(-1)
        p = &flat[0]
    with nogil:
        if form:
            _normal.weigh(&net, c, p, form, &work[0], hpsi_pointer(hpsi))
        _normal.accumulate(&net, c, p, form, &work[0], hpsi_pointer(hpsi), &tile[0],
                           0.0 if first else 1.0, &sums[0])


cdef inline double *hpsi_pointer(double[::1] hpsi) noexcept nogil:
    return &hpsi[0] if hpsi.shape[0] else NULL


def scatter_normal(const Py_ssize_t[::1] layout, const double[::1] par, Py_ssize_t form,
                   double alpha, const double[::1] sums, double[:, ::1] G):
    """Write alpha * the sums of all chunks to the lower triangle of G (N, N)."""
    cdef Net net = open_net(layout, par)
    cdef Py_ssize_t n = net.w_offset[net.depth + 1]
    if not (G.shape[0] == n and G.shape[1] == n):
        raise ValueError(f"G must be ({n}, {n})")
    if not (sums.shape[0] >= _normal.normal_size(&net, form)):
        raise ValueError("sums is too small")
    with nogil:
        _normal.scatter(&net, form, alpha, &sums[0], &G[0, 0])


def add_outer(const double[:, ::1] B, double[:, ::1] out):
    """Lower triangle of out (n, n) += B B^T, B (n, k)."""
    cdef Py_ssize_t n = B.shape[0], k = B.shape[1]
    if not (out.shape[0] == n and out.shape[1] == n):
        raise ValueError("out must be (n, n)")
    if not (n <= INT_MAX and k <= INT_MAX):
        raise ValueError("B must have fewer than 2**31 rows and columns")
    if n == 0 or k == 0:
        return
    with nogil:
        syrk_n(n, k, 1.0, &B[0, 0], k, 1.0, &out[0, 0], n)


def kernel_size(const Py_ssize_t[::1] layout, const double[::1] par, Py_ssize_t c):
    """Doubles of buffer that `add_kernel` and `add_diagonal` need for c samples."""
    cdef Net net = open_net(layout, par)
    return _kernel.kernel_size(&net, c)


def add_diagonal(const Py_ssize_t[::1] layout, const double[::1] par, Py_ssize_t c,
                 const double[::1] work, double[::1] buffer, double[::1] out):
    """Add the diagonal of P S S^T P^T to out (N,); `sensitivities` has left Psi S in work."""
    cdef Net net = open_net(layout, par)
    if not (out.shape[0] == net.w_offset[net.depth + 1]):
        raise ValueError("out must have one entry per weight")
    if not (work.shape[0] >= room(&net, c, net.width[net.depth])
            and buffer.shape[0] >= _kernel.kernel_size(&net, c)):
        raise ValueError("work or buffer is too small")
    if c == 0:
        return
    with nogil:
        _kernel.diagonal(&net, c, &work[0], &buffer[0], &out[0])


def add_kernel(const Py_ssize_t[::1] layout, const double[::1] par, Py_ssize_t c, bint coupled,
               const double[::1] units, const double[::1] inputs, double[::1] work,
               double[::1] buffer, double[:, ::1] out):
    """Add S^T P^T D^-2 P S to the lower triangle of out, columns by output, then sample.

    D is units (one per unit) times inputs (one per input of each layer);
    coupled: S is not diagonal.  Psi S in work is used up.
    """
    cdef Net net = open_net(layout, par)
    cdef Py_ssize_t k = net.width[net.depth] * c, l, n = 0
    for l in range(1, net.depth + 1):
        n += net.width[l - 1] + net.bias[l]
    if not (out.shape[0] == k and out.shape[1] == k):
        raise ValueError(f"out must be ({k}, {k})")
    if not (units.shape[0] == net.z_offset[net.depth + 1] and inputs.shape[0] == n):
        raise ValueError("units and inputs must have one entry per unit and input of each layer")
    if not (work.shape[0] >= room(&net, c, net.width[net.depth])
            and buffer.shape[0] >= _kernel.kernel_size(&net, c)):
        raise ValueError("work or buffer is too small")
    if c == 0:
        return
    with nogil:
        _kernel.kernel(&net, c, coupled, &units[0], &inputs[0], &work[0], &buffer[0], &out[0, 0])


def add_gram(const double[:, ::1] B, double[:, ::1] out):
    """Lower triangle of out (k, k) += B^T B, B (n, k)."""
    cdef Py_ssize_t n = B.shape[0], k = B.shape[1]
    if not (out.shape[0] == k and out.shape[1] == k):
        raise ValueError("out must be (k, k)")
    if not (n <= INT_MAX and k <= INT_MAX):
        raise ValueError("B must have fewer than 2**31 rows and columns")
    if n == 0 or k == 0:
        return
    with nogil:
        syrk_t(k, n, 1.0, &B[0, 0], k, 1.0, &out[0, 0], k)


def metric(const Py_ssize_t[::1] layout, const double[::1] par, const double[::1] diagonal,
           double[::1] largest, double[::1] scale):
    """Write the damping metric D (N,) for a GGN matrix with this diagonal (see solve.pyx).

    largest (one entry per input of each layer) starts as zeros and is kept between calls.
    """
    cdef Net net = open_net(layout, par)
    cdef Py_ssize_t n = net.w_offset[net.depth + 1], l, m = 0
    for l in range(1, net.depth + 1):
        m += net.width[l - 1] + net.bias[l]
    if not (diagonal.shape[0] == n and scale.shape[0] == n and largest.shape[0] == m):
        raise ValueError("diagonal and scale must be (N,), largest one entry per input")
    with nogil:
        _solve.metric(&net, &diagonal[0], &largest[0], &scale[0])


def damped_cholesky(const double[:, ::1] G, scale, double mu, double[:, ::1] factor):
    """Factor D^-1 G D^-1 + mu I from G's lower triangle; D = diag(scale), or I for None.

    Returns 0, or the order of the first leading minor that is not positive.
    """
    cdef Py_ssize_t n = G.shape[0]
    cdef const double[::1] d
    cdef const double *p = NULL
    cdef int info
    if not (G.shape[1] == n and factor.shape[0] == n and factor.shape[1] == n):
        raise ValueError("G and factor must be square and of one size")
    if not (n <= INT_MAX):
        raise ValueError("G must have fewer than 2**31 rows")
    if n == 0:
        return 0
    if scale is not None:
        d = scale
        if not (d.shape[0] == n):
            raise ValueError(f"scale must have {n} entries")
        p = &d[0]
    with nogil:
        info = _solve.damped_cholesky(n, &G[0, 0], p, mu, &factor[0, 0])
    return info


def cholesky_solve(const double[:, ::1] factor, double[::1] b):
    """Solve in place with the factor that `damped_cholesky` wrote."""
    cdef Py_ssize_t n = factor.shape[0]
    if not (factor.shape[1] == n and b.shape[0] == n):
        raise ValueError("factor must be (n, n) and b (n,)")
    if n == 0:
        return
    with nogil:
        blas_cholesky_solve(n, &factor[0, 0], &b[0])

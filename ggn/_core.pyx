"""The door to the compiled kernels: checks every array, releases the GIL, holds no state.

Arrays are C-contiguous float64.  A `Layout` describes a network; `work` is
scratch for one chunk of c samples, of at least `Layout.work_size` doubles, and
carries the chunk's activations from `forward` to the functions that go backward.
"""

import numpy as np

cimport cython
from libc.limits cimport INT_MAX

from ggn._kernels.blas cimport cholesky_solve as blas_cholesky_solve
from ggn._kernels.blas cimport syrk_n, syrk_t
from ggn._kernels cimport curvature as _curvature
from ggn._kernels cimport solve as _solve
from ggn._kernels cimport kernel as _kernel
from ggn._kernels cimport matmul
from ggn._kernels cimport normal as _normal
from ggn._kernels cimport sweep
from ggn._kernels.sweep cimport Net, net_at

cdef extern from "activation_loops.h" nogil:
    ctypedef void (*ggn_activation)(Py_ssize_t n, double slope, const double *z,
                                    double *s, double *d1, double *d2)
    const ggn_activation *ggn_activations
    const char *const *ggn_activation_names
    const Py_ssize_t GGN_N_ACTIVATIONS "ggn_n_activations"

# The names of the activations; the place is the code.
ACTIVATIONS = tuple([ggn_activation_names[i].decode() for i in range(GGN_N_ACTIVATIONS)])


def activate(Py_ssize_t code, double slope, const double[::1] z, double[:, ::1] out):
    """Write sigma(z), and its first and second derivative if out (1 to 3, n) has rows for them."""
    cdef Py_ssize_t n = z.shape[0], rows = out.shape[0]
    if not (0 <= code < GGN_N_ACTIVATIONS):
        raise ValueError(f"code must be below {GGN_N_ACTIVATIONS}, got {code}")
    if not (1 <= rows <= 3 and out.shape[1] == n):
        raise ValueError(f"out must be (1 to 3, {n}), got ({rows}, {out.shape[1]})")
    if n == 0:
        return
    cdef double *d1 = &out[1, 0] if rows >= 2 else NULL
    cdef double *d2 = &out[2, 0] if rows >= 3 else NULL
    with nogil:
        ggn_activations[code](n, slope, &z[0], &out[0, 0], d1, d2)


@cython.final
cdef class Layout:
    """Where the kernels find a network's weights and a chunk's activations; owns every offset.

    Parameters
    ----------
    sizes : sequence of int
        (n0, ..., nL).
    bias : sequence of bool
        Whether each layer has a dummy unit.
    codes : sequence of int
        The activations, -1 for functions of the user's own.
    slopes : sequence of float
        The activations' own parameters.
    fixed_bias : float
    own : sequence, optional
        Objects with `value`, `derivative` and `second_derivative` where a code is -1.

    Attributes
    ----------
    sizes : tuple of int
    shapes : tuple of (n_l, n_{l-1} [+ 1])
        Of W_l^T, dummy units counted.
    n_weights : int
    """

    cdef Net net
    cdef object table, parameters, own
    cdef readonly tuple sizes, shapes
    cdef readonly Py_ssize_t n_weights

    def __cinit__(self, sizes, bias, codes, slopes, double fixed_bias=0.0, own=None):
        cdef Py_ssize_t l, depth = len(sizes) - 1
        cdef Py_ssize_t[:, ::1] sizes_of
        cdef double[::1] slope
        if not (depth >= 1 and len(bias) == len(codes) == len(slopes) == depth):
            raise ValueError("sizes, bias, codes and slopes must describe as many layers")
        if not (all(n >= 1 for n in sizes) and all(b in (0, 1) for b in bias)
                and all(-1 <= code < GGN_N_ACTIVATIONS for code in codes)):
            raise ValueError("sizes must be positive, bias 0 or 1, codes those of the activations")
        if any(code < 0 for code in codes) and (own is None or len(own) != depth):
            raise ValueError("own must hold an activation for each layer where a code is -1")
        if sum(n * (m + b) for n, m, b in zip(sizes[1:], sizes, bias)) > INT_MAX:
            raise ValueError("the number of weights must stay below 2**31")
        self.table = np.zeros((6, depth + 2), dtype=np.intp)
        width, dummy, code, w_offset, a_offset, z_offset = self.table
        width[:depth + 1] = sizes
        dummy[1:depth + 1] = bias
        code[1:depth + 1] = codes
        for l in range(depth + 1):
            a_offset[l + 1] = a_offset[l] + width[l] + dummy[l + 1]
            if l > 0:
                w_offset[l + 1] = w_offset[l] + width[l] * (width[l - 1] + dummy[l])
                z_offset[l + 1] = z_offset[l] + width[l]
        self.parameters = np.array([fixed_bias, *slopes], dtype=np.float64)
        self.own = None if own is None else tuple(own)
        sizes_of, slope = self.table, self.parameters
        self.net = net_at(depth, &sizes_of[0, 0], &slope[0])
        self.sizes = tuple(sizes)
        self.shapes = tuple((int(n), int(m + b)) for n, m, b in zip(sizes[1:], sizes, bias))
        self.n_weights = self.net.w_offset[depth + 1]

    def __reduce__(self):
        depth = self.net.depth
        _, dummy, code = self.table[:3].tolist()
        fixed_bias, *slopes = self.parameters.tolist()
        bias, codes = dummy[1:depth + 1], code[1:depth + 1]
        return Layout, (self.sizes, bias, codes, slopes, fixed_bias, self.own)

    def work_size(self, Py_ssize_t c, Py_ssize_t columns):
        """Doubles of scratch for c samples: columns is 0 (values only), 1 (gradient) or nL (Psi)."""
        if not (c >= 0 and columns >= 0):
            raise ValueError(f"c and columns must not be negative, got {c} and {columns}")
        return room(&self.net, c, columns)

    def weights(self, w):
        """Return W_l^T (n_l, n_{l-1} [+ 1]) of all layers, views of w (N,)."""
        if w.shape != (self.n_weights,):
            raise ValueError(f"w must have {self.n_weights} weights, got {w.shape}")
        cdef Py_ssize_t l
        return [
            w[self.net.w_offset[l]:self.net.w_offset[l + 1]].reshape(self.shapes[l - 1])
            for l in range(1, self.net.depth + 1)
        ]

    def inputs(self, work, Py_ssize_t c, Py_ssize_t l):
        """Return A_{l-1}, what layer l is fed, with the dummy unit's row: (n_{l-1} [+ 1], c)."""
        self.check_layer(l)
        return rows(work, c, self.net.a_offset[l - 1], self.net.a_offset[l])

    def outputs(self, work, Py_ssize_t c):
        """Return A_L = phi_L^T of the chunk that `forward` left in work: (nL, c)."""
        return rows(work, c, self.net.a_offset[self.net.depth], self.net.a_offset[self.net.depth + 1])

    def slopes(self, work, Py_ssize_t c, Py_ssize_t l):
        """Return sigma' of layer l (n_l, c); `forward` must have kept it."""
        self.check_layer(l)
        cdef Py_ssize_t first = self.net.a_offset[self.net.depth + 1] + self.net.z_offset[l]
        return rows(work, c, first, first + self.net.width[l])

    def bends(self, work, Py_ssize_t c, Py_ssize_t l):
        """Return sigma'' of layer l (n_l, c), after `forward` with keep = 2."""
        self.check_layer(l)
        cdef Py_ssize_t first = self.before_back() + self.net.z_offset[l]
        return rows(work, c, first, first + self.net.width[l])

    def sensitivities(self, work, Py_ssize_t c, Py_ssize_t l):
        """Return Psi_l S (n_l, nL, c), which `sensitivities` left in work."""
        self.check_layer(l)
        cdef Py_ssize_t k = self.net.width[self.net.depth]
        cdef Py_ssize_t first = self.before_back() + k * self.net.z_offset[l]
        return rows(work, c, first, first + k * self.net.width[l]).reshape(self.net.width[l], k, c)

    cdef Py_ssize_t before_back(self) noexcept:
        return self.net.a_offset[self.net.depth + 1] + self.net.z_offset[self.net.depth + 1]

    cdef check_layer(self, Py_ssize_t l):
        if not (1 <= l <= self.net.depth):
            raise ValueError(f"layer must be 1 to {self.net.depth}, got {l}")


cdef rows(work, Py_ssize_t c, Py_ssize_t first, Py_ssize_t last):
    """Rows of c samples each in work."""
    if not (c >= 0 and work.shape[0] >= c * last):
        raise ValueError(f"work must hold {c * last} doubles, got {work.shape[0]}")
    return work[c * first:c * last].reshape(last - first, c)


cdef check_samples(Py_ssize_t c):
    if c < 0:
        raise ValueError(f"c must not be negative, got {c}")


cdef Py_ssize_t room(const Net *net, Py_ssize_t c, Py_ssize_t columns) noexcept:
    cdef Py_ssize_t last = net.depth + 1, z = net.z_offset[last] if columns else 0
    return c * (net.a_offset[last] + z + columns * z)


def one_blas_thread(bint yes):
    """Say whether BLAS has one thread: if so, more products are left to our own kernels."""
    matmul.one_thread(yes)


cdef check_chunk(const Net *net, Py_ssize_t c, Py_ssize_t columns, const double[::1] w,
                 Py_ssize_t work):
    cdef Py_ssize_t n = net.w_offset[net.depth + 1], need = room(net, c, columns)
    if c < 0:
        raise ValueError(f"c must not be negative, got {c}")
    if not (w.shape[0] == n):
        raise ValueError(f"w must have {n} weights, got {w.shape[0]}")
    if not (work >= need):
        raise ValueError(f"work must hold {need} doubles for {c} samples, got {work}")
    if not (c * net.width[net.depth] <= INT_MAX and n <= INT_MAX):
        raise ValueError("samples x outputs of a chunk and the number of weights must stay below 2**31")


cdef Py_ssize_t form_of(str name, h, Py_ssize_t k, Py_ssize_t c) except -1:
    """0 for None, 1 for (nL, c), 2 for (nL, nL, c)."""
    if h is None:
        return 0
    if not (h.ndim in (2, 3) and h.shape == (k,) * (h.ndim - 1) + (c,)):
        raise ValueError(f"{name} must be None, ({k}, {c}) or ({k}, {k}, {c}), got {h.shape}")
    return h.ndim - 1


def forward(Layout layout not None, const double[::1] w,
            const double[:, ::1] X, double[::1] work, int keep):
    """Carry X (c, n0) through the network; keep = 1 keeps sigma', keep = 2 sigma'' too.

    The outputs are the last nL * c of the activations in work.
    """
    cdef Net net = layout.net
    cdef Py_ssize_t c = X.shape[0], l
    if not (X.shape[1] == net.width[0]):
        raise ValueError(f"X must have {net.width[0]} columns, got {X.shape[1]}")
    check_chunk(&net, c, 1 if keep else 0, w, work.shape[0])
    if c == 0:
        return
    with nogil:
        sweep.load(&net, c, &X[0, 0], &work[0])
        for l in range(1, net.depth + 1):
            sweep.affine(&net, l, &w[0], c, &work[0], keep)
            if net.code[l] >= 0:
                sweep.activate(&net, l, c, &work[0], keep)
            else:
                with gil:
                    activate_own(layout, l, c, work, keep)


cdef activate_own(Layout layout, Py_ssize_t l, Py_ssize_t c, double[::1] work, int keep):
    """Call the user's functions on the net inputs of layer l, a 1-D copy."""
    buffer, activation = np.asarray(work), layout.own[l - 1]
    cdef Py_ssize_t a = c * layout.net.a_offset[l]
    values = buffer[a:a + c * layout.net.width[l]]
    slopes = layout.slopes(buffer, c, l).reshape(-1) if keep else values
    z = slopes.copy()
    values[:] = activation.value(z)
    if keep:
        slopes[:] = activation.derivative(z)
    if keep == 2:
        layout.bends(buffer, c, l).reshape(-1)[:] = activation.second_derivative(z)


def gradient(Layout layout not None, const double[::1] w,
             Py_ssize_t c, const double[:, ::1] eps, double[::1] work, double[::1] out):
    """Add P eps of the chunk that `forward` left in work to out (N,); eps is (nL, c), eq. 16."""
    cdef Net net = layout.net
    check_chunk(&net, c, 1, w, work.shape[0])
    if not (eps.shape[0] == net.width[net.depth] and eps.shape[1] == c):
        raise ValueError("eps must be (nL, c)")
    if not (out.shape[0] == w.shape[0]):
        raise ValueError("out must have one entry per weight")
    if c == 0:
        return
    with nogil:
        sweep.backward(&net, &w[0], c, &eps[0, 0], &work[0], &out[0])


def tangent_size(Layout layout not None, Py_ssize_t c):
    """Doubles of buffer that `tangent` needs for c samples."""
    check_samples(c)
    cdef Net net = layout.net
    return sweep.tangent_size(&net, c)


def tangent(Layout layout not None, const double[::1] w,
            const double[::1] v, Py_ssize_t c, bint second, const double[::1] work,
            double[::1] buffer, double[:, ::1] out):
    """Write P^T v of the chunk in work to out (nL, c), or the second derivative along v.

    The second needs a forward sweep with keep = 2 just before.
    """
    cdef Net net = layout.net
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


def hessian_product_size(Layout layout not None, Py_ssize_t c):
    """Doubles of buffer that `hessian_product` needs for c samples."""
    check_samples(c)
    cdef Net net = layout.net
    return _curvature.product_size(&net, c)


def hessian_product(Layout layout not None, const double[::1] w,
                    const double[::1] v, Py_ssize_t c, const double[:, ::1] eps, h,
                    const double[::1] work, double[::1] buffer, double[::1] out):
    """Add the exact Hessian times v of the chunk that `forward` left in work (keep = 2) to out.

    eps is the losses' gradient (nL, c), h their Hessian, (nL, c) or (nL, nL, c), eq. 26.
    """
    cdef Net net = layout.net
    cdef Py_ssize_t k = net.width[net.depth], form = form_of("h", h, k, c)
    cdef const double[::1] flat
    check_chunk(&net, c, 1, w, work.shape[0])
    if not (form > 0):
        raise ValueError("h must be an array, got None")
    if not (v.shape[0] == w.shape[0] and out.shape[0] == w.shape[0]):
        raise ValueError(f"v and out must have {w.shape[0]} entries, got {v.shape[0]} and {out.shape[0]}")
    if not (eps.shape[0] == k and eps.shape[1] == c):
        raise ValueError("eps must be (nL, c)")
    if not (buffer.shape[0] >= _curvature.product_size(&net, c)):
        raise ValueError("buffer is too small")
    if c == 0:
        return
    flat = h.reshape(-1)
    with nogil:
        _curvature.hessian_product(&net, &w[0], &v[0], c, &eps[0, 0], &flat[0], form == 2,
                                   &work[0], &buffer[0], &out[0])


def sensitivities(Layout layout not None, const double[::1] w,
                  Py_ssize_t c, s, double[::1] work):
    """Leave Psi_l S of the chunk in work; s is None (identity), (nL, c) or (nL, nL, c), eq. 17."""
    cdef Net net = layout.net
    cdef Py_ssize_t k = net.width[net.depth]
    cdef Py_ssize_t form = form_of("s", s, k, c)
    cdef const double[::1] flat
    cdef const double *p = NULL
    check_chunk(&net, c, k, w, work.shape[0])
    if form:
        flat = s.reshape(-1)
        if c > 0:
            p = &flat[0]
    if c == 0:
        return
    with nogil:
        sweep.sensitivities(&net, &w[0], c, p, form, &work[0])


def jacobian(Layout layout not None, Py_ssize_t c,
             const double[::1] work, double[:, ::1] out):
    """Write P S of the chunk, (N, nL * c) with columns (output, sample), eq. 19."""
    check_samples(c)
    cdef Net net = layout.net
    cdef Py_ssize_t n = net.w_offset[net.depth + 1], k = net.width[net.depth]
    if not (work.shape[0] >= room(&net, c, k)):
        raise ValueError("work is too small")
    if not (out.shape[0] == n and out.shape[1] == k * c):
        raise ValueError(f"out must be ({n}, {k * c})")
    if c == 0:
        return
    with nogil:
        sweep.jacobian(&net, c, &work[0], &out[0, 0], k * c)


include "_core_matrices.pxi"

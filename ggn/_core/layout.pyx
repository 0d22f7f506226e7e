"""Where the weights of a network, and what a chunk of samples leaves in scratch, are found.

Nobody else computes an offset: kernels read them from the table of net.pxd, which
is filled here, and Python is handed named views and slices.
"""

from itertools import accumulate

import numpy as np

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.limits cimport INT_MAX

from ggn._core cimport descent, directional, kernel, normal
from ggn._core.activation_loops cimport ggn_n_activations
from ggn._core.loss_loops cimport ggn_loss_names, ggn_n_losses
from ggn._core.matmul cimport most_of_own
from ggn._core.net cimport Net, back_row, chunk_size, d_row, fan_in
from ggn._core.numbers cimport Numbers
from ggn._core.point cimport Point, place

LOSSES = tuple([ggn_loss_names[i].decode() for i in range(ggn_n_losses)])  # by code


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
    one_thread : bool
        Whether BLAS has one thread: if so, more products are left to our own kernels.

    Attributes
    ----------
    sizes : tuple of int
    shapes : tuple of (n_l, n_{l-1} [+ 1])
        Of W_l^T, dummy units counted.
    weight_slices, unit_slices, input_slices : tuple of slice
        The weights of each layer in w; the units, and inputs, of each among those of all.
    n_weights, n_units, n_inputs : int
        Over all layers; a dummy unit is an input.
    """

    def __cinit__(self, sizes, bias, codes, slopes, double fixed_bias=0.0, own=None,
                  bint one_thread=False):
        cdef Py_ssize_t l, depth = len(sizes) - 1
        if not (depth >= 1 and len(bias) == len(codes) == len(slopes) == depth):
            raise ValueError("sizes, bias, codes and slopes must describe as many layers")
        if not (all(n >= 1 for n in sizes) and all(b in (0, 1) for b in bias)
                and all(-1 <= code < ggn_n_activations for code in codes)):
            raise ValueError("sizes must be positive, bias 0 or 1, codes those of the activations")
        if any(code < 0 for code in codes) and (own is None or len(own) != depth):
            raise ValueError("own must hold an activation for each layer where a code is -1")
        shapes = tuple([(int(n), int(m + b)) for n, m, b in zip(sizes[1:], sizes, bias)])
        if sum([n * m for n, m in shapes]) > INT_MAX:
            raise ValueError("the number of weights must stay below 2**31")
        self.sizes, self.shapes = tuple(sizes), shapes
        self.weight_slices = slices([n * m for n, m in shapes])
        self.unit_slices = slices([n for n, _ in shapes])
        self.input_slices = slices([m for _, m in shapes])
        self.n_weights = sum([n * m for n, m in shapes])
        self.n_units = sum([n for n, _ in shapes])
        self.n_inputs = sum([m for _, m in shapes])
        self.own = None if own is None else tuple(own)
        self.one_thread = one_thread
        self.table = <Py_ssize_t*>PyMem_Calloc(6 * (depth + 2), sizeof(Py_ssize_t))
        self.parameters = <double*>PyMem_Calloc(depth + 1, sizeof(double))
        if self.table == NULL or self.parameters == NULL:
            raise MemoryError
        cdef Py_ssize_t *width = self.table
        cdef Py_ssize_t *dummy = width + depth + 2
        cdef Py_ssize_t *code = dummy + depth + 2
        cdef Py_ssize_t *w_offset = code + depth + 2
        cdef Py_ssize_t *a_offset = w_offset + depth + 2
        cdef Py_ssize_t *z_offset = a_offset + depth + 2
        self.parameters[0] = fixed_bias
        width[0] = sizes[0]
        for l in range(1, depth + 1):
            width[l], dummy[l], code[l] = sizes[l], bias[l - 1], codes[l - 1]
            self.parameters[l] = slopes[l - 1]
            w_offset[l + 1] = self.weight_slices[l - 1].stop
            z_offset[l + 1] = self.unit_slices[l - 1].stop
            a_offset[l] = self.input_slices[l - 1].stop
        a_offset[depth + 1] = a_offset[depth] + width[depth]
        self.net = Net(depth, width, dummy, code, w_offset, a_offset, z_offset, self.parameters,
                       most_of_own(one_thread))

    def __dealloc__(self):
        PyMem_Free(self.table)
        PyMem_Free(self.parameters)

    def __reduce__(self):
        layers = range(1, self.net.depth + 1)
        return Layout, (
            self.sizes,
            [self.net.bias[l] for l in layers],
            [self.net.code[l] for l in layers],
            [self.net.slope[l] for l in layers],
            self.net.slope[0],
            self.own,
            self.one_thread,
        )

    def work_size(self, Py_ssize_t c, Py_ssize_t columns):
        """Doubles of scratch for c samples: columns is 0 (values only), 1 (gradient) or nL (Psi)."""
        self.check_samples(c)
        if columns < 0:
            raise ValueError(f"columns must not be negative, got {columns}")
        return chunk_size(&self.net, c, columns)

    def tangent_size(self, Py_ssize_t c):
        """Doubles of buffer that `tangent` needs for c samples."""
        self.check_samples(c)
        return directional.tangent_size(&self.net, c)

    def hessian_product_size(self, Py_ssize_t c):
        """Doubles of buffer that `hessian_product` needs for c samples."""
        self.check_samples(c)
        return directional.product_size(&self.net, c)

    def normal_sizes(self, Py_ssize_t c, Py_ssize_t form):
        """Doubles of (sums, tile, hpsi) that `add_normal` needs for chunks of c samples."""
        self.check_samples(c)
        if not (0 <= form <= 2):
            raise ValueError(f"form must be 0, 1 or 2, got {form}")
        return (normal.normal_size(&self.net, form), normal.tile_size(&self.net, c),
                normal.weighted_size(&self.net, c, form))

    def by_triples(self, Py_ssize_t l):
        """Whether block (l, l) is summed over units with pairs of inputs, and units."""
        if not (1 <= l <= self.net.depth):
            raise ValueError(f"l must be from 1 to {self.net.depth}, got {l}")
        return normal.by_triples(&self.net, l)

    def diagonal_size(self, Py_ssize_t c):
        """Doubles of buffer that `add_diagonal` needs for c samples."""
        self.check_samples(c)
        return kernel.diagonal_size(&self.net, c)

    def kernel_size(self, Py_ssize_t c):
        """Doubles of buffer that `add_kernel` (or `add_diagonal`) needs for c samples."""
        self.check_samples(c)
        return kernel.kernel_size(&self.net, c)

    def descent_size(self, Py_ssize_t c, int step, int form):
        """Doubles of memory that `descend` needs for c samples; step and form as in point.pxd."""
        cdef Point at
        self.check_descent(c, step, form)
        return place(&at, &self.net, c, step, form, NULL)

    def descent_parts(self, memory, Py_ssize_t c, int step, int form):
        """Return what of `descend`'s memory is told and asked by name: views, a dict."""
        cdef Point at
        cdef Py_ssize_t N = self.n_weights
        self.check_descent(c, step, form)
        size = place(&at, &self.net, c, step, form, NULL)
        if memory.shape[0] < size:
            raise ValueError(f"memory must hold {size} doubles, got {memory.shape[0]}")
        places = {
            "w": (<size_t>at.w, N), "best": (<size_t>at.best, N),
            "gradient": (<size_t>at.gradient, N), "diagonal": (<size_t>at.diagonal, N),
            "before": (<size_t>at.before, N), "largest": (<size_t>at.largest, self.n_inputs),
            "l2": (<size_t>at.l2, N), "fixed": (<size_t>at.fixed, self.n_inputs),
            "shift": (<size_t>at.shift, self.net.width[0]),
            "stretch": (<size_t>at.stretch, self.net.width[0]),
            "shares": (<size_t>at.own_shares, c),
        }
        return {name: memory[first // sizeof(double):first // sizeof(double) + n]
                for name, (first, n) in places.items()}

    def weights(self, w):
        """Return W_l^T (n_l, n_{l-1} [+ 1]) of all layers, views of w (N,)."""
        if w.shape != (self.n_weights,):
            raise ValueError(f"w must have {self.n_weights} weights, got {w.shape}")
        return [w[part].reshape(shape) for part, shape in zip(self.weight_slices, self.shapes)]

    def each_weight(self, inputs):
        """Return, for each weight (N,), its input's entry of inputs, one per input of each layer."""
        if inputs.shape != (self.n_inputs,):
            raise ValueError(f"inputs must have {self.n_inputs} entries, got {inputs.shape}")
        return np.concatenate([
            np.tile(inputs[part], n) for part, (n, _) in zip(self.input_slices, self.shapes)
        ])

    def inputs(self, work, Py_ssize_t c, Py_ssize_t l):
        """Return A_{l-1}, what layer l is fed, with the dummy unit's row: (n_{l-1} [+ 1], c)."""
        self.check_layer(l)
        return rows(work, c, self.net.a_offset[l - 1], fan_in(&self.net, l))

    def outputs(self, work, Py_ssize_t c):
        """Return A_L = phi_L^T of the chunk that `forward` left in work: (nL, c)."""
        cdef Py_ssize_t last = self.net.depth
        return rows(work, c, self.net.a_offset[last], self.net.width[last])

    def slopes(self, work, Py_ssize_t c, Py_ssize_t l):
        """Return sigma' of layer l (n_l, c); `forward` must have kept it."""
        self.check_layer(l)
        return rows(work, c, d_row(&self.net, l), self.net.width[l])

    def bends(self, work, Py_ssize_t c, Py_ssize_t l):
        """Return sigma'' of layer l (n_l, c), after `forward` with keep = 2."""
        self.check_layer(l)
        return rows(work, c, back_row(&self.net, l, 1), self.net.width[l])

    def sensitivities(self, work, Py_ssize_t c, Py_ssize_t l):
        """Return Psi_l S (n_l, nL, c), which `sensitivities` left in work."""
        self.check_layer(l)
        cdef Py_ssize_t n = self.net.width[l], k = self.net.width[self.net.depth]
        return rows(work, c, back_row(&self.net, l, k), n * k).reshape(n, k, c)

    cdef check_samples(self, Py_ssize_t c):
        """So few that no size overflows, and that BLAS can count samples x outputs."""
        cdef Py_ssize_t most = INT_MAX // self.net.width[self.net.depth]
        if not (0 <= c <= most):
            raise ValueError(f"c must be 0 to {most} samples, got {c}")

    cdef check_descent(self, Py_ssize_t c, int step, int form):
        self.check_samples(c)
        if c == 0 or not (0 <= step <= 2 and 0 <= form <= 2):
            raise ValueError("samples must be at least 1, step and form 0 to 2, got "
                             f"{c}, {step} and {form}")
        if any([self.net.code[l] < 0 for l in range(1, self.net.depth + 1)]):
            raise ValueError("layout must have built-in activations only")

    cdef descend(self, Py_ssize_t c, const double *x, const double *y, dict numbers,
                 Py_ssize_t doubles, double *memory, Py_ssize_t rows, double *history):
        """Go on with a small fit; return why it came back, and the numbers then, a dict."""
        cdef Numbers n = numbers
        cdef Point at
        cdef int status
        self.check_descent(c, <int>n.step, <int>n.form)
        size = place(&at, &self.net, c, <int>n.step, <int>n.form, memory)
        if doubles < size:
            raise ValueError(f"memory must hold {size} doubles, got {doubles}")
        if not (0 <= n.loss < ggn_n_losses and rows > 0):
            raise ValueError(f"loss must be below {ggn_n_losses}, and history have a row, got "
                             f"{n.loss} and {rows}")
        with nogil:
            descent.open_run(&at, &n, x, y)
            status = descent.advance(&at, &n, history, rows)
        return status, n

    cdef check_layer(self, Py_ssize_t l):
        if not (1 <= l <= self.net.depth):
            raise ValueError(f"layer must be 1 to {self.net.depth}, got {l}")

    cdef activate_own(self, work, Py_ssize_t l, Py_ssize_t c, int keep):
        """Call the user's functions on the net inputs of layer l, a 1-D copy."""
        if c == 0:
            return
        activation = self.own[l - 1]
        values = rows(work, c, self.net.a_offset[l], self.net.width[l]).reshape(-1)
        slopes = self.slopes(work, c, l).reshape(-1) if keep else values
        z = slopes.copy()
        values[...] = activation.value(z)
        if keep:
            slopes[...] = activation.derivative(z)
        if keep == 2:
            self.bends(work, c, l).reshape(-1)[...] = activation.second_derivative(z)


cdef rows(work, Py_ssize_t c, Py_ssize_t first, Py_ssize_t count):
    """Rows of c samples each in work."""
    if not (c >= 0 and work.shape[0] >= c * (first + count)):
        raise ValueError(f"work must hold {c * (first + count)} doubles, got {work.shape[0]}")
    return work[c * first:c * (first + count)].reshape(count, c)


cdef tuple slices(list lengths):
    """One slice of each length, one after the other."""
    stops = list(accumulate(lengths))
    return tuple([slice(stop - n, stop) for n, stop in zip(lengths, stops)])

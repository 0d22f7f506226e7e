# cython: allow_none_for_extension_args=False
"""The part of the door for networks in a loop; see recursion.pyx.  `ggn._core` shows it.

What a sample is computed by is described by

    layouts      one `Layout` per part; places (parts, 2): its first output, its first weight
    linear       the first weight of L (k, n), or -1
    feeds (f, 2) of each input fed back, which come first: the output, and the delay >= 1
"""

import numpy as np

from ggn._core cimport recursion
from ggn._core.checks cimport check_matrix, check_scratch, check_vector
from ggn._core.flush cimport ggn_enter, ggn_leave
from ggn._core.layout cimport Layout
from ggn._core.recursion cimport Map
from ggn._core.recursion_loops cimport ggn_recur, ggn_recur_back


cdef class Loop:
    """A description of networks in a loop, checked; nothing in it changes.

    Parameters
    ----------
    layouts : tuple of Layout
    places : sequence of (int, int)
    linear : int
    feeds : sequence of (int, int)
    n, k : int
        Inputs and outputs.

    Attributes
    ----------
    n_weights : int
        Of all parts, and of L.
    depth : int
        The largest delay.
    """

    cdef Map map
    cdef tuple layouts
    cdef Py_ssize_t[::1] output, delay
    cdef readonly Py_ssize_t n_weights, depth

    def __init__(self, tuple layouts, places, Py_ssize_t linear, feeds, Py_ssize_t n,
                 Py_ssize_t k):
        cdef Layout layout
        cdef Py_ssize_t p, N = 0
        if not (len(layouts) == len(places) <= recursion.MOST_PARTS and n >= 1 and k >= 1):
            raise ValueError(f"layouts and places must be as many, at most {recursion.MOST_PARTS}")
        if not (len(feeds) <= n and all([0 <= o < k and d >= 1 for o, d in feeds])):
            raise ValueError(f"feeds must name outputs below {k} and delays from 1, got {feeds}")
        for p, (layout, (row, weight)) in enumerate(zip(layouts, places)):
            outputs = layout.net.width[layout.net.depth]
            if layout.net.width[0] != n or not (0 <= row <= k - outputs) or weight < 0:
                raise ValueError(f"part {p} must have {n} inputs, and outputs within {k}")
            if any([layout.net.code[l] < 0 for l in range(1, layout.net.depth + 1)]):
                raise ValueError("layouts must have built-in activations only")
            self.map.net[p] = &layout.net
            self.map.row[p], self.map.weight[p] = row, weight
            N = max(N, weight + layout.n_weights)
        if linear >= 0:
            N = max(N, linear + n * k)
        self.layouts = layouts
        self.output = np.array([o for o, _ in feeds] or [0], dtype=np.intp)
        self.delay = np.array([d for _, d in feeds] or [1], dtype=np.intp)
        self.map.n, self.map.k, self.map.f, self.map.N = n, k, len(feeds), N
        self.map.parts, self.map.linear = len(layouts), linear
        self.map.output, self.map.delay = &self.output[0], &self.delay[0]
        self.n_weights, self.depth = N, max([d for _, d in feeds], default=0)

    def simulate_size(self, Py_ssize_t windows):
        """Doubles of buffer that `simulate` needs for so many windows."""
        return recursion.simulate_size(&self.map, windows)

    def sweep_size(self, Py_ssize_t c):
        """Doubles of buffer that the others need for c samples."""
        for layout in self.layouts:
            layout.work_size(c, 1)  # checks c
        return recursion.sweep_size(&self.map, c)

    cdef check(self, const double[::1] w, const double[:, ::1] Z, Py_ssize_t buffer):
        check_vector("w", w.shape[0], self.n_weights)
        check_matrix("Z", Z.shape, Z.shape[0], self.map.n)
        check_scratch("buffer", buffer, self.sweep_size(Z.shape[0]))

    cdef check_ages(self, const Py_ssize_t[::1] age, Py_ssize_t c, Py_ssize_t before,
                    const Py_ssize_t[:, ::1] start, Py_ssize_t columns):
        """No sample reaches to before the rows, nor a column beyond them."""
        cdef Py_ssize_t i, j
        check_vector("age", age.shape[0], c)
        check_matrix("start", start.shape, self.depth, self.map.k)
        for i in range(min(c, self.depth)):
            if min(age[i], self.depth) > i + before:
                raise ValueError(f"age must be at most {i + before} at {i}, got {age[i]}")
        for i in range(c):
            if age[i] < 0:
                raise ValueError(f"age must not be negative, got {age[i]}")
        for i in range(start.shape[0]):
            for j in range(start.shape[1]):
                if start[i, j] >= columns:
                    raise ValueError(f"start must be below {columns}, got {start[i, j]}")


def simulate(Loop loop, const double[::1] w, const Py_ssize_t[:, ::1] windows,
             double[:, ::1] Z, double[:, ::1] O, double[::1] buffer):
    """Write the outputs O (T, k), and to Z (T, n) what is fed back; return whether all is finite.

    windows is (2, count): first samples and lengths, the longest first.
    """
    cdef Py_ssize_t j, count = windows.shape[1], T = Z.shape[0]
    cdef bint fine
    check_vector("w", w.shape[0], loop.n_weights)
    check_matrix("Z", Z.shape, T, loop.map.n)
    check_matrix("O", O.shape, T, loop.map.k)
    check_matrix("windows", windows.shape, 2, count)
    check_scratch("buffer", buffer.shape[0], recursion.simulate_size(&loop.map, count))
    for j in range(count):
        if not (0 <= windows[0, j] <= T and 1 <= windows[1, j] <= T - windows[0, j]
                and (j == 0 or windows[1, j] <= windows[1, j - 1])):
            raise ValueError("windows must be within the samples, the longest first")
    if count == 0:
        return True
    with nogil:
        mode = ggn_enter(False)
        fine = recursion.simulate(&loop.map, &w[0], count, &windows[0, 0], &windows[1, 0],
                                  &Z[0, 0], &O[0, 0], &buffer[0])
        ggn_leave(mode)
    return fine


def loop_slopes(Loop loop, const double[::1] w, const double[:, ::1] Z, double[::1] buffer,
                double[:, :, ::1] A, rows=None):
    """Write A (c, k, f) of a chunk and, where it is given, dF/dw to rows (c, k, M >= N)."""
    cdef Py_ssize_t c = Z.shape[0], M = 0
    cdef double[:, :, ::1] out
    cdef double *to = NULL
    loop.check(w, Z, buffer.shape[0])
    if not (A.shape[0] == c and A.shape[1] == loop.map.k and A.shape[2] >= loop.map.f):
        raise ValueError(f"A must be ({c}, {loop.map.k}, {loop.map.f})")
    if rows is not None:
        out = rows
        M = out.shape[2]
        if not (out.shape[0] == c and out.shape[1] == loop.map.k and M >= loop.n_weights):
            raise ValueError(f"rows must be ({c}, {loop.map.k}, {loop.n_weights} or more)")
        to = &out[0, 0, 0]
    if c == 0:
        return
    with nogil:
        mode = ggn_enter(False)
        recursion.linearize(&loop.map, &w[0], c, &Z[0, 0], &buffer[0], &A[0, 0, 0], M, to)
        ggn_leave(mode)


def recur(Loop loop, const double[:, :, ::1] A, const Py_ssize_t[::1] age,
          const Py_ssize_t[:, ::1] start, double[:, :, ::1] rows):
    """Make of dF/dw in the last c of rows (before + c, k, M) the derivatives S of the outputs.

    age (c,) says how far into its window each sample is, start (depth, k) the columns of what
    outputs were 1, 2, ... samples before a window, or -1.
    """
    cdef Py_ssize_t c = A.shape[0], before = rows.shape[0] - c, M = rows.shape[2]
    if not (before >= 0 and rows.shape[1] == loop.map.k == A.shape[1]
            and A.shape[2] == loop.map.f):
        raise ValueError(f"rows must be ({c} or more, {loop.map.k}, any), A ({c}, {loop.map.k}, "
                         f"{loop.map.f})")
    loop.check_ages(age, c, before, start, M)
    if c == 0 or loop.map.f == 0:
        return
    with nogil:
        mode = ggn_enter(False)
        ggn_recur(c, loop.map.k, loop.map.f, M, loop.map.output, loop.map.delay, &start[0, 0],
                  &age[0], &A[0, 0, 0], &rows[before, 0, 0])
        ggn_leave(mode)


def recur_back(Loop loop, const double[:, :, ::1] A, const Py_ssize_t[::1] age,
               const Py_ssize_t[::1] window, const Py_ssize_t[:, ::1] start,
               double[:, ::1] lam, double[:, ::1] initial):
    """Carry lambda (T, k) back through whole windows, in place; add to initial (windows, any)."""
    cdef Py_ssize_t i, T = A.shape[0]
    if not (A.shape[1] == loop.map.k and A.shape[2] == loop.map.f):
        raise ValueError(f"A must be ({T}, {loop.map.k}, {loop.map.f})")
    check_matrix("lam", lam.shape, T, loop.map.k)
    check_vector("window", window.shape[0], T)
    loop.check_ages(age, T, 0, start, initial.shape[1])
    for i in range(T):
        if not (0 <= window[i] < initial.shape[0]):
            raise ValueError(f"window must be within 0:{initial.shape[0]}, got {window[i]}")
    if T == 0 or loop.map.f == 0:
        return
    with nogil:
        mode = ggn_enter(False)
        ggn_recur_back(T, loop.map.k, loop.map.f, initial.shape[1], loop.map.output,
                       loop.map.delay, &start[0, 0], &age[0], &window[0], &A[0, 0, 0],
                       &lam[0, 0], &initial[0, 0])
        ggn_leave(mode)


def loop_gradient(Loop loop, const double[::1] w, const double[:, ::1] Z,
                  const double[:, ::1] lam, double[::1] buffer, double[::1] out):
    """Add the sum of dF/dw lambda over a chunk, lambda (c, k), to out (N,)."""
    cdef Py_ssize_t c = Z.shape[0]
    loop.check(w, Z, buffer.shape[0])
    check_matrix("lam", lam.shape, c, loop.map.k)
    check_vector("out", out.shape[0], loop.n_weights)
    if c == 0:
        return
    with nogil:
        mode = ggn_enter(False)
        recursion.carry_back(&loop.map, &w[0], c, &Z[0, 0], &lam[0, 0], &buffer[0], &out[0])
        ggn_leave(mode)


def loop_tangent(Loop loop, const double[::1] w, const double[::1] v, const double[:, ::1] Z,
                 double[::1] buffer, double[:, ::1] out):
    """Write dF/dw v of a chunk to out (c, k)."""
    cdef Py_ssize_t c = Z.shape[0]
    loop.check(w, Z, buffer.shape[0])
    check_vector("v", v.shape[0], loop.n_weights)
    check_matrix("out", out.shape, c, loop.map.k)
    if c == 0:
        return
    with nogil:
        mode = ggn_enter(False)
        recursion.carry_along(&loop.map, &w[0], &v[0], c, &Z[0, 0], &buffer[0], &out[0, 0])
        ggn_leave(mode)

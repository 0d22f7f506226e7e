# cython: allow_none_for_extension_args=False
"""The part of the door for state-space models; `ggn._core` shows it with the rest."""

import numpy as np

from libc.limits cimport INT_MAX
from libc.string cimport memset

from ggn._core cimport statespace, statespace_along
from ggn._core.checks cimport check_matrix, check_vector
from ggn._core.flush cimport ggn_enter, ggn_leave
from ggn._core.layout cimport Layout
from ggn._core.statespace cimport System


cdef class StateSpaceLayout:
    """Where the kernels find the weights of a state-space model, and its sweeps through time.

    Parameters
    ----------
    nu, nx, ny : int
        Inputs, states, outputs.
    linear, feedthrough, offset : bool
        Whether there are A and B, D, and a constant in the outputs.
    f, g : Layout, optional
        Networks from (x, u), whose first layer takes 1 to (x, u), see statespace.pyx.

    Attributes
    ----------
    parts : dict of str to slice
        The weights A, B, f, C, D, o, g, in this order; empty where there are none.
    n_weights : int
        Those of the model, without initial states.
    n_moving : int
        A, B and f's: the first of them, which move the state.
    """

    cdef System system
    cdef Layout _f, _g
    cdef readonly dict parts
    cdef readonly Py_ssize_t n_weights, n_moving

    def __cinit__(self, Py_ssize_t nu, Py_ssize_t nx, Py_ssize_t ny, bint linear=True,
                  bint feedthrough=True, bint offset=True, f=None, g=None):
        if not (nu >= 0 and nx >= 1 and ny >= 1):
            raise ValueError(f"there must be states and outputs, got {nu}, {nx} and {ny}")
        if not (linear or f is not None):
            raise ValueError("the state must move: linear or by f")
        for name, net, outputs in (("f", f, nx), ("g", g, ny)):
            if net is not None:
                check_net(name, net, nx + nu, outputs)
        lengths = {
            "A": nx * nx * linear, "B": nx * nu * linear,
            "f": 0 if f is None else f.n_weights - nx - nu,
            "C": ny * nx, "D": ny * nu * feedthrough, "o": ny * offset,
            "g": 0 if g is None else g.n_weights - nx - nu,
        }
        self.parts, stop = {}, 0
        for name, length in lengths.items():
            self.parts[name] = slice(stop, stop + length)
            stop += length
        if stop + nx > INT_MAX // ny:
            raise ValueError("the number of weights must stay below 2**31")
        self.n_weights, self.n_moving = stop, self.parts["f"].stop
        cdef System *s = &self.system
        memset(s, 0, sizeof(System))
        s.nu, s.nx, s.ny, s.n, s.ns = nu, nx, ny, stop, self.n_moving
        s.linear, s.feedthrough, s.offset = linear, feedthrough and nu > 0, offset
        s.b, s.f_at, s.c = self.parts["B"].start, self.parts["f"].start, self.parts["C"].start
        s.d, s.o, s.g_at = self.parts["D"].start, self.parts["o"].start, self.parts["g"].start
        if f is not None:
            self._f = f
            s.f.net = &self._f.net
        if g is not None:
            self._g = g
            s.g.net = &self._g.net

    def __reduce__(self):
        cdef System *s = &self.system
        f = self._f if s.f.net != NULL else None
        g = self._g if s.g.net != NULL else None
        return StateSpaceLayout, (s.nu, s.nx, s.ny, s.linear, bool(self.parts["D"].stop
                                  > self.parts["D"].start), s.offset, f, g)

    def scratch(self):
        """Return scratch for one thread: every sweep takes it."""
        cdef System s = self.system
        cdef Py_ssize_t nx = s.nx
        return np.empty(statespace.place(&s, NULL) + nx * (2 * nx + s.ny + s.ns + 4) + s.ny)

    cdef double *open(self, System *s, const double[::1] w, Py_ssize_t c, const double[:, ::1] U,
                      double[::1] work) except NULL:
        """Check what every sweep takes; return the buffer behind the networks' scratch."""
        cdef Py_ssize_t nx = self.system.nx, size
        s[0] = self.system
        check_vector("w", w.shape[0], s.n)
        check_matrix("U", U.shape, c, s.nu)
        size = statespace.place(s, NULL)
        if work.shape[0] < size + nx * (2 * nx + s.ny + s.ns + 4) + s.ny:
            raise ValueError("work must be of scratch()")
        statespace.place(s, &work[0])
        return &work[0] + size

    def simulate(self, const double[::1] w, const double[:, ::1] U, double[::1] x, states,
                 double[:, ::1] Y, double[::1] work):
        """Write the outputs Y (c, ny) from state x (nx,) on, which becomes the one after them.

        states (c, nx) or None is given the state of each step.
        """
        cdef System s
        cdef Py_ssize_t c = Y.shape[0]
        cdef double *buffer = self.open(&s, w, c, U, work)
        cdef double[:, ::1] X = states  # NULL for None
        check_vector("x", x.shape[0], s.nx)
        check_matrix("Y", Y.shape, c, s.ny)
        if states is not None:
            check_matrix("states", X.shape, c, s.nx)
        cdef double *out = &X[0, 0] if states is not None else NULL
        with nogil:
            mode = ggn_enter(False)
            statespace.simulate(&s, &w[0], c, &U[0, 0], &x[0], out, &Y[0, 0], buffer)
            ggn_leave(mode)

    def rows(self, const double[::1] w, const double[:, ::1] U, double[::1] x, double[:, ::1] S,
             double[:, ::1] Y, double[:, :, ::1] P, double[::1] work):
        """Write Y (c, ny) and P = dY/dw (c, ny, n + nx); x and S go on to the state after them.

        S (nx, n_moving + nx) is dx/dw; the last nx columns of S and P are the initial state's.
        """
        cdef System s
        cdef Py_ssize_t c = Y.shape[0]
        cdef double *buffer = self.open(&s, w, c, U, work)
        check_vector("x", x.shape[0], s.nx)
        check_matrix("S", S.shape, s.nx, s.ns + s.nx)
        check_matrix("Y", Y.shape, c, s.ny)
        check_matrix("P", P.shape, c, s.ny)
        check_vector("rows of P", P.shape[2], s.n + s.nx)
        with nogil:
            mode = ggn_enter(False)
            statespace.rows(&s, &w[0], c, &U[0, 0], &x[0], &S[0, 0], &Y[0, 0], &P[0, 0, 0], buffer)
            ggn_leave(mode)

    def tangent(self, const double[::1] w, const double[::1] v, const double[:, ::1] U,
                const double[:, ::1] states, double[::1] dx, d2x, dstates, double[:, ::1] dY, d2Y,
                double[::1] work):
        """Write the derivative dY (c, ny) along v, and the second d2Y unless None.

        dx and d2x (nx,) are the state's, and go on; dstates (c, nx) or None is given each dx.
        """
        cdef System s
        cdef Py_ssize_t c = dY.shape[0]
        cdef double *buffer = self.open(&s, w, c, U, work)
        cdef double[::1] bend = d2x
        cdef double[:, ::1] each = dstates, second = d2Y
        check_vector("v", v.shape[0], s.n)
        check_vector("dx", dx.shape[0], s.nx)
        check_matrix("states", states.shape, c, s.nx)
        check_matrix("dY", dY.shape, c, s.ny)
        if dstates is not None:
            check_matrix("dstates", each.shape, c, s.nx)
        if d2Y is not None:
            check_matrix("d2Y", second.shape, c, s.ny)
            check_vector("d2x", bend.shape[0], s.nx)
        cdef double *at_each = &each[0, 0] if dstates is not None else NULL
        cdef double *out2 = &second[0, 0] if d2Y is not None else NULL
        cdef double *x2 = &bend[0] if d2Y is not None else NULL
        with nogil:
            mode = ggn_enter(False)
            statespace_along.tangent(&s, &w[0], &v[0], c, &U[0, 0], &states[0, 0], &dx[0], x2,
                                     at_each, &dY[0, 0], out2, buffer)
            ggn_leave(mode)

    def adjoint(self, const double[::1] w, const double[:, ::1] U, const double[:, ::1] states,
                const double[:, ::1] eps, double[::1] lam, double[::1] gradient,
                double[::1] work):
        """Carry eps (c, ny) back: add to gradient (n,), lam (nx,) goes to before the c steps."""
        cdef System s
        cdef Py_ssize_t c = eps.shape[0]
        cdef double *buffer = self.open(&s, w, c, U, work)
        check_matrix("states", states.shape, c, s.nx)
        check_matrix("eps", eps.shape, c, s.ny)
        check_vector("lam", lam.shape[0], s.nx)
        check_vector("gradient", gradient.shape[0], s.n)
        with nogil:
            mode = ggn_enter(False)
            statespace_along.adjoint(&s, &w[0], c, &U[0, 0], &states[0, 0], &eps[0, 0], &lam[0],
                                     &gradient[0], buffer)
            ggn_leave(mode)

    def hessian_adjoint(self, const double[::1] w, const double[::1] v, const double[:, ::1] U,
                        const double[:, ::1] states, const double[:, ::1] dstates,
                        const double[:, ::1] eps, const double[:, ::1] deps, double[::1] lam,
                        double[::1] dlam, double[::1] out, double[::1] work):
        """The derivative of `adjoint` along v, where eps has deps and states dstates."""
        cdef System s
        cdef Py_ssize_t c = eps.shape[0]
        cdef double *buffer = self.open(&s, w, c, U, work)
        check_vector("v", v.shape[0], s.n)
        check_matrix("states", states.shape, c, s.nx)
        check_matrix("dstates", dstates.shape, c, s.nx)
        check_matrix("eps", eps.shape, c, s.ny)
        check_matrix("deps", deps.shape, c, s.ny)
        check_vector("lam", lam.shape[0], s.nx)
        check_vector("dlam", dlam.shape[0], s.nx)
        check_vector("out", out.shape[0], s.n)
        with nogil:
            mode = ggn_enter(False)
            statespace_along.hessian_adjoint(
                &s, &w[0], &v[0], c, &U[0, 0], &states[0, 0], &dstates[0, 0], &eps[0, 0],
                &deps[0, 0], &lam[0], &dlam[0], &out[0], buffer)
            ggn_leave(mode)


cdef check_net(str name, Layout net, Py_ssize_t inputs, Py_ssize_t outputs):
    cdef Py_ssize_t l
    if (net.sizes[0], net.sizes[1], net.sizes[len(net.sizes) - 1]) != (1, inputs, outputs) or net.net.bias[1]:
        raise ValueError(f"{name} must be (1, {inputs}, ..., {outputs}), got {net.sizes}")
    if net.net.code[1] != 0:
        raise ValueError(f"{name}'s first layer must be the identity")
    for l in range(1, net.net.depth + 1):
        if net.net.code[l] < 0:
            raise ValueError(f"{name} must have built-in activations only")

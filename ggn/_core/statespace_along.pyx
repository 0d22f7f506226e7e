"""Derivatives of a state-space model along a direction v forward, and gradients backward in time.

With M_k, H_k of statespace.pyx and a gradient eps of the loss in y,

    lambda_k = M_k^T lambda_{k+1} + H_k^T eps_k

and what lambda_{k+1} and eps_k give back to the weights of f and g is the gradient.  The
derivative of all this along v gives Hessian products.  `states` holds x_k (c, nx).
"""

from libc.string cimport memcpy, memset

from ggn._core cimport directional, sweep
from ggn._core.statespace cimport (
    Map, System, add, evaluate, multiply, multiply_back, open_direction, open_weights, outer
)


cdef void first(System *s, Map *m, const double *dx, double *out) noexcept nogil:
    """out = the network's derivative along (dx, 0, its part of v)."""
    memcpy(m.v, dx, s.nx * sizeof(double))
    directional.tangent(m.net, m.w, m.v, 1, False, m.work, m.buffer, out)


cdef void second(System *s, Map *m, const double *d2x, double *out, double *buffer) noexcept nogil:
    """Add the second derivative along (dx, 0, v), whose state bends by d2x; after `first`."""
    directional.tangent(m.net, m.w, m.v, 1, True, m.work, m.buffer, buffer)
    add(m.outputs, buffer, out)
    memcpy(m.bend, d2x, s.nx * sizeof(double))
    directional.tangent(m.net, m.w, m.bend, 1, False, m.work, m.buffer, buffer)
    add(m.outputs, buffer, out)


cdef void tangent(System *s, const double *w, const double *v, Py_ssize_t c, const double *u,
                  const double *states, double *dx, double *d2x, double *dstates, double *dy,
                  double *d2y, double *buffer) noexcept nogil:
    """Derivatives of c outputs along v: dy, and d2y (c, ny) unless NULL.

    dx, d2x are those of the state, before and after; dstates (c, nx), unless NULL, is given each
    dx.  buffer has 3 nx + ny doubles.
    """
    cdef Py_ssize_t k, nx = s.nx, ny = s.ny
    cdef bint bent = d2y != NULL
    cdef int keep = 2 if bent else 1
    cdef const double *x
    cdef const double *now
    cdef double *out
    cdef double *next_dx = buffer
    cdef double *next_d2x = buffer + nx
    cdef double *more = buffer + 2 * nx
    open_weights(s, w)
    open_direction(s, v)
    for k in range(c):
        x = states + k * nx
        now = u + k * s.nu
        if dstates != NULL:
            memcpy(dstates + k * nx, dx, nx * sizeof(double))
        out = dy + k * ny
        if s.g.net != NULL:
            evaluate(s, &s.g, x, now, keep)
            first(s, &s.g, dx, out)
        else:
            memset(out, 0, ny * sizeof(double))
        multiply(ny, nx, w + s.c, dx, 1.0, out)
        multiply(ny, nx, v + s.c, x, 1.0, out)
        if s.feedthrough:
            multiply(ny, s.nu, v + s.d, now, 1.0, out)
        if s.offset:
            add(ny, v + s.o, out)
        if bent:
            out = d2y + k * ny
            memset(out, 0, ny * sizeof(double))
            if s.g.net != NULL:
                second(s, &s.g, d2x, out, more)
            multiply(ny, nx, w + s.c, d2x, 1.0, out)
            multiply(ny, nx, v + s.c, dx, 2.0, out)

        memset(next_dx, 0, 2 * nx * sizeof(double))
        if s.f.net != NULL:
            evaluate(s, &s.f, x, now, keep)
            first(s, &s.f, dx, next_dx)
            if bent:
                second(s, &s.f, d2x, next_d2x, more)
        if s.linear:
            multiply(nx, nx, w, dx, 1.0, next_dx)
            multiply(nx, nx, v, x, 1.0, next_dx)
            multiply(nx, s.nu, v + s.b, now, 1.0, next_dx)
            if bent:
                multiply(nx, nx, w, d2x, 1.0, next_d2x)
                multiply(nx, nx, v, dx, 2.0, next_d2x)
        memcpy(dx, next_dx, nx * sizeof(double))
        if bent:
            memcpy(d2x, next_d2x, nx * sizeof(double))


cdef void carry_back(System *s, Map *m, const double *eps, double *out,
                     double *gradient) noexcept nogil:
    """Add what eps gives back to x to out, and to the network's weights to gradient."""
    cdef Py_ssize_t total = m.net.w_offset[m.net.depth + 1]
    memset(m.g, 0, total * sizeof(double))
    sweep.backward(m.net, m.w, 1, eps, m.work, m.g)
    add(s.nx, m.g, out)
    if gradient != NULL:
        add(total - m.nz, m.g + m.nz, gradient)


cdef void adjoint(System *s, const double *w, Py_ssize_t c, const double *u,
                  const double *states, const double *eps, double *lam, double *gradient,
                  double *buffer) noexcept nogil:
    """From lambda after c steps to that before them; add to the gradient (n,).  buffer: nx."""
    cdef Py_ssize_t k, nx = s.nx, ny = s.ny
    cdef const double *x
    cdef const double *now
    cdef const double *e
    open_weights(s, w)
    for k in range(c - 1, -1, -1):
        x = states + k * nx
        now = u + k * s.nu
        e = eps + k * ny
        memset(buffer, 0, nx * sizeof(double))
        if s.linear:
            outer(nx, nx, lam, x, gradient)
            outer(nx, s.nu, lam, now, gradient + s.b)
            multiply_back(nx, nx, w, lam, buffer)
        if s.f.net != NULL:
            evaluate(s, &s.f, x, now, 1)
            carry_back(s, &s.f, lam, buffer, gradient + s.f_at)
        outer(ny, nx, e, x, gradient + s.c)
        if s.feedthrough:
            outer(ny, s.nu, e, now, gradient + s.d)
        if s.offset:
            add(ny, e, gradient + s.o)
        multiply_back(ny, nx, w + s.c, e, buffer)
        if s.g.net != NULL:
            evaluate(s, &s.g, x, now, 1)
            carry_back(s, &s.g, e, buffer, gradient + s.g_at)
        memcpy(lam, buffer, nx * sizeof(double))


cdef void bend_back(System *s, Map *m, const double *dx, const double *eps, const double *deps,
                    double *back, double *dback, double *out) noexcept nogil:
    """carry_back of eps to `back`, and its derivative along (dx, 0, v) and deps to dback and out."""
    cdef Py_ssize_t total = m.net.w_offset[m.net.depth + 1]
    memcpy(m.v, dx, s.nx * sizeof(double))
    memset(m.h, 0, total * sizeof(double))
    directional.hessian_product(m.net, m.w, m.v, 1, eps, m.zero, False, m.work, m.buffer, m.h)
    sweep.backward(m.net, m.w, 1, deps, m.work, m.h)
    add(s.nx, m.h, dback)
    add(total - m.nz, m.h + m.nz, out)
    carry_back(s, m, eps, back, NULL)


cdef void hessian_adjoint(System *s, const double *w, const double *v, Py_ssize_t c,
                          const double *u, const double *states, const double *dstates,
                          const double *eps, const double *deps, double *lam, double *dlam,
                          double *out, double *buffer) noexcept nogil:
    """The derivative of `adjoint` along v: add its gradient's to out (n,).  buffer: 2 nx."""
    cdef Py_ssize_t k, nx = s.nx, ny = s.ny
    cdef const double *x
    cdef const double *dx
    cdef const double *now
    cdef const double *e
    cdef const double *de
    cdef double *back = buffer
    cdef double *dback = buffer + nx
    open_weights(s, w)
    open_direction(s, v)
    for k in range(c - 1, -1, -1):
        x = states + k * nx
        dx = dstates + k * nx
        now = u + k * s.nu
        e = eps + k * ny
        de = deps + k * ny
        memset(back, 0, 2 * nx * sizeof(double))
        if s.linear:
            outer(nx, nx, dlam, x, out)
            outer(nx, nx, lam, dx, out)
            outer(nx, s.nu, dlam, now, out + s.b)
            multiply_back(nx, nx, w, lam, back)
            multiply_back(nx, nx, w, dlam, dback)
            multiply_back(nx, nx, v, lam, dback)
        if s.f.net != NULL:
            evaluate(s, &s.f, x, now, 2)
            bend_back(s, &s.f, dx, lam, dlam, back, dback, out + s.f_at)
        outer(ny, nx, de, x, out + s.c)
        outer(ny, nx, e, dx, out + s.c)
        if s.feedthrough:
            outer(ny, s.nu, de, now, out + s.d)
        if s.offset:
            add(ny, de, out + s.o)
        multiply_back(ny, nx, w + s.c, e, back)
        multiply_back(ny, nx, w + s.c, de, dback)
        multiply_back(ny, nx, v + s.c, e, dback)
        if s.g.net != NULL:
            evaluate(s, &s.g, x, now, 2)
            bend_back(s, &s.g, dx, e, de, back, dback, out + s.g_at)
        memcpy(lam, back, nx * sizeof(double))
        memcpy(dlam, dback, nx * sizeof(double))

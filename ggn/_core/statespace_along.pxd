"""Derivatives of a state-space model along a direction, and backward; see statespace_along.pyx."""

from ggn._core.statespace cimport System

cdef void tangent(System *s, const double *w, const double *v, Py_ssize_t c, const double *u,
                  const double *states, double *dx, double *d2x, double *dstates, double *dy,
                  double *d2y, double *buffer) noexcept nogil
cdef void adjoint(System *s, const double *w, Py_ssize_t c, const double *u,
                  const double *states, const double *eps, double *lam, double *gradient,
                  double *buffer) noexcept nogil
cdef void hessian_adjoint(System *s, const double *w, const double *v, Py_ssize_t c,
                          const double *u, const double *states, const double *dstates,
                          const double *eps, const double *deps, double *lam, double *dlam,
                          double *out, double *buffer) noexcept nogil

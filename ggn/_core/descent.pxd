"""The state of one small fit; see descent.pyx."""

from ggn._core.point cimport Point

# Why `advance` came back: to be called again, for Python to decide at this point, or at the end.
cdef enum:
    AGAIN, LEVEL, CALL, UNDECIDED, GRADIENT, STEP, LOSS, TARGET, MAX_ITER, MAX_SECONDS,
    SINGULAR, OVERFLOW

cdef enum:
    COLUMNS_OF_HISTORY = 7

# A dict of Python's: its keys are these.
cdef struct Numbers:
    # the problem
    double loss, p, scale, epsilon, share, constant, penalised, step, form, standard, k, sy
    # limits, and the constants of those who own them
    double max_iter, tol, target, seconds, most_damping, negligible, roundings, blind, nearer
    double little, enough, decrease, acceleration, refits
    # the run
    double phase, flipped, elapsed, slice, rows, level, J, best_J, first_J, mu, increase
    double nit, nfev, njev, damping, moved, gain, residual, norm, seen, told, converged, otherwise, best_nit, late, anew

cdef void open_run(Point *at, const Numbers *n, const double *x, const double *y) noexcept nogil
cdef int advance(Point *at, Numbers *n, double *history, Py_ssize_t most_rows) noexcept nogil

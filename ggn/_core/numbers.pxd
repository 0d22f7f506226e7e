"""What is told of a small fit before it begins, and asked after: limits, constants, counters."""

# A dict of Python's: its keys are these.
cdef struct Numbers:
    # the problem
    double loss, p, scale, epsilon, share, constant, penalised, step, form, standard, k, sy
    # limits, and the constants of those who own them
    double max_iter, tol, target, seconds, most_damping, negligible, roundings, blind, nearer
    double little, enough, decrease, acceleration, refits, least_mu, largest_mu, most_mu, misses
    # the run
    double phase, flipped, elapsed, slice, rows, level, J, best_J, first_J, mu, increase
    double nit, nfev, njev, damping, moved, gain, residual, norm, seen, told, converged, otherwise, best_nit, late, anew, unproved

"""A trial of a small fit: its J, and what the model says of it; and another mu, where that helps.

What `ggn.fit.run.Run` and `ggn.fit.reach` decide, in the same order, without Python; they own
the constants.
"""

from libc.math cimport fabs, sqrt

from ggn._core.lengths cimport dot, scaled_square
from ggn._core.numbers cimport Numbers
from ggn._core.point cimport Point, accelerate, evaluate, gradient, refit, solve


cdef void refitted(Point *at, Numbers *n, double *J) noexcept nogil:
    """Run.refitted: take the weights in d, with another output layer, if J is less there."""
    cdef double least = evaluate(at, at.d, at.other)
    cdef double *better = at.d
    cdef Py_ssize_t i
    n.nfev += 1
    if least < J[0]:
        at.d, at.trial, J[0] = at.trial, better, least
    else:
        evaluate(at, at.trial, at.other)  # for the sweep
    for i in range(at.N):
        at.d[i] = at.w[i] - at.trial[i]


cdef double promise(const Point *at, double mu) noexcept nogil:
    """Run.promise: the fall that a full step promises."""
    return 0.5 * (dot(at.N, at.gradient, at.d) + mu * scaled_square(at.N, at.scale, at.d))


cdef double attempt(Point *at, Numbers *n, double mu, double *J) noexcept nogil:
    """Run.attempt: the trial, its J, and what the model says of it."""
    cdef double predicted = promise(at, mu), square = scaled_square(at.N, at.scale, at.d)
    cdef Py_ssize_t i
    if n.acceleration > 0.0:
        accelerate(at)
        if 4.0 * scaled_square(at.N, at.scale, at.a) <= n.acceleration * n.acceleration * square:
            for i in range(at.N):
                at.d[i] += 0.5 * at.a[i]
    for i in range(at.N):
        at.trial[i] = at.w[i] - at.d[i]
    n.nfev += 1
    J[0] = evaluate(at, at.trial, at.other)
    if n.refits != 0.0 and refit(at, mu):
        refitted(at, n, J)
    return predicted


cdef bint gradient_falls(Point *at, const Numbers *n, double J, double seen) noexcept nogil:
    """Run.gradient_falls; the trial's sweep is in `other`."""
    cdef double before = 0.0, after = 0.0, x
    cdef Py_ssize_t i
    if n.J - J < -seen or J > n.first_J:
        return False
    gradient(at, at.trial, at.other, at.a)
    for i in range(at.N):
        x = at.a[i] / at.scale[i]
        after += x * x
        x = at.gradient[i] / at.scale[i]
        before += x * x
    return sqrt(after) < n.nearer * sqrt(before)


cdef bint moves(const Point *at) noexcept nogil:
    """Whether the trial is another point."""
    cdef Py_ssize_t i
    for i in range(at.N):
        if at.w[i] != at.trial[i]:
            return True
    return False


cdef void found(Numbers *n, double mu) noexcept nogil:
    """Nielsen.find."""
    n.mu, n.increase = mu, 2.0


cdef void find_at_start(Point *at, Numbers *n, double *J, double *predicted) noexcept nogil:
    """reach.find_at_start: the best of trials by decades down, where the first promises little."""
    cdef double best = n.mu, least = J[0], mu = n.mu
    cdef double value = J[0], promised = predicted[0]
    cdef double misses = 0.0, last = n.mu
    if predicted[0] > n.late * fabs(n.J):
        return
    while mu > n.least_mu and misses < n.misses:
        mu *= 0.1
        if not solve(at, mu):
            break
        last = mu
        promised = attempt(at, n, mu, &value)
        misses += 1.0
        if value < least and n.J - value > n.enough * promised:
            best, least, misses = mu, value, 0.0
    if best != last:  # once more, as nothing was kept of it
        value = n.nfev
        solve(at, best)
        predicted[0] = attempt(at, n, best, J)
        n.nfev = value
    else:
        J[0], predicted[0] = value, promised
    if best != n.mu:
        found(n, best)


cdef bint find_before_the_end(Point *at, Numbers *n, double seen, double came, double *J,
                              double *predicted) noexcept nogil:
    """reach.find_before_the_end: whether there is a mu by which J falls visibly; its trial."""
    cdef double first = min(n.mu, n.most_mu), factor = 0.1, mu = first
    while True:
        mu = factor * mu
        if not n.least_mu < mu < n.largest_mu:
            if factor > 1.0:
                break
            mu, factor = first, 10.0
            continue
        if not solve(at, mu) or promise(at, mu) <= seen:
            if mu > first:
                break  # more damping promises less
            continue
        predicted[0] = attempt(at, n, mu, J)
        if n.J - J[0] > seen and n.J - J[0] > n.enough * predicted[0]:
            found(n, mu)
            return True
    if n.mu != came:
        found(n, came)
    return False

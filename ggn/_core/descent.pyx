"""The training loop of a small fit: `ggn.fit.train._loop` under Levenberg-Marquardt, without Python.

The same decisions in the same order as `ggn.fit.run.Run` and `ggn.damping.Nielsen`, who own
their constants and hand them over; a test compares the two paths.  Gradient and step norms of
the history are in the units of the caller,

    W_1' = W_1 / s, its dummy row less m W_1, W_L' = s_y W_L    for steps,

transposed, and times k, for gradients.
"""

from libc.math cimport NAN, fabs, isfinite, sqrt
from libc.string cimport memcpy

from ggn._core.clock cimport ggn_seconds
from ggn._core.lengths cimport dot, length, scaled_square
from ggn._core.net cimport Net, fan_in
from ggn._core.numbers cimport Numbers
from ggn._core.point cimport Point, begin, evaluate, prepare, rounding, solve
from ggn._core.trial cimport (
    attempt, find_at_start, find_before_the_end, gradient_falls, moves
)

cdef enum:  # where a run is to go on
    START, ARRIVE, ARRIVED, SETTLE


cdef void open_run(Point *at, const Numbers *n, const double *x, const double *y) noexcept nogil:
    """The problem of a point whose memory has been laid out."""
    at.x, at.y = x, y
    at.loss.code, at.loss.p, at.loss.scale = <int>n.loss, n.p, n.scale
    at.loss.epsilon = n.epsilon
    at.share, at.shares = n.share, NULL if n.share == n.share else at.own_shares
    at.constant, at.penalised = n.constant, n.penalised != 0.0
    if n.flipped != 0.0:
        at.work, at.other = at.other, at.work


cdef double given_length(const Point *at, const Numbers *n, const double *x,
                         bint of_gradient) noexcept nogil:
    """||x|| in the caller's units, x a step or a gradient; a is overwritten."""
    cdef const Net *net = at.net
    cdef Py_ssize_t i, u, a, n0 = net.width[0], m = fan_in(net, 1)
    cdef double *y = at.a
    cdef double *row
    if n.standard == 0.0:
        return length(at.N, x)
    for i in range(at.N):
        y[i] = x[i] * (n.k if of_gradient else 1.0)
        if of_gradient and not isfinite(x[i]):
            return length(at.N, x)
    for i in range(net.w_offset[net.depth], at.N):
        y[i] = x[i] * (n.k / n.sy if of_gradient else 1.0)
    for u in range(net.width[1]):
        row = y + u * m
        for a in range(n0):
            if of_gradient:
                row[a] *= at.stretch[a]
            else:
                row[a] /= at.stretch[a]
            if at.shift[a] != 0.0:  # there is a dummy unit
                if of_gradient:
                    row[a] += at.shift[a] * row[n0]
                else:
                    row[n0] -= at.shift[a] * row[a]
    if not of_gradient:
        for i in range(net.w_offset[net.depth], at.N):
            y[i] *= n.sy
    return length(at.N, y)


cdef void record(Point *at, Numbers *n, double *row) noexcept nogil:
    """A row of the history."""
    n.norm, n.seen = given_length(at, n, at.gradient, True), n.elapsed
    row[0], row[1], row[2], row[3], row[4] = n.k * n.J, n.norm, n.damping, n.moved, n.gain
    row[5], row[6] = n.residual, n.elapsed
    n.rows += 1


cdef int arrive(const Point *at, const Numbers *n) noexcept nogil:
    """Run.arrive: why to stop here."""
    cdef double small = 2.0 * fabs(n.J) * (n.tol * n.tol)
    cdef Py_ssize_t i
    if not isfinite(n.norm) and not isfinite(dot(at.N, at.gradient, at.gradient)):
        return OVERFLOW
    if n.k * n.J <= n.target:
        return TARGET
    if n.converged != 0.0:
        return <int>n.converged
    if n.tol > 0.0:
        for i in range(at.N):
            if not at.gradient[i] * at.gradient[i] <= small * at.diagonal[i]:
                break
        else:
            return GRADIENT
    if n.nit >= n.max_iter:
        return MAX_ITER
    return MAX_SECONDS if n.seen > n.seconds else AGAIN


cdef void settle(Numbers *n) noexcept nogil:
    """The rest of Run.settled."""
    n.converged = STEP if n.k * n.J <= n.negligible * n.level else n.otherwise


cdef int accept(Point *at, Numbers *n, double J, double predicted, bint nearer) noexcept nogil:
    """Run.accept, small and settled."""
    cdef double actual = n.J - J, square = n.tol * n.tol, small = square * fabs(n.J)
    cdef bint little = True
    cdef Py_ssize_t i
    if not isfinite(J):
        return OVERFLOW
    n.damping, n.moved, n.residual = n.mu, given_length(at, n, at.d, False), 0.0
    n.gain = actual / predicted if predicted != 0.0 else NAN
    memcpy(at.w, at.trial, at.N * sizeof(double))
    memcpy(at.before, at.d, at.N * sizeof(double))
    at.work, at.other = at.other, at.work
    n.flipped = 1.0 - n.flipped
    n.J = J
    n.nit += 1
    if nearer or J <= n.best_J:
        memcpy(at.best, at.w, at.N * sizeof(double))
        n.best_J, n.best_nit = J, n.nit
    if n.tol == 0.0:
        for i in range(at.N):
            little = little and at.d[i] == 0.0
    else:
        little = (scaled_square(at.N, at.scale, at.d)
                  <= square * scaled_square(at.N, at.scale, at.w))
    n.otherwise = LOSS if fabs(actual) <= small and predicted <= small else 0
    n.converged = n.otherwise
    if not little:
        return AGAIN
    if max(fabs(actual), predicted) <= n.little * fabs(J):
        n.converged = STEP
        return AGAIN
    if n.level != n.level:
        n.phase = SETTLE
        return LEVEL
    settle(n)
    return AGAIN


cdef void reject(Numbers *n) noexcept nogil:
    """Nielsen.reject."""
    n.mu *= n.increase
    n.increase *= 2.0


cdef int take(Point *at, Numbers *n, double J, double predicted) noexcept nogil:
    """Nielsen.accept, and Run.accept."""
    cdef double gain = max(min((n.J - J) / predicted, 1.0), 0.0) if predicted > 0.0 else 1.0
    cdef int status = accept(at, n, J, predicted, False)
    gain = 2.0 * gain - 1.0
    n.mu *= max(n.decrease, 1.0 - gain * gain * gain)
    n.increase = 2.0
    return status


cdef int iterate(Point *at, Numbers *n) noexcept nogil:
    """Trials from the point prepared, until one is taken."""
    cdef double predicted, actual, J, mu, came = n.mu, seen = NAN
    while True:
        if not solve(at, n.mu):
            if not n.mu < n.most_damping:
                return SINGULAR
            reject(n)
            continue
        predicted = attempt(at, n, n.mu, &J)
        if n.late > 0.0:
            find_at_start(at, n, &J, &predicted)
            n.late = 0.0
        mu, actual = n.mu, n.J - J
        if not (predicted > n.blind * fabs(n.J) and actual > 0.0):  # Run.beyond_rounding
            if seen != seen:
                seen = n.roundings * rounding(at, n.J)
            if actual < predicted <= seen:
                if gradient_falls(at, n, J, seen):
                    return accept(at, n, J, predicted, True)
                break
        if actual > n.enough * predicted:  # Nielsen.judge
            return take(at, n, J, predicted)
        reject(n)
        if not mu < n.most_damping:  # Run.stuck
            return OVERFLOW
        if not moves(at):
            break
    if seen != seen:
        seen = n.roundings * rounding(at, n.J)
    if find_before_the_end(at, n, seen, came, &J, &predicted):
        return take(at, n, J, predicted)
    return PRECISION


cdef void restart(Point *at, Numbers *n) noexcept nogil:
    """Begin at w; where J is Python's, it is ours from now on, as it is where a fit is gone on with."""
    cdef bint best = n.best_J == n.J
    cdef double J
    begin(at)
    J = evaluate(at, at.w, at.work)
    if n.anew != 0.0:
        n.J = J
        n.best_J = J if best else n.best_J
        n.first_J = J if n.nit == 0.0 else n.first_J
    n.phase = ARRIVE


cdef int advance(Point *at, Numbers *n, double *history, Py_ssize_t most_rows) noexcept nogil:
    """Go on until the run ends, n.slice seconds are over, or the rows of history are used up."""
    cdef double begun = ggn_seconds() - n.elapsed, end = n.elapsed + n.slice
    cdef int status
    n.rows = 0.0
    if n.phase == START:
        restart(at, n)
        if n.unproved != 0.0 and not isfinite(n.J):
            return BAD_START
    elif n.phase == SETTLE:
        settle(n)
        n.phase = ARRIVE
    while True:
        if n.phase == ARRIVE:
            if n.rows >= most_rows or n.elapsed > end:
                return AGAIN
            n.njev += 1
            prepare(at)
            n.elapsed = ggn_seconds() - begun
            record(at, n, history + COLUMNS_OF_HISTORY * <Py_ssize_t>n.rows)
            if n.nit > n.told:
                n.phase = ARRIVED
                return CALL
        n.phase = ARRIVE
        status = arrive(at, n)
        if status == AGAIN:
            status = iterate(at, n)
        if status != AGAIN:
            return status

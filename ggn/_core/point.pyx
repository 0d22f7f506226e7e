"""J, its gradient and the damped step at one point of a small fit; the legend is in point.pxd.

What `ggn.linearization` and `ggn.steps` do in any size, by the same kernels in the same order,
here without Python.  Memory is laid out once.
"""

from libc.math cimport fabs, sqrt
from libc.string cimport memcpy, memset

from ggn._core cimport directional, kernel, normal, output_layer, scatter, solve as damped, sweep
from ggn._core.blas cimport syrk_n
from ggn._core.flush cimport ggn_enter, ggn_leave
from ggn._core.loss_loops cimport (
    ggn_loss_root, ggn_loss_slopes, ggn_loss_spare, ggn_loss_value, ggn_sum
)
from ggn._core.net cimport Net, a_block, chunk_size

cdef enum:
    LINE = 8  # doubles of a cache line
cdef double EPS = 2.220446049250313e-16


cdef inline double *take(double **memory, Py_ssize_t doubles) noexcept nogil:
    """So many doubles, which begin where the memory before them ends."""
    cdef double *here = memory[0]
    memory[0] += (doubles + LINE - 1) // LINE * LINE
    return here


cdef Py_ssize_t place(Point *at, const Net *net, Py_ssize_t c, int step, int form,
                      double *memory) noexcept nogil:
    """Lay out memory, which may be NULL to count only; return the doubles that are needed."""
    cdef Py_ssize_t N = net.w_offset[net.depth + 1], nl = net.width[net.depth], k = nl * c
    cdef Py_ssize_t n = k if step == DUAL else N, inputs = net.a_offset[net.depth]
    cdef Py_ssize_t full = k * nl if form == 2 else k, size = chunk_size(net, c, nl)
    cdef double *next = memory
    at.net, at.c, at.N, at.nl, at.k, at.step, at.form = net, c, N, nl, k, step, form
    at.w, at.best, at.trial = take(&next, N), take(&next, N), take(&next, N)
    at.d, at.a, at.gradient = take(&next, N), take(&next, N), take(&next, N)
    at.diagonal, at.scale, at.l2 = take(&next, N), take(&next, N), take(&next, N)
    at.before = take(&next, N)
    at.fixed, at.largest = take(&next, inputs), take(&next, inputs)
    at.inputs = take(&next, inputs)
    at.units = take(&next, net.z_offset[net.depth + 1])
    at.shift, at.stretch = take(&next, net.width[0]), take(&next, net.width[0])
    at.own_shares = take(&next, c)
    at.eps, at.r, at.u = take(&next, k), take(&next, k), take(&next, k)
    at.h, at.s = take(&next, full), take(&next, full)
    at.spare = take(&next, ggn_loss_spare(nl, c))
    at.work, at.other = take(&next, size), take(&next, size)
    at.system, at.factor = take(&next, n * n), take(&next, n * n)
    size = directional.tangent_size(net, c)
    if step == DUAL:
        size = max(size, kernel.kernel_size(net, c))
    elif step == COLUMNS:
        size = max(size, N * k)
    size = max(size, output_layer.sums_size(net, form != 0)
               + max(output_layer.add_size(net, c), output_layer.solve_size(net)))
    at.buffer = take(&next, size)
    size = normal.normal_size(net, form) if step == BLOCKS else 0
    at.sums = take(&next, size)
    at.tile = take(&next, normal.tile_size(net, c) if step == BLOCKS else 0)
    at.hpsi = take(&next, normal.weighted_size(net, c, form) if step == BLOCKS else 0)
    return next - memory


cdef void begin(Point *at) noexcept nogil:
    """Write what does not change from point to point."""
    cdef Py_ssize_t i
    if at.form == 0:
        for i in range(at.k):
            at.s[i] = sqrt(at.constant)


cdef const double *forward(Point *at, const double *w, double *work, int keep) noexcept nogil:
    """The outputs at w, (nl, c)."""
    mode = ggn_enter(False)
    sweep.forward(at.net, 0, w, at.c, at.x, work, keep)
    ggn_leave(mode)
    return a_block(at.net, at.net.depth, at.c, work)


cdef double evaluate(Point *at, const double *w, double *work) noexcept nogil:
    """J(w); work keeps the sweep, and a is overwritten."""
    cdef const double *f = forward(at, w, work, 1)
    cdef double penalty = 0.0
    cdef Py_ssize_t i
    if at.penalised:
        for i in range(at.N):
            at.a[i] = at.l2[i] * w[i] * w[i]
        penalty = ggn_sum(at.N, at.a)
    return penalty + ggn_loss_value(&at.loss, at.nl, at.c, f, at.y, at.share, at.shares, at.spare)


cdef void slopes(Point *at, const double *work, double *h) noexcept nogil:
    """eps, and h unless it is NULL, for the outputs in work."""
    ggn_loss_slopes(&at.loss, at.nl, at.c, a_block(at.net, at.net.depth, at.c, work), at.y,
                    at.share, at.shares, at.eps, h, at.spare)


cdef void back(Point *at, const double *w, const double *eps, double *work,
               double *out) noexcept nogil:
    """out = P eps."""
    memset(out, 0, at.N * sizeof(double))
    mode = ggn_enter(False)
    sweep.backward(at.net, w, at.c, eps, work, out)
    ggn_leave(mode)


cdef void gradient(Point *at, const double *w, double *work, double *out) noexcept nogil:
    """out = the gradient of J at w, whose sweep is in work; eps is left, too."""
    cdef Py_ssize_t i
    slopes(at, work, NULL)
    back(at, w, at.eps, work, out)
    for i in range(at.N if at.penalised else 0):
        out[i] += 2.0 * at.l2[i] * w[i]


cdef void root(Point *at, double *r) noexcept nogil:
    """S, and S^+ eps unless r is NULL."""
    cdef Py_ssize_t i
    if at.form == 0:
        if r != NULL:
            for i in range(at.k):
                r[i] = at.eps[i] / at.s[i]
        return
    ggn_loss_root(&at.loss, at.nl, at.c, a_block(at.net, at.net.depth, at.c, at.work), at.y,
                  at.share, at.shares, at.s, r, at.spare)


cdef void assemble(Point *at) noexcept nogil:
    """G without the penalty, lower triangle."""
    cdef const Net *net = at.net
    cdef Py_ssize_t c = at.c
    if at.step == COLUMNS:
        root(at, NULL)
        memset(at.system, 0, at.N * at.N * sizeof(double))
        mode = ggn_enter(False)
        sweep.sensitivities(net, at.w, c, at.s, max(at.form, 1), at.work)
        sweep.jacobian(net, c, at.work, at.buffer, at.k)
        syrk_n(at.N, at.k, 1.0, at.buffer, at.k, 1.0, at.system, at.N)
    else:
        mode = ggn_enter(False)
        sweep.sensitivities(net, at.w, c, NULL, 0, at.work)
        if at.form:
            normal.weigh(net, c, at.h, at.form, at.work, at.hpsi)
        normal.accumulate(net, c, at.h, at.form, at.work, at.hpsi, at.tile, 0.0, at.sums)
        scatter.scatter(net, at.form, at.constant if at.form == 0 else 1.0, at.sums, at.system,
                        0, 1)
    ggn_leave(mode)


cdef void prepare(Point *at) noexcept nogil:
    """Gradient, system, diagonal and metric at w, whose forward sweep is in work."""
    cdef const Net *net = at.net
    cdef Py_ssize_t i, j, o, size
    cdef bint idle
    slopes(at, at.work, at.h if at.form and at.step == BLOCKS else NULL)
    back(at, at.w, at.eps, at.work, at.gradient)
    if at.step == DUAL:
        root(at, at.r)
        memset(at.diagonal, 0, at.N * sizeof(double))
        mode = ggn_enter(False)
        sweep.sensitivities(net, at.w, at.c, at.s, max(at.form, 1), at.work)
        kernel.diagonal(net, at.c, at.work, at.buffer, at.diagonal)
        ggn_leave(mode)
    else:
        assemble(at)
        for i in range(at.N):
            if at.penalised:
                at.system[i * at.N + i] += 2.0 * at.l2[i]
                at.gradient[i] += 2.0 * at.l2[i] * at.w[i]
            at.diagonal[i] = fabs(at.system[i * at.N + i])
    mode = ggn_enter(False)
    damped.metric(net, at.diagonal, at.fixed, at.largest, at.scale)
    ggn_leave(mode)
    if at.step != DUAL:
        return
    factor_scale(at)
    memset(at.system, 0, at.k * at.k * sizeof(double))
    mode = ggn_enter(False)
    kernel.scale(net, at.c, at.units, at.inputs, at.work, at.buffer)
    for i in range(1, net.depth + 1):
        kernel.gram(net, i, at.c, 0, at.c, at.buffer)
        kernel.add_rows(net, i, at.c, at.form == 2, 0, at.k, at.work, at.buffer, at.factor,
                        at.system)
    ggn_leave(mode)
    if at.form == 0:
        return
    size = at.nl if at.form == 2 else 1  # columns of B that a singular S makes zero
    for i in range(at.c):
        for o in range(at.nl):
            idle = True
            for j in range(size):
                idle = idle and at.s[((j * at.nl + o) if size > 1 else o) * at.c + i] == 0.0
            if idle:
                at.system[(o * at.c + i) * (at.k + 1)] = 1.0


cdef void substitute(Point *at, double *b, double *out) noexcept nogil:
    """Solve with the factor for out: b is a gradient, or residuals where the system is DUAL."""
    cdef Py_ssize_t i
    cdef double *x = out
    if at.step != DUAL:
        for i in range(at.N):
            out[i] = b[i] / at.scale[i]
    else:
        x = at.u
        memcpy(x, b, at.k * sizeof(double))
    mode = ggn_enter(False)
    damped.cholesky_solve(at.k if at.step == DUAL else at.N, at.factor, x)
    ggn_leave(mode)
    if at.step == DUAL:
        times(at, at.s, False, x, at.eps)
        back(at, at.w, at.eps, at.work, out)
        for i in range(at.N):
            out[i] /= at.scale[i]
    for i in range(at.N):
        out[i] /= at.scale[i]


cdef bint solve(Point *at, double mu) noexcept nogil:
    """d with this damping; whether it could be had."""
    cdef bint dual = at.step == DUAL
    cdef Py_ssize_t n = at.k if dual else at.N
    cdef int info
    mode = ggn_enter(False)
    damped.scale_rows(n, at.system, NULL if dual else at.scale, mu, 0, n, at.factor)
    info = damped.factor_block(n, at.factor, 0, n, 0, n)
    ggn_leave(mode)
    if info != 0:
        return False
    substitute(at, at.r if dual else at.gradient, at.d)
    return True


cdef void accelerate(Point *at) noexcept nogil:
    """a = (G + mu D^2)^-1 P H_E phi''[d, d] with the last factor; `other` is overwritten."""
    cdef Py_ssize_t i
    forward(at, at.w, at.other, 2)
    mode = ggn_enter(False)
    directional.tangent(at.net, at.w, at.d, at.c, True, at.other, at.buffer, at.u)
    ggn_leave(mode)
    if at.step == DUAL:
        times(at, at.s, True, at.u, at.h)  # a dual step has no other use for h
        substitute(at, at.h, at.a)
        return
    if at.form == 0:
        for i in range(at.k):
            at.eps[i] = at.constant * at.u[i]
    else:
        slopes(at, at.work, at.h)
        times(at, at.h, False, at.u, at.eps)
    back(at, at.w, at.eps, at.other, at.a)
    substitute(at, at.a, at.a)


cdef bint refit(Point *at, double mu) noexcept nogil:
    """Leave the trial with the output layer that is best under damping in d; if there is one."""
    cdef const Net *net = at.net
    cdef bint own = at.form != 0
    cdef double *sums = at.buffer
    cdef double *spare = sums + output_layer.sums_size(net, own)
    slopes(at, at.other, at.h if own else NULL)
    memset(sums, 0, output_layer.sums_size(net, own) * sizeof(double))
    mode = ggn_enter(False)
    output_layer.add(net, at.c, at.h if own else NULL, at.eps, at.other, spare, sums)
    own = output_layer.solve(net, own, 1.0 if own else at.constant, sums,
                             at.l2 if at.penalised else NULL, at.scale, mu, at.w, at.trial, spare,
                             at.d)
    ggn_leave(mode)
    return own


cdef double rounding(Point *at, double J) noexcept nogil:
    """How far J may be off by the rounding of the outputs; see `Objective.rounding`."""
    cdef const double *f = a_block(at.net, at.net.depth, at.c, at.work)
    cdef Py_ssize_t i, o, j
    cdef double first = 0.0, second = 0.0, h
    slopes(at, at.work, at.h if at.form else NULL)
    for o in range(at.nl):
        for i in range(at.c):
            j = o * at.c + i
            h = at.constant
            if at.form:
                h = at.h[o * (at.nl + 1) * at.c + i if at.form == 2 else j]
            first += fabs(at.eps[j] * f[j])
            second += h * f[j] * f[j]
    return EPS * fabs(J) + EPS * first + 0.5 * EPS * EPS * second

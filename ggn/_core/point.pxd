"""One point of a small fit: all of it in one piece of memory, all samples in one chunk.

Legend:
    c, N, nl, k    samples, weights, outputs, residuals (nl c)
    form           what H_E is: 0 one number, 1 diagonal, 2 full (see normal.pyx)
    step           whose system is solved: BLOCKS and COLUMNS of G, or DUAL
    d, a           the step, and what its second derivative adds
    work, other    forward sweeps (keep = 1) at the point, and at the trial
    eps, h, s, r   c_i grad E, c_i H_E, its root S, S^+ eps: one or more (nl, c) each
"""

from libc.string cimport memcpy, memset

from ggn._core.loss_loops cimport ggn_loss
from ggn._core.net cimport Net, fan_in

cdef enum:
    BLOCKS, COLUMNS, DUAL

cdef struct Point:
    const Net *net
    Py_ssize_t c, N, nl, k
    int step, form
    ggn_loss loss
    bint penalised
    double share, constant        # c_i where all are alike; alpha of form 0
    const double *shares          # c_i, or NULL
    const double *x
    const double *y
    double *w                     # N each
    double *best
    double *trial
    double *before
    double *d
    double *a
    double *gradient
    double *diagonal
    double *scale
    double *l2
    double *fixed                 # one per input of each layer
    double *largest
    double *inputs
    double *units                 # one per unit
    double *shift                 # one per input of the network
    double *stretch
    double *own_shares            # c
    double *eps
    double *h
    double *s
    double *r
    double *u
    double *spare
    double *work
    double *other
    double *system                # G (N, N) or K (k, k)
    double *factor
    double *buffer
    double *sums
    double *tile
    double *hpsi

cdef Py_ssize_t place(Point *at, const Net *net, Py_ssize_t c, int step, int form,
                      double *memory) noexcept nogil
cdef void begin(Point *at) noexcept nogil
cdef double evaluate(Point *at, const double *w, double *work) noexcept nogil
cdef void gradient(Point *at, const double *w, double *work, double *out) noexcept nogil
cdef void prepare(Point *at) noexcept nogil
cdef bint solve(Point *at, double mu) noexcept nogil
cdef void accelerate(Point *at) noexcept nogil
cdef bint refit(Point *at, double mu) noexcept nogil
cdef double rounding(Point *at, double J) noexcept nogil


cdef inline void factor_scale(Point *at) noexcept nogil:
    """D as a product over units and inputs of each layer."""
    cdef Py_ssize_t l, u, m
    cdef double *units = at.units
    cdef double *inputs = at.inputs
    cdef const double *D
    for l in range(1, at.net.depth + 1):
        m = fan_in(at.net, l)
        D = at.scale + at.net.w_offset[l]
        for u in range(at.net.width[l]):
            units[u] = D[u * m] / D[0]
        memcpy(inputs, D, m * sizeof(double))
        units += at.net.width[l]
        inputs += m


cdef inline void times(Point *at, const double *m, bint transposed, const double *u,
                double *out) noexcept nogil:
    """out = M u, or M^T u, per sample; M is diagonal or full as H_E is."""
    cdef Py_ssize_t i, j, o, p, c = at.c, nl = at.nl
    if at.form < 2:
        for i in range(at.k):
            out[i] = m[i] * u[i]
        return
    memset(out, 0, at.k * sizeof(double))
    for o in range(nl):
        for p in range(nl):
            for i in range(c):
                j = ((p * nl + o) if transposed else (o * nl + p)) * c + i
                out[o * c + i] += m[j] * u[p * c + i]

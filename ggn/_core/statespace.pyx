"""The recursion of a state-space model, and its sensitivities forward in time.

    x_{k+1} = A x + B u + f(x, u),    y = C x + D u + o + g(x, u)

Weights of the model are A, B, f's, C, D, o, g's, matrices row by row; those it has not are left
out.  With M_k = A + df/dx and H_k = C + dg/dx,

    S_{k+1} = M_k S_k + E_k,    dy_k/dw = H_k S_k + O_k

S the sensitivity of the state (nx, A B f's weights and the initial state), E and O the explicit
parts.  f and g are networks with a first layer more: their input is 1, and the weights of that
layer are z = (x, u), its activation the identity.  So what the kernels know of weights they know
of x and u.
"""

from libc.string cimport memcpy, memset

from ggn._core cimport directional, sweep
from ggn._core.matmul cimport gemm_nn, most_of_own
from ggn._core.net cimport a_block, back_block, chunk_size, fan_in

cdef double ONE = 1.0


cdef double *place_map(Map *m, Py_ssize_t nx, Py_ssize_t nu, double *memory) noexcept nogil:
    """Give a network its scratch; return what is left of memory."""
    cdef Py_ssize_t total
    if m.net == NULL:
        return memory
    m.nz = nx + nu
    m.outputs = m.net.width[m.net.depth]
    total = m.net.w_offset[m.net.depth + 1]
    m.w = memory
    m.v = m.w + total
    m.bend = m.v + total
    m.g = m.bend + total
    m.h = m.g + total
    m.zero = m.h + total
    m.work = m.zero + m.outputs
    m.buffer = m.work + chunk_size(m.net, 1, m.outputs)
    return m.buffer + max(directional.tangent_size(m.net, 1), directional.product_size(m.net, 1))


cdef Py_ssize_t place(System *s, double *memory) noexcept nogil:
    """Lay the scratch of both networks out in memory; return its doubles."""
    s.own = most_of_own(True)
    return place_map(&s.g, s.nx, s.nu, place_map(&s.f, s.nx, s.nu, memory)) - memory


cdef void open_map(Map *m, const double *w, double *into) noexcept nogil:
    cdef Py_ssize_t total
    if m.net != NULL:
        total = m.net.w_offset[m.net.depth + 1]
        memcpy(into + m.nz, w, (total - m.nz) * sizeof(double))


cdef void open_weights(System *s, const double *w) noexcept nogil:
    """Copy the networks' weights to where they stand behind z."""
    open_map(&s.f, w + s.f_at, s.f.w)
    open_map(&s.g, w + s.g_at, s.g.w)


cdef void clear_map(Map *m) noexcept nogil:
    if m.net != NULL:
        memset(m.bend, 0, m.net.w_offset[m.net.depth + 1] * sizeof(double))
        memset(m.v, 0, m.nz * sizeof(double))
        memset(m.zero, 0, m.outputs * sizeof(double))


cdef void open_direction(System *s, const double *v) noexcept nogil:
    """The same for a direction of the weights; what does not vary along it is zero."""
    clear_map(&s.f)
    clear_map(&s.g)
    open_map(&s.f, v + s.f_at, s.f.v)
    open_map(&s.g, v + s.g_at, s.g.v)


cdef const double *evaluate(System *s, Map *m, const double *x, const double *u,
                            int keep) noexcept nogil:
    """Return f(x, u) or g(x, u), and leave what `keep` asks for in work."""
    cdef Py_ssize_t j
    cdef double b = m.net.slope[0]  # subtracted from every net input
    for j in range(s.nx):
        m.w[j] = x[j] + b
    for j in range(s.nu):
        m.w[s.nx + j] = u[j] + b
    sweep.forward(m.net, 0, m.w, 1, &ONE, m.work, keep)
    return a_block(m.net, m.net.depth, 1, m.work)


cdef void outputs(System *s, const double *w, const double *x, const double *u, int keep,
                  double *y) noexcept nogil:
    """y of one step."""
    if s.offset:
        memcpy(y, w + s.o, s.ny * sizeof(double))
    else:
        memset(y, 0, s.ny * sizeof(double))
    multiply(s.ny, s.nx, w + s.c, x, 1.0, y)
    if s.feedthrough:
        multiply(s.ny, s.nu, w + s.d, u, 1.0, y)
    if s.g.net != NULL:
        add(s.ny, evaluate(s, &s.g, x, u, keep), y)


cdef void next_state(System *s, const double *w, double *x, const double *u, int keep,
                     double *buffer) noexcept nogil:
    """x becomes that of the next step; buffer has nx doubles."""
    memset(buffer, 0, s.nx * sizeof(double))
    if s.linear:
        multiply(s.nx, s.nx, w, x, 1.0, buffer)
        multiply(s.nx, s.nu, w + s.b, u, 1.0, buffer)
    if s.f.net != NULL:
        add(s.nx, evaluate(s, &s.f, x, u, keep), buffer)
    memcpy(x, buffer, s.nx * sizeof(double))


cdef void simulate(System *s, const double *w, Py_ssize_t c, const double *u, double *x,
                   double *states, double *y, double *buffer) noexcept nogil:
    """c steps from x on, which becomes the state after them; states (c, nx) or NULL, y (c, ny)."""
    cdef Py_ssize_t k
    open_weights(s, w)
    for k in range(c):
        if states != NULL:
            memcpy(states + k * s.nx, x, s.nx * sizeof(double))
        outputs(s, w, x, u + k * s.nu, 0, y + k * s.ny)
        next_state(s, w, x, u + k * s.nu, 0, buffer)


cdef void slopes(System *s, Map *m, const double *linear, double *out) noexcept nogil:
    """out (outputs, nx) = linear + the network's Jacobian in x; linear may be NULL."""
    cdef Py_ssize_t i, j, n = m.outputs
    cdef const double *psi
    if m.net == NULL:
        return
    sweep.sensitivities(m.net, m.w, 1, NULL, 0, m.work)
    psi = back_block(m.net, 1, n, 1, m.work)  # (nz, outputs)
    for i in range(n):
        for j in range(s.nx):
            out[i * s.nx + j] = psi[j * n + i] + (linear[i * s.nx + j] if linear != NULL else 0.0)


cdef void add_weights(const Map *m, double *p, Py_ssize_t ld) noexcept nogil:
    """Add the Jacobian in the network's weights to rows p (outputs, ...), from Psi and phi."""
    cdef Py_ssize_t l, o, i, a, n, fan
    cdef const double *psi
    cdef const double *phi
    cdef double *row
    cdef double slope
    for l in range(2, m.net.depth + 1):
        n = m.net.width[l]
        fan = fan_in(m.net, l)
        psi = back_block(m.net, l, m.outputs, 1, m.work)
        phi = a_block(m.net, l - 1, 1, m.work)
        for o in range(m.outputs):
            row = p + o * ld + m.net.w_offset[l] - m.nz
            for i in range(n):
                slope = psi[i * m.outputs + o]
                if slope != 0.0:
                    for a in range(fan):
                        row[i * fan + a] += slope * phi[a]


cdef void rows(System *s, const double *w, Py_ssize_t c, const double *u, double *x, double *S,
               double *y, double *p, double *buffer) noexcept nogil:
    """c steps from x and S on, which become those after them; y (c, ny), p = dy/dw.

    S is (nx, ns + nx), p (c, ny, n + nx): the last nx columns of both are the initial state's.
    buffer has nx (2 nx + ny + ns) doubles and nx more.
    """
    cdef Py_ssize_t k, i, j, nx = s.nx, ny = s.ny, ls = s.ns + nx, lp = s.n + nx
    cdef double *M = buffer
    cdef double *H = M + nx * nx
    cdef double *T = H + ny * nx
    cdef double *rest = T + nx * ls
    cdef double *row
    cdef const double *now
    cdef const double *m = w
    cdef const double *h = w + s.c
    open_weights(s, w)
    for k in range(c):
        now = u + k * s.nu
        row = p + k * ny * lp
        outputs(s, w, x, now, 1, y + k * ny)
        if s.g.net != NULL:
            slopes(s, &s.g, w + s.c, H)
            h = H
        memset(row, 0, ny * lp * sizeof(double))
        gemm_nn(s.own, ny, s.ns, nx, 1.0, h, nx, S, ls, 0.0, row, lp)
        gemm_nn(s.own, ny, nx, nx, 1.0, h, nx, S + s.ns, ls, 0.0, row + s.n, lp)
        for i in range(ny):
            memcpy(row + i * lp + s.c + i * nx, x, nx * sizeof(double))
            if s.feedthrough:
                memcpy(row + i * lp + s.d + i * s.nu, now, s.nu * sizeof(double))
            if s.offset:
                row[i * lp + s.o + i] = 1.0
        if s.g.net != NULL:
            add_weights(&s.g, row + s.g_at, lp)

        memcpy(T, x, nx * sizeof(double))  # x_k, while rest becomes x_{k+1}
        memcpy(rest, x, nx * sizeof(double))
        next_state(s, w, rest, now, 1, x)
        memcpy(x, T, nx * sizeof(double))
        if s.f.net != NULL:
            slopes(s, &s.f, w if s.linear else NULL, M)
            m = M
        gemm_nn(s.own, nx, ls, nx, 1.0, m, nx, S, ls, 0.0, T, ls)
        if s.linear:
            for i in range(nx):
                add(nx, x, T + i * ls + i * nx)
                add(s.nu, now, T + i * ls + s.b + i * s.nu)
        if s.f.net != NULL:
            add_weights(&s.f, T + s.f_at, ls)
        memcpy(S, T, nx * ls * sizeof(double))
        memcpy(x, rest, nx * sizeof(double))

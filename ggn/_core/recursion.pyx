"""Networks in a loop: outputs of a sample are inputs of later ones of the same window.

    o_i = F(w, z_i),   z_i = (o_{i - delay_a, output_a} for a < f;  what is given)
    F   = the sum of networks, each into its own range of outputs, and of L z

so derivatives in the weights, and in what outputs were before a window began, follow by

    S_i = dF/dw + sum_a A_i[:, a] S_{i - delay_a, output_a},     A_i = dF/dz_a, (k, f)

Legend:
    Z (T, n)    z of all samples, rows; simulate writes what is fed back
    O (T, k)    o of all samples
    A (c, k, f), rows (c, k, M >= N): of a chunk; rows holds dF/dw, and then S

Only the first sweep, `simulate`, goes sample by sample: windows that are many go in step, as
the samples of one sweep; one goes alone.  All others see z as data, chunk by chunk.
"""

from libc.string cimport memcpy, memset

from ggn._core cimport directional, sweep
from ggn._core.activation_loops cimport ggn_activations
from ggn._core.matmul cimport gemm_nt, gemm_tn
from ggn._core.net cimport Net, a_block, back_block, chunk_size, fan_in, widest
from ggn._core.recursion_loops cimport ggn_net_input, ggn_outer_rows
from ggn._core.rows cimport ggn_transpose

# Windows from which they go in step, and how many go in one sweep.
cdef enum:
    IN_STEP_FROM = 6
    IN_STEP = 128


cdef inline bint finite(Py_ssize_t n, const double *x) noexcept nogil:
    """Whether all are: a difference from itself is not 0 else."""
    cdef Py_ssize_t i
    cdef double total = 0.0
    for i in range(n):
        total += x[i] - x[i]
    return total == 0.0


cdef void feed(const Map *map, Py_ssize_t i, Py_ssize_t stop, double *Z,
               const double *O) noexcept nogil:
    """Write the outputs of sample i to where later samples of its window, up to stop, see them."""
    cdef Py_ssize_t a
    for a in range(map.f):
        if i + map.delay[a] < stop:
            Z[(i + map.delay[a]) * map.n + a] = O[i * map.k + map.output[a]]


# -- one window alone --------------------------------------------------------------------------


cdef Py_ssize_t alone_size(const Map *map) noexcept nogil:
    """Doubles of buffer: transposed weights, and the activations of two layers."""
    cdef Py_ssize_t p, most = map.k
    for p in range(map.parts):
        most = max(most, widest(map.net[p]))
    return map.N + 2 * most


cdef void transpose_weights(const Map *map, const double *w, double *wt) noexcept nogil:
    """W_l of all layers, where w has W_l^T."""
    cdef Py_ssize_t p, l, offset
    cdef const Net *net
    for p in range(map.parts):
        net = map.net[p]
        for l in range(1, net.depth + 1):
            offset = map.weight[p] + net.w_offset[l]
            ggn_transpose(net.width[l], fan_in(net, l), w + offset, wt + offset)
    if map.linear >= 0:
        ggn_transpose(map.k, map.n, w + map.linear, wt + map.linear)


cdef void one_sample(const Map *map, const double *w, const double *wt, const double *x,
                     double *out, double *buffer) noexcept nogil:
    """o of one sample."""
    cdef Py_ssize_t p, l, u, n, offset, room = (alone_size(map) - map.N) // 2
    cdef const Net *net
    cdef const double *below
    cdef double *above
    if map.linear >= 0:
        ggn_net_input(map.k, map.n, 0, 0.0, w + map.linear, wt + map.linear, x, out)
    else:
        memset(out, 0, map.k * sizeof(double))
    for p in range(map.parts):
        net = map.net[p]
        below = x
        for l in range(1, net.depth + 1):
            above = buffer + (l % 2) * room
            offset = map.weight[p] + net.w_offset[l]
            n = net.width[l]
            ggn_net_input(n, net.width[l - 1], <int>net.bias[l], net.slope[0], w + offset,
                          wt + offset, below, above)
            ggn_activations[net.code[l]](n, net.slope[l], above, above, NULL, NULL)
            below = above
        for u in range(net.width[net.depth]):
            out[map.row[p] + u] += below[u]


cdef bint alone(const Map *map, const double *w, const double *wt, Py_ssize_t first,
                Py_ssize_t stop, double *Z, double *O, double *buffer) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(first, stop):
        one_sample(map, w, wt, Z + i * map.n, O + i * map.k, buffer)
        if not finite(map.k, O + i * map.k):
            return False
        feed(map, i, stop, Z, O)
    return True


# -- many windows in step ----------------------------------------------------------------------


cdef Py_ssize_t in_step_size(const Map *map) noexcept nogil:
    """Doubles of buffer: z of a sweep, o, and the sweep's own."""
    cdef Py_ssize_t p, most = 0
    for p in range(map.parts):
        most = max(most, chunk_size(map.net[p], IN_STEP, 0))
    return IN_STEP * (map.n + map.k) + most


cdef void add_outputs(const Map *map, Py_ssize_t p, Py_ssize_t c, const double *work,
                      double *out) noexcept nogil:
    """out (c, k) += what part p has left in work."""
    cdef const Net *net = map.net[p]
    cdef const double *outputs = a_block(net, net.depth, c, work)
    cdef Py_ssize_t i, o
    for o in range(net.width[net.depth]):
        for i in range(c):
            out[i * map.k + map.row[p] + o] += outputs[o * c + i]


cdef bint in_step(const Map *map, const double *w, Py_ssize_t windows, const Py_ssize_t *first,
                  const Py_ssize_t *length, double *Z, double *O, double *buffer) noexcept nogil:
    """At most IN_STEP windows, the longest first."""
    cdef Py_ssize_t step, i, p, c = windows
    cdef double *x = buffer
    cdef double *out = x + IN_STEP * map.n
    cdef double *work = out + IN_STEP * map.k
    for step in range(length[0]):
        while length[c - 1] <= step:
            c -= 1
        for i in range(c):
            memcpy(x + i * map.n, Z + (first[i] + step) * map.n, map.n * sizeof(double))
        if map.linear >= 0:
            gemm_nt(0, c, map.k, map.n, x, map.n, w + map.linear, map.n, 0.0, out, map.k)
        else:
            memset(out, 0, c * map.k * sizeof(double))
        for p in range(map.parts):
            sweep.forward(map.net[p], 0, w + map.weight[p], c, x, work, 0)
            add_outputs(map, p, c, work, out)
        if not finite(c * map.k, out):
            return False
        for i in range(c):
            memcpy(O + (first[i] + step) * map.k, out + i * map.k, map.k * sizeof(double))
            feed(map, first[i] + step, first[i] + length[i], Z, O)
    return True


cdef Py_ssize_t simulate_size(const Map *map, Py_ssize_t windows) noexcept nogil:
    """Doubles of buffer for `simulate`."""
    return alone_size(map) if windows < IN_STEP_FROM else in_step_size(map)


cdef bint simulate(const Map *map, const double *w, Py_ssize_t windows, const Py_ssize_t *first,
                   const Py_ssize_t *length, double *Z, double *O, double *buffer) noexcept nogil:
    """Write O, and to Z what is fed back; return whether all is finite.

    Window j has the samples first_j ... first_j + length_j - 1, the longest window first.  In
    Z are, of what is fed back, the values from before a window began.
    """
    cdef Py_ssize_t j = 0
    if windows < IN_STEP_FROM:
        transpose_weights(map, w, buffer)
        for j in range(windows):
            if not alone(map, w, buffer, first[j], first[j] + length[j], Z, O, buffer + map.N):
                return False
        return True
    while j < windows:
        if not in_step(map, w, min(IN_STEP, windows - j), first + j, length + j, Z, O, buffer):
            return False
        j += IN_STEP
    return True


# -- derivatives, z being data -----------------------------------------------------------------


cdef Py_ssize_t sweep_size(const Map *map, Py_ssize_t c) noexcept nogil:
    """Doubles of buffer for the functions below."""
    cdef Py_ssize_t p, l, k, rows, most = 0, beside = map.k
    cdef const Net *net
    for p in range(map.parts):
        net = map.net[p]
        k = net.width[net.depth]
        most = max(most, chunk_size(net, c, k))
        beside = max(beside, k * max(map.f, 1))
        for l in range(1, net.depth + 1):
            beside = max(beside, fan_in(net, l))
        rows = directional.tangent_size(net, 1) + k
        beside = max(beside, rows)
    return most + beside * c


cdef void linearize(const Map *map, const double *w, Py_ssize_t c, const double *Z,
                    double *buffer, double *A, Py_ssize_t M, double *rows) noexcept nogil:
    """A of a chunk and, unless M is 0, dF/dw and zeros to rows."""
    cdef Py_ssize_t p, l, o, i, a, k, m, size, wide = map.k * M
    cdef const Net *net
    cdef double *work
    cdef double *spare
    cdef double *out
    if M:
        memset(rows, 0, c * wide * sizeof(double))
    memset(A, 0, c * map.k * map.f * sizeof(double))
    for p in range(map.parts):
        net = map.net[p]
        k = net.width[net.depth]
        size = chunk_size(net, c, k)
        work, spare = buffer, buffer + size
        sweep.forward(net, 0, w + map.weight[p], c, Z, work, 1)
        sweep.sensitivities(net, w + map.weight[p], c, NULL, 0, work)
        if map.f:
            gemm_tn(net.own, map.f, k * c, net.width[1], 1.0, w + map.weight[p], fan_in(net, 1),
                    back_block(net, 1, k, c, work), k * c, 0.0, spare, k * c)
        for a in range(map.f):
            for o in range(k):
                out = A + (map.row[p] + o) * map.f + a
                for i in range(c):
                    out[i * map.k * map.f] += spare[(a * k + o) * c + i]
        for l in range(1, net.depth + 1):
            if M == 0:
                break
            m = fan_in(net, l)
            ggn_transpose(m, c, a_block(net, l - 1, c, work), spare)
            for o in range(k):
                out = rows + (map.row[p] + o) * M + map.weight[p] + net.w_offset[l]
                ggn_outer_rows(c, net.width[l], m, k * c,
                               back_block(net, l, k, c, work) + o * c, spare, wide, out)
    if map.linear < 0:
        return
    for i in range(c):
        for o in range(map.k):
            for a in range(map.f):
                A[(i * map.k + o) * map.f + a] += w[map.linear + o * map.n + a]
            if M:
                memcpy(rows + i * wide + o * M + map.linear + o * map.n, Z + i * map.n,
                       map.n * sizeof(double))


cdef void carry_back(const Map *map, const double *w, Py_ssize_t c, const double *Z,
                     const double *lam, double *buffer, double *gradient) noexcept nogil:
    """Add sum_i dF/dw lambda_i of a chunk to gradient, lambda (c, k)."""
    cdef Py_ssize_t p, o, i, k
    cdef const Net *net
    cdef double *eps
    for p in range(map.parts):
        net = map.net[p]
        k = net.width[net.depth]
        eps = buffer + chunk_size(net, c, 1)
        for o in range(k):
            for i in range(c):
                eps[o * c + i] = lam[i * map.k + map.row[p] + o]
        sweep.forward(net, 0, w + map.weight[p], c, Z, buffer, 1)
        sweep.backward(net, w + map.weight[p], c, eps, buffer, gradient + map.weight[p])
    if map.linear >= 0:
        gemm_tn(0, map.k, map.n, c, 1.0, lam, map.k, Z, map.n, 1.0, gradient + map.linear, map.n)


cdef void carry_along(const Map *map, const double *w, const double *v, Py_ssize_t c,
                      const double *Z, double *buffer, double *out) noexcept nogil:
    """out (c, k) = dF/dw v of a chunk."""
    cdef Py_ssize_t p, o, i, k, size
    cdef const Net *net
    cdef double *u
    memset(out, 0, c * map.k * sizeof(double))
    for p in range(map.parts):
        net = map.net[p]
        k = net.width[net.depth]
        size = chunk_size(net, c, 1)
        u = buffer + size + directional.tangent_size(net, c)
        sweep.forward(net, 0, w + map.weight[p], c, Z, buffer, 1)
        directional.tangent(net, w + map.weight[p], v + map.weight[p], c, False, buffer,
                            buffer + size, u)
        for o in range(k):
            for i in range(c):
                out[i * map.k + map.row[p] + o] += u[o * c + i]
    if map.linear >= 0:
        gemm_nt(0, c, map.k, map.n, Z, map.n, v + map.linear, map.n, 1.0, out, map.k)

"""The kernel matrix S^T P^T D^-2 P S without P (Hadamard structure).

With D = p(u) q(a) for unit u and input a of each layer, and column (o, i),

    K = sum_l (Psi^T p^-2 Psi) o (Phi^T q^-2 Phi, repeated for all pairs of outputs),

o the elementwise product, Psi = Psi_l S as an (n_l, nL c) matrix: two small
Gram matrices a layer instead of one with all its weights as inner dimension,
which saves the factor n_{l-1}.  Where H_E is diagonal, Psi_L is too, and the
last layer needs the second Gram matrix alone.
"""

from libc.string cimport memset

from ggn._kernels.matmul cimport gemm_nt, gemm_tn, syrk_t
from ggn._kernels.net cimport Net, a_block, back_block, fan_in

# Rows of K that are formed at a time; up to this size in one piece.
cdef enum:
    TILE = 1024


cdef Py_ssize_t widest_layer(const Net *net) noexcept nogil:
    cdef Py_ssize_t l, widest = 0
    for l in range(1, net.depth + 1):
        widest = max(widest, max(fan_in(net, l), net.width[l]))
    return widest


cdef Py_ssize_t diagonal_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles of buffer that `diagonal` needs."""
    return 2 * widest_layer(net) * c


cdef Py_ssize_t kernel_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles of buffer that `kernel` needs; `diagonal` needs less."""
    cdef Py_ssize_t k = c * net.width[net.depth]
    return c * c + 2 * widest_layer(net) * c + min(k, TILE) * k


cdef void squares(const double *x, Py_ssize_t rows, Py_ssize_t repeat, Py_ssize_t n,
                  double *out) noexcept nogil:
    """out (rows, n) = sums over `repeat` rows of x^2."""
    cdef Py_ssize_t r, o, i
    memset(out, 0, rows * n * sizeof(double))
    for r in range(rows):
        for o in range(repeat):
            for i in range(n):
                out[r * n + i] += x[i] * x[i]
            x += n


cdef void diagonal(const Net *net, Py_ssize_t c, const double *work, double *buffer,
                   double *out) noexcept nogil:
    """Add the diagonal of the normal matrix: sum_i (sum_o Psi[u, o]^2) phi[a]^2."""
    cdef Py_ssize_t l, n, m, nl = net.width[net.depth]
    cdef double *inputs
    for l in range(1, net.depth + 1):
        n = net.width[l]
        m = fan_in(net, l)
        inputs = buffer + n * c
        squares(back_block(net, l, nl, c, work), n, nl, c, buffer)
        squares(a_block(net, l - 1, c, work), m, 1, c, inputs)
        gemm_nt(net.own, n, m, c, buffer, c, inputs, c, 1.0, out + net.w_offset[l], m)


cdef const double *scaled(const double *x, Py_ssize_t rows, Py_ssize_t n, const double *by,
                          double *out) noexcept nogil:
    """x (rows, n) with each row divided by its entry of `by`: in out, or x itself if all are 1."""
    cdef Py_ssize_t r, i
    cdef double f
    for r in range(rows):
        if by[r] != 1.0:
            break
    else:
        return x
    for r in range(rows):
        f = 1.0 / by[r]
        for i in range(n):
            out[r * n + i] = x[r * n + i] * f
    return out


cdef void multiply(const double *g, Py_ssize_t first, Py_ssize_t rows, Py_ssize_t ldg,
                   const double *gram, Py_ssize_t c, Py_ssize_t size, double *k) noexcept nogil:
    """Lower triangle of K += G o gram, rows [first, first + rows) of K."""
    cdef Py_ssize_t r, i, o, j, stop
    cdef const double *b
    for r in range(first, first + rows):
        b = gram + (r % c) * c
        for o in range(r // c + 1):
            stop = min(c, r + 1 - o * c)
            for j in range(stop):
                k[r * size + o * c + j] += g[(r - first) * ldg + o * c + j] * b[j]


cdef void multiply_outer(const double *psi, const double *gram, Py_ssize_t c, Py_ssize_t o,
                         Py_ssize_t size, double *k) noexcept nogil:
    """Diagonal block o of K += (psi psi^T) o gram: a diagonal Psi_L."""
    cdef Py_ssize_t i, j
    cdef double f
    for i in range(c):
        f = psi[i]
        for j in range(i + 1):
            k[(o * c + i) * size + o * c + j] += f * psi[j] * gram[i * c + j]


cdef void kernel(const Net *net, Py_ssize_t c, bint coupled, const double *units,
                 const double *inputs, double *work, double *buffer, double *k) noexcept nogil:
    """Add to the lower triangle of k (nL c, nL c); overwrites Psi in work.

    units and inputs hold p and q of all layers, one after the other; coupled
    says that S, and so Psi_L, is not diagonal.
    """
    cdef Py_ssize_t l, n, m, o, i, j, first, rows, nl = net.width[net.depth], size = nl * c
    cdef double *gram = buffer
    cdef double *copy = gram + c * c
    cdef double *g = copy + widest_layer(net) * c
    cdef double *psi
    cdef const double *phi
    for l in range(1, net.depth + 1):
        n = net.width[l]
        m = fan_in(net, l)
        psi = back_block(net, l, nl, c, work)
        phi = scaled(a_block(net, l - 1, c, work), m, c, inputs, copy)
        scaled(psi, n, size, units, psi)
        syrk_t(net.own, c, m, 1.0, phi, c, 0.0, gram, c)
        if nl > 1:  # pairs of different outputs need the upper triangle too
            for i in range(c):
                for j in range(i):
                    gram[j * c + i] = gram[i * c + j]
        if l == net.depth and not coupled:
            for o in range(nl):
                multiply_outer(psi + o * (size + c), gram, c, o, size, k)
        elif size <= TILE:
            syrk_t(net.own, size, n, 1.0, psi, size, 0.0, g, size)
            multiply(g, 0, size, size, gram, c, size, k)
        else:
            first = 0
            while first < size:
                rows = min(TILE, size - first)
                gemm_tn(net.own, rows, first + rows, n, 1.0, psi + first, size, psi, size, 0.0,
                        g, size)
                multiply(g, first, rows, size, gram, c, size, k)
                first += rows
        units += n
        inputs += m

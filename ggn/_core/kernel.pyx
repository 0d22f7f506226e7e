"""The kernel matrix S^T P^T D^-2 P S without P (Hadamard structure).

With D = p(u) q(a) for unit u and input a of each layer, and column (o, i),

    K = sum_l (Psi^T p^-2 Psi) o (Phi^T q^-2 Phi, repeated for all pairs of outputs),

o the elementwise product, Psi = Psi_l S as an (n_l, nL c) matrix: two small
Gram matrices a layer instead of one with all its weights as inner dimension,
which saves the factor n_{l-1}.  Where H_E is diagonal, Psi_L is too, and the
last layer needs the second Gram matrix alone.
"""

from libc.string cimport memset

from ggn._core.matmul cimport gemm_nt, gemm_tn, syrk_t
from ggn._core.net cimport Net, a_block, back_block, fan_in

cdef Py_ssize_t widest_layer(const Net *net) noexcept nogil:
    cdef Py_ssize_t l, widest = 0
    for l in range(1, net.depth + 1):
        widest = max(widest, max(fan_in(net, l), net.width[l]))
    return widest


cdef Py_ssize_t diagonal_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles of buffer that `diagonal` needs."""
    return 2 * widest_layer(net) * c


cdef Py_ssize_t kernel_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles of buffer for `scale` and `gram`: phi of all layers, scaled, and one Gram matrix."""
    cdef Py_ssize_t l, inputs = 0
    for l in range(1, net.depth + 1):
        inputs += fan_in(net, l)
    return max((inputs + c) * c, diagonal_size(net, c))


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


cdef void divide_rows(const double *x, Py_ssize_t rows, Py_ssize_t n, const double *by,
                      double *out) noexcept nogil:
    """out (rows, n) = x with each row divided by its entry of `by`; they may be one array."""
    cdef Py_ssize_t r, i
    cdef double f
    for r in range(rows):
        f = 1.0 / by[r]
        for i in range(n):
            out[r * n + i] = x[r * n + i] * f


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


cdef void multiply_outer(const double *psi, const double *gram, Py_ssize_t c, Py_ssize_t first,
                         Py_ssize_t rows, Py_ssize_t size, double *k) noexcept nogil:
    """Diagonal blocks of K += (psi psi^T) o gram, rows [first, first + rows): a diagonal Psi_L."""
    cdef Py_ssize_t r, o, i, j
    cdef double f
    for r in range(first, first + rows):
        o = r // c
        i = r % c
        f = psi[o * (size + c) + i]
        for j in range(i + 1):
            k[r * size + o * c + j] += f * psi[o * (size + c) + j] * gram[i * c + j]


cdef void scale(const Net *net, Py_ssize_t c, const double *units, const double *inputs,
                double *work, double *buffer) noexcept nogil:
    """Divide Psi in work by p, and write phi of all layers, divided by q, to the buffer.

    units and inputs hold p and q of all layers, one after the other.
    """
    cdef Py_ssize_t l, n, m, size = net.width[net.depth] * c
    cdef double *psi
    buffer += c * c
    for l in range(1, net.depth + 1):
        n = net.width[l]
        m = fan_in(net, l)
        psi = back_block(net, l, net.width[net.depth], c, work)
        divide_rows(psi, n, size, units, psi)
        divide_rows(a_block(net, l - 1, c, work), m, c, inputs, buffer)
        units += n
        inputs += m
        buffer += m * c


cdef void gram(const Net *net, Py_ssize_t l, Py_ssize_t c, Py_ssize_t first, Py_ssize_t rows,
               double *buffer) noexcept nogil:
    """Write rows of layer l's Gram matrix of phi to the buffer, and the columns above them."""
    cdef Py_ssize_t layer, i, j, m = fan_in(net, l)
    cdef double *phi = buffer + c * c
    for layer in range(1, l):
        phi += fan_in(net, layer) * c
    if rows == c:
        syrk_t(net.own, c, m, 1.0, phi, c, 0.0, buffer, c)
    else:
        gemm_tn(net.own, rows, first + rows, m, 1.0, phi + first, c, phi, c, 0.0,
                buffer + first * c, c)
    if net.width[net.depth] > 1:  # pairs of different outputs need the upper triangle too
        for i in range(first, first + rows):
            for j in range(i):
                buffer[j * c + i] = buffer[i * c + j]


cdef void add_rows(const Net *net, Py_ssize_t l, Py_ssize_t c, bint coupled, Py_ssize_t first,
                   Py_ssize_t rows, const double *work, const double *buffer, double *tile,
                   double *k) noexcept nogil:
    """Add layer l to rows of the lower triangle of k (nL c, nL c); tile holds rows x nL c.

    Its Gram matrix is in the buffer.  coupled: S, and so Psi_L, is not diagonal.
    """
    cdef Py_ssize_t n = net.width[l], nl = net.width[net.depth], size = nl * c
    cdef const double *psi = back_block(net, l, nl, c, <double*>work)
    if l == net.depth and not coupled:
        multiply_outer(psi, buffer, c, first, rows, size, k)
        return
    if rows == size:
        syrk_t(net.own, size, n, 1.0, psi, size, 0.0, tile, size)
    else:
        gemm_tn(net.own, rows, first + rows, n, 1.0, psi + first, size, psi, size, 0.0, tile, size)
    multiply(tile, first, rows, size, buffer, c, size, k)

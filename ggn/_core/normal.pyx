"""Blocks of the normal matrix P H_E P^T without P (Khatri-Rao structure).

Block (l, k), k <= l, at row (u, a) and column (v, b) is

    sum_i M_i[u, v] phi_{l-1}[a] phi_{k-1}[b],   M_i = Psi_l H_E Psi_k^T,

so with M as rows (u, v) and phi phi^T as rows (a, b), samples running along
the rows, it is one matrix product with inner dimension c: a chunk adds
sums (pairs of units x pairs of inputs).  Against dsyrk on a stored P this
saves the factor nL, and on the diagonal, where both factors are symmetric and
only u >= v, a >= b are formed, another factor of two below dsyrk's half.

Blocks with l = L need no M: Psi_L = D_L is diagonal, so the rows are H Psi_k.

    form 0   H_E = alpha I for all samples and D_L = I: h is not used
    form 1   H_E diagonal, h (nL, c)
    form 2   H_E full, h (nL, nL, c)
"""

from libc.string cimport memset

from ggn._core.blas cimport gemm_nt
from ggn._core.matmul cimport simd
from ggn._core.net cimport Net, a_block, back_block, d_block, fan_in
from ggn._core.pair_products cimport ggn_pair_list, ggn_pair_product, ggn_pair_work
from ggn._core.rows cimport ggn_pairs, ggn_scale_rows

# Where the product is BLAS's: doubles of a tile of unit pairs, and of input pairs.  The first
# is formed again for each of the second, which are packed again by BLAS for each of the first:
# measured best on F(8,50,50,1), F(8,50,1), F(64,32,10), F(2,10,10,4).
cdef enum:
    LEFT = 262144
    RIGHT = 524288


cdef inline Py_ssize_t triangle(Py_ssize_t n) noexcept nogil:
    return n * (n + 1) // 2


cdef Py_ssize_t block_size(const Net *net, Py_ssize_t l, Py_ssize_t k,
                           Py_ssize_t form) noexcept nogil:
    """Products in block (l, k): pairs of units times pairs of inputs."""
    cdef Py_ssize_t n = net.width[l], m = fan_in(net, l)
    if l == net.depth and k == l:
        return m * m * (1 if form == 0 else n if form == 1 else triangle(n))
    if k == l:
        return triangle(n) * triangle(m)
    return n * net.width[k] * m * fan_in(net, k)


cdef Py_ssize_t normal_size(const Net *net, Py_ssize_t form) noexcept nogil:
    """Doubles that `sums` must hold."""
    cdef Py_ssize_t l, k, size = 0
    for l in range(1, net.depth + 1):
        for k in range(1, l + 1):
            size += block_size(net, l, k, form)
    return size


cdef Py_ssize_t left_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles of BLAS's tile of unit pairs: at least one group of every block."""
    cdef Py_ssize_t l, widest = 0
    for l in range(net.depth + 1):
        widest = max(widest, net.width[l] + 1)
    return max(LEFT, widest * c)


cdef Py_ssize_t scaled_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles before the tile for the last layer's weighted inputs."""
    return (fan_in(net, net.depth) + 1) * c


cdef Py_ssize_t tile_size(const Net *net, Py_ssize_t c) noexcept nogil:
    """Doubles that `tile` must hold."""
    cdef Py_ssize_t l, k, n, m, last = net.depth, size = 0
    if simd() == 0:
        size = left_size(net, c) + max(RIGHT, left_size(net, c))
    else:
        for l in range(1, last + 1):
            n = net.width[l]
            m = fan_in(net, l)
            for k in range(1, l):
                size = max(size, ggn_pair_work(n * net.width[k], m * fan_in(net, k)))
            size = max(size, ggn_pair_work(m, m) if l == last
                       else ggn_pair_work(triangle(n), triangle(m)))
    return scaled_size(net, c) + size


cdef Py_ssize_t weighted_size(const Net *net, Py_ssize_t c, Py_ssize_t form) noexcept nogil:
    """Doubles of `hpsi`."""
    return 0 if form == 0 else net.width[net.depth] * c * net.z_offset[net.depth]


cdef void weigh(const Net *net, Py_ssize_t c, const double *h, Py_ssize_t form,
                const double *work, double *hpsi) noexcept nogil:
    """H_E Psi_k of the hidden layers, (n_k, nL, c) each, at the places of Psi_k."""
    cdef Py_ssize_t k, v, nl = net.width[net.depth], row = nl * c
    cdef const double *psi
    cdef double *out
    for k in range(1, net.depth):
        psi = back_block(net, k, nl, c, work)
        out = hpsi + nl * c * net.z_offset[k]
        if form == 2:
            ggn_pairs(0, net.width[k], nl, False, nl, c, psi, h, out)
        else:
            for v in range(net.width[k]):
                ggn_scale_rows(nl, 1, c, psi + v * row, h, out + v * row)


cdef Py_ssize_t next_group(Py_ssize_t u, Py_ssize_t n, Py_ssize_t nv, bint triangular,
                           Py_ssize_t limit) noexcept nogil:
    """The first u beyond a group of pair rows of at most `limit` rows, or of one u."""
    cdef Py_ssize_t rows = 0
    while u < n:
        rows += u + 1 if triangular else nv
        if rows > limit and rows > (u + 1 if triangular else nv):
            return u
        u += 1
    return u


cdef inline Py_ssize_t first_row(Py_ssize_t u, Py_ssize_t nv, bint triangular) noexcept nogil:
    return triangle(u) if triangular else u * nv


cdef void add_by_blas(Py_ssize_t c, const ggn_pair_list *left, const ggn_pair_list *right,
                      double beta, double *sums, double *tile, Py_ssize_t room) noexcept nogil:
    """What ggn_pair_product does, by rows of pairs in tiles, and BLAS; `room` is the left tile's."""
    cdef Py_ssize_t n = left.n, m = right.n, limit = max(LEFT // c, 1), wide = max(RIGHT // c, 1)
    cdef Py_ssize_t columns = first_row(m, right.nv, right.triangular)
    cdef Py_ssize_t s0 = 0, s1, u0, u1, row, rows, col, cols
    cdef double *b = tile + room
    cdef const double *a
    while s0 < m:
        # the input pairs are re-formed least: they are the outer loop, in larger tiles
        s1 = next_group(s0, m, right.nv, right.triangular, wide)
        col = first_row(s0, right.nv, right.triangular)
        cols = first_row(s1, right.nv, right.triangular) - col
        if right.b == NULL:
            b = <double*>right.a + s0 * c
        else:
            ggn_pairs(s0, s1, right.nv, right.triangular, 1, c, right.a, right.b, b)
        u0 = 0
        while u0 < n:
            u1 = n if left.b == NULL else next_group(u0, n, left.nv, left.triangular, limit)
            row = first_row(u0, left.nv, left.triangular)
            rows = first_row(u1, left.nv, left.triangular) - row
            a = left.a
            if left.b != NULL:
                ggn_pairs(u0, u1, left.nv, left.triangular, left.r, c, left.a, left.b, tile)
                a = tile
            gemm_nt(rows, cols, c, 1.0, a, c, b, c, beta, sums + row * columns + col, columns)
            u0 = u1
        s0 = s1


cdef void add_block(const Net *net, Py_ssize_t c, const ggn_pair_list *left,
                    const ggn_pair_list *right, bint lower, double beta, double *sums,
                    double *tile) noexcept nogil:
    """sums (unit pairs, input pairs) = beta sums + left right^T; lower: what is above may be left."""
    if simd():
        ggn_pair_product(simd(), c, c, left, right, lower, beta, sums, tile)
    else:
        add_by_blas(c, left, right, beta, sums, tile, left_size(net, c))


cdef void add_last(const Net *net, Py_ssize_t c, const double *h, Py_ssize_t form,
                   const double *work, double *tile, double beta, double *sums) noexcept nogil:
    """Block (L, L): sum_i d_o H[o, p] d_p phi phi^T for each pair of outputs o >= p."""
    cdef Py_ssize_t last = net.depth, nl = net.width[last], m = fan_in(net, last), o, p
    cdef const double *phi = a_block(net, last - 1, c, work)
    cdef const double *d = d_block(net, last, c, work)
    cdef double *weight = tile
    cdef double *scaled = tile + c
    cdef ggn_pair_list right = ggn_pair_list(m, 1, 1, False, phi, NULL)
    cdef ggn_pair_list left = right
    tile += scaled_size(net, c)
    if form == 0:
        add_block(net, c, &left, &right, True, beta, sums, tile)
        return
    left.a = scaled
    for o in range(nl):
        for p in range(o if form == 1 else 0, o + 1):
            ggn_scale_rows(1, 1, c, d + o * c, d + p * c, weight)
            ggn_scale_rows(1, 1, c, weight, h + (o if form == 1 else o * nl + p) * c, weight)
            ggn_scale_rows(m, m, c, phi, weight, scaled)
            add_block(net, c, &left, &right, o == p, beta, sums, tile)
            sums += m * m


cdef void accumulate(const Net *net, Py_ssize_t c, const double *h, Py_ssize_t form,
                     const double *work, double *hpsi, double *tile, double beta,
                     double *sums) noexcept nogil:
    """Sums of all blocks = beta sums + one chunk; work holds A, D and Psi."""
    cdef Py_ssize_t l, k, v, last = net.depth, nl = net.width[last]
    cdef const double *hk
    cdef double *scaled
    cdef ggn_pair_list left, right
    if c == 0:
        if beta == 0.0:
            memset(sums, 0, normal_size(net, form) * sizeof(double))
        return
    for l in range(1, last + 1):
        for k in range(1, l + 1):
            hk = hpsi + nl * c * net.z_offset[k]
            if form == 0:
                hk = back_block(net, k, nl, c, work)
            right = ggn_pair_list(fan_in(net, l), fan_in(net, k), 1, k == l,
                                  a_block(net, l - 1, c, work), a_block(net, k - 1, c, work))
            if k == last:
                add_last(net, c, h, form, work, tile, beta, sums)
            else:
                if l < last:
                    left = ggn_pair_list(net.width[l], net.width[k], nl, k == l,
                                         back_block(net, l, nl, c, work), hk)
                else:
                    if form != 0:  # D_L H Psi_k, in place: H Psi_k was needed as it is before
                        for v in range(net.width[k]):
                            scaled = hpsi + nl * c * net.z_offset[k] + v * nl * c
                            ggn_scale_rows(nl, 1, c, scaled, d_block(net, l, c, work), scaled)
                    left = ggn_pair_list(net.width[k] * nl, 1, 1, False, hk, NULL)
                add_block(net, c, &left, &right, False, beta, sums, tile + scaled_size(net, c))
            sums += block_size(net, l, k, form)


cdef void scatter_diagonal(Py_ssize_t n, Py_ssize_t m, double alpha, const double *sums,
                           double *g, Py_ssize_t ldg) noexcept nogil:
    """Lower triangle of a diagonal block from its products with u >= v, a >= b."""
    cdef Py_ssize_t u, v, a, b
    cdef const double *s = sums
    cdef double *top
    for u in range(n):
        for v in range(u + 1):
            top = g + u * m * ldg + v * m
            for a in range(m):
                for b in range(a + 1):
                    top[a * ldg + b] = alpha * s[b]
                s += a + 1
            if v < u:  # the same products once more, transposed
                s -= triangle(m)
                for a in range(m):
                    for b in range(a):
                        top[b * ldg + a] = alpha * s[b]
                    s += a + 1


cdef void scatter_last(const Net *net, Py_ssize_t form, double alpha, const double *sums,
                       double *g, Py_ssize_t ldg) noexcept nogil:
    cdef Py_ssize_t nl = net.width[net.depth], m = fan_in(net, net.depth), o, p, a, b
    for o in range(nl):
        for p in range(o + 1):
            for a in range(m):
                for b in range(a + 1 if o == p else m):
                    # outputs are coupled only by a full H_E (form 2)
                    g[(o * m + a) * ldg + p * m + b] = (
                        alpha * sums[a * m + b] if o == p or form == 2 else 0.0)
            if form == 2 or (form == 1 and o == p):
                sums += m * m


cdef void scatter(const Net *net, Py_ssize_t form, double alpha, const double *sums,
                  double *g) noexcept nogil:
    """Lower triangle of G = alpha * the sums, put where they belong."""
    cdef Py_ssize_t l, k, u, v, a, b, m, mk, n, nk, last = net.depth
    cdef Py_ssize_t ldg = net.w_offset[last + 1]
    cdef const double *s
    cdef double *block
    cdef double *out
    for l in range(1, last + 1):
        n = net.width[l]
        m = fan_in(net, l)
        for k in range(1, l + 1):
            nk = net.width[k]
            mk = fan_in(net, k)
            block = g + net.w_offset[l] * ldg + net.w_offset[k]
            if k == last:
                scatter_last(net, form, alpha, sums, block, ldg)
            elif k == l:
                scatter_diagonal(n, m, alpha, sums, block, ldg)
            else:
                s = sums
                for u in range(n):
                    for v in range(nk):
                        if l == last:  # these rows are (v, o)
                            s = sums + (v * n + u) * m * mk
                        for a in range(m):
                            out = block + (u * m + a) * ldg + v * mk
                            for b in range(mk):
                                out[b] = alpha * s[b]
                            s += mk
            sums += block_size(net, l, k, form)

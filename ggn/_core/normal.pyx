"""Blocks of the normal matrix P H_E P^T without P (Khatri-Rao structure).

Block (l, k), k <= l, at row (u, a) and column (v, b) is

    sum_i M_i[u, v] phi_{l-1}[a] phi_{k-1}[b],   M_i = Psi_l H_E Psi_k^T,

so with M as rows (u, v) and phi phi^T as rows (a, b), samples running along
the rows, it is one matrix product with inner dimension c: a chunk adds
sums (pairs of units x pairs of inputs).  Against dsyrk on a stored P this
saves the factor nL, and on the diagonal, where both factors are symmetric and
only u >= v, a >= b are formed, another factor of two below dsyrk's half.

With few inputs and one output M has more rows than phi phi^T has, by far: then the pairs of
inputs go to the other side, with psi_l, and of M = psi_l h psi_l^T none is formed.  The rows are
(u, a, b), the columns v <= u.

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

# Units to a pair of inputs from which these go to the units' side: with 1, 2, 3 and 4 inputs that
# was quicker from 12, 30, 30 and 50 units, and took 0.47, 0.61, 0.67 and 0.83 of the time for 200
# (AVX-512, AMD EPYC, Zen 5; 0.56, 0.72, 0.81 and 0.79 with AVX2).
cdef enum:
    TRIPLES = 5


cdef bint by_triples(const Net *net, Py_ssize_t l) noexcept nogil:
    """Whether block (l, l) is summed over psi_u phi_a phi_b and psi_v; never that of the last."""
    return (net.width[net.depth] == 1 and simd() != 0
            and TRIPLES * triangle(fan_in(net, l)) <= net.width[l])


cdef Py_ssize_t block_size(const Net *net, Py_ssize_t l, Py_ssize_t k,
                           Py_ssize_t form) noexcept nogil:
    """Products in block (l, k): pairs of units times pairs of inputs, or units times triples."""
    cdef Py_ssize_t n = net.width[l], m = fan_in(net, l)
    if l == net.depth and k == l:
        return m * m * (1 if form == 0 else n if form == 1 else triangle(n))
    if k == l:
        return n * n * triangle(m) if by_triples(net, l) else triangle(n) * triangle(m)
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
            if l == last:
                size = max(size, ggn_pair_work(m, m))
            elif by_triples(net, l):
                size = max(size, triangle(m) * c + ggn_pair_work(n * triangle(m), n))
            else:
                size = max(size, ggn_pair_work(triangle(n), triangle(m)))
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
                    const ggn_pair_list *right, Py_ssize_t slope, double beta, double *sums,
                    double *tile) noexcept nogil:
    """sums = beta sums + left right^T; of row i, columns j with slope j > i may be left out."""
    if simd():
        ggn_pair_product(simd(), c, c, left, right, slope, beta, sums, tile)
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
        add_block(net, c, &left, &right, 1, beta, sums, tile)
        return
    left.a = scaled
    for o in range(nl):
        for p in range(o if form == 1 else 0, o + 1):
            ggn_scale_rows(1, 1, c, d + o * c, d + p * c, weight)
            ggn_scale_rows(1, 1, c, weight, h + (o if form == 1 else o * nl + p) * c, weight)
            ggn_scale_rows(m, m, c, phi, weight, scaled)
            add_block(net, c, &left, &right, 1 if o == p else 0, beta, sums, tile)
            sums += m * m


cdef void add_triples(const Net *net, Py_ssize_t c, Py_ssize_t l, const double *hpsi,
                      const double *work, double *tile, double beta, double *sums) noexcept nogil:
    """Block (l, l) of a hidden layer, one output: rows (u, a >= b), columns v, of which v <= u."""
    cdef Py_ssize_t n = net.width[l], m = fan_in(net, l), pairs = triangle(m)
    cdef const double *phi = a_block(net, l - 1, c, work)
    cdef ggn_pair_list left = ggn_pair_list(n, pairs, 1, False, back_block(net, l, 1, c, work), tile)
    cdef ggn_pair_list right = ggn_pair_list(n, 1, 1, False, hpsi, NULL)
    ggn_pairs(0, m, m, True, 1, c, phi, phi, tile)
    add_block(net, c, &left, &right, pairs, beta, sums, tile + pairs * c)


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
            elif k == l and by_triples(net, l):
                add_triples(net, c, l, hk, work, tile + scaled_size(net, c), beta, sums)
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
                add_block(net, c, &left, &right, 0, beta, sums, tile + scaled_size(net, c))
            sums += block_size(net, l, k, form)

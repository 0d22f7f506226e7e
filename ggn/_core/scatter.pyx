"""Sums of products of pairs (see normal.pyx), put where they belong in the normal matrix.

Each of so many parts, which threads share, takes a range of units or outputs, in the blocks beside
the diagonal of those on the right: no two write the same number.
"""

from ggn._core.net cimport Net, fan_in
from ggn._core.normal cimport block_size, by_triples, triangle


cdef void scatter_diagonal(Py_ssize_t n, Py_ssize_t m, double alpha, const double *sums,
                           double *g, Py_ssize_t ldg, Py_ssize_t part,
                           Py_ssize_t parts) noexcept nogil:
    """Lower triangle of a diagonal block from its products with u >= v, a >= b."""
    cdef Py_ssize_t u, v, a, b
    cdef const double *s
    cdef double *top
    for u in range(n * part // parts, n * (part + 1) // parts):
        s = sums + triangle(u) * triangle(m)
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


cdef void scatter_triples(Py_ssize_t n, Py_ssize_t m, double alpha, const double *sums,
                          double *g, Py_ssize_t ldg, Py_ssize_t part,
                          Py_ssize_t parts) noexcept nogil:
    """Lower triangle of a diagonal block from its sums at (u, a, b) and v <= u, a >= b."""
    cdef Py_ssize_t u, v, a, b
    cdef const double *s
    for u in range(n * part // parts, n * (part + 1) // parts):
        s = sums + u * triangle(m) * n
        for a in range(m):
            for b in range(a + 1):
                for v in range(u + 1):
                    g[(u * m + a) * ldg + v * m + b] = alpha * s[v]
                    if v < u:
                        g[(u * m + b) * ldg + v * m + a] = alpha * s[v]
                s += n


cdef void scatter_last(const Net *net, Py_ssize_t form, double alpha, const double *sums,
                       double *g, Py_ssize_t ldg, Py_ssize_t part,
                       Py_ssize_t parts) noexcept nogil:
    cdef Py_ssize_t nl = net.width[net.depth], m = fan_in(net, net.depth), o, p, a, b
    cdef const double *s
    for o in range(nl * part // parts, nl * (part + 1) // parts):
        s = sums + m * m * (0 if form == 0 else o if form == 1 else triangle(o))
        for p in range(o + 1):
            for a in range(m):
                for b in range(a + 1 if o == p else m):
                    # outputs are coupled only by a full H_E (form 2)
                    g[(o * m + a) * ldg + p * m + b] = (
                        alpha * s[a * m + b] if o == p or form == 2 else 0.0)
            if form == 2:
                s += m * m


cdef void scatter(const Net *net, Py_ssize_t form, double alpha, const double *sums, double *g,
                  Py_ssize_t part, Py_ssize_t parts) noexcept nogil:
    """Part of the lower triangle of G = alpha * the sums, put where they belong."""
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
                scatter_last(net, form, alpha, sums, block, ldg, part, parts)
            elif k == l and by_triples(net, l):
                scatter_triples(n, m, alpha, sums, block, ldg, part, parts)
            elif k == l:
                scatter_diagonal(n, m, alpha, sums, block, ldg, part, parts)
            else:
                for u in range(n):
                    for v in range(nk * part // parts, nk * (part + 1) // parts):
                        # of the last layer, the rows are (v, o)
                        s = sums + (v * n + u if l == last else u * nk + v) * m * mk
                        for a in range(m):
                            out = block + (u * m + a) * ldg + v * mk
                            for b in range(mk):
                                out[b] = alpha * s[b]
                            s += mk
            sums += block_size(net, l, k, form)

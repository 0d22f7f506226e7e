/* Sums over samples of products of pairs, formed in the packed panels of a matrix product.
 *
 * Rows of c samples each, `lds` doubles from row to row, the samples contiguous.  A list of
 * pairs is
 *
 *     (u, v) -> sum_r a[u, r] b[v, r]     all v < nv, or v <= u where triangular
 *     u      -> a[u]                      where b is NULL (and r = 1)
 *
 * and the product is sums (pairs of `left`, pairs of `right`) = beta sums + left right^T.  As
 * rows of numbers the lists are never stored: they are formed a panel at a time, transposed in
 * registers to where an outer product wants them, and so cost neither memory nor BLAS's packing.
 */
#ifndef GGN_PAIR_PRODUCTS_H
#define GGN_PAIR_PRODUCTS_H

#include <stddef.h>

typedef struct {
    ptrdiff_t n, nv, r;
    int triangular;
    const double *a, *b;
} ggn_pair_list;

/* Doubles of `work` that any product of lists of at most so many pairs needs. */
ptrdiff_t ggn_pair_work(ptrdiff_t left, ptrdiff_t right);

/* beta is 0 (sums are written) or 1; of row i some entries with slope j > i are left out.
 * simd is one of simd.h's, not GGN_NO_SIMD.  The bits depend on simd, but on no cache's size. */
void ggn_pair_product(int simd, ptrdiff_t c, ptrdiff_t lds, const ggn_pair_list *left,
                      const ggn_pair_list *right, ptrdiff_t slope, double beta, double *sums,
                      double *work);

#endif

/* Matrix products that fit the cache, on one thread, without packing.
 *
 * BLAS packs its operands first, which small products do not pay back: 50 x 60 x 500 runs at
 * twice the rate of dgemm (AVX2: at 1.2 times).  Large products are better left to BLAS.
 */
#ifndef GGN_SMALL_PRODUCTS_H
#define GGN_SMALL_PRODUCTS_H

#include <stddef.h>

/* The widest of simd.h's that this build and processor have. */
int ggn_widest_simd(void);

/* simd is one of simd.h's, not GGN_NO_SIMD.  C (m, n) = A B^T + beta C; A (m, k), B (n, k): dot products of rows. */
void ggn_dots(int simd, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const double *a, ptrdiff_t lda,
              const double *b, ptrdiff_t ldb, double beta, double *c, ptrdiff_t ldc);

/* C (m, n) = alpha A B + beta C; A[i, p] at a[i * rs + p * cs], B (k, n): rows combined. */
void ggn_combine(int simd, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha, const double *a,
                 ptrdiff_t rs, ptrdiff_t cs, const double *b, ptrdiff_t ldb, double beta,
                 double *c, ptrdiff_t ldc);

#endif

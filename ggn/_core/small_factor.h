/* Cholesky factors of matrices that the first cache holds, rows of larger ones, and substitution.
 *
 * LAPACK packs and dispatches for each panel, which small systems do not pay back.
 */
#ifndef GGN_SMALL_FACTOR_H
#define GGN_SMALL_FACTOR_H

#include <stddef.h>

enum { GGN_SMALL_FACTOR = 64 }; /* the largest order: a copy is kept on the stack, 32 KB */

/* Lower factor F of A = F F^T in place of A's lower triangle, rows lda apart, n at most
 * GGN_SMALL_FACTOR; 0, or the order of the first minor that is not positive. */
int ggn_factor(ptrdiff_t n, double *a, ptrdiff_t lda);

/* Rows of U, A = U^T U, from those of A's upper triangle, where what rows above take from them is
 * taken already; u begins on the diagonal, n columns with it.  At most GGN_FACTOR_ROWS; 0, or which
 * row's pivot is not positive. */
enum { GGN_FACTOR_ROWS = 8 };
int ggn_factor_rows(ptrdiff_t rows, ptrdiff_t n, double *u, ptrdiff_t ld);

/* Copy the lower triangle of a (n, n) to the upper one, or this to the lower. */
void ggn_mirror(ptrdiff_t n, double *a, ptrdiff_t lda, int upper);

/* b = (F F^T)^-1 b for a lower factor F (n, n), of any order. */
void ggn_substitute(ptrdiff_t n, const double *f, double *b);

#endif

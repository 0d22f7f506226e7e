/* Elementwise products of rows; sample index fastest everywhere. */
#ifndef GGN_ROWS_H
#define GGN_ROWS_H
#include <stddef.h>

/* out[r, i] = a[r, i] * b[r / repeat, i], r < rows, i < n: scale each group of
 * `repeat` rows of a by one row of b.  out may be a. */
void ggn_scale_rows(ptrdiff_t rows, ptrdiff_t repeat, ptrdiff_t n,
                    const double *a, const double *b, double *out);

/* Row Khatri-Rao product: out[(u, v), o, i] = a[u, o, i] * b[v, i];
 * out has leading dimension ldo >= no * n between its rows (u, v). */
void ggn_khatri_rao(ptrdiff_t nu, ptrdiff_t nv, ptrdiff_t no, ptrdiff_t n,
                    const double *a, const double *b, double *out, ptrdiff_t ldo);

/* out[(u, v), i] = sum_r a[u, r, i] * b[v, r, i] for u0 <= u < u1 and v < nv, or
 * v <= u if triangular: products of all pairs of rows, one group of nv (or
 * u + 1) rows after the other. */
void ggn_pairs(ptrdiff_t u0, ptrdiff_t u1, ptrdiff_t nv, int triangular, ptrdiff_t r,
               ptrdiff_t n, const double *a, const double *b, double *out);

/* out (cols x rows) = transpose of in (rows x cols). */
void ggn_transpose(ptrdiff_t rows, ptrdiff_t cols, const double *in, double *out);

#endif

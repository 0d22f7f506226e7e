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

/* out (cols x rows) = transpose of in (rows x cols). */
void ggn_transpose(ptrdiff_t rows, ptrdiff_t cols, const double *in, double *out);

#endif

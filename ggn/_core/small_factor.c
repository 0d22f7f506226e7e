#include <stddef.h>
#include <math.h> /* a libc header first: simd.h asks for __GLIBC__ */
#include "simd.h"
#include "small_factor.h"

enum { W = 8 }; /* columns that are taken together: a vector, or some */

/* By rows of U = F^T, each beginning where a multiple of W does: what lies left of the diagonal
 * there is never looked at again. */
GGN_CLONES int ggn_factor(ptrdiff_t n, double *a, ptrdiff_t lda)
{
    double u[GGN_SMALL_FACTOR * GGN_SMALL_FACTOR];
    const ptrdiff_t ld = (n + W - 1) / W * W;
    for (ptrdiff_t i = 0; i < n; i++) {
        for (ptrdiff_t j = i / W * W; j < i; j++)
            u[i * ld + j] = 0.0;
        for (ptrdiff_t j = 0; j <= i; j++)
            u[j * ld + i] = a[i * lda + j];
        for (ptrdiff_t j = n; j < ld; j++)
            u[i * ld + j] = 0.0;
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        double *row = u + i * ld, inverse;
        for (ptrdiff_t j = i / W * W; j < ld; j += W) {
            double even[W], odd[W];
            ptrdiff_t k = 0;
            for (int v = 0; v < W; v++) {
                even[v] = row[j + v];
                odd[v] = 0.0;
            }
            for (; k + 2 <= i; k += 2) {
                const double *x = u + k * ld, *y = x + ld;
                for (int v = 0; v < W; v++) {
                    even[v] -= x[i] * x[j + v];
                    odd[v] -= y[i] * y[j + v];
                }
            }
            if (k < i) {
                const double *x = u + k * ld;
                for (int v = 0; v < W; v++)
                    even[v] -= x[i] * x[j + v];
            }
            for (int v = 0; v < W; v++)
                row[j + v] = even[v] + odd[v];
        }
        if (row[i] <= 0.0) /* nan goes on, as it does in LAPACK: J says so */
            return (int)i + 1;
        inverse = 1.0 / sqrt(row[i]);
        for (ptrdiff_t j = i / W * W; j < ld; j += W)
            for (int v = 0; v < W; v++)
                row[j + v] *= inverse;
    }
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t j = 0; j <= i; j++)
            a[i * lda + j] = u[j * ld + i];
    return 0;
}

/* W columns of U right of its square on the diagonal, whose pivots are inverted, or fewer: of all
 * rows at once, so that each is read and written once. */
GGN_INLINE void columns(const int rows, const int width, double *u, ptrdiff_t ld,
                        const double *square, const double *inverse)
{
    double x[GGN_FACTOR_ROWS][W] = {{0.0}};
    for (int i = 0; i < rows; i++) {
        for (int v = 0; v < width; v++)
            x[i][v] = u[i * ld + v];
        for (int k = 0; k < i; k++)
            for (int v = 0; v < W; v++)
                x[i][v] -= square[k * ld + i] * x[k][v];
        for (int v = 0; v < W; v++)
            x[i][v] *= inverse[i];
        for (int v = 0; v < width; v++)
            u[i * ld + v] = x[i][v];
    }
}

GGN_CLONES int ggn_factor_rows(ptrdiff_t rows, ptrdiff_t n, double *u, ptrdiff_t ld)
{
    double inverse[GGN_FACTOR_ROWS];
    for (ptrdiff_t i = 0; i < rows; i++) {
        double *row = u + i * ld;
        for (ptrdiff_t k = 0; k < i; k++)
            for (ptrdiff_t j = i; j < rows; j++)
                row[j] -= u[k * ld + i] * u[k * ld + j];
        if (row[i] <= 0.0) /* nan goes on, as above */
            return (int)i + 1;
        inverse[i] = 1.0 / sqrt(row[i]);
        for (ptrdiff_t j = i; j < rows; j++)
            row[j] *= inverse[i];
    }
    ptrdiff_t j = rows;
    if (rows == GGN_FACTOR_ROWS)
        for (; j + W <= n; j += W)
            columns(GGN_FACTOR_ROWS, W, u + j, ld, u, inverse);
    for (; j < n; j += W)
        columns((int)rows, n - j < W ? (int)(n - j) : W, u + j, ld, u, inverse);
    return 0;
}

GGN_CLONES void ggn_mirror(ptrdiff_t n, double *a, ptrdiff_t lda, int upper)
{
    for (ptrdiff_t i = 0; i < n; i += W) {
        const ptrdiff_t rows = n - i < W ? n - i : W;
        for (ptrdiff_t j = 0; j < i + rows; j++)
            for (ptrdiff_t r = j < i ? 0 : j - i; r < rows; r++) {
                double *low = a + (i + r) * lda + j, *high = a + j * lda + i + r;
                if (upper)
                    *high = *low;
                else
                    *low = *high;
            }
    }
}

GGN_CLONES void ggn_substitute(ptrdiff_t n, const double *f, double *b)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        const double *row = f + i * n;
        double s[W] = {0.0}, left = b[i];
        ptrdiff_t j = 0;
        for (; j + W <= i; j += W)
            for (int v = 0; v < W; v++)
                s[v] += row[j + v] * b[j + v];
        for (; j < i; j++)
            left -= row[j] * b[j];
        left -= ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
        b[i] = left / row[i];
    }
    for (ptrdiff_t i = n - 1; i >= 0; i--) {
        const double *row = f + i * n;
        const double x = b[i] / row[i];
        b[i] = x;
        GGN_IVDEP
        for (ptrdiff_t j = 0; j < i; j++)
            b[j] -= x * row[j];
    }
}

#include <stddef.h>
#include <math.h> /* a libc header first: simd.h asks for __GLIBC__ */
#include "simd.h"
#include "rows.h"

GGN_CLONES void ggn_scale_rows(ptrdiff_t rows, ptrdiff_t repeat, ptrdiff_t n,
                               const double *a, const double *b, double *out)
{
    for (ptrdiff_t r = 0; r < rows; r++) {
        const double *x = a + r * n, *y = b + (r / repeat) * n;
        double *z = out + r * n;
        GGN_IVDEP
        for (ptrdiff_t i = 0; i < n; i++)
            z[i] = x[i] * y[i];
    }
}

GGN_CLONES void ggn_khatri_rao(ptrdiff_t nu, ptrdiff_t nv, ptrdiff_t no, ptrdiff_t n,
                               const double *a, const double *b, double *out, ptrdiff_t ldo)
{
    for (ptrdiff_t u = 0; u < nu; u++)
        for (ptrdiff_t v = 0; v < nv; v++)
            for (ptrdiff_t o = 0; o < no; o++) {
                const double *x = a + (u * no + o) * n, *y = b + v * n;
                double *z = out + (u * nv + v) * ldo + o * n;
                GGN_IVDEP
                for (ptrdiff_t i = 0; i < n; i++)
                    z[i] = x[i] * y[i];
            }
}

GGN_CLONES void ggn_pairs(ptrdiff_t u0, ptrdiff_t u1, ptrdiff_t nv, int triangular, ptrdiff_t r,
                          ptrdiff_t n, const double *a, const double *b, double *out)
{
    for (ptrdiff_t u = u0; u < u1; u++) {
        const ptrdiff_t stop = triangular ? u + 1 : nv;
        for (ptrdiff_t v = 0; v < stop; v++, out += n) {
            const double *x = a + u * r * n, *y = b + v * r * n;
            ptrdiff_t left = r;
            if (left % 2) {
                GGN_IVDEP
                for (ptrdiff_t i = 0; i < n; i++)
                    out[i] = x[i] * y[i];
            } else {
                GGN_IVDEP
                for (ptrdiff_t i = 0; i < n; i++)
                    out[i] = x[i] * y[i] + x[n + i] * y[n + i];
            }
            left -= left % 2 ? 1 : 2;
            for (x += (r - left) * n, y += (r - left) * n; left >= 2;
                 left -= 2, x += 2 * n, y += 2 * n) {
                GGN_IVDEP
                for (ptrdiff_t i = 0; i < n; i++)
                    out[i] += x[i] * y[i] + x[n + i] * y[n + i];
            }
        }
    }
}

void ggn_transpose(ptrdiff_t rows, ptrdiff_t cols, const double *in, double *out)
{
    for (ptrdiff_t c = 0; c < cols; c++)
        for (ptrdiff_t r = 0; r < rows; r++)
            out[c * rows + r] = in[r * cols + c];
}

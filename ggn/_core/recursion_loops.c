#include <stddef.h>
#include <math.h> /* a libc header first: simd.h asks for __GLIBC__ */
#include "simd.h"
#include "recursion_loops.h"

enum { BLOCK = 8 };

GGN_CLONES void ggn_net_input(ptrdiff_t n, ptrdiff_t m, int dummy, double b, const double *w,
                              const double *wt, const double *x, double *z)
{
    const double *own = wt + m * n;
    ptrdiff_t u = 0;
    for (; u + BLOCK <= n; u += BLOCK) {
        double sum[BLOCK];
        for (ptrdiff_t j = 0; j < BLOCK; j++)
            sum[j] = (dummy ? own[u + j] : 0.0) - b;
        for (ptrdiff_t a = 0; a < m; a++)
            for (ptrdiff_t j = 0; j < BLOCK; j++)
                sum[j] += x[a] * wt[a * n + u + j];
        for (ptrdiff_t j = 0; j < BLOCK; j++)
            z[u + j] = sum[j];
    }
    for (; u < n; u++) { /* four sums at once: one would wait for itself */
        const double *row = w + u * (m + dummy);
        double s0 = (dummy ? row[m] : 0.0) - b, s1 = 0.0, s2 = 0.0, s3 = 0.0;
        ptrdiff_t a = 0;
        for (; a + 4 <= m; a += 4) {
            s0 += row[a] * x[a];
            s1 += row[a + 1] * x[a + 1];
            s2 += row[a + 2] * x[a + 2];
            s3 += row[a + 3] * x[a + 3];
        }
        for (; a < m; a++)
            s0 += row[a] * x[a];
        z[u] = (s0 + s1) + (s2 + s3);
    }
}

static inline const double *earlier(ptrdiff_t i, ptrdiff_t k, ptrdiff_t M, ptrdiff_t delay,
                                    ptrdiff_t output, const double *rows)
{
    return rows + ((i - delay) * k + output) * M;
}

GGN_CLONES void ggn_recur(ptrdiff_t c, ptrdiff_t k, ptrdiff_t f, ptrdiff_t M,
                          const ptrdiff_t *output, const ptrdiff_t *delay, const ptrdiff_t *start,
                          const ptrdiff_t *age, const double *a, double *rows)
{
    for (ptrdiff_t i = 0; i < c; i++)
        for (ptrdiff_t o = 0; o < k; o++, a += f) {
            double *row = rows + (i * k + o) * M;
            for (ptrdiff_t e = 0; e < f;) {
                if (age[i] < delay[e]) {
                    const ptrdiff_t column = start[(delay[e] - age[i] - 1) * k + output[e]];
                    if (column >= 0)
                        row[column] += a[e];
                    e++;
                } else if (e + 3 < f && age[i] >= delay[e + 1] && age[i] >= delay[e + 2]
                           && age[i] >= delay[e + 3]) {
                    const double *p = earlier(i, k, M, delay[e], output[e], rows);
                    const double *q = earlier(i, k, M, delay[e + 1], output[e + 1], rows);
                    const double *r = earlier(i, k, M, delay[e + 2], output[e + 2], rows);
                    const double *s = earlier(i, k, M, delay[e + 3], output[e + 3], rows);
                    GGN_IVDEP
                    for (ptrdiff_t j = 0; j < M; j++)
                        row[j] += (a[e] * p[j] + a[e + 1] * q[j])
                                  + (a[e + 2] * r[j] + a[e + 3] * s[j]);
                    e += 4;
                } else {
                    const double *p = earlier(i, k, M, delay[e], output[e], rows);
                    GGN_IVDEP
                    for (ptrdiff_t j = 0; j < M; j++)
                        row[j] += a[e] * p[j];
                    e++;
                }
            }
        }
}

void ggn_recur_back(ptrdiff_t c, ptrdiff_t k, ptrdiff_t f, ptrdiff_t n_initial,
                    const ptrdiff_t *output, const ptrdiff_t *delay, const ptrdiff_t *start,
                    const ptrdiff_t *age, const ptrdiff_t *window, const double *a,
                    double *lambda, double *initial)
{
    for (ptrdiff_t i = c - 1; i >= 0; i--)
        for (ptrdiff_t e = 0; e < f; e++) {
            double sum = 0.0;
            for (ptrdiff_t o = 0; o < k; o++)
                sum += a[(i * k + o) * f + e] * lambda[i * k + o];
            if (age[i] >= delay[e]) {
                lambda[(i - delay[e]) * k + output[e]] += sum;
            } else {
                const ptrdiff_t column = start[(delay[e] - age[i] - 1) * k + output[e]];
                if (column >= 0)
                    initial[window[i] * n_initial + column] += sum;
            }
        }
}

GGN_CLONES void ggn_outer_rows(ptrdiff_t c, ptrdiff_t n, ptrdiff_t m, ptrdiff_t ldpsi,
                               const double *psi, const double *phi, ptrdiff_t ldo, double *out)
{
    for (ptrdiff_t i = 0; i < c; i++)
        for (ptrdiff_t u = 0; u < n; u++) {
            const double s = psi[u * ldpsi + i], *x = phi + i * m;
            double *y = out + i * ldo + u * m;
            GGN_IVDEP
            for (ptrdiff_t j = 0; j < m; j++)
                y[j] = s * x[j];
        }
}

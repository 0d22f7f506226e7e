#include <float.h>
#include <math.h>
#include "simd.h"
#include "column_loops.h"

enum { MOST_ROWS = 1000 }; /* as ggn.linearization.columns has it */

/* (a / unit - mean), or its square, at one place of a column. */
typedef struct {
    const double *a;
    ptrdiff_t step;
    double unit, mean;
    int square;
} line;

GGN_INLINE double at(const line *x, ptrdiff_t i)
{
    double z = x->a[i * x->step] / x->unit - x->mean;
    return x->square ? z * z : z;
}

/* The order is NumPy's, so that sums are the same to the last bit. */
static double sum(const line *x, ptrdiff_t first, ptrdiff_t n)
{
    double r[8], total = 0.0;
    ptrdiff_t i, half = n / 2 - n / 2 % 8;
    if (n > 128)
        return sum(x, first, half) + sum(x, first + half, n - half);
    if (n < 8) {
        for (i = 0; i < n; i++)
            total += at(x, first + i);
        return total;
    }
    for (i = 0; i < 8; i++)
        r[i] = at(x, first + i);
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++)
            r[j] += at(x, first + i + j);
    total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++)
        total += at(x, first + i);
    return total;
}

/* As NumPy: by pairs along a column that lies together, else row by row. */
static void sums(const ggn_table *A, const double *unit, const double *mean, int square,
                 double *out)
{
    const ptrdiff_t rs = A->rs < 0 ? -A->rs : A->rs, cs = A->cs < 0 ? -A->cs : A->cs;
    if (A->n == 1 || rs < cs) {
        for (ptrdiff_t j = 0; j < A->n; j++) {
            line x = {A->a + j * A->cs, A->rs, unit[j], mean[j], square};
            out[j] = sum(&x, 0, A->T);
        }
        return;
    }
    for (ptrdiff_t j = 0; j < A->n; j++)
        out[j] = 0.0;
    for (ptrdiff_t i = 0; i < A->T; i++) {
        const double *a = A->a + i * A->rs;
        for (ptrdiff_t j = 0; j < A->n; j++) {
            double z = a[j * A->cs] / unit[j] - mean[j];
            out[j] += square ? z * z : z;
        }
    }
}

/* Least and largest of each column, nan where it has one. */
static void ranges(const ggn_table *A, double *low, double *high)
{
    for (ptrdiff_t j = 0; j < A->n; j++)
        low[j] = high[j] = A->a[j * A->cs];
    for (ptrdiff_t i = 1; i < A->T; i++) {
        const double *a = A->a + i * A->rs;
        for (ptrdiff_t j = 0; j < A->n; j++) {
            double x = a[j * A->cs];
            low[j] = x < low[j] || x != x ? x : low[j];
            high[j] = x > high[j] || x != x ? x : high[j];
        }
    }
}

static double larger(double x, double y)
{
    return x > y || x != x ? x : y;
}

void ggn_centre_and_size(const ggn_table *A, int shift, double *centre, double *size,
                         double *spare)
{
    ptrdiff_t n = A->n;
    double *low = spare, *high = low + n, *unit = high + n, *zero = unit + n, *var = zero + n;
    double slack = (double)(A->T < MOST_ROWS ? A->T : MOST_ROWS) * DBL_EPSILON;
    ranges(A, low, high);
    for (ptrdiff_t j = 0; j < n; j++) {
        double largest = larger(high[j], -low[j]);
        unit[j] = largest > 0.0 ? largest : 1.0;
        zero[j] = centre[j] = 0.0;
    }
    if (shift) {
        sums(A, unit, zero, 0, centre);
        for (ptrdiff_t j = 0; j < n; j++)
            centre[j] /= (double)A->T;
    }
    sums(A, unit, centre, 1, var);
    for (ptrdiff_t j = 0; j < n; j++) {
        double rounding = slack * centre[j];
        int same = shift && low[j] == high[j]; /* rounding of the mean may lie beside it */
        var[j] /= (double)A->T;
        size[j] = var[j] <= slack * var[j] + rounding * rounding ? 0.0 : sqrt(var[j]);
        size[j] = same ? 0.0 : size[j] * unit[j];
        centre[j] = same ? A->a[j * A->cs] : centre[j] * unit[j];
    }
}

void ggn_root_square(const ggn_table *A, double share, ptrdiff_t chunk, double *out,
                     double *spare)
{
    ptrdiff_t n = A->n;
    double *most = spare, *low = spare + n, *part = low + n;
    ranges(A, low, most);
    for (ptrdiff_t j = 0; j < n; j++) {
        most[j] = larger(most[j], -low[j]);
        most[j] = most[j] == 0.0 ? 1.0 : most[j];
        out[j] = 0.0;
    }
    for (ptrdiff_t first = 0; first < A->T; first += chunk) {
        ptrdiff_t stop = first + chunk < A->T ? first + chunk : A->T;
        for (ptrdiff_t j = 0; j < n; j++)
            part[j] = 0.0;
        for (ptrdiff_t i = first; i < stop; i++)
            for (ptrdiff_t j = 0; j < n; j++) {
                double z = A->a[i * A->rs + j * A->cs] / most[j];
                part[j] += share * (z * z);
            }
        for (ptrdiff_t j = 0; j < n; j++)
            out[j] += part[j];
    }
    for (ptrdiff_t j = 0; j < n; j++)
        out[j] = most[j] * sqrt(out[j]);
}

double ggn_variance(const ggn_table *A, double share, ptrdiff_t chunk, double rounding,
                    double *largest)
{
    double unit = 0.0, variance = 0.0;
    for (ptrdiff_t j = 0; j < A->n; j++)
        for (ptrdiff_t i = 0; i < A->T; i++)
            unit = larger(fabs(A->a[i * A->rs + j * A->cs]), unit);
    *largest = unit = unit > 0.0 && isfinite(unit) ? unit : 1.0;
    for (ptrdiff_t j = 0; j < A->n; j++) {
        const double *a = A->a + j * A->cs;
        double mean = 0.0, own = 0.0;
        for (ptrdiff_t i = 0; i < A->T; i++)
            mean += a[i * A->rs] * share;
        mean /= unit;
        for (ptrdiff_t first = 0; first < A->T; first += chunk) {
            ptrdiff_t stop = first + chunk < A->T ? first + chunk : A->T;
            double part = 0.0;
            for (ptrdiff_t i = first; i < stop; i++) {
                double z = a[i * A->rs] / unit - mean;
                part += share * (z * z);
            }
            own += part;
        }
        variance += own > (rounding * mean) * (rounding * mean) ? own : 0.0;
    }
    return variance;
}

int ggn_standardise(const ggn_table *A, const double *m, const double *s, double *out,
                    ptrdiff_t rs, ptrdiff_t cs)
{
    int finite = 1;
    for (ptrdiff_t i = 0; i < A->T; i++)
        for (ptrdiff_t j = 0; j < A->n; j++) {
            double x = (A->a[i * A->rs + j * A->cs] - m[j]) / s[j];
            finite &= isfinite(x) != 0;
            out[i * rs + j * cs] = x;
        }
    return finite;
}

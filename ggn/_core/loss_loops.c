#include <float.h>
#include <math.h> /* a libc header first: simd.h asks for __GLIBC__ */
#include <string.h>
#include "simd.h"
#include "loss_loops.h"

/* The formulas are those of ggn.losses; a test compares them. */
enum { SQUARED, SMOOTH_LP, CAUCHY, BLAKE_ZISSERMAN, LOGISTIC, SOFTMAX };
const char *const ggn_loss_names[] = {"squared",         "smooth_lp", "cauchy",
                                      "blake_zisserman", "logistic",  "softmax_cross_entropy"};
const ptrdiff_t ggn_n_losses = sizeof ggn_loss_names / sizeof *ggn_loss_names;

#define COUNTS(i) (shares ? shares[i] : share)

double ggn_sum(ptrdiff_t n, const double *x)
{
    double r[8], total = 0.0;
    ptrdiff_t i, half = n / 2 - n / 2 % 8;
    if (n > 128)
        return ggn_sum(half, x) + ggn_sum(n - half, x + half);
    if (n < 8) {
        for (i = 0; i < n; i++)
            total += x[i];
        return total;
    }
    for (i = 0; i < 8; i++)
        r[i] = x[i];
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++)
            r[j] += x[i + j];
    total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++)
        total += x[i];
    return total;
}

ptrdiff_t ggn_loss_spare(ptrdiff_t n, ptrdiff_t c)
{
    return c + 6 * n;
}

static double square(double x)
{
    return x * x;
}

static double most(double a, double b)
{
    return a > b || a != a ? a : b; /* as NumPy: nan stays */
}

static double expit(double z)
{
    const double e = exp(-fabs(z));
    return z >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

static double log_1_plus_exp(double z)
{
    return (z > 0.0 ? z : 0.0) + log1p(exp(-fabs(z)));
}

/* E of one output. */
static double rho(const ggn_loss *loss, double f, double y)
{
    const double r = f - y, u = square(r / loss->scale);
    switch (loss->code) {
    case SMOOTH_LP:
        return pow(loss->scale, loss->p) * expm1(0.5 * loss->p * log1p(u));
    case CAUCHY:
        return square(loss->scale) * log1p(u);
    case BLAKE_ZISSERMAN:
        return -square(loss->scale)
               * (u < 1.0 ? log1p(expm1(-u) / (1.0 + loss->epsilon))
                          : log(exp(-u) + loss->epsilon) - log1p(loss->epsilon));
    default: /* LOGISTIC */
        return y * log_1_plus_exp(-f) + (1.0 - y) * log_1_plus_exp(f);
    }
}

/* E' and the curvature of steps of one output. */
static double slope(const ggn_loss *loss, double f, double y, double *h)
{
    const double r = f - y;
    double g;
    switch (loss->code) {
    case SMOOTH_LP:
        *h = loss->p * pow(hypot(r, loss->scale), loss->p - 2.0);
        return r * *h;
    case CAUCHY:
        *h = 2.0 / (1.0 + square(r / loss->scale));
        return r * *h;
    case BLAKE_ZISSERMAN:
        g = exp(-square(r / loss->scale));
        *h = 2.0 * (g / (g + loss->epsilon));
        return r * *h;
    default: /* LOGISTIC */
        g = (1.0 - y) * expit(f) - y * expit(-f);
        *h = most(expit(f) * expit(-f), DBL_EPSILON * square(g));
        return g;
    }
}

GGN_CLONES static void squares(ptrdiff_t n, ptrdiff_t c, const double *f, const double *y,
                               double *e)
{
    memset(e, 0, c * sizeof(double));
    for (ptrdiff_t o = 0; o < n; o++, f += c, y += c) {
        GGN_IVDEP
        for (ptrdiff_t i = 0; i < c; i++)
            e[i] += (f[i] - y[i]) * (f[i] - y[i]);
    }
}

GGN_CLONES static void residuals(ptrdiff_t n, ptrdiff_t c, const double *f, const double *y,
                                 double share, const double *shares, double *eps)
{
    for (ptrdiff_t o = 0; o < n; o++, f += c, y += c, eps += c) {
        if (shares) {
            GGN_IVDEP
            for (ptrdiff_t i = 0; i < c; i++)
                eps[i] = 2.0 * (f[i] - y[i]) * shares[i];
        } else {
            GGN_IVDEP
            for (ptrdiff_t i = 0; i < c; i++)
                eps[i] = 2.0 * (f[i] - y[i]) * share;
        }
    }
}

static ptrdiff_t largest(ptrdiff_t n, ptrdiff_t step, const double *x)
{
    ptrdiff_t best = 0;
    for (ptrdiff_t o = 1; o < n; o++)
        if (x[o * step] > x[best * step])
            best = o;
    return best;
}

/* 1 - p; for the likeliest class, as the sum of the others. */
static void complement(ptrdiff_t n, const double *p, double *others)
{
    const ptrdiff_t best = largest(n, 1, p);
    double rest = 0.0;
    for (ptrdiff_t o = 0; o < n; o++) {
        others[o] = 1.0 - p[o];
        rest += o == best ? 0.0 : p[o];
    }
    others[best] = rest;
}

/* p, 1 - p and grad E of one sample; returns the likeliest class. */
static ptrdiff_t probabilities(ptrdiff_t n, ptrdiff_t c, const double *f, const double *y,
                               double *p, double *others, double *g)
{
    const ptrdiff_t best = largest(n, c, f);
    double rest = 0.0;
    for (ptrdiff_t o = 0; o < n; o++) {
        p[o] = o == best ? 1.0 : exp(-(f[best * c] - f[o * c]));
        rest += o == best ? 0.0 : p[o];
    }
    for (ptrdiff_t o = 0; o < n; o++)
        p[o] /= 1.0 + rest;
    complement(n, p, others);
    for (ptrdiff_t o = 0; o < n; o++)
        g[o] = (1.0 - y[o * c]) * p[o] - y[o * c] * others[o];
    return best;
}

static double cross_entropy(ptrdiff_t n, ptrdiff_t c, const double *f, const double *y)
{
    const ptrdiff_t best = largest(n, c, f);
    double rest = 0.0, total = 0.0;
    for (ptrdiff_t o = 0; o < n; o++) {
        const double below = f[best * c] - f[o * c];
        total += y[o * c] * below;
        rest += o == best ? 0.0 : exp(-below);
    }
    return total + log1p(rest);
}

double ggn_loss_value(const ggn_loss *loss, ptrdiff_t n, ptrdiff_t c, const double *f,
                      const double *y, double share, const double *shares, double *spare)
{
    if (loss->code == SQUARED)
        squares(n, c, f, y, spare);
    else
        for (ptrdiff_t i = 0; i < c; i++) {
            double e = 0.0;
            if (loss->code == SOFTMAX)
                e = cross_entropy(n, c, f + i, y + i);
            else
                for (ptrdiff_t o = 0; o < n; o++)
                    e += rho(loss, f[o * c + i], y[o * c + i]);
            spare[i] = e;
        }
    for (ptrdiff_t i = 0; shares && i < c; i++)
        spare[i] *= shares[i];
    return (shares ? 1.0 : share) * ggn_sum(c, spare);
}

void ggn_loss_slopes(const ggn_loss *loss, ptrdiff_t n, ptrdiff_t c, const double *f,
                     const double *y, double share, const double *shares, double *eps, double *h,
                     double *spare)
{
    double *p = spare, *others = p + n, *g = others + n, curvature;
    if (loss->code == SQUARED) {
        residuals(n, c, f, y, share, shares, eps);
        for (ptrdiff_t i = 0; h && i < n * c; i++)
            h[i] = 2.0 * COUNTS(i % c);
        return;
    }
    if (loss->code != SOFTMAX) {
        for (ptrdiff_t j = 0; j < n * c; j++) {
            eps[j] = slope(loss, f[j], y[j], &curvature) * COUNTS(j % c);
            if (h)
                h[j] = curvature * COUNTS(j % c);
        }
        return;
    }
    for (ptrdiff_t i = 0; i < c; i++) {
        probabilities(n, c, f + i, y + i, p, others, g);
        for (ptrdiff_t o = 0; o < n; o++)
            eps[o * c + i] = g[o] * COUNTS(i);
        if (!h)
            continue;
        for (ptrdiff_t o = 0; o < n; o++)
            p[o] = most(p[o], DBL_EPSILON * square(g[o]));
        complement(n, p, others);
        for (ptrdiff_t o = 0; o < n; o++)
            for (ptrdiff_t q = 0; q < n; q++)
                h[(o * n + q) * c + i] = COUNTS(i) * p[o] * (o == q ? others[o] : -p[q]);
    }
}

/* Tanabe & Sagae's root of one sample, the likeliest class taking the last place. */
static void softmax_root(ptrdiff_t n, ptrdiff_t c, const double *f, const double *y, double root,
                         double *s, double *r, double *spare)
{
    double *p = spare, *others = p + n, *g = others + n, *tail = g + n, earlier = 0.0, swap;
    const ptrdiff_t best = probabilities(n, c, f, y, p, others, g), last = n - 1;
    swap = p[best], p[best] = p[last], p[last] = swap;
    swap = g[best], g[best] = g[last], g[last] = swap;
    for (ptrdiff_t j = 0; j < n; j++)
        p[j] = most(p[j], DBL_EPSILON * square(g[j]));
    tail[last] = p[last]; /* q_(j-1) */
    for (ptrdiff_t j = last - 1; j >= 0; j--)
        tail[j] = tail[j + 1] + p[j];
    for (ptrdiff_t j = 0; j < n; j++) {
        const double column = j == last ? 0.0 : sqrt(p[j] / (tail[j + 1] * tail[j]));
        for (ptrdiff_t i = 0; i < n; i++) {
            const ptrdiff_t row = i == last ? best : i == best ? last : i;
            const double entry = j == last || i < j ? 0.0
                                 : i == j           ? tail[j + 1] * column
                                                    : -p[i] * column;
            s[(row * n + j) * c] = root * entry;
        }
        if (r) {
            const double own = j == last ? 0.0 : sqrt(p[j] * tail[j + 1] / tail[j]);
            r[j * c] = own > 0.0 ? root * ((g[j] + p[j] / tail[j] * earlier) / own) : 0.0;
            earlier += g[j];
        }
    }
}

void ggn_loss_root(const ggn_loss *loss, ptrdiff_t n, ptrdiff_t c, const double *f,
                   const double *y, double share, const double *shares, double *s, double *r,
                   double *spare)
{
    for (ptrdiff_t i = 0; loss->code == SOFTMAX && i < c; i++)
        softmax_root(n, c, f + i, y + i, sqrt(COUNTS(i)), s + i, r ? r + i : NULL, spare);
    for (ptrdiff_t j = 0; loss->code != SOFTMAX && j < n * c; j++) {
        const double root = sqrt(COUNTS(j % c));
        double h = 2.0, g = 2.0 * (f[j] - y[j]);
        if (loss->code != SQUARED)
            g = slope(loss, f[j], y[j], &h);
        s[j] = root * sqrt(h);
        if (r)
            r[j] = h > 0.0 ? root * (g / sqrt(h)) : 0.0;
    }
}

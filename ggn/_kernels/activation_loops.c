/* The activations, a whole row of net inputs at a time.
 *
 * Each is a branch-free scalar function of z giving sigma, sigma', sigma''; a
 * macro wraps it in the three loops that the compiler turns into SIMD (what a
 * loop does not store is never computed).  libm is not called: its exp, tanh
 * and log1p do not vectorise.
 *
 * Legend.  y = -|z| or -2|z|, e = exp(y) in [0, 1], m = exp(y) - 1 without
 * cancellation, u = 1 / (1 + e).  Writing the S-shaped functions with these
 * three keeps every tail accurate relative to its own size.
 */
#include <math.h> /* a libc header first: simd.h asks for __GLIBC__ */
#include "simd.h"
#include "activation_loops.h"
#include <stdint.h>
#include <string.h>

#define LOG2E 0x1.71547652b82fep+0
#define LN2_HI 0x1.62e42fefa3800p-1 /* trailing zeros: n * LN2_HI is exact for |n| < 2^11 */
#define LN2_LO 0x1.ef35793c76730p-45
#define ROUND 0x1.8p52 /* adding it rounds to an integer, held in the low bits */

/* 2^n for an integer-valued n in [-1022, 1023]. */
static inline double power_of_two(double n)
{
    double t = n + ROUND;
    int64_t bits;
    memcpy(&bits, &t, sizeof bits);
    bits = (int64_t)((uint64_t)(bits + 1023) << 52);
    memcpy(&t, &bits, sizeof t);
    return t;
}

/* exp(x) and exp(x) - 1 for x <= 710; below -746 exp is 0.  NaN stays NaN.
 * x = n ln 2 + r, |r| <= ln(2)/2, p = exp(r) - 1 by its Taylor series
 * (first term left out: 1.2e-17 of p). */
static inline double exp_and_expm1(double x, double *expm1_x)
{
    double n, r, q, p, half, s;
    x = x < -746.0 ? -746.0 : x;
    n = (x * LOG2E + ROUND) - ROUND;
    r = (x - n * LN2_HI) - n * LN2_LO;
    q = 1.0 / 6227020800.0;
    q = q * r + 1.0 / 479001600.0;
    q = q * r + 1.0 / 39916800.0;
    q = q * r + 1.0 / 3628800.0;
    q = q * r + 1.0 / 362880.0;
    q = q * r + 1.0 / 40320.0;
    q = q * r + 1.0 / 5040.0;
    q = q * r + 1.0 / 720.0;
    q = q * r + 1.0 / 120.0;
    q = q * r + 1.0 / 24.0;
    q = q * r + 1.0 / 6.0;
    q = q * r + 0.5;
    p = r + r * r * q;
    /* two factors, since 2^n alone can be out of range where exp is not */
    half = (0.5 * n + ROUND) - ROUND;
    s = power_of_two(half);
    half = power_of_two(n - half);
    *expm1_x = (s * half) * p + (s * half - 1.0);
    return ((1.0 + p) * s) * half;
}

/* log(1 + e) for e in [0, 1], given m = e - 1: 2 atanh(f / (2 + f)) with
 * f = e, or f = (e - 1)/2 and one ln 2 added, so that |f/(2+f)| <= 0.172. */
static inline double log1p_unit(double e, double m)
{
    int big = e > 0.41421356237309503;
    double f = big ? 0.5 * m : e;
    double base = big ? 0x1.62e42fefa39efp-1 : 0.0;
    double low = big ? 0x1.abc9e3b39803fp-56 : 0.0;
    double t = f / (2.0 + f), v = t * t, q;
    q = 2.0 / 21.0;
    q = q * v + 2.0 / 19.0;
    q = q * v + 2.0 / 17.0;
    q = q * v + 2.0 / 15.0;
    q = q * v + 2.0 / 13.0;
    q = q * v + 2.0 / 11.0;
    q = q * v + 2.0 / 9.0;
    q = q * v + 2.0 / 7.0;
    q = q * v + 2.0 / 5.0;
    q = q * v + 2.0 / 3.0;
    /* log1p(f) = f - t (f - v q): the large term f is exact */
    return base + (f - (t * (f - v * q) - low));
}

static inline void identity(double z, double slope, double *s, double *d1, double *d2)
{
    (void)slope;
    *s = z, *d1 = 1.0, *d2 = 0.0;
}

static inline void sigmoid(double z, double slope, double *s, double *d1, double *d2)
{
    double m, e = exp_and_expm1(-fabs(z), &m), u = 1.0 / (1.0 + e);
    (void)slope;
    *s = (z < 0.0 ? e : 1.0) * u;
    *d1 = e * u * u;
    *d2 = e * u * u * (copysign(m, -z) * u);
}

static inline void tanh_(double z, double slope, double *s, double *d1, double *d2)
{
    double m, e = exp_and_expm1(-2.0 * fabs(z), &m), u = 1.0 / (1.0 + e);
    (void)slope;
    *s = copysign(m * u, z);
    *d1 = 4.0 * (e * u * u);
    *d2 = -8.0 * (e * u * u) * copysign(m * u, z);
}

static inline void softsign(double z, double slope, double *s, double *d1, double *d2)
{
    double a = fabs(z), c = a > 1e300 ? 1e300 : a, u = 1.0 / (1.0 + c);
    (void)slope;
    *s = copysign(c / (1.0 + c), z);
    *d1 = u * u;
    *d2 = (z > 0.0 ? -2.0 : z < 0.0 ? 2.0 : 0.0) * (u * u * u);
}

static inline void softplus(double z, double slope, double *s, double *d1, double *d2)
{
    double m, e = exp_and_expm1(-fabs(z), &m), u = 1.0 / (1.0 + e);
    (void)slope;
    *s = (z > 0.0 ? z : 0.0) + log1p_unit(e, m);
    *d1 = (z < 0.0 ? e : 1.0) * u;
    *d2 = e * u * u;
}

static inline void bent_identity(double z, double slope, double *s, double *d1, double *d2)
{
    /* beyond 1e10, sqrt(z^2 + 1) is |z| to the last bit, and z^2 may overflow */
    double a = fabs(z), c = a > 1e10 ? 1e10 : a, q = sqrt(c * c + 1.0), root = a > 1e10 ? a : q;
    double bend = a > 1e10 ? a - 1.0 : c * c / (q + 1.0);
    (void)slope;
    *s = a > 1e300 ? (z > 0.0 ? 1.5 * z : 0.5 * z) : z + 0.5 * bend;
    *d1 = 1.0 + 0.5 * copysign(c / q, z);
    *d2 = 0.5 / root / root / root;
}

static inline void exponential(double z, double slope, double *s, double *d1, double *d2)
{
    double m, e = exp_and_expm1(z > 710.0 ? 710.0 : z, &m);
    (void)slope;
    *s = *d1 = *d2 = e;
}

static inline void leaky_relu(double z, double slope, double *s, double *d1, double *d2)
{
    *s = z < 0.0 ? slope * z : z;
    *d1 = z > 0.0 ? 1.0 : slope;
    *d2 = 0.0;
}

static inline void relu(double z, double slope, double *s, double *d1, double *d2)
{
    (void)slope;
    *s = z < 0.0 ? 0.0 : z;
    *d1 = z > 0.0 ? 1.0 : 0.0;
    *d2 = 0.0;
}

#define LOOPS(name)                                                                     \
    GGN_CLONES static void name##_loop(ptrdiff_t n, double slope, const double *z,      \
                                       double *s, double *d1, double *d2)               \
    {                                                                                   \
        double a, b, c;                                                                 \
        if (d2) {                                                                       \
            GGN_IVDEP                                                                   \
            for (ptrdiff_t i = 0; i < n; i++) {                                         \
                name(z[i], slope, &a, &b, &c);                                          \
                s[i] = a, d1[i] = b, d2[i] = c;                                         \
            }                                                                           \
        } else if (d1) {                                                                \
            GGN_IVDEP                                                                   \
            for (ptrdiff_t i = 0; i < n; i++) {                                         \
                name(z[i], slope, &a, &b, &c);                                          \
                s[i] = a, d1[i] = b;                                                    \
            }                                                                           \
        } else {                                                                        \
            GGN_IVDEP                                                                   \
            for (ptrdiff_t i = 0; i < n; i++) {                                         \
                name(z[i], slope, &a, &b, &c);                                          \
                s[i] = a;                                                               \
            }                                                                           \
        }                                                                               \
    }

LOOPS(identity)
LOOPS(sigmoid)
LOOPS(tanh_)
LOOPS(softsign)
LOOPS(softplus)
LOOPS(bent_identity)
LOOPS(exponential)
LOOPS(leaky_relu)
LOOPS(relu)

const ggn_activation ggn_activations[GGN_N_ACTIVATIONS] = {
    identity_loop,      sigmoid_loop,     tanh__loop,      softsign_loop, softplus_loop,
    bent_identity_loop, exponential_loop, leaky_relu_loop, relu_loop,
};

/* exp, log1p, the normal distribution, atan, sine and cosine without a branch, so that
 * loops over them vectorise: libm's do not.  Each is right to an ulp or two.
 *
 * Coefficients are those of the Taylor series, or interpolate the function, computed
 * with 60 digits, at Chebyshev points.
 */
#ifndef GGN_ACTIVATION_MATH_H
#define GGN_ACTIVATION_MATH_H
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "simd.h"

#define LOG2E 0x1.71547652b82fep+0
#define LN2_HI 0x1.62e42fefa3800p-1 /* trailing zeros: n * LN2_HI is exact for |n| < 2^11 */
#define LN2_LO 0x1.ef35793c76730p-45
#define ROUND 0x1.8p52 /* adding it rounds to an integer, held in the low bits */

/* 2^n for an integer-valued n in [-1022, 1023]. */
GGN_INLINE double power_of_two(double n)
{
    double t = n + ROUND;
    int64_t bits;
    memcpy(&bits, &t, sizeof bits);
    bits = (int64_t)((uint64_t)(bits + 1023) << 52);
    memcpy(&t, &bits, sizeof t);
    return t;
}

/* exp(x) = m * a * b and exp(x) - 1 for x <= 710.  NaN stays NaN.
 * m is of order 1, a and b are powers of two: two, since 2^n alone can be out of range
 * where exp is not.  What exp(x) is to be multiplied by goes to m, before a and b: the
 * product is then rounded once, also where exp(x) is subnormal.
 * x = n ln 2 + r, |r| <= ln(2)/2, p = exp(r) - 1 by its Taylor series
 * (first term left out: 1.2e-17 of p). */
typedef struct {
    double m, a, b, minus_1;
} exponential_parts;

GGN_INLINE exponential_parts exp_parts(double x)
{
    exponential_parts e;
    double n, r, q, p, half;
    x = x < -1e3 ? -1e3 : x; /* below -746 - log(c), exp(x) times c is 0 */
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
    half = (0.5 * n + ROUND) - ROUND;
    e.a = power_of_two(half);
    e.b = power_of_two(n - half);
    e.m = 1.0 + p;
    e.minus_1 = (e.a * e.b) * p + (e.a * e.b - 1.0);
    return e;
}

GGN_INLINE double exp_and_expm1(double x, double *expm1_x)
{
    exponential_parts e = exp_parts(x);
    *expm1_x = e.minus_1;
    return (e.m * e.a) * e.b;
}

/* exp(-z^2 / 2^k), k = 0 or 1, with the part of z^2 that its rounding loses; |z| <= 40. */
GGN_INLINE exponential_parts exp_minus_square(double z, double factor)
{
    int64_t bits;
    double high, low, square = z * z, lost;
    exponential_parts e;
    memcpy(&bits, &z, sizeof bits);
    bits &= ~(int64_t)0x7ffffff; /* 26 bits are left, whose square is exact */
    memcpy(&high, &bits, sizeof high);
    low = z - high;
    lost = ((high * high - square) + 2.0 * (high * low)) + low * low;
    e = exp_parts(-factor * square);
    e.m -= e.m * (factor * lost);
    return e;
}

/* log(1 + e) for e in [0, 1], given m = e - 1: 2 atanh(f / (2 + f)) with
 * f = e, or f = (e - 1)/2 and one ln 2 added, so that |f/(2+f)| <= 0.172. */
GGN_INLINE double log1p_unit(double e, double m)
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

/* Mills' ratio Phi(-t) / phi(t) of the normal distribution, 0 <= t <= 40:
 * P(u) / (1 + t), u = (t - 5)/(t + 5), P through the 24 Chebyshev points
 * of [-1, 35/45] (2.6e-17 off). */
GGN_INLINE double mills(double t)
{
    double u = (t - 5.0) / (t + 5.0), p;
    p = -0x1.8993f5cedbf39p-31;
    p = p * u - 0x1.97c2a3b162c60p-36;
    p = p * u + 0x1.7303e0dbe092fp-27;
    p = p * u + 0x1.d72608558aa1fp-28;
    p = p * u - 0x1.50c4148b9897cp-24;
    p = p * u - 0x1.0da5a3cc58c0ep-24;
    p = p * u + 0x1.093beaad18626p-21;
    p = p * u + 0x1.55a0537a62126p-22;
    p = p * u - 0x1.b8257ad31bfbap-19;
    p = p * u - 0x1.7858bcf84e5fcp-23;
    p = p * u + 0x1.7d0619bb3c87ep-16;
    p = p * u - 0x1.a02d842a41937p-16;
    p = p * u - 0x1.19cddd03b4746p-13;
    p = p * u + 0x1.df3ece24fcf98p-12;
    p = p * u + 0x1.47abd6ce5c501p-16;
    p = p * u - 0x1.1355f49284b10p-8;
    p = p * u + 0x1.0bd973a98d176p-6;
    p = p * u - 0x1.37838b3a2ad4ap-5;
    p = p * u + 0x1.f7d96e0da328bp-5;
    p = p * u - 0x1.0f103e712e581p-4;
    p = p * u + 0x1.9ac85788f39fdp-6;
    p = p * u + 0x1.3e97eaf5f2f3cp-4;
    p = p * u - 0x1.d5fd8ffd0f1a1p-3;
    p = p * u + 0x1.28273b50efa76p+0;
    return p / (1.0 + t);
}

/* atan(t), t >= 0: base + atan(x), |x| <= tan(pi/8), atan(x) = x - x^3 P(x^2), P
 * through 12 Chebyshev points (5.9e-17 of atan). */
GGN_INLINE double atan_positive(double t)
{
    int middle = t > 0.41421356237309503, far = t > 2.414213562373095;
    double above = far ? -1.0 : middle ? t - 1.0 : t;
    double below = far ? t : middle ? t + 1.0 : 1.0;
    double base = far ? 0x1.921fb54442d18p+0 : middle ? 0x1.921fb54442d18p-1 : 0.0;
    double low = far ? 0x1.1a62633145c07p-54 : middle ? 0x1.1a62633145c07p-55 : 0.0;
    double x = above / below, v = x * x, p;
    p = -0x1.0ad10221730d6p-6;
    p = p * v + 0x1.1b32a3266af2ep-5;
    p = p * v - 0x1.74dd67f0d3109p-5;
    p = p * v + 0x1.ac7a7bd8f05c0p-5;
    p = p * v - 0x1.e19a10824a50bp-5;
    p = p * v + 0x1.110e87e6a8722p-4;
    p = p * v - 0x1.3b1392d7e8f74p-4;
    p = p * v + 0x1.745d165de250bp-4;
    p = p * v - 0x1.c71c71c3045bap-4;
    p = p * v + 0x1.249249248d7e6p-3;
    p = p * v - 0x1.9999999999953p-3;
    p = p * v + 0x1.5555555555555p-2;
    return base + (x - (x * v * p - low));
}

#define SINE_MOST 1e6 /* up to which n PI_1 and n PI_2 below are exact */
#define PI_1 0x1.921fb544p+0 /* pi/2 = PI_1 + PI_2 + PI_3 to 2^-121, the first two of 33 bits */
#define PI_2 0x1.0b4611a6p-34
#define PI_3 0x1.3198a2e037073p-69

/* sin(t), 0 <= t <= SINE_MOST, and cos(t).  t = n pi/2 + r + low, |r| <= pi/4, the sum being
 * right to 2^-53 of r; then the Taylor series of sine and cosine (6e-17, 2e-18 off), by n mod 4. */
GGN_INLINE double sine_and_cosine(double t, double *cosine)
{
    double n = (t * 0x1.45f306dc9c883p-1 + ROUND) - ROUND;
    double k = n - 4.0 * ((0.25 * n + ROUND) - ROUND); /* n mod 4 in [-2, 2] */
    double x = t - n * PI_1, r = x - n * PI_2, low = ((x - r) - n * PI_2) - n * PI_3, sum, v, p, q;
    int odd = k * k == 1.0;
    sum = r + low;
    low = (r - sum) + low;
    v = sum * sum;
    p = 1.0 / 355687428096000.0;
    p = p * v - 1.0 / 1307674368000.0;
    p = p * v + 1.0 / 6227020800.0;
    p = p * v - 1.0 / 39916800.0;
    p = p * v + 1.0 / 362880.0;
    p = p * v - 1.0 / 5040.0;
    p = p * v + 1.0 / 120.0;
    p = p * v - 1.0 / 6.0;
    p = sum + (sum * v * p + low);
    q = 1.0 / 20922789888000.0;
    q = q * v - 1.0 / 87178291200.0;
    q = q * v + 1.0 / 479001600.0;
    q = q * v - 1.0 / 3628800.0;
    q = q * v + 1.0 / 40320.0;
    q = q * v - 1.0 / 720.0;
    q = q * v + 1.0 / 24.0;
    q = 1.0 - (0.5 * v - (v * v * q - sum * low));
    *cosine = (odd ? p : q) * (((k == 1.0) | (k * k == 4.0)) ? -1.0 : 1.0);
    return (odd ? q : p) * (((k == -1.0) | (k * k == 4.0)) ? -1.0 : 1.0);
}

#endif

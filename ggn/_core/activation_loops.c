/* The activations, a whole row of net inputs at a time.
 *
 * Each is a branch-free scalar function of z giving sigma, sigma', sigma'' (FORMULA);
 * LOOPS wraps it in the three loops that the compiler turns into SIMD (what a
 * loop does not store is never computed).
 *
 * Legend.  y = -|z| or -2|z|, e = exp(y) in [0, 1], m = exp(y) - 1 without
 * cancellation, u = 1 / (1 + e).  Writing the S-shaped functions with these
 * three keeps every tail accurate relative to its own size.
 */
#include <math.h> /* a libc header first: simd.h asks for __GLIBC__ */
#include "simd.h"
#include "activation_loops.h"
#include "activation_math.h"

/* The one list: an activation's place is its code, its name is Python's. */
#define GGN_ACTIVATIONS(X) \
    X(identity) X(sigmoid) X(tanh) X(softsign) X(softplus) X(bent_identity) X(exponential) X(leaky_relu) \
    X(relu) X(silu) X(gelu) X(mish) X(elu) X(arctan) X(gaussian) X(sine)

#define FORMULA(name) \
    GGN_INLINE void name##_at(double z, GGN_UNUSED double slope, double *s, double *d1, double *d2)

#define LOOPS(name)                                                                     \
    GGN_CLONES static void name##_loop(ptrdiff_t n, double slope, const double *z,      \
                                       double *s, double *d1, double *d2)               \
    {                                                                                   \
        double a, b, c;                                                                 \
        if (d2) {                                                                       \
            GGN_IVDEP                                                                   \
            for (ptrdiff_t i = 0; i < n; i++) {                                         \
                name##_at(z[i], slope, &a, &b, &c);                                          \
                s[i] = a, d1[i] = b, d2[i] = c;                                         \
            }                                                                           \
        } else if (d1) {                                                                \
            GGN_IVDEP                                                                   \
            for (ptrdiff_t i = 0; i < n; i++) {                                         \
                name##_at(z[i], slope, &a, &b, &c);                                          \
                s[i] = a, d1[i] = b;                                                    \
            }                                                                           \
        } else {                                                                        \
            GGN_IVDEP                                                                   \
            for (ptrdiff_t i = 0; i < n; i++) {                                         \
                name##_at(z[i], slope, &a, &b, &c);                                          \
                s[i] = a;                                                               \
            }                                                                           \
        }                                                                               \
    }

FORMULA(identity)
{
    *s = z, *d1 = 1.0, *d2 = 0.0;
}
LOOPS(identity)

FORMULA(sigmoid)
{
    double m, e = exp_and_expm1(-fabs(z), &m), u = 1.0 / (1.0 + e);
    *s = (z < 0.0 ? e : 1.0) * u;
    *d1 = e * u * u;
    *d2 = e * u * u * (copysign(m, -z) * u);
}
LOOPS(sigmoid)

FORMULA(tanh)
{
    double m, e = exp_and_expm1(-2.0 * fabs(z), &m), u = 1.0 / (1.0 + e);
    *s = copysign(m * u, z);
    *d1 = 4.0 * (e * u * u);
    *d2 = -8.0 * (e * u * u) * copysign(m * u, z);
}
LOOPS(tanh)

FORMULA(softsign)
{
    double a = fabs(z), c = a > 1e300 ? 1e300 : a, u = 1.0 / (1.0 + c);
    *s = copysign(c / (1.0 + c), z);
    *d1 = u * u;
    *d2 = (z > 0.0 ? -2.0 : z < 0.0 ? 2.0 : 0.0) * (u * u * u);
}
LOOPS(softsign)

FORMULA(softplus)
{
    double m, e = exp_and_expm1(-fabs(z), &m), u = 1.0 / (1.0 + e);
    *s = (z > 0.0 ? z : 0.0) + log1p_unit(e, m);
    *d1 = (z < 0.0 ? e : 1.0) * u;
    *d2 = e * u * u;
}
LOOPS(softplus)

FORMULA(bent_identity)
{
    /* beyond 1e10, sqrt(z^2 + 1) is |z| to the last bit, and z^2 may overflow */
    double a = fabs(z), c = a > 1e10 ? 1e10 : a, q = sqrt(c * c + 1.0), root = a > 1e10 ? a : q;
    double bend = a > 1e10 ? a - 1.0 : c * c / (q + 1.0);
    *s = a > 1e300 ? (z > 0.0 ? 1.5 * z : 0.5 * z) : z + 0.5 * bend;
    *d1 = 1.0 + 0.5 * copysign(c / q, z);
    *d2 = 0.5 / root / root / root;
}
LOOPS(bent_identity)

FORMULA(exponential)
{
    double m, e = exp_and_expm1(z > 710.0 ? 710.0 : z, &m);
    *s = *d1 = *d2 = e;
}
LOOPS(exponential)

FORMULA(leaky_relu)
{
    *s = z < 0.0 ? slope * z : z;
    *d1 = z > 0.0 ? 1.0 : slope;
    *d2 = 0.0;
}
LOOPS(leaky_relu)

FORMULA(relu)
{
    *s = z < 0.0 ? 0.0 : z;
    *d1 = z > 0.0 ? 1.0 : 0.0;
    *d2 = 0.0;
}
LOOPS(relu)

FORMULA(silu)
{
    /* |z| is cut where e is 0 already, lest inf * 0 */
    exponential_parts p = exp_parts(-fabs(z));
    double e = (p.m * p.a) * p.b, u = 1.0 / (1.0 + e), c = fabs(z) > 1e3 ? 1e3 : fabs(z);
    *s = z < 0.0 ? ((-c * u * p.m) * p.a) * p.b : z * u;
    *d1 = z < 0.0 ? ((u * (1.0 - c * u) * p.m) * p.a) * p.b : u * (1.0 + (c * u) * e);
    *d2 = ((u * u * (2.0 + c * (p.minus_1 * u)) * p.m) * p.a) * p.b;
}
LOOPS(silu)

FORMULA(gelu)
{
    /* z Phi(z), Phi(-t) = phi(t) mills(t) */
    double t = fabs(z), c = t > 40.0 ? 40.0 : t, m = mills(c);
    exponential_parts e = exp_minus_square(c, 0.5);
    double scale = 0x1.9884533d43651p-2 * e.m, phi = (scale * e.a) * e.b;
    *s = z < 0.0 ? ((-c * m * scale) * e.a) * e.b : z * (1.0 - phi * m);
    *d1 = z < 0.0 ? (((m - c) * scale) * e.a) * e.b : 1.0 + phi * (c - m);
    *d2 = (((2.0 - c * c) * scale) * e.a) * e.b;
}
LOOPS(gelu)

FORMULA(mish)
{
    /* z T, T = tanh(log(1 + e^z)) as a rational function of e: both sides over their
     * larger power, D; for z < 0, e is taken out, for z > 0 it is e^2 of T' and T'' */
    exponential_parts p = exp_parts(-fabs(z));
    double e = (p.m * p.a) * p.b, c = fabs(z) > 1e3 ? 1e3 : fabs(z), x = z < 0.0 ? -c : c;
    double D = z < 0.0 ? 2.0 + e * (2.0 + e) : 1.0 + e * (2.0 + 2.0 * e), u = 1.0 / D;
    double T = (z < 0.0 ? 2.0 + e : 1.0 + 2.0 * e) * u, T1 = 4.0 * (1.0 + e) * (u * u);
    double T2 = z < 0.0 ? 2.0 + e * (2.0 - e * (3.0 + 2.0 * e)) : e * (e * (2.0 * e + 2.0) - 3.0) - 2.0;
    double bend = 2.0 * T1 + x * (4.0 * T2 * (u * u * u));
    *s = z < 0.0 ? ((x * T * p.m) * p.a) * p.b : z * T;
    *d1 = z < 0.0 ? (((T + x * T1) * p.m) * p.a) * p.b : T + ((x * T1) * e) * e;
    *d2 = (((z < 0.0 ? bend : bend * e) * p.m) * p.a) * p.b;
}
LOOPS(mish)

FORMULA(elu)
{
    double m, e = exp_and_expm1(-fabs(z), &m);
    *s = z > 0.0 ? z : m;
    *d1 = z > 0.0 ? 1.0 : e;
    *d2 = z > 0.0 ? 0.0 : e;
}
LOOPS(elu)

FORMULA(arctan)
{
    /* r = min(|z|, 1/|z|), so that no square overflows */
    double t = fabs(z), r = t > 1.0 ? 1.0 / t : t, q = 1.0 / (1.0 + r * r), far = t > 1.0 ? r : 1.0;
    *s = copysign(atan_positive(t), z);
    *d1 = (q * far) * far;
    *d2 = ((copysign(2.0, -z) * r * (q * q)) * far) * far;
}
LOOPS(arctan)

FORMULA(gaussian)
{
    double t = fabs(z), c = t > 40.0 ? 40.0 : t;
    exponential_parts e = exp_minus_square(c, 1.0);
    *s = (e.m * e.a) * e.b;
    *d1 = ((copysign(2.0, -z) * c * e.m) * e.a) * e.b;
    *d2 = (((4.0 * (c * c) - 2.0) * e.m) * e.a) * e.b;
}
LOOPS(gaussian)

FORMULA(sine_near)
{
    double c, value = sine_and_cosine(fabs(z), &c) * copysign(1.0, z);
    *s = value, *d1 = c, *d2 = -value;
}
LOOPS(sine_near)

/* Where some |z| is beyond the reduction's reach, that one is libm's. */
GGN_CLONES static int within(ptrdiff_t n, const double *z, double most)
{
    double beyond = 0.0;
    for (ptrdiff_t i = 0; i < n; i++)
        beyond = fabs(z[i]) <= most ? beyond : 1.0;
    return beyond == 0.0;
}

static void sine_loop(ptrdiff_t n, double slope, const double *z, double *s, double *d1,
                      double *d2)
{
    if (within(n, z, SINE_MOST)) {
        sine_near_loop(n, slope, z, s, d1, d2);
        return;
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = z[i];
        if (fabs(x) <= SINE_MOST)
            sine_near_loop(1, slope, z + i, s + i, d1 ? d1 + i : NULL, d2 ? d2 + i : NULL);
        else {
            s[i] = sin(x);
            if (d1)
                d1[i] = cos(x);
            if (d2)
                d2[i] = -sin(x);
        }
    }
}

#define LOOP_OF(name) name##_loop,
#define NAME_OF(name) #name,
const ggn_activation ggn_activations[] = {GGN_ACTIVATIONS(LOOP_OF)};
const char *const ggn_activation_names[] = {GGN_ACTIVATIONS(NAME_OF)};
const ptrdiff_t ggn_n_activations = sizeof ggn_activations / sizeof *ggn_activations;

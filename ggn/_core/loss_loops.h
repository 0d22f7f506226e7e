/* The built-in losses of ggn.losses, for loops that may not wait for Python.
 *
 * Outputs f and targets y are (n, c), the sample running fastest.  c_i, how much sample i counts,
 * is shares[i], or `share` for every sample where shares is NULL.  `spare` holds
 * ggn_loss_spare(n, c) doubles.  H is the curvature of steps, c_i H_E: positive semi-definite,
 * (n, c) where it is diagonal, else (n, n, c).
 */
#ifndef GGN_LOSS_LOOPS_H
#define GGN_LOSS_LOOPS_H
#include <stddef.h>

typedef struct {
    int code; /* its place in ggn_loss_names */
    double p, scale, epsilon;
} ggn_loss;

extern const char *const ggn_loss_names[];
extern const ptrdiff_t ggn_n_losses;

/* Sum in NumPy's order, by halves, so that both loops see the same J. */
double ggn_sum(ptrdiff_t n, const double *x);

ptrdiff_t ggn_loss_spare(ptrdiff_t n, ptrdiff_t c);

/* Sum of c_i E_i. */
double ggn_loss_value(const ggn_loss *loss, ptrdiff_t n, ptrdiff_t c, const double *f,
                      const double *y, double share, const double *shares, double *spare);

/* eps = c_i grad E, (n, c), and H, unless h is NULL. */
void ggn_loss_slopes(const ggn_loss *loss, ptrdiff_t n, ptrdiff_t c, const double *f,
                     const double *y, double share, const double *shares, double *eps, double *h,
                     double *spare);

/* S with S S^T = H, of the shape of H, and r = S^+ eps, (n, c), unless r is NULL. */
void ggn_loss_root(const ggn_loss *loss, ptrdiff_t n, ptrdiff_t c, const double *f,
                   const double *y, double share, const double *shares, double *s, double *r,
                   double *spare);

#endif

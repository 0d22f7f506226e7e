/* Activations over n contiguous net inputs: s = sigma(z), and, where the
 * pointer is not NULL, d1 = sigma'(z), d2 = sigma''(z).  d2 needs d1.
 * `slope` is the activation's own parameter (leaky ReLU), else ignored.
 * s or d1 may be z itself; no other overlap. */
#ifndef GGN_ACTIVATION_LOOPS_H
#define GGN_ACTIVATION_LOOPS_H
#include <stddef.h>

typedef void (*ggn_activation)(ptrdiff_t n, double slope, const double *z,
                               double *s, double *d1, double *d2);

enum { GGN_N_ACTIVATIONS = 9 };

/* The order is that of the codes in ggn/activations.py. */
extern const ggn_activation ggn_activations[GGN_N_ACTIVATIONS];

#endif

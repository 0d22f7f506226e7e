/* Activations over n contiguous net inputs: s = sigma(z), and, where the
 * pointer is not NULL, d1 = sigma'(z), d2 = sigma''(z).  d2 needs d1.
 * `slope` is the activation's own parameter (leaky ReLU), else ignored.
 * s or d1 may be z itself; no other overlap. */
#ifndef GGN_ACTIVATION_LOOPS_H
#define GGN_ACTIVATION_LOOPS_H
#include <stddef.h>

typedef void (*ggn_activation)(ptrdiff_t n, double slope, const double *z,
                               double *s, double *d1, double *d2);

/* By code: the functions and the names that Python gives them. */
extern const ggn_activation ggn_activations[];
extern const char *const ggn_activation_names[];
extern const ptrdiff_t ggn_n_activations;

#endif

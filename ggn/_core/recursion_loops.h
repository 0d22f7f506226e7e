/* Recursions in time, over samples in their order; the legend is in recursion.pyx. */
#ifndef GGN_RECURSION_LOOPS_H
#define GGN_RECURSION_LOOPS_H
#include <stddef.h>

/* z (n,) = W x + (the last of W's m + dummy columns, if dummy) - b, for one sample; wt = W^T. */
void ggn_net_input(ptrdiff_t n, ptrdiff_t m, int dummy, double b, const double *w,
                   const double *wt, const double *x, double *z);

/* rows (c, k, M): row[i, o] += sum_f A[i, o, f] row[i - delay_f, output_f], where that sample is
 * of the same window, age_i >= delay_f; else A is added to column start[delay_f - age_i - 1,
 * output_f], if that is not negative.  Rows before rows[0] are those of earlier samples. */
void ggn_recur(ptrdiff_t c, ptrdiff_t k, ptrdiff_t f, ptrdiff_t M, const ptrdiff_t *output,
               const ptrdiff_t *delay, const ptrdiff_t *start, const ptrdiff_t *age,
               const double *a, double *rows);

/* Its transpose, from the last sample to the first: lambda (c, k) becomes the derivative of a
 * sum in which sample i counts lambda_i of its own; that in the columns of start is added to
 * initial, of which sample i has row (i's window) n_initial doubles from the last. */
void ggn_recur_back(ptrdiff_t c, ptrdiff_t k, ptrdiff_t f, ptrdiff_t n_initial,
                    const ptrdiff_t *output, const ptrdiff_t *delay, const ptrdiff_t *start,
                    const ptrdiff_t *age, const ptrdiff_t *window, const double *a,
                    double *lambda, double *initial);

/* out[i, u, j] = psi[u, i] phi[i, j] for samples i < c, rows of out ldo apart. */
void ggn_outer_rows(ptrdiff_t c, ptrdiff_t n, ptrdiff_t m, ptrdiff_t ldpsi, const double *psi,
                    const double *phi, ptrdiff_t ldo, double *out);

#endif

/* Sums over the columns of a table, whose rows and columns lie rs and cs doubles apart. */
#ifndef GGN_COLUMN_LOOPS_H
#define GGN_COLUMN_LOOPS_H
#include <stddef.h>

typedef struct {
    ptrdiff_t T, n, rs, cs;
    const double *a;
} ggn_table;

/* Centre and size of each column, as ggn.linearization.columns has them; spare holds 5 n. */
void ggn_centre_and_size(const ggn_table *A, int shift, double *centre, double *size,
                         double *spare);

/* Root of the sum of `share` times the squares of each column; spare holds 3 n.  Sums are taken
 * of `chunk` rows at a time. */
void ggn_root_square(const ggn_table *A, double share, ptrdiff_t chunk, double *out,
                     double *spare);

/* Sum over columns of `share` times the squares beside their mean, in units of the largest number
 * of all, which is left in `largest`.  Of a constant column rounding alone is left, and it counts
 * as 0: what is below (rounding mean)^2. */
double ggn_variance(const ggn_table *A, double share, ptrdiff_t chunk, double rounding,
                    double *largest);

/* out = (A - m) / s, column by column, its rows and columns rs and cs apart; whether all of it is
 * finite. */
int ggn_standardise(const ggn_table *A, const double *m, const double *s, double *out,
                    ptrdiff_t rs, ptrdiff_t cs);

#endif

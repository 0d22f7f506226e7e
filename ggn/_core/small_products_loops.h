/* Both products of small_products.h for one instruction set: included once for each.
 *
 * NAME(x) names the functions and TARGET is their attribute.  WIDTH doubles are a vector;
 * DOTS x DOTS dot products, or ROWS rows of VECTORS vectors, are summed in registers at a time
 * (DOTS, ROWS <= 8).  A remainder is spread evenly, so 10 rows of 8 at most are 5 and 5.
 */

typedef double NAME(vector) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
#define VECTOR NAME(vector)
#define BLOCK TARGET static inline __attribute__((always_inline))

BLOCK double NAME(sum)(VECTOR x)
{
#if WIDTH == 8
    x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3);
    x += __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5);
#elif WIDTH == 4
    x += __builtin_shufflevector(x, x, 2, 3, 0, 1);
#endif
    return x[0] + x[1];
}

BLOCK void NAME(dot_block)(int rows, int columns, ptrdiff_t k, const double *a, ptrdiff_t lda,
                           const double *b, ptrdiff_t ldb, double beta, double *c, ptrdiff_t ldc)
{
    VECTOR sum[DOTS][DOTS], x, y[DOTS];
    ptrdiff_t i;
    for (int r = 0; r < rows; r++)
        for (int s = 0; s < columns; s++)
            sum[r][s] = (VECTOR){0};
    for (i = 0; i + WIDTH <= k; i += WIDTH) {
        for (int s = 0; s < columns; s++)
            y[s] = *(const VECTOR *)(b + s * ldb + i);
        for (int r = 0; r < rows; r++) {
            x = *(const VECTOR *)(a + r * lda + i);
            for (int s = 0; s < columns; s++)
                sum[r][s] += x * y[s];
        }
    }
    for (int r = 0; r < rows; r++)
        for (int s = 0; s < columns; s++) {
            double total = NAME(sum)(sum[r][s]);
            for (ptrdiff_t j = i; j < k; j++)
                total += a[r * lda + j] * b[s * ldb + j];
            c[r * ldc + s] = beta == 0.0 ? total : beta * c[r * ldc + s] + total;
        }
}

BLOCK void NAME(dot_rows)(int rows, ptrdiff_t n, ptrdiff_t k, const double *a, ptrdiff_t lda,
                          const double *b, ptrdiff_t ldb, double beta, double *c, ptrdiff_t ldc)
{
    ptrdiff_t j;
#define CASE(s)                                                                              \
    case s:                                                                                  \
        if (s <= DOTS)                                                                       \
            NAME(dot_block)(rows, s, k, a, lda, b + j * ldb, ldb, beta, c + j, ldc);         \
        break;
    for (j = 0; j + DOTS <= n; j += DOTS)
        NAME(dot_block)(rows, DOTS, k, a, lda, b + j * ldb, ldb, beta, c + j, ldc);
    switch (n - j) {
        CASE(1) CASE(2) CASE(3) CASE(4)
    }
#undef CASE
}

TARGET static void NAME(dots)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const double *a,
                              ptrdiff_t lda, const double *b, ptrdiff_t ldb, double beta,
                              double *c, ptrdiff_t ldc)
{
    while (m > 0) {
        const ptrdiff_t blocks = (m + DOTS - 1) / DOTS, rows = (m + blocks - 1) / blocks;
#define CASE(r)                                                                              \
    case r:                                                                                  \
        if (r <= DOTS)                                                                       \
            NAME(dot_rows)(r, n, k, a, lda, b, ldb, beta, c, ldc);                           \
        break;
        switch (rows) {
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5)
        }
#undef CASE
        m -= rows;
        a += rows * lda;
        c += rows * ldc;
    }
}

BLOCK void NAME(combine_block)(int rows, int vectors, ptrdiff_t k, double alpha, const double *a,
                               ptrdiff_t rs, ptrdiff_t cs, const double *b, ptrdiff_t ldb,
                               double beta, double *c, ptrdiff_t ldc)
{
    VECTOR sum[ROWS][VECTORS], y[VECTORS];
    for (int r = 0; r < rows; r++)
        for (int q = 0; q < vectors; q++)
            sum[r][q] = (VECTOR){0};
    for (ptrdiff_t p = 0; p < k; p++) {
        for (int q = 0; q < vectors; q++)
            y[q] = *(const VECTOR *)(b + p * ldb + q * WIDTH);
        for (int r = 0; r < rows; r++)
            for (int q = 0; q < vectors; q++)
                sum[r][q] += a[r * rs + p * cs] * y[q];
    }
    for (int r = 0; r < rows; r++)
        for (int q = 0; q < vectors; q++) {
            VECTOR *out = (VECTOR *)(c + r * ldc + q * WIDTH);
            *out = beta == 0.0 ? alpha * sum[r][q] : beta * *out + alpha * sum[r][q];
        }
}

BLOCK void NAME(combine_rows)(int rows, ptrdiff_t n, ptrdiff_t k, double alpha, const double *a,
                              ptrdiff_t rs, ptrdiff_t cs, const double *b, ptrdiff_t ldb,
                              double beta, double *c, ptrdiff_t ldc)
{
    ptrdiff_t j;
    for (j = 0; j + VECTORS * WIDTH <= n; j += VECTORS * WIDTH)
        NAME(combine_block)(rows, VECTORS, k, alpha, a, rs, cs, b + j, ldb, beta, c + j, ldc);
    for (; j + WIDTH <= n; j += WIDTH)
        NAME(combine_block)(rows, 1, k, alpha, a, rs, cs, b + j, ldb, beta, c + j, ldc);
    for (; j < n; j++)
        for (int r = 0; r < rows; r++) {
            double total = 0.0;
            for (ptrdiff_t p = 0; p < k; p++)
                total += a[r * rs + p * cs] * b[p * ldb + j];
            total *= alpha;
            c[r * ldc + j] = beta == 0.0 ? total : beta * c[r * ldc + j] + total;
        }
}

TARGET static void NAME(combine)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha,
                                 const double *a, ptrdiff_t rs, ptrdiff_t cs, const double *b,
                                 ptrdiff_t ldb, double beta, double *c, ptrdiff_t ldc)
{
    while (m > 0) {
        const ptrdiff_t blocks = (m + ROWS - 1) / ROWS, rows = (m + blocks - 1) / blocks;
#define CASE(r)                                                                              \
    case r:                                                                                  \
        if (r <= ROWS)                                                                       \
            NAME(combine_rows)(r, n, k, alpha, a, rs, cs, b, ldb, beta, c, ldc);             \
        break;
        switch (rows) {
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
        }
#undef CASE
        m -= rows;
        a += rows * rs;
        c += rows * ldc;
    }
}

#undef VECTOR
#undef BLOCK

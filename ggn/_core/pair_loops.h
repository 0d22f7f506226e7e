/* The product of pair_products.h for one instruction set: included once for each.
 *
 * NAME(x) names the functions and TARGET is their attribute.  WIDTH doubles are a vector; ROWS
 * rows of VECTORS vectors are summed in registers.  A panel holds ROWS pairs of the left list,
 * or VECTORS * WIDTH of the right, sample by sample: packed[sample][pair].
 */

typedef double NAME(vector) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
#define VECTOR NAME(vector)
#define INLINE TARGET static inline __attribute__((always_inline))
#define COLUMNS (VECTORS * WIDTH)

/* A step of a transposition: odd blocks of d doubles in x change places with even ones in y. */
INLINE void NAME(exchange)(int d, VECTOR *x, VECTOR *y)
{
    const VECTOR a = *x, b = *y;
#if WIDTH == 8
    if (d == 1) {
        *x = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
        *y = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
    } else if (d == 2) {
        *x = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
        *y = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    } else {
        *x = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
        *y = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    }
#elif WIDTH == 4
    if (d == 1) {
        *x = __builtin_shufflevector(a, b, 0, 4, 2, 6);
        *y = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    } else {
        *x = __builtin_shufflevector(a, b, 0, 1, 4, 5);
        *y = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    }
#else
    (void)d;
    *x = __builtin_shufflevector(a, b, 0, 2);
    *y = __builtin_shufflevector(a, b, 1, 3);
#endif
}

/* WIDTH pairs of kc samples, to every `panel`-th double of `out` and the WIDTH - 1 behind it. */
INLINE void NAME(form)(int paired, ptrdiff_t r, ptrdiff_t kc, ptrdiff_t lds,
                       const double *const *a, const double *const *b, ptrdiff_t panel,
                       double *out)
{
    ptrdiff_t i;
    for (i = 0; i + WIDTH <= kc; i += WIDTH, out += WIDTH * panel) {
        VECTOR x[WIDTH];
        UNROLL for (int q = 0; q < WIDTH; q++)
        {
            x[q] = *(const VECTOR *)(a[q] + i);
            if (paired)
                x[q] *= *(const VECTOR *)(b[q] + i);
        }
        for (ptrdiff_t s = 1; s < r; s++)
            UNROLL for (int q = 0; q < WIDTH; q++)
                x[q] += *(const VECTOR *)(a[q] + s * lds + i)
                    * *(const VECTOR *)(b[q] + s * lds + i);
        UNROLL for (int d = 1; d < WIDTH; d *= 2)
            UNROLL for (int q = 0; q < WIDTH; q++)
                if (!(q & d))
                    NAME(exchange)(d, &x[q], &x[q | d]);
        UNROLL for (int q = 0; q < WIDTH; q++)
            *(VECTOR *)(out + q * panel) = x[q];
    }
    for (; i < kc; i++, out += panel)
        for (int q = 0; q < WIDTH; q++) {
            out[q] = paired ? a[q][i] * b[q][i] : a[q][i];
            for (ptrdiff_t s = 1; s < r; s++)
                out[q] += a[q][s * lds + i] * b[q][s * lds + i];
        }
}

/* Pairs [p0, p1) in panels; the last is filled up with the last pair. */
INLINE void NAME(pack)(ptrdiff_t panel, const ggn_pair_list *list, ptrdiff_t p0, ptrdiff_t p1,
                       ptrdiff_t kc, ptrdiff_t lds, ptrdiff_t first, double *packed)
{
    const ptrdiff_t stride = list->r * lds;
    const double *a[WIDTH], *b[WIDTH];
    ptrdiff_t u = p0, v = 0;
    if (list->b != NULL)
        pair_at(list, p0, &u, &v);
    for (ptrdiff_t p = p0; p < p1; p += panel, packed += panel * kc)
        for (ptrdiff_t g = 0; g < panel; g += WIDTH) {
            for (int q = 0; q < WIDTH; q++) {
                a[q] = list->a + u * stride + first;
                b[q] = list->b == NULL ? NULL : list->b + v * stride + first;
                if (p + g + q + 1 >= p1)
                    continue;
                if (list->b == NULL || ++v >= (list->triangular ? u + 1 : list->nv))
                    u++, v = 0;
            }
            if (p + g >= p1)
                break;
            if (list->b == NULL)
                NAME(form)(0, 1, kc, lds, a, b, panel, packed + g);
            else if (list->r == 1)
                NAME(form)(1, 1, kc, lds, a, b, panel, packed + g);
            else
                NAME(form)(1, list->r, kc, lds, a, b, panel, packed + g);
        }
}

TARGET static void NAME(pack_left)(const ggn_pair_list *list, ptrdiff_t p0, ptrdiff_t p1,
                                   ptrdiff_t kc, ptrdiff_t lds, ptrdiff_t first, double *packed)
{
    NAME(pack)(ROWS, list, p0, p1, kc, lds, first, packed);
}

TARGET static void NAME(pack_right)(const ggn_pair_list *list, ptrdiff_t p0, ptrdiff_t p1,
                                    ptrdiff_t kc, ptrdiff_t lds, ptrdiff_t first, double *packed)
{
    NAME(pack)(COLUMNS, list, p0, p1, kc, lds, first, packed);
}

/* c (rows, vectors * WIDTH) = beta c + the sum of kc outer products. */
INLINE void NAME(micro)(int rows, int vectors, ptrdiff_t kc, const double *a, const double *b,
                        double beta, double *c, ptrdiff_t ldc)
{
    VECTOR sum[ROWS][VECTORS], y[VECTORS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int q = 0; q < vectors; q++)
            sum[r][q] = (VECTOR){0};
    /* 10 % where the sums fill no cache; a row begins anywhere in a line, so its last double may
     * lie in a line of its own: without it 8 to 20 % on top are lost */
    UNROLL for (int r = 0; r < rows; r++)
    {
        UNROLL for (int q = 0; q < vectors * WIDTH; q += 8)
            __builtin_prefetch(c + r * ldc + q, 1);
        __builtin_prefetch(c + r * ldc + vectors * WIDTH - 1, 1);
    }
    for (ptrdiff_t p = 0; p < kc; p++, a += ROWS, b += COLUMNS) {
        UNROLL for (int q = 0; q < vectors; q++)
            y[q] = *(const VECTOR *)(b + q * WIDTH);
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int q = 0; q < vectors; q++)
                sum[r][q] += a[r] * y[q];
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int q = 0; q < vectors; q++) {
            VECTOR *out = (VECTOR *)(c + r * ldc + q * WIDTH);
            if (beta != 0.0)
                sum[r][q] += *out;
            *out = sum[r][q];
        }
}

/* A block at the edge: the smallest kernel that covers it, and of its result what is inside. */
TARGET static void NAME(edge)(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t kc, const double *a,
                              const double *b, double beta, double *c, ptrdiff_t ldc)
{
    double whole[ROWS * COLUMNS];
    const int half = rows <= ROWS / 2;
#define CASE(v)                                                                              \
    case v:                                                                                  \
        if (half)                                                                            \
            NAME(micro)(ROWS / 2, v, kc, a, b, 0.0, whole, COLUMNS);                         \
        else                                                                                 \
            NAME(micro)(ROWS, v, kc, a, b, 0.0, whole, COLUMNS);                             \
        break;
    switch ((columns + WIDTH - 1) / WIDTH) {
        CASE(1) CASE(2) CASE(3)
    }
#undef CASE
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t s = 0; s < columns; s++)
            c[r * ldc + s] = beta == 0.0 ? whole[r * COLUMNS + s]
                                         : c[r * ldc + s] + whole[r * COLUMNS + s];
}

/* c (m, n) = beta c + the product of packed panels; left out are those whose columns j have
 * slope * j > last + their last row. */
TARGET static void NAME(macro)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t kc, const double *a,
                               const double *b, ptrdiff_t slope, ptrdiff_t last, double beta,
                               double *c, ptrdiff_t ldc)
{
    for (ptrdiff_t j = 0; j < n; j += COLUMNS, b += COLUMNS * kc) {
        const double *x = a;
        for (ptrdiff_t i = 0; i < m; i += ROWS, x += ROWS * kc) {
            const ptrdiff_t rows = least(m - i, ROWS), columns = least(n - j, COLUMNS);
            if (slope * j > last + i + rows - 1)
                continue;
            if (rows == ROWS && columns == COLUMNS)
                NAME(micro)(ROWS, VECTORS, kc, x, b, beta, c + i * ldc + j, ldc);
            else
                NAME(edge)(rows, columns, kc, x, b, beta, c + i * ldc + j, ldc);
        }
    }
}

static const kernel_of NAME(kernel) = {ROWS, COLUMNS, NAME(pack_left), NAME(pack_right), NAME(macro)};

#undef VECTOR
#undef INLINE
#undef COLUMNS

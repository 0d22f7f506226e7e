#include "simd.h"
#include "pair_products.h"

#if GGN_VECTORS

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

/* Samples of a panel, at most.  Part of the result's bits, so it is no machine's. */
#define DEPTH 256
/* Right pairs that are packed at a time: all of most blocks, so that no left one is formed
 * twice.  Each panel of them meets a whole tile of left ones, so it may come from memory. */
#define RIGHT 2304
#define MOST_ROWS 8
#define MOST_COLUMNS 24

typedef struct {
    ptrdiff_t rows, columns; /* of a panel on the left, and on the right */
    void (*pack_left)(const ggn_pair_list *list, ptrdiff_t p0, ptrdiff_t p1, ptrdiff_t kc,
                      ptrdiff_t lds, ptrdiff_t first, double *packed);
    void (*pack_right)(const ggn_pair_list *list, ptrdiff_t p0, ptrdiff_t p1, ptrdiff_t kc,
                       ptrdiff_t lds, ptrdiff_t first, double *packed);
    void (*macro)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t kc, const double *a, const double *b,
                  ptrdiff_t slope, ptrdiff_t last, double beta, double *c, ptrdiff_t ldc);
} kernel_of;

static inline ptrdiff_t least(ptrdiff_t a, ptrdiff_t b)
{
    return a < b ? a : b;
}

static inline ptrdiff_t most(ptrdiff_t a, ptrdiff_t b)
{
    return a > b ? a : b;
}

static ptrdiff_t pair_count(const ggn_pair_list *list)
{
    return list->b == NULL ? list->n
        : list->triangular ? list->n * (list->n + 1) / 2
                           : list->n * list->nv;
}

/* The p-th pair (u, v). */
static void pair_at(const ggn_pair_list *list, ptrdiff_t p, ptrdiff_t *u, ptrdiff_t *v)
{
    if (list->triangular) {
        for (*u = 0; (*u + 1) * (*u + 2) / 2 <= p; ++*u)
            ;
        *v = p - *u * (*u + 1) / 2;
    } else {
        *u = p / list->nv;
        *v = p % list->nv;
    }
}

#define UNROLL _Pragma("GCC unroll 8")

#if defined(__x86_64__)
/* Register blocks: the fastest of those tried. */
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))
#define NAME(x) x##_avx512
#define WIDTH 8
#define ROWS 8
#define VECTORS 3
#include "pair_loops.h"
#undef TARGET
#undef NAME
#undef WIDTH
#undef ROWS
#undef VECTORS

#define TARGET __attribute__((target("avx2,fma")))
#define NAME(x) x##_avx2
#define WIDTH 4
#define ROWS 4
#define VECTORS 3
#include "pair_loops.h"
#undef TARGET
#undef NAME
#undef WIDTH
#undef ROWS
#undef VECTORS
#endif

#define TARGET
#define NAME(x) x##_baseline
#define WIDTH 2
#if defined(__aarch64__) /* 32 registers */
#define ROWS 8
#else
#define ROWS 4
#endif
#define VECTORS 3
#include "pair_loops.h"

static const kernel_of *kernel_for(GGN_UNUSED int simd)
{
#if defined(__x86_64__)
    if (simd == GGN_AVX512)
        return &kernel_avx512;
    if (simd == GGN_AVX2)
        return &kernel_avx2;
#endif
    return &kernel_baseline;
}

/* Left pairs of a tile: as many as fill half of the second cache. */
static ptrdiff_t left_tile(void)
{
    ptrdiff_t cache = 0;
#if defined(_SC_LEVEL2_CACHE_SIZE)
    cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    if (cache <= 0)
        cache = 1 << 19;
    return least(most(cache / 2 / (8 * DEPTH), 64), 512) / MOST_ROWS * MOST_ROWS;
}

ptrdiff_t ggn_pair_work(ptrdiff_t left, ptrdiff_t right)
{
    return DEPTH * (least(left, 512) + MOST_ROWS + least(right, RIGHT) + MOST_COLUMNS);
}

void ggn_pair_product(int simd, ptrdiff_t c, ptrdiff_t lds, const ggn_pair_list *left,
                      const ggn_pair_list *right, ptrdiff_t slope, double beta, double *sums,
                      double *work)
{
    const kernel_of *kernel = kernel_for(simd);
    const ptrdiff_t m = pair_count(left), n = pair_count(right), tile = left_tile();
    /* pieces of the samples, alike, and of whole vectors but for the last */
    const ptrdiff_t pieces = (c + DEPTH - 1) / DEPTH, piece = ((c + pieces - 1) / pieces + 7) / 8 * 8;
    double *const a = work, *const b = work + DEPTH * (least(m, tile) + MOST_ROWS);
    for (ptrdiff_t k = 0; k < c; k += piece) {
        const ptrdiff_t kc = least(piece, c - k);
        for (ptrdiff_t j = 0; j < n; j += RIGHT) {
            const ptrdiff_t columns = least(RIGHT, n - j);
            kernel->pack_right(right, j, j + columns, kc, lds, k, b);
            for (ptrdiff_t i = 0; i < m; i += tile) {
                const ptrdiff_t rows = least(tile, m - i);
                if (slope * j > i + rows - 1)
                    continue;
                kernel->pack_left(left, i, i + rows, kc, lds, k, a);
                kernel->macro(rows, columns, kc, a, b, slope, i - slope * j, k == 0 ? beta : 1.0,
                              sums + i * n + j, n);
            }
        }
    }
}

#else
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif

ptrdiff_t ggn_pair_work(ptrdiff_t left, ptrdiff_t right)
{
    return 0;
}

/* Never called. */
void ggn_pair_product(int simd, ptrdiff_t c, ptrdiff_t lds, const ggn_pair_list *left,
                      const ggn_pair_list *right, ptrdiff_t slope, double beta, double *sums,
                      double *work)
{
}

#endif

#include "simd.h"
#include "small_products.h"

#if GGN_VECTORS

#if defined(__x86_64__)
/* Register blocks: the fastest of those tried on F(2,10,10,4) and F(10,1000,1). */
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))
#define NAME(x) x##_avx512
#define WIDTH 8
#define DOTS 5
#define ROWS 8
#define VECTORS 3
#include "small_products_loops.h"
#undef TARGET
#undef NAME
#undef WIDTH
#undef DOTS
#undef ROWS
#undef VECTORS

#define TARGET __attribute__((target("avx2,fma")))
#define NAME(x) x##_avx2
#define WIDTH 4
#define DOTS 3
#define ROWS 4
#define VECTORS 3
#include "small_products_loops.h"
#undef TARGET
#undef NAME
#undef WIDTH
#undef DOTS
#undef ROWS
#undef VECTORS
#endif

#define TARGET
#define NAME(x) x##_baseline
#define WIDTH 2
#if defined(__aarch64__) /* 32 registers */
#define DOTS 5
#define ROWS 8
#else
#define DOTS 3
#define ROWS 4
#endif
#define VECTORS 3
#include "small_products_loops.h"

int ggn_widest_simd(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        return GGN_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return GGN_AVX2;
#endif
    return GGN_BASELINE;
}

void ggn_dots(GGN_UNUSED int simd, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const double *a,
              ptrdiff_t lda, const double *b, ptrdiff_t ldb, double beta, double *c, ptrdiff_t ldc)
{
#if defined(__x86_64__)
    if (simd != GGN_BASELINE) {
        (simd == GGN_AVX512 ? dots_avx512 : dots_avx2)(m, n, k, a, lda, b, ldb, beta, c, ldc);
        return;
    }
#endif
    dots_baseline(m, n, k, a, lda, b, ldb, beta, c, ldc);
}

void ggn_combine(GGN_UNUSED int simd, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha,
                 const double *a, ptrdiff_t rs, ptrdiff_t cs, const double *b, ptrdiff_t ldb,
                 double beta, double *c, ptrdiff_t ldc)
{
#if defined(__x86_64__)
    if (simd != GGN_BASELINE) {
        (simd == GGN_AVX512 ? combine_avx512 : combine_avx2)(m, n, k, alpha, a, rs, cs, b, ldb,
                                                             beta, c, ldc);
        return;
    }
#endif
    combine_baseline(m, n, k, alpha, a, rs, cs, b, ldb, beta, c, ldc);
}

#else
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif

int ggn_widest_simd(void)
{
    return GGN_NO_SIMD;
}

/* Never called. */
void ggn_dots(int simd, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const double *a, ptrdiff_t lda,
              const double *b, ptrdiff_t ldb, double beta, double *c, ptrdiff_t ldc)
{
}

void ggn_combine(int simd, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha, const double *a,
                 ptrdiff_t rs, ptrdiff_t cs, const double *b, ptrdiff_t ldb, double beta,
                 double *c, ptrdiff_t ldc)
{
}

#endif

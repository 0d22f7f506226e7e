/* Build one function for several instruction sets and let the loader pick.
 *
 * gcc on x86-64 with glibc compiles the marked function once per target and
 * resolves the call when the module is loaded; elsewhere the mark is empty and
 * the baseline is used.  No -march flag is needed, so wheels stay portable.
 */
#ifndef GGN_SIMD_H
#define GGN_SIMD_H

#include <stddef.h>

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__) \
    && defined(__gnu_linux__) && defined(__GLIBC__)
#define GGN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GGN_CLONES
#endif

/* Our own matrix products are written with vectors of the compiler's: whether it has them. */
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define GGN_VECTORS 1
#else
#define GGN_VECTORS 0
#endif

/* The widths they are compiled for; the baseline is SSE2 or NEON.  Without, products are BLAS's. */
enum { GGN_NO_SIMD, GGN_BASELINE, GGN_AVX2, GGN_AVX512 };

/* What a loop over it must hold to vectorise: clang leaves the longer formulas as calls. */
#if defined(__GNUC__)
#define GGN_INLINE static inline __attribute__((always_inline))
#define GGN_UNUSED __attribute__((unused))
#elif defined(_MSC_VER)
#define GGN_INLINE static __forceinline
#define GGN_UNUSED
#else
#define GGN_INLINE static inline
#define GGN_UNUSED
#endif

/* The loops below write element i from elements i only, in place or not. */
#if defined(__clang__)
#define GGN_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define GGN_IVDEP _Pragma("GCC ivdep")
#else
#define GGN_IVDEP
#endif

#endif

/* Flush to zero: results, and operands, below the smallest normal double count as 0.
 *
 * The slopes of saturated units underflow gradually, and so do their products; Intel cores
 * take a microcode assist of some 150 cycles for each such number.  The mode belongs to the
 * thread: `ggn_enter` sets it, unless numbers are to be exact, and returns what was set before;
 * `ggn_leave` brings that back.  Between the two nothing of Python's, NumPy's or the user's may
 * run.
 */
#ifndef GGN_FLUSH_H
#define GGN_FLUSH_H

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>

typedef unsigned int ggn_mode; /* MXCSR: bit 15 flushes results, bit 6 takes operands for 0 */

static inline ggn_mode ggn_enter(int exact)
{
    const ggn_mode before = _mm_getcsr();
    if (!exact)
        _mm_setcsr(before | 0x8040u);
    return before;
}

static inline void ggn_leave(ggn_mode before)
{
    _mm_setcsr(before);
}

#elif defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))

typedef unsigned long long ggn_mode; /* FPCR: bit 24 flushes both */

static inline ggn_mode ggn_enter(int exact)
{
    ggn_mode before;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(before));
    if (!exact)
        __asm__ __volatile__("msr fpcr, %0" : : "r"(before | 0x1000000ull) : "memory");
    return before;
}

static inline void ggn_leave(ggn_mode before)
{
    __asm__ __volatile__("msr fpcr, %0" : : "r"(before) : "memory");
}

#else

typedef int ggn_mode;

static inline ggn_mode ggn_enter(int exact)
{
    return (void)exact, 0;
}

static inline void ggn_leave(ggn_mode before)
{
    (void)before;
}

#endif
#endif

/* Seconds of a clock that never goes back. */
#ifndef GGN_CLOCK_H
#define GGN_CLOCK_H

#if defined(_WIN32)
#include <windows.h>

static inline double ggn_seconds(void)
{
    LARGE_INTEGER now, per_second;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&per_second);
    return (double)now.QuadPart / (double)per_second.QuadPart;
}

#else
#include <time.h>

static inline double ggn_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
#endif

"""Matrix products by whichever is faster: our own on one thread, or BLAS for large ones.

The choice is made for each call from its sizes and `most`, see matmul.pxd.  Here, too, is
said which vectors our own products use: the widest that the processor has, or, for tests and
comparisons, what the environment variable GGN_SIMD says when the library is loaded:
avx512, avx2, baseline (SSE2 or NEON), or none (all products are BLAS's).
"""

from libc.stdlib cimport getenv

from ggn._core.blas cimport gemm_nn as blas_nn
from ggn._core.blas cimport gemm_nt as blas_nt
from ggn._core.blas cimport gemm_tn as blas_tn
from ggn._core.blas cimport syrk_t as blas_syrk_t

cdef extern from *:
    Py_ssize_t PY_SSIZE_T_MAX

cdef extern from "small_products.h" nogil:
    int ggn_widest_simd()
    void ggn_dots(int simd, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const double *a,
                  Py_ssize_t lda, const double *b, Py_ssize_t ldb, double beta, double *c,
                  Py_ssize_t ldc)
    void ggn_combine(int simd, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                     const double *a, Py_ssize_t rs, Py_ssize_t cs, const double *b,
                     Py_ssize_t ldb, double beta, double *c, Py_ssize_t ldc)

names = ("none", "baseline", "avx2", "avx512")  # by simd.h's numbers
SIMD_HERE = names[:ggn_widest_simd() + 1]
cdef const char *told = getenv("GGN_SIMD")
SIMD = (b"" if told == NULL else told).decode().strip().lower() or names[ggn_widest_simd()]
if SIMD not in SIMD_HERE:
    raise ValueError(f"GGN_SIMD must be one of {', '.join(SIMD_HERE)} here, got {SIMD!r}")
cdef int LEVEL = names.index(SIMD)


cdef int simd() noexcept nogil:
    """Which vectors our own products use: one of simd.h's."""
    return LEVEL


cdef Py_ssize_t most_of_own(bint one_thread) noexcept nogil:
    """The `most` of matmul.pxd: measured with two BLAS threads; with one, ours is always faster."""
    return PY_SSIZE_T_MAX if one_thread else 16777216


cdef bint is_own(Py_ssize_t most, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k) noexcept nogil:
    """Whether to take our own product."""
    return <double>m * n * k <= most and LEVEL != 0


cdef void gemm_nn(Py_ssize_t most, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                  const double *a, Py_ssize_t lda, const double *b, Py_ssize_t ldb, double beta,
                  double *c, Py_ssize_t ldc) noexcept nogil:
    """C (m, n) = alpha A (m, k) B (k, n) + beta C."""
    if is_own(most, m, n, k):
        ggn_combine(LEVEL, m, n, k, alpha, a, lda, 1, b, ldb, beta, c, ldc)
    else:
        blas_nn(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)


cdef void gemm_tn(Py_ssize_t most, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                  const double *a, Py_ssize_t lda, const double *b, Py_ssize_t ldb, double beta,
                  double *c, Py_ssize_t ldc) noexcept nogil:
    """C (m, n) = alpha A^T B (k, n) + beta C, A (k, m)."""
    if is_own(most, m, n, k):
        ggn_combine(LEVEL, m, n, k, alpha, a, 1, lda, b, ldb, beta, c, ldc)
    else:
        blas_tn(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)


# Rows of A and B whose panels stay in the first cache, and columns of a panel left of the
# diagonal (32 to 256 tried for both).
cdef enum:
    INNER = 128
    PANEL = 96


cdef void syrk_t(Py_ssize_t most, Py_ssize_t n, Py_ssize_t k, double alpha, const double *a,
                 Py_ssize_t lda, double beta, double *c, Py_ssize_t ldc) noexcept nogil:
    """Lower triangle of C (n, n) = alpha A^T A + beta C, A (k, n); overwrites some of the rest."""
    cdef Py_ssize_t p = 0, r, rows, inner
    # ahead of BLAS for longer than the others: 0.17 against 0.19
    if not is_own(most, n, n, k // 16):
        blas_syrk_t(n, k, alpha, a, lda, beta, c, ldc)
        return
    while p < k or p == 0:
        inner = min(INNER, k - p)
        r = 0
        while r < n:
            rows = min(PANEL, n - r)
            ggn_combine(LEVEL, rows, r + rows, inner, alpha, a + p * lda + r, 1, lda, a + p * lda, lda,
                        beta if p == 0 else 1.0, c + r * ldc, ldc)
            r += rows
        p += INNER


cdef void gemm_nt(Py_ssize_t most, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const double *a,
                  Py_ssize_t lda, const double *b, Py_ssize_t ldb, double beta, double *c,
                  Py_ssize_t ldc) noexcept nogil:
    """C (m, n) = A (m, k) B^T + beta C, B (n, k)."""
    if is_own(most, m, n, k):
        ggn_dots(LEVEL, m, n, k, a, lda, b, ldb, beta, c, ldc)
    else:
        blas_nt(m, n, k, 1.0, a, lda, b, ldb, beta, c, ldc)

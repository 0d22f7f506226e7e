"""Matrix products; see matmul.pyx.

`most` is the number of multiplications up to which a product is our own; beyond, it is BLAS's.
Who calls says it, so that the same call has the same bits, whatever BLAS is doing meanwhile.
"""

cdef int simd() noexcept nogil
cdef Py_ssize_t most_of_own(bint one_thread) noexcept nogil

# C (m, n) = alpha A (m, k) B (k, n) + beta C.
cdef void gemm_nn(Py_ssize_t most, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                  const double *a, Py_ssize_t lda, const double *b, Py_ssize_t ldb, double beta,
                  double *c, Py_ssize_t ldc) noexcept nogil

# C (m, n) = alpha A^T B (k, n) + beta C, A (k, m).
cdef void gemm_tn(Py_ssize_t most, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                  const double *a, Py_ssize_t lda, const double *b, Py_ssize_t ldb, double beta,
                  double *c, Py_ssize_t ldc) noexcept nogil

# Lower triangle of C (n, n) = alpha A^T A + beta C, A (k, n); overwrites some of the rest.
cdef void syrk_t(Py_ssize_t most, Py_ssize_t n, Py_ssize_t k, double alpha, const double *a,
                 Py_ssize_t lda, double beta, double *c, Py_ssize_t ldc) noexcept nogil

# C (m, n) = A (m, k) B^T + beta C, B (n, k).
cdef void gemm_nt(Py_ssize_t most, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const double *a,
                  Py_ssize_t lda, const double *b, Py_ssize_t ldb, double beta, double *c,
                  Py_ssize_t ldc) noexcept nogil

"""Row-major BLAS and LAPACK by value: the only file that names SciPy's Fortran ones.

A row-major (m, k) array is the column-major (k, m) array of its transpose, so
C = A B becomes C^T = B^T A^T: the operands swap and no data moves.  `ld*` is
the distance between rows; BLAS wants it positive even where there are no columns.  Callers
have checked every size against INT_MAX.
"""

from scipy.linalg.cython_blas cimport ddot, dgemm, dgemv, dsyrk, dtrsm, dtrsv
from scipy.linalg.cython_lapack cimport dgeqrf, dormqr, dormtr, dpotrf, dsterf, dsytrd

ctypedef int blas_int


cdef inline blas_int stride(Py_ssize_t ld) noexcept nogil:
    return <blas_int>max(ld, 1)


cdef inline void gemm_nn(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                         const double *a, Py_ssize_t lda, const double *b, Py_ssize_t ldb,
                         double beta, double *c, Py_ssize_t ldc) noexcept nogil:
    """C (m, n) = alpha A (m, k) B (k, n) + beta C."""
    cdef blas_int m_ = <blas_int>m, n_ = <blas_int>n, k_ = <blas_int>k
    cdef blas_int lda_ = stride(lda), ldb_ = stride(ldb), ldc_ = <blas_int>ldc
    if m == 0 or n == 0:
        return
    dgemm(b'N', b'N', &n_, &m_, &k_, &alpha, <double*>b, &ldb_, <double*>a, &lda_, &beta, c, &ldc_)


cdef inline void gemv_n(Py_ssize_t m, Py_ssize_t n, const double *a, const double *x,
                        double *y) noexcept nogil:
    """y (m,) = A x, A (m, n)."""
    cdef blas_int m_ = <blas_int>m, n_ = <blas_int>n, lda_ = stride(n), one = 1
    cdef double alpha = 1.0, beta = 0.0
    dgemv(b'T', &n_, &m_, &alpha, <double*>a, &lda_, <double*>x, &one, &beta, y, &one)


cdef inline void gemv_t(Py_ssize_t m, Py_ssize_t n, const double *a, const double *x,
                        double *y) noexcept nogil:
    """y (n,) = A^T x, A (m, n)."""
    cdef blas_int m_ = <blas_int>m, n_ = <blas_int>n, lda_ = stride(n), one = 1
    cdef double alpha = 1.0, beta = 0.0
    dgemv(b'N', &n_, &m_, &alpha, <double*>a, &lda_, <double*>x, &one, &beta, y, &one)


cdef inline double dot_of(Py_ssize_t n, const double *x, const double *y) noexcept nogil:
    """x^T y."""
    cdef blas_int n_ = <blas_int>n, one = 1
    return ddot(&n_, <double*>x, &one, <double*>y, &one)


cdef inline void gemm_nt(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                         const double *a, Py_ssize_t lda, const double *b, Py_ssize_t ldb,
                         double beta, double *c, Py_ssize_t ldc) noexcept nogil:
    """C (m, n) = alpha A (m, k) B^T + beta C, B (n, k)."""
    cdef blas_int m_ = <blas_int>m, n_ = <blas_int>n, k_ = <blas_int>k
    cdef blas_int lda_ = stride(lda), ldb_ = stride(ldb), ldc_ = <blas_int>ldc
    if m == 0 or n == 0:
        return
    dgemm(b'T', b'N', &n_, &m_, &k_, &alpha, <double*>b, &ldb_, <double*>a, &lda_, &beta, c, &ldc_)


cdef inline void gemm_tn(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha,
                         const double *a, Py_ssize_t lda, const double *b, Py_ssize_t ldb,
                         double beta, double *c, Py_ssize_t ldc) noexcept nogil:
    """C (m, n) = alpha A^T B (k, n) + beta C, A (k, m)."""
    cdef blas_int m_ = <blas_int>m, n_ = <blas_int>n, k_ = <blas_int>k
    cdef blas_int lda_ = stride(lda), ldb_ = stride(ldb), ldc_ = <blas_int>ldc
    if m == 0 or n == 0:
        return
    dgemm(b'N', b'T', &n_, &m_, &k_, &alpha, <double*>b, &ldb_, <double*>a, &lda_, &beta, c, &ldc_)


cdef inline void dsyrk_n(Py_ssize_t n, Py_ssize_t k, double alpha, const double *a, Py_ssize_t lda,
                         double beta, double *c, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, lda_ = stride(lda), ldc_ = <blas_int>ldc
    dsyrk(b'U', b'T', &n_, &k_, &alpha, <double*>a, &lda_, &beta, c, &ldc_)


cdef inline void dsyrk_t(Py_ssize_t n, Py_ssize_t k, double alpha, const double *a, Py_ssize_t lda,
                         double beta, double *c, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, lda_ = stride(lda), ldc_ = <blas_int>ldc
    dsyrk(b'U', b'N', &n_, &k_, &alpha, <double*>a, &lda_, &beta, c, &ldc_)


# OpenBLAS's dsyrk runs at 80 % of its dgemm rate; panels left of the diagonal by dgemm, and
# only diagonal blocks of this size by dsyrk, gain 5 to 10 % (32 to 256 tried, and halving).
cdef enum:
    PANEL = 96


cdef inline void syrk_n(Py_ssize_t n, Py_ssize_t k, double alpha, const double *a, Py_ssize_t lda,
                        double beta, double *c, Py_ssize_t ldc) noexcept nogil:
    """Lower triangle of C (n, n) = alpha A (n, k) A^T + beta C."""
    cdef Py_ssize_t r = 0, b
    while r < n:
        b = min(PANEL, n - r)
        if r > 0:
            gemm_nt(b, r, k, alpha, a + r * lda, lda, a, lda, beta, c + r * ldc, ldc)
        dsyrk_n(b, k, alpha, a + r * lda, lda, beta, c + r * ldc + r, ldc)
        r += b


cdef inline void syrk_t(Py_ssize_t n, Py_ssize_t k, double alpha, const double *a, Py_ssize_t lda,
                        double beta, double *c, Py_ssize_t ldc) noexcept nogil:
    """Lower triangle of C (n, n) = alpha A^T A + beta C, A (k, n)."""
    cdef Py_ssize_t r = 0, b
    while r < n:
        b = min(PANEL, n - r)
        if r > 0:
            gemm_tn(b, r, k, alpha, a + r, lda, a, lda, beta, c + r * ldc, ldc)
        dsyrk_t(b, k, alpha, a + r, lda, beta, c + r * ldc + r, ldc)
        r += b


cdef inline int cholesky(Py_ssize_t n, double *a, Py_ssize_t lda) noexcept nogil:
    """Lower factor of a (n, n) in place of its lower triangle; 0, or the failing pivot."""
    cdef blas_int n_ = <blas_int>n, lda_ = <blas_int>lda, info = 0
    if n > 0:
        dpotrf(b'U', &n_, a, &lda_, &info)
    return info


cdef inline void divide_by_factor(Py_ssize_t m, Py_ssize_t n, const double *factor,
                                  double *a, Py_ssize_t ld) noexcept nogil:
    """a (m, n) = a F^-T for a lower factor F (n, n); rows of both are ld apart."""
    cdef blas_int m_ = <blas_int>m, n_ = <blas_int>n, ld_ = <blas_int>ld
    cdef double one = 1.0
    if m > 0 and n > 0:
        dtrsm(b'L', b'U', b'T', b'N', &n_, &m_, &one, <double*>factor, &ld_, a, &ld_)


cdef inline void cholesky_solve(Py_ssize_t n, const double *factor, double *b) noexcept nogil:
    """Solve with the lower factor, b (n,) in place.

    Not by dpotrs, which is made for many right-hand sides: for one, it takes 2 to 3 times as long.
    """
    cdef blas_int n_ = <blas_int>n, one = 1
    if n > 0:
        dtrsv(b'U', b'T', b'N', &n_, <double*>factor, &n_, b, &one)
        dtrsv(b'U', b'N', b'N', &n_, <double*>factor, &n_, b, &one)


cdef inline void triangularise(Py_ssize_t m, Py_ssize_t n, double *a, Py_ssize_t nb, double *b,
                               double *tau, double *work, Py_ssize_t size) noexcept nogil:
    """A = Q R of A^T (n, m), n <= m, given as rows, R below its diagonal; b (nb, m) = b Q."""
    cdef blas_int m_ = <blas_int>m, n_ = <blas_int>n, nb_ = <blas_int>nb, size_ = <blas_int>size
    cdef blas_int info
    dgeqrf(&m_, &n_, a, &m_, tau, work, &size_, &info)
    dormqr(b'L', b'T', &m_, &nb_, &n_, a, &m_, tau, b, &m_, work, &size_, &info)


cdef inline void tridiagonalise(Py_ssize_t n, double *a, double *d, double *e, Py_ssize_t nb,
                                double *b, Py_ssize_t ldb, double *tau, double *work,
                                Py_ssize_t size) noexcept nogil:
    """A (n, n), of which the lower triangle is read, = Q T Q^T; b (nb, n) = b Q.

    d (n,) is T's diagonal, e (n - 1,) what is beside it.
    """
    cdef blas_int n_ = <blas_int>n, nb_ = <blas_int>nb, ldb_ = stride(ldb), size_ = <blas_int>size
    cdef blas_int info
    dsytrd(b'U', &n_, a, &n_, d, e, tau, work, &size_, &info)
    dormtr(b'L', b'U', b'T', &n_, &nb_, a, &n_, tau, b, &ldb_, work, &size_, &info)


cdef inline int eigenvalues(Py_ssize_t n, double *d, double *e) noexcept nogil:
    """Put the eigenvalues of a tridiagonal matrix, ascending, in the place of d (n,); e is used up."""
    cdef blas_int n_ = <blas_int>n, info
    dsterf(&n_, d, e, &info)
    return info

"""Generalised cross-validation of a ridge regression, the least V over some λ; ggn.fit.start has
the formula, whose residuals and degrees of freedom are those of a tridiagonal matrix (Eldén 1984):

    r = λ (Z Zᵀ + λ I)⁻¹ y,     Z Zᵀ = Q B Qᵀ,     ‖r‖² = λ² ‖(B + λ I)⁻¹ Qᵀ y‖²

For more samples than units, Z is the triangle of its QR decomposition, and what of y is beyond it
belongs to the residuals.  No eigenvector is wanted, which would be most of the time, and nothing is
subtracted: residuals of units that meet all targets are known as well as others.
"""

from libc.math cimport INFINITY, NAN, fabs, isfinite, sqrt
from libc.string cimport memcpy, memset

from ggn._core.blas cimport eigenvalues, syrk_t, triangularise, tridiagonalise

cdef double EPS = 2.220446049250313e-16


cdef Py_ssize_t ridge_size(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL) noexcept nogil:
    """Doubles of memory that `validate` needs."""
    cdef Py_ssize_t k = min(T, n)
    return T + T * n + T * nL + k * k + 5 * k + work_size(k, nL)


cdef bint centre(Py_ssize_t T, const double *a, Py_ssize_t step, double unit, const double *c,
                 const double *root, Py_ssize_t beside, double *out) noexcept nogil:
    """out = sqrt(c) (a / unit - mean); whether all of it is finite.

    Means are beside one sample, that of the largest share: of what is constant, nothing is left.
    """
    cdef double one = a[beside * step], mean = 0.0
    cdef Py_ssize_t i
    for i in range(T):
        mean += c[i] * ((a[i * step] - one) / unit)
    for i in range(T):
        out[i] = root[i] * ((a[i * step] - one) / unit - mean)
        if not isfinite(out[i]):
            return False
    return True


cdef double validate(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL, const double *h, Py_ssize_t row,
                     const double *y, Py_ssize_t row_of_y, const double *c, double count,
                     Py_ssize_t ridges, const double *ridge, double *memory,
                     double *total) noexcept nogil:
    """Return the least V, and the squares of the targets; h (T, n), y (T, nL), c (T,) sums to 1.

    V is infinite of what is no number.
    """
    cdef Py_ssize_t k = min(T, n), i, j, o, size = work_size(k, nL), beside = 0
    cdef double *root = memory
    cdef double *Z = root + T  # (n, T), as targets are (nL, T)
    cdef double *targets = Z + n * T
    cdef double *G = targets + nL * T
    cdef double *d = G + k * k
    cdef double *e = d + k
    cdef double *s = e + k
    cdef double *tau = s + k
    cdef double *pivot = tau + k
    cdef double *work = pivot + k
    cdef double unit, largest = 0.0, beyond = 0.0
    cdef bint finite = True
    for i in range(T):
        root[i] = sqrt(c[i])
        beside = i if c[i] > c[beside] else beside
    for o in range(nL):
        unit = 0.0
        for i in range(T):
            unit = max(unit, fabs(y[i * row_of_y + o]))
        unit = unit if unit > 0.0 else 1.0
        finite &= centre(T, y + o, row_of_y, unit, c, root, beside, targets + o * T)
    total[0] = 0.0 if finite else NAN
    for i in range(T * nL if finite else 0):
        total[0] += targets[i] * targets[i]
    for j in range(n):
        finite &= centre(T, h + j, row, 1.0, c, root, beside, Z + j * T)
    if not finite:
        return INFINITY
    for i in range(n * T):
        largest = max(largest, fabs(Z[i]))
    if largest > 0.0:  # products are to be numbers in any unit
        for i in range(n * T):
            Z[i] /= largest
    if T > n:
        triangularise(T, n, Z, nL, targets, tau, work, size)
        for o in range(nL):
            for i in range(n, T):
                beyond += targets[o * T + i] * targets[o * T + i]
        for j in range(n):
            memset(Z + j * T + j + 1, 0, (n - j - 1) * sizeof(double))
    syrk_t(k, n, 1.0, Z, T, 0.0, G, k)
    tridiagonalise(k, G, d, e, nL, targets, T, tau, work, size)
    memcpy(s, d, k * sizeof(double))
    memcpy(tau, e, (k - 1) * sizeof(double))
    if eigenvalues(k, s, tau) != 0:
        return INFINITY
    return least(k, d, e, s, nL, targets, T, beyond, count, ridges, ridge, pivot, work)


cdef double least(Py_ssize_t k, const double *d, const double *e, const double *s, Py_ssize_t nL,
                  const double *targets, Py_ssize_t row, double beyond, double count,
                  Py_ssize_t ridges, const double *ridge, double *pivot,
                  double *x) noexcept nogil:
    """The least V over λ, of a tridiagonal matrix (d, e), its eigenvalues s, and targets (nL, k)."""
    cdef double found = INFINITY, largest = s[k - 1], weight, left, free
    cdef Py_ssize_t i, j, o
    for i in range(ridges):
        # of units that are one number nothing is met, whatever the weight
        weight, left, free = ridge[i] * largest if largest > 0.0 else 1.0, beyond, 1.0
        for j in range(k):
            if s[j] > k * EPS * largest:  # else rounding
                free += s[j] / (s[j] + weight)
        free = 1.0 - free / count
        if not free > 0.0:
            continue
        for j in range(k):
            pivot[j] = d[j] + weight - (e[j - 1] * e[j - 1] / pivot[j - 1] if j > 0 else 0.0)
        for o in range(nL):
            for j in range(k):
                x[j] = targets[o * row + j] - (e[j - 1] / pivot[j - 1] * x[j - 1] if j > 0 else 0.0)
            for j in range(k - 1, -1, -1):
                x[j] = (x[j] - (e[j] * x[j + 1] if j + 1 < k else 0.0)) / pivot[j]
            for j in range(k):
                left += (weight * x[j]) * (weight * x[j])
        found = min(found, left / (free * free))
    return found

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

cdef enum:
    BLOCK = 34  # LAPACK's columns at once, and two
cdef double EPS = 2.220446049250313e-16


cdef inline Py_ssize_t work_size(Py_ssize_t k, Py_ssize_t nL) noexcept nogil:
    return BLOCK * max(k, nL)


cdef Py_ssize_t ridge_size(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL) noexcept nogil:
    """Doubles of memory that `validate` needs."""
    cdef Py_ssize_t k = min(T, n)
    return T + T * n + T * nL + k * k + 6 * k + work_size(k, nL)


cdef double validate(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL, const double *h, Py_ssize_t row,
                     const double *y, Py_ssize_t row_of_y, const double *c, double count,
                     Py_ssize_t ridges, const double *ridge, double *memory,
                     double *total) noexcept nogil:
    """Return the least V, and the squares of the targets; h (T, n), y (T, nL), c (T,) sums to 1."""
    cdef Py_ssize_t k = min(T, n), i, j, o, size = work_size(k, nL)
    cdef double *root = memory
    cdef double *Z = root + T  # (n, T), as targets are (nL, T)
    cdef double *targets = Z + n * T
    cdef double *G = targets + nL * T
    cdef double *d = G + k * k
    cdef double *e = d + k
    cdef double *s = e + k
    cdef double *spare = s + k
    cdef double *tau = spare + k
    cdef double *pivot = tau + k
    cdef double *work = pivot + k
    cdef double unit, mean, largest = 0.0, beyond = 0.0
    for i in range(T):
        root[i] = sqrt(c[i])
    for o in range(nL):
        unit = 0.0
        for i in range(T):
            unit = max(unit, fabs(y[i * row_of_y + o]))
        unit = unit if unit > 0.0 else 1.0
        mean = 0.0  # means are beside the first: of what is constant, nothing is left
        for i in range(T):
            mean += c[i] * ((y[i * row_of_y + o] - y[o]) / unit)
        for i in range(T):
            targets[o * T + i] = root[i] * ((y[i * row_of_y + o] - y[o]) / unit - mean)
    total[0] = 0.0
    for i in range(T * nL):
        total[0] += targets[i] * targets[i]
    for j in range(n):
        mean = 0.0
        for i in range(T):
            mean += c[i] * (h[i * row + j] - h[j])
        if not isfinite(mean):
            return INFINITY
        for i in range(T):
            Z[j * T + i] = root[i] * (h[i * row + j] - h[j] - mean)
            largest = max(largest, fabs(Z[j * T + i]))
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
    memcpy(spare, e, (k - 1) * sizeof(double))
    if eigenvalues(k, s, spare) != 0:
        return NAN
    return least(k, d, e, s, nL, targets, T, beyond, count, ridges, ridge, pivot, work)


cdef double least(Py_ssize_t k, const double *d, const double *e, const double *s, Py_ssize_t nL,
                  const double *targets, Py_ssize_t row, double beyond, double count,
                  Py_ssize_t ridges, const double *ridge, double *pivot,
                  double *x) noexcept nogil:
    """The least V over λ, of a tridiagonal matrix (d, e), its eigenvalues s, and targets (nL, k)."""
    cdef double found = INFINITY, largest = max(s[k - 1], 0.0), weight, left, free
    cdef Py_ssize_t i, j, o
    for i in range(ridges):
        weight, left, free = ridge[i] * largest, beyond, 1.0
        for j in range(k):
            if s[j] > k * EPS * largest:  # else rounding
                free += s[j] / (s[j] + weight)
        free = 1.0 - free / count
        if not free > 0.0:
            continue
        if largest == 0.0:  # units that are one number
            for o in range(nL):
                for j in range(k):
                    left += targets[o * row + j] * targets[o * row + j]
            return left / (free * free)
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

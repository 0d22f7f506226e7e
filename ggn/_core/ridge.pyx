"""Generalised cross-validation of a ridge regression, the least V over some λ; ggn.fit.start has
the formula, of the eigenvalues of Z Zᵀ (or Zᵀ Z, if that is smaller) and of how much of the targets
lies along each eigenvector.
"""

from libc.math cimport INFINITY, NAN, fabs, isfinite, sqrt

from ggn._core.blas cimport dot_of, eigenvectors, syrk_n, syrk_t

cdef enum:
    BLOCK = 34  # LAPACK's columns at once, and two
cdef double EPS = 2.220446049250313e-16


cdef Py_ssize_t ridge_size(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL) noexcept nogil:
    """Doubles of memory that `validate` needs."""
    cdef Py_ssize_t k = min(T, n)
    return T + nL + n + T * n + T * nL + k * k + k * nL + 2 * k + BLOCK * k


cdef double validate(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL, const double *h, Py_ssize_t row,
                     const double *y, Py_ssize_t row_of_y, const double *c, double count,
                     Py_ssize_t ridges, const double *ridge, double *memory,
                     double *total) noexcept nogil:
    """Return the least V, and the squares of the targets; h (T, n), y (T, nL), c (T,) sums to 1."""
    cdef Py_ssize_t k = min(T, n), i, j, o
    cdef double *root = memory
    cdef double *size = root + T
    cdef double *mean = size + nL
    cdef double *Z = mean + n
    cdef double *targets = Z + T * n
    cdef double *G = targets + T * nL
    cdef double *b = G + k * k  # of each target in turn
    cdef double *d = b + k * nL
    cdef double *along = d + k
    cdef double *work = along + k
    cdef double largest = 0.0, beyond, x
    for i in range(T):
        root[i] = sqrt(c[i])
    for o in range(nL):
        size[o] = 0.0
        for i in range(T):
            size[o] = max(size[o], fabs(y[i * row_of_y + o]))
        size[o] = size[o] if size[o] > 0.0 else 1.0
        x = 0.0  # means are beside the first: of what is constant, nothing is left
        for i in range(T):
            x += c[i] * ((y[i * row_of_y + o] - y[o]) / size[o])
        for i in range(T):
            targets[i * nL + o] = root[i] * ((y[i * row_of_y + o] - y[o]) / size[o] - x)
    total[0] = 0.0
    for i in range(T * nL):
        total[0] += targets[i] * targets[i]
    for j in range(n):
        mean[j] = 0.0
    for i in range(T):
        for j in range(n):
            mean[j] += c[i] * (h[i * row + j] - h[j])
    for j in range(n):
        if not isfinite(mean[j]):
            return INFINITY
    for i in range(T):
        for j in range(n):
            Z[i * n + j] = root[i] * (h[i * row + j] - h[j] - mean[j])
    if T < n:
        syrk_n(T, n, 1.0, Z, n, 0.0, G, k)
    else:
        syrk_t(n, T, 1.0, Z, n, 0.0, G, k)
    for o in range(nL):
        for j in range(k):
            b[o * k + j] = targets[j * nL + o] if T < n else 0.0
        for i in range(0 if T < n else T):
            for j in range(n):
                b[o * k + j] += Z[i * n + j] * targets[i * nL + o]
    if eigenvectors(k, G, d, work, BLOCK * k) != 0:
        return NAN
    for j in range(k):
        largest = max(largest, d[j])
    beyond = total[0]
    for j in range(k):
        along[j] = 0.0
        if not d[j] > k * EPS * largest:  # rounding
            d[j] = -1.0
            continue
        for o in range(nL):
            x = dot_of(k, G + j * k, b + o * k)
            along[j] += x * x
        along[j] /= 1.0 if T < n else d[j]
        beyond -= along[j]
    if beyond <= 16.0 * T * EPS * total[0]:
        beyond = 0.0  # units that can meet all targets: what is left is the ridge's
    return least(k, d, along, largest, beyond, count, ridges, ridge)


cdef double least(Py_ssize_t k, const double *d, const double *along, double largest,
                  double beyond, double count, Py_ssize_t ridges,
                  const double *ridge) noexcept nogil:
    """The least V over λ, of eigenvalues that are not negative."""
    cdef double found = INFINITY, left, free, shrunk
    cdef Py_ssize_t i, j
    for i in range(ridges):
        left, free = beyond, 1.0
        for j in range(k):
            if d[j] >= 0.0:
                shrunk = ridge[i] * largest
                shrunk = shrunk / (d[j] + shrunk)
                left += shrunk * shrunk * along[j]
                free += 1.0 - shrunk
        free = 1.0 - free / count
        if free > 0.0:
            found = min(found, left / (free * free))
    return found

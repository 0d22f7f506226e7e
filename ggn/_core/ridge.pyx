"""Generalised cross-validation of a ridge regression, the least V over some λ; ggn.fit.start has
the formula.

The eigenvectors of Z Zᵀ (or Zᵀ Z, if that is smaller) are asked for one thing, how much of the
targets lies along each.  So they are not formed: the reflections that make the matrix
tridiagonal, and the rotations that make that diagonal, are done to the targets.
"""

from libc.math cimport INFINITY, NAN, copysign, fabs, isfinite, sqrt

from ggn._core.blas cimport syrk_n, syrk_t, tridiagonal

cdef enum:
    MOST_SWEEPS = 100  # for each eigenvalue; two or three are what it takes
    BLOCK = 32  # columns that LAPACK takes at once
cdef double EPS = 2.220446049250313e-16


cdef Py_ssize_t ridge_size(Py_ssize_t T, Py_ssize_t n, Py_ssize_t nL) noexcept nogil:
    """Doubles of memory that `validate` needs."""
    cdef Py_ssize_t k = min(T, n)
    return T + nL + n + T * n + T * nL + k * k + k * nL + 4 * k + BLOCK * k


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
    cdef double *e = d + k
    cdef double *tau = e + k
    cdef double *along = tau + k
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
    tridiagonal(k, G, k, d, e, tau, work, BLOCK * k)
    for o in range(nL):
        reflect(k, G, tau, b + o * k)
    if not diagonalise(k, d, e, nL, b):
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
            along[j] += b[o * k + j] * b[o * k + j]
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


cdef void reflect(Py_ssize_t k, const double *G, const double *tau, double *b) noexcept nogil:
    """b = Qᵀ b, of the reflections that LAPACK has left above the diagonal (column-major)."""
    cdef Py_ssize_t i, j
    cdef const double *v
    cdef double s
    for i in range(k - 2, -1, -1):
        v, s = G + (i + 1) * k, b[i]
        for j in range(i):
            s += v[j] * b[j]
        s *= tau[i]
        b[i] -= s
        for j in range(i):
            b[j] -= s * v[j]


cdef bint diagonalise(Py_ssize_t k, double *d, double *e, Py_ssize_t rows,
                      double *b) noexcept nogil:
    """Make a tridiagonal matrix diagonal by implicit QL; b's rows are turned with it.

    d is the diagonal, and then the eigenvalues; e (k,) what is beside it.
    """
    cdef Py_ssize_t l, m, i, o, sweeps
    cdef double c, s, p, f, g, h, r, x, negligible = 0.0
    e[k - 1] = 0.0
    for i in range(k):
        negligible = max(negligible, EPS * max(fabs(d[i]), fabs(e[i])))
    for l in range(k):
        sweeps = 0
        while True:
            m = l
            while m < k - 1 and fabs(e[m]) > negligible:
                m += 1
            if m == l:
                break
            sweeps += 1
            if sweeps > MOST_SWEEPS:
                return False
            g = (d[l + 1] - d[l]) / (2.0 * e[l])
            g = d[m] - d[l] + e[l] / (g + copysign(sqrt(g * g + 1.0), g))
            s, c, p = 1.0, 1.0, 0.0
            i = m - 1
            while i >= l:
                f, h = s * e[i], c * e[i]
                r = e[i + 1] = sqrt(f * f + g * g)
                if r == 0.0:
                    d[i + 1] -= p
                    e[m] = 0.0
                    break
                s, c = f / r, g / r
                g = d[i + 1] - p
                r = (d[i] - g) * s + 2.0 * c * h
                p = s * r
                d[i + 1] = g + p
                g = c * r - h
                for o in range(rows):
                    x = b[o * k + i + 1]
                    b[o * k + i + 1] = s * b[o * k + i] + c * x
                    b[o * k + i] = c * b[o * k + i] - s * x
                i -= 1
            if i < l:
                d[l] -= p
                e[l], e[m] = g, 0.0
    return True

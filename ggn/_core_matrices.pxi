# Part of the door (_core.pyx): the matrices of one linearization, and their factors.

def normal_sizes(Layout layout not None, Py_ssize_t c,
                 Py_ssize_t form):
    """Doubles of (sums, tile, hpsi) that `add_normal` needs for chunks of c samples."""
    cdef Net net = layout.net
    cdef Py_ssize_t k = net.width[net.depth]
    if not (c >= 0 and 0 <= form <= 2):
        raise ValueError(f"c must not be negative and form 0, 1 or 2, got {c} and {form}")
    return (_normal.normal_size(&net, form), _normal.tile_size(&net, c),
            0 if form == 0 else k * c * net.z_offset[net.depth])


def add_normal(Layout layout not None, Py_ssize_t c, h,
               const double[::1] work, double[::1] hpsi, double[::1] tile, double[::1] sums,
               bint first):
    """Add the chunk's P H_E P^T to the sums of its blocks (write them, if it is the first).

    `sensitivities` has left Psi in work.
    h is None (form 0: H_E a multiple of I and the output activation the
    identity), (nL, c) (form 1) or (nL, nL, c) (form 2).
    """
    cdef Net net = layout.net
    cdef Py_ssize_t k = net.width[net.depth], form = form_of("h", h, k, c)
    cdef const double[::1] flat
    cdef const double *p = NULL
    check_samples(c)
    if c == 0:
        return
    if not (work.shape[0] >= room(&net, c, k)
            and hpsi.shape[0] >= (0 if form == 0 else k * c * net.z_offset[net.depth])
            and tile.shape[0] >= _normal.tile_size(&net, c)
            and sums.shape[0] >= _normal.normal_size(&net, form)):
        raise ValueError("work, hpsi, tile or sums is too small")
    if form:
        flat = h.reshape(-1)
        p = &flat[0]
    with nogil:
        if form:
            _normal.weigh(&net, c, p, form, &work[0], hpsi_pointer(hpsi))
        _normal.accumulate(&net, c, p, form, &work[0], hpsi_pointer(hpsi), &tile[0],
                           0.0 if first else 1.0, &sums[0])


cdef inline double *hpsi_pointer(double[::1] hpsi) noexcept nogil:
    return &hpsi[0] if hpsi.shape[0] else NULL


def scatter_normal(Layout layout not None, Py_ssize_t form,
                   double alpha, const double[::1] sums, double[:, ::1] G):
    """Write alpha * the sums of all chunks to the lower triangle of G (N, N)."""
    cdef Net net = layout.net
    cdef Py_ssize_t n = net.w_offset[net.depth + 1]
    if not (G.shape[0] == n and G.shape[1] == n and 0 <= form <= 2):
        raise ValueError(f"G must be ({n}, {n}) and form 0, 1 or 2")
    if not (sums.shape[0] >= _normal.normal_size(&net, form)):
        raise ValueError("sums is too small")
    with nogil:
        _normal.scatter(&net, form, alpha, &sums[0], &G[0, 0])


def add_outer(const double[:, ::1] B, double[:, ::1] out):
    """Lower triangle of out (n, n) += B B^T, B (n, k)."""
    cdef Py_ssize_t n = B.shape[0], k = B.shape[1]
    if not (out.shape[0] == n and out.shape[1] == n):
        raise ValueError("out must be (n, n)")
    if not (n <= INT_MAX and k <= INT_MAX):
        raise ValueError("B must have fewer than 2**31 rows and columns")
    if n == 0 or k == 0:
        return
    with nogil:
        syrk_n(n, k, 1.0, &B[0, 0], k, 1.0, &out[0, 0], n)


def kernel_size(Layout layout not None, Py_ssize_t c):
    """Doubles of buffer that `add_kernel` (or `add_diagonal`) needs for c samples."""
    check_samples(c)
    cdef Net net = layout.net
    return _kernel.kernel_size(&net, c)


def diagonal_size(Layout layout not None, Py_ssize_t c):
    """Doubles of buffer that `add_diagonal` needs for c samples."""
    check_samples(c)
    cdef Net net = layout.net
    return _kernel.diagonal_size(&net, c)


def add_diagonal(Layout layout not None, Py_ssize_t c,
                 const double[::1] work, double[::1] buffer, double[::1] out):
    """Add the diagonal of P S S^T P^T to out (N,); `sensitivities` has left Psi S in work."""
    check_samples(c)
    cdef Net net = layout.net
    if not (out.shape[0] == net.w_offset[net.depth + 1]):
        raise ValueError("out must have one entry per weight")
    if not (work.shape[0] >= room(&net, c, net.width[net.depth])
            and buffer.shape[0] >= _kernel.diagonal_size(&net, c)):
        raise ValueError("work or buffer is too small")
    if c == 0:
        return
    with nogil:
        _kernel.diagonal(&net, c, &work[0], &buffer[0], &out[0])


def add_kernel(Layout layout not None, Py_ssize_t c, bint coupled,
               const double[::1] units, const double[::1] inputs, double[::1] work,
               double[::1] buffer, double[:, ::1] out):
    """Add S^T P^T D^-2 P S to the lower triangle of out, columns by output, then sample.

    D is units (one per unit) times inputs (one per input of each layer);
    coupled: S is not diagonal.  Psi S in work is used up.
    """
    check_samples(c)
    cdef Net net = layout.net
    cdef Py_ssize_t k = net.width[net.depth] * c, l, n = 0
    for l in range(1, net.depth + 1):
        n += net.width[l - 1] + net.bias[l]
    if not (out.shape[0] == k and out.shape[1] == k):
        raise ValueError(f"out must be ({k}, {k})")
    if not (units.shape[0] == net.z_offset[net.depth + 1] and inputs.shape[0] == n):
        raise ValueError("units and inputs must have one entry per unit and input of each layer")
    if not (work.shape[0] >= room(&net, c, net.width[net.depth])
            and buffer.shape[0] >= _kernel.kernel_size(&net, c)):
        raise ValueError("work or buffer is too small")
    if c == 0:
        return
    with nogil:
        _kernel.kernel(&net, c, coupled, &units[0], &inputs[0], &work[0], &buffer[0], &out[0, 0])


def add_gram(const double[:, ::1] B, double[:, ::1] out):
    """Lower triangle of out (k, k) += B^T B, B (n, k)."""
    cdef Py_ssize_t n = B.shape[0], k = B.shape[1]
    if not (out.shape[0] == k and out.shape[1] == k):
        raise ValueError("out must be (k, k)")
    if not (n <= INT_MAX and k <= INT_MAX):
        raise ValueError("B must have fewer than 2**31 rows and columns")
    if n == 0 or k == 0:
        return
    with nogil:
        syrk_t(k, n, 1.0, &B[0, 0], k, 1.0, &out[0, 0], k)


def metric(Layout layout not None, const double[::1] diagonal,
           const double[::1] fixed, double[::1] largest, double[::1] scale):
    """Write the damping metric D (N,) for a GGN matrix with this diagonal (see solve.pyx).

    fixed and largest have one entry per input of each layer; largest starts as zeros and is
    kept between calls.
    """
    cdef Net net = layout.net
    cdef Py_ssize_t n = net.w_offset[net.depth + 1], l, m = 0
    for l in range(1, net.depth + 1):
        m += net.width[l - 1] + net.bias[l]
    if not (diagonal.shape[0] == n and scale.shape[0] == n):
        raise ValueError("diagonal and scale must be (N,)")
    if not (fixed.shape[0] == m and largest.shape[0] == m):
        raise ValueError("fixed and largest must have one entry per input of each layer")
    with nogil:
        _solve.metric(&net, &diagonal[0], &fixed[0], &largest[0], &scale[0])


def damped_cholesky(const double[:, ::1] G, scale, double mu, double[:, ::1] factor):
    """Factor D^-1 G D^-1 + mu I from G's lower triangle; D = diag(scale), or I for None.

    Returns 0, or the order of the first leading minor that is not positive.
    """
    cdef Py_ssize_t n = G.shape[0]
    cdef const double[::1] d
    cdef const double *p = NULL
    cdef int info
    if not (G.shape[1] == n and factor.shape[0] == n and factor.shape[1] == n):
        raise ValueError("G and factor must be square and of one size")
    if not (n <= INT_MAX):
        raise ValueError("G must have fewer than 2**31 rows")
    if n == 0:
        return 0
    if scale is not None:
        d = scale
        if not (d.shape[0] == n):
            raise ValueError(f"scale must have {n} entries")
        p = &d[0]
    with nogil:
        info = _solve.damped_cholesky(n, &G[0, 0], p, mu, &factor[0, 0])
    return info


def cholesky_solve(const double[:, ::1] factor, double[::1] b):
    """Solve in place with the factor that `damped_cholesky` wrote."""
    cdef Py_ssize_t n = factor.shape[0]
    if not (factor.shape[1] == n and b.shape[0] == n):
        raise ValueError("factor must be (n, n) and b (n,)")
    if n == 0:
        return
    with nogil:
        blas_cholesky_solve(n, &factor[0, 0], &b[0])

"""Forward and backward sweeps through a network, one chunk of samples at a time.

Legend (chunk of c samples; the sample index runs fastest in every array):
    A_l      activations of layer l with the dummy row of ones, (n_l [+1], c); A_0 is X^T
    D_l      sigma'(Z_l), (n_l, c);  D2_l: sigma''(Z_l), at the place of omega_l
    omega_l  backpropagated error, (n_l, c), eq. 15
    Psi_l    output sensitivity, (n_l, m, c), eq. 17; m = nL, or the columns of S
"""

cdef struct Net:
    Py_ssize_t depth            # L
    const Py_ssize_t *width     # n_0 ... n_L
    const Py_ssize_t *bias      # 1 where layer l = 1 ... L has a dummy unit; [0] unused
    const Py_ssize_t *code      # activation of layer l = 1 ... L; -1: the user's own
    const Py_ssize_t *w_offset  # first weight of layer l; [L + 1] = N
    const Py_ssize_t *a_offset  # rows before A_l; [L + 1] = all rows
    const Py_ssize_t *z_offset  # hidden and output units before layer l; [L + 1] = all
    const double *slope         # own parameter of layer l's activation; [0] = the fixed bias

cdef inline double *a_block(const Net *net, Py_ssize_t l, Py_ssize_t c,
                            double *work) noexcept nogil:
    """A_l of the chunk in work."""
    return work + c * net.a_offset[l]


cdef inline double *d_block(const Net *net, Py_ssize_t l, Py_ssize_t c,
                            double *work) noexcept nogil:
    """D_l."""
    return work + c * (net.a_offset[net.depth + 1] + net.z_offset[l])


cdef inline double *back_block(const Net *net, Py_ssize_t l, Py_ssize_t m, Py_ssize_t c,
                               double *work) noexcept nogil:
    """omega_l (m = 1) or Psi_l: what the last backward sweep left for layer l."""
    cdef Py_ssize_t last = net.depth + 1
    return work + c * (net.a_offset[last] + net.z_offset[last] + m * net.z_offset[l])


cdef Net net_at(Py_ssize_t depth, const Py_ssize_t *table, const double *par) noexcept nogil

cdef void load(const Net *net, Py_ssize_t c, const double *x, double *work) noexcept nogil
cdef void affine(const Net *net, Py_ssize_t l, const double *w, Py_ssize_t c, double *work,
                 bint keep) noexcept nogil
cdef void activate(const Net *net, Py_ssize_t l, Py_ssize_t c, double *work,
                   int keep) noexcept nogil
cdef Py_ssize_t tangent_size(const Net *net, Py_ssize_t c) noexcept nogil
cdef void tangent(const Net *net, const double *w, const double *v, Py_ssize_t c, bint second,
                  const double *work, double *buffer, double *out) noexcept nogil
cdef void backward(const Net *net, const double *w, Py_ssize_t c, const double *eps,
                   double *work, double *gradient) noexcept nogil
cdef void sensitivities(const Net *net, const double *w, Py_ssize_t c, const double *s,
                        Py_ssize_t form, double *work) noexcept nogil
cdef void jacobian(const Net *net, Py_ssize_t c, const double *work, double *p,
                   Py_ssize_t ldp) noexcept nogil

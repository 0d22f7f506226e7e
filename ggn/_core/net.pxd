"""Where the weights of a network, and the activations of a chunk, are.

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
    Py_ssize_t own              # multiplications up to which products are our own, not BLAS's


cdef inline Py_ssize_t fan_in(const Net *net, Py_ssize_t l) noexcept nogil:
    """Inputs of layer l, the dummy unit counted."""
    return net.width[l - 1] + net.bias[l]


cdef inline Py_ssize_t widest(const Net *net) noexcept nogil:
    """Units of the widest hidden or output layer."""
    cdef Py_ssize_t l, n = 0
    for l in range(1, net.depth + 1):
        n = max(n, net.width[l])
    return n


cdef inline Py_ssize_t d_row(const Net *net, Py_ssize_t l) noexcept nogil:
    """Rows of work, of c samples each, before D_l."""
    return net.a_offset[net.depth + 1] + net.z_offset[l]


cdef inline Py_ssize_t back_row(const Net *net, Py_ssize_t l, Py_ssize_t m) noexcept nogil:
    """Rows before omega_l (m = 1) or Psi_l."""
    return d_row(net, net.depth + 1) + m * net.z_offset[l]


cdef inline Py_ssize_t chunk_size(const Net *net, Py_ssize_t c, Py_ssize_t columns) noexcept nogil:
    """Doubles of work: A, and with columns D and so many columns of omega or Psi."""
    cdef Py_ssize_t last = net.depth + 1
    return c * (back_row(net, last, columns) if columns else net.a_offset[last])


cdef inline double *a_block(const Net *net, Py_ssize_t l, Py_ssize_t c,
                            const double *work) noexcept nogil:
    """A_l of the chunk in work."""
    return <double*>work + c * net.a_offset[l]


cdef inline double *d_block(const Net *net, Py_ssize_t l, Py_ssize_t c,
                            const double *work) noexcept nogil:
    """D_l."""
    return <double*>work + c * d_row(net, l)


cdef inline double *back_block(const Net *net, Py_ssize_t l, Py_ssize_t m, Py_ssize_t c,
                               const double *work) noexcept nogil:
    """omega_l (m = 1) or Psi_l: what the last backward sweep left for layer l."""
    return <double*>work + c * back_row(net, l, m)

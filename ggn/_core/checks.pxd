"""The checks of the door: every array has the shape, and scratch the size, that a kernel needs."""

from ggn._core.layout cimport Layout
from ggn._core.net cimport Net, chunk_size


cdef inline check_vector(str name, Py_ssize_t got, Py_ssize_t entries):
    if got != entries:
        raise ValueError(f"{name} must have {entries} entries, got {got}")


cdef inline check_matrix(str name, const Py_ssize_t *got, Py_ssize_t rows, Py_ssize_t columns):
    if got[0] != rows or got[1] != columns:
        raise ValueError(f"{name} must be ({rows}, {columns}), got ({got[0]}, {got[1]})")


cdef inline check_scratch(str name, Py_ssize_t got, Py_ssize_t doubles):
    if got < doubles:
        raise ValueError(f"{name} must hold {doubles} doubles, got {got}")


cdef inline check_range(str name, Py_ssize_t first, Py_ssize_t stop, Py_ssize_t n):
    if not (0 <= first <= stop <= n):
        raise ValueError(f"{name} must be within 0:{n}, got {first}:{stop}")


cdef inline const Net *open_chunk(Layout layout, Py_ssize_t c, Py_ssize_t columns,
                                  Py_ssize_t work) except NULL:
    """The network, where work holds c samples with so many columns (see Layout.work_size)."""
    layout.check_samples(c)
    check_scratch("work", work, chunk_size(&layout.net, c, columns))
    return &layout.net


cdef inline const double[::1] of_samples(str name, h, const Net *net, Py_ssize_t c):
    """h, one matrix per sample, as a vector: (nL, c) where diagonal, or (nL, nL, c)."""
    k = net.width[net.depth]
    if h.shape not in ((k, c), (k, k, c)):
        raise ValueError(f"{name} must be ({k}, {c}) or ({k}, {k}, {c}), got {h.shape}")
    return h.reshape(-1)

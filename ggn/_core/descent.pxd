"""The state of one small fit; see descent.pyx."""

from ggn._core.numbers cimport Numbers
from ggn._core.point cimport Point

# Why `advance` came back: to be called again, for what Python has to say, or at the end.
cdef enum:
    AGAIN, LEVEL, CALL, PRECISION, GRADIENT, STEP, LOSS, TARGET, MAX_ITER, MAX_SECONDS,
    SINGULAR, OVERFLOW, BAD_START

cdef enum:
    COLUMNS_OF_HISTORY = 7

cdef void open_run(Point *at, const Numbers *n, const double *x, const double *y) noexcept nogil
cdef int advance(Point *at, Numbers *n, double *history, Py_ssize_t most_rows) noexcept nogil

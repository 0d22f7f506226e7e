"""A trial of a small fit; see trial.pyx."""

from ggn._core.numbers cimport Numbers
from ggn._core.point cimport Point

cdef double attempt(Point *at, Numbers *n, double mu, double *J) noexcept nogil
cdef bint gradient_falls(Point *at, const Numbers *n, double J, double seen) noexcept nogil
cdef bint moves(const Point *at) noexcept nogil
cdef void find_at_start(Point *at, Numbers *n, double *J, double *predicted) noexcept nogil
cdef bint find_before_the_end(Point *at, Numbers *n, double seen, double came, double *J,
                              double *predicted) noexcept nogil

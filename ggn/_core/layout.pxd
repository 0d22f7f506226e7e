cimport cython

from ggn._core.net cimport Net

@cython.final
cdef class Layout:
    cdef Net net
    cdef Py_ssize_t *table
    cdef double *parameters
    cdef bint one_thread
    cdef object own
    cdef readonly tuple sizes, shapes, weight_slices, unit_slices, input_slices
    cdef readonly Py_ssize_t n_weights, n_units, n_inputs

    cdef check_samples(self, Py_ssize_t c)
    cdef check_descent(self, Py_ssize_t c, int step, int form)
    cdef descend(self, Py_ssize_t c, const double *x, const double *y, dict numbers,
                 Py_ssize_t doubles, double *memory, Py_ssize_t rows, double *history)
    cdef check_layer(self, Py_ssize_t l)
    cdef activate_own(self, work, Py_ssize_t l, Py_ssize_t c, int keep)

"""The activations over rows of net inputs, from activation_loops.h."""

cdef extern from "activation_loops.h" nogil:
    ctypedef void (*ggn_activation)(Py_ssize_t n, double slope, const double *z,
                                    double *s, double *d1, double *d2)
    const ggn_activation *ggn_activations
    const char *const *ggn_activation_names
    const Py_ssize_t ggn_n_activations

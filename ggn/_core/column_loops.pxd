"""Sums over the columns of a table, from column_loops.h."""

cdef extern from "column_loops.h" nogil:
    ctypedef struct ggn_table:
        Py_ssize_t T, n, rs, cs
        const double *a

    void ggn_centre_and_size(const ggn_table *A, bint shift, double *centre, double *size,
                             double *spare)
    void ggn_root_square(const ggn_table *A, double share, Py_ssize_t chunk, double *out,
                         double *spare)
    double ggn_variance(const ggn_table *A, double share, Py_ssize_t chunk, double rounding,
                        double *largest)
    bint ggn_standardise(const ggn_table *A, const double *m, const double *s, double *out,
                         Py_ssize_t rs, Py_ssize_t cs)

"""Products of rows, from rows.h."""

cdef extern from "rows.h" nogil:
    void ggn_scale_rows(Py_ssize_t rows, Py_ssize_t repeat, Py_ssize_t n,
                        const double *a, const double *b, double *out)
    void ggn_khatri_rao(Py_ssize_t nu, Py_ssize_t nv, Py_ssize_t no, Py_ssize_t n,
                        const double *a, const double *b, double *out, Py_ssize_t ldo)
    void ggn_pairs(Py_ssize_t u0, Py_ssize_t u1, Py_ssize_t nv, bint triangular,
                   Py_ssize_t r, Py_ssize_t n, const double *a, const double *b, double *out)
    void ggn_transpose(Py_ssize_t rows, Py_ssize_t cols, const double *src, double *out)

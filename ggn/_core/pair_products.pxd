"""Products of pairs, from pair_products.h."""

cdef extern from "pair_products.h" nogil:
    ctypedef struct ggn_pair_list:
        Py_ssize_t n, nv, r
        int triangular
        const double *a
        const double *b

    Py_ssize_t ggn_pair_work(Py_ssize_t left, Py_ssize_t right)
    void ggn_pair_product(int simd, Py_ssize_t c, Py_ssize_t lds, const ggn_pair_list *left,
                          const ggn_pair_list *right, Py_ssize_t slope, double beta, double *sums,
                          double *work)

cdef extern from "recursion_loops.h" nogil:
    void ggn_net_input(Py_ssize_t n, Py_ssize_t m, int dummy, double b, const double *w,
                       const double *wt, const double *x, double *z) noexcept
    void ggn_recur(Py_ssize_t c, Py_ssize_t k, Py_ssize_t f, Py_ssize_t M,
                   const Py_ssize_t *output, const Py_ssize_t *delay, const Py_ssize_t *start,
                   const Py_ssize_t *age, const double *a, double *rows) noexcept
    void ggn_recur_back(Py_ssize_t c, Py_ssize_t k, Py_ssize_t f, Py_ssize_t n_initial,
                        const Py_ssize_t *output, const Py_ssize_t *delay,
                        const Py_ssize_t *start, const Py_ssize_t *age, const Py_ssize_t *window,
                        const double *a, double *lambda_, double *initial) noexcept
    void ggn_outer_rows(Py_ssize_t c, Py_ssize_t n, Py_ssize_t m, Py_ssize_t ldpsi,
                        const double *psi, const double *phi, Py_ssize_t ldo,
                        double *out) noexcept

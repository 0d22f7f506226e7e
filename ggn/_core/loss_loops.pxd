"""The built-in losses, from loss_loops.h."""

cdef extern from "loss_loops.h" nogil:
    ctypedef struct ggn_loss:
        int code
        double p, scale, epsilon

    const char *const *ggn_loss_names
    const Py_ssize_t ggn_n_losses
    double ggn_sum(Py_ssize_t n, const double *x)
    Py_ssize_t ggn_loss_spare(Py_ssize_t n, Py_ssize_t c)
    double ggn_loss_value(const ggn_loss *loss, Py_ssize_t n, Py_ssize_t c, const double *f,
                          const double *y, double share, const double *shares, double *spare)
    void ggn_loss_slopes(const ggn_loss *loss, Py_ssize_t n, Py_ssize_t c, const double *f,
                         const double *y, double share, const double *shares, double *eps,
                         double *h, double *spare)
    void ggn_loss_root(const ggn_loss *loss, Py_ssize_t n, Py_ssize_t c, const double *f,
                       const double *y, double share, const double *shares, double *s, double *r,
                       double *spare)

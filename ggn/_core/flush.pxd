"""The mode in which tiny numbers are 0, from flush.h."""

cdef extern from "flush.h" nogil:
    ctypedef unsigned long long ggn_mode  # an integer of some size
    ggn_mode ggn_enter(bint exact)
    void ggn_leave(ggn_mode before)

"""A clock, from clock.h."""

cdef extern from "clock.h" nogil:
    double ggn_seconds()

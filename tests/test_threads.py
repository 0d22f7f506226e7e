"""BLAS has one thread while a fit runs, whose threads are its own."""

import sys

from threadpoolctl import threadpool_info

import ggn
from ggn._core import blas_threads as limits
from ggn._core import machine as threads


def blas_threads():
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


def test_small_fits_run_on_one_thread_and_give_the_others_back():
    before, seen = blas_threads(), []
    X, Y = ggn.problems.xor()
    ggn.train(ggn.MLP((2, 3, 1)), X, Y, max_iter=2, callback=lambda w: seen.append(blas_threads()))
    assert seen == [{1}, {1}]
    assert blas_threads() == before


def test_fits_that_overlap_give_the_threads_back_together():
    before, first = blas_threads(), threads.limited()
    with first:
        second = threads.limited()
        second.__enter__()
    assert blas_threads() == {1}  # the second fit is still running
    second.__exit__(None, None, None)
    assert blas_threads() == before


def test_without_threadpoolctl(monkeypatch):
    """It is optional."""
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    limits._blas.cache_clear()
    try:
        before = blas_threads()
        with threads.limited():
            assert blas_threads() == before
    finally:
        limits._blas.cache_clear()


def test_a_plan_is_for_the_threads_that_there_are_now():
    """Of the same sizes; the tiles of the dual step are one for each thread."""

    def bytes_of_dual(count):
        with ggn.threads(count):
            found = ggn.plan(ggn.MLP((8, 2000, 1)), 10_000).candidates
        return next(c.bytes for c in found if type(c.step).__name__ == "Dual")

    assert bytes_of_dual(1) < bytes_of_dual(2)
    assert bytes_of_dual(1) < bytes_of_dual(2)

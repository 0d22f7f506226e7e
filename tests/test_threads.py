"""BLAS threads: limited where a fit is small, left alone where it is large or cannot be."""

import sys

import pytest
from threadpoolctl import threadpool_info

import ggn
from ggn import machine as threads


def blas_threads():
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


def test_small_fits_run_on_one_thread_and_give_the_others_back():
    before, seen = blas_threads(), []
    X, Y = ggn.problems.xor()
    ggn.train(ggn.MLP((2, 3, 1)), X, Y, max_iter=2, callback=lambda w: seen.append(blas_threads()))
    assert seen == [{1}, {1}]
    assert blas_threads() == before


def test_fits_that_overlap_give_the_threads_back_together():
    before, first = blas_threads(), threads.limited(1.0)
    with first:
        second = threads.limited(1.0)
        second.__enter__()
    assert blas_threads() == {1}  # the second fit is still running
    second.__exit__(None, None, None)
    assert blas_threads() == before


def test_large_ones_are_left_alone():
    before = blas_threads()
    with threads.limited(1e12):
        assert blas_threads() == before


def test_without_threadpoolctl(monkeypatch):
    """It is optional."""
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    threads._blas.cache_clear()
    try:
        before = blas_threads()
        with threads.limited(1.0):
            assert blas_threads() == before
    finally:
        threads._blas.cache_clear()


@pytest.mark.parametrize("step", ["primal", "gradient"])
def test_work_of_any_step_is_known(step):
    plan = ggn.plan(ggn.MLP((2, 3, 1)), 10)
    assert plan.work(ggn.steps.resolve(step)) > 0

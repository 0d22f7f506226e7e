"""Ctrl-C at bytecodes of a run: the last accepted weights, whole, or KeyboardInterrupt.

More of it, at random and for every way to train, is in `tests/fuzz/interrupts.py`.
"""

import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from fuzz import interrupts

import ggn
from ggn import Status
from ggn._core.cached import cached_property

X = np.linspace(-1.0, 1.0, 20)[:, np.newaxis]
Y = np.sin(3.0 * X)
NET = ggn.MLP((1, 4, 1))
WAYS = {
    "compiled": {},
    "in Python": {"step": "minimum_norm"},
    "in units of the data": {"step": "conjugate_gradient", "l2": 1e-3},
}


def path_of(**options):
    """Return all iterates of an uninterrupted run, each with J."""
    path = []

    def callback(intermediate_result):
        path.append((intermediate_result.w.copy(), intermediate_result.fun))

    ggn.train(NET, X, 1e3 * Y, rng=0, max_iter=8, callback=callback, **options)
    return path


@pytest.mark.parametrize("way", WAYS)
def test_weights_are_an_iterate_and_all_else_is_of_them(way):
    path, options = path_of(**WAYS[way]), WAYS[way]

    def run():
        return ggn.train(NET, X, 1e3 * Y, rng=0, max_iter=8, **options)

    run()
    with interrupts._interrupt(0) as seen:
        whole = run()
    path = [(ggn.train(NET, X, 1e3 * Y, rng=0, max_iter=0, **options).w, None), *path]
    returned = 0
    for at in np.linspace(1, seen[0], 24).astype(int):
        try:
            with interrupts._interrupt(at):
                fit = run()
        except KeyboardInterrupt:
            continue
        returned += 1
        assert fit.status in (Status.INTERRUPTED, whole.status)
        same = [np.allclose(fit.w, w, rtol=1e-9, atol=0.0) for w, _ in path]
        assert same.index(True) == fit.nit
        again = ggn.linearize(NET, fit.w, X, 1e3 * Y, l2=fit.l2)
        residual = NET.forward(fit.w, X) - 1e3 * Y
        J = float(np.mean(residual**2)) + float(np.sum(fit.l2 * fit.w**2))
        assert fit.fun == pytest.approx(J, rel=1e-9)
        np.testing.assert_allclose(fit.jac, again.gradient, rtol=1e-6, atol=1e-6 * fit.fun)
        assert len(fit.history) == fit.nit + 1
        assert fit.history.loss[-1] == pytest.approx(J, rel=1e-9)
    assert returned >= 4


def test_the_end_of_a_run_is_not_lost(monkeypatch):
    """An interrupt while the result is put together still gives it; only a second one is raised."""
    from ggn.fit import train

    judged, times = train.judged, [1]

    def interrupted(*args):
        if times[0]:
            times[0] -= 1
            raise KeyboardInterrupt
        return judged(*args)

    monkeypatch.setattr(train, "judged", interrupted)
    fit = ggn.train(NET, X, Y, max_iter=5)
    assert (fit.status, fit.nit, len(fit.history)) == (Status.INTERRUPTED, 5, 6)
    times[0] = 2
    with pytest.raises(KeyboardInterrupt):
        ggn.train(NET, X, Y, max_iter=5)


def test_before_anything_is_known_it_is_raised():
    calls = []

    def value(F, T):
        calls.append(1)
        raise KeyboardInterrupt

    loss = ggn.Loss("own", value, lambda F, T: F - T, lambda F, T: np.ones_like(F))
    with pytest.raises(KeyboardInterrupt):
        ggn.train(NET, X, Y, loss)
    assert calls


def interrupted(run, places):
    """Yield each of the bytecodes at which a run was interrupted."""
    run()
    for at in places:
        try:
            with interrupts._interrupt(at):
                run()
        except KeyboardInterrupt:
            pass
        yield at


def test_blas_has_its_threads_again():
    """A fit that was interrupted on its way in, or out, counts no more."""
    for _ in interrupted(interrupts.JOBS["train"], range(1, 400, 3)):
        assert len(ggn._core.blas_threads._ONE_THREAD._inside) == 0


def test_other_threads_go_on_after_it(monkeypatch):
    """No lock is left taken between the block of a `with` and its end, for others to wait for."""
    monkeypatch.setattr(ggn._core.blas_threads, "HELD", 0.05)
    run = interrupts.JOBS["train"]
    for at in interrupted(run, range(1, 6000, 3)):
        other = threading.Thread(target=run, daemon=True)
        other.start()
        other.join(30.0)
        assert not other.is_alive(), at


def test_threads_do_not_wait_for_each_other_s_properties():
    class Both:
        @cached_property
        def met(self):
            return barrier.wait(30.0) >= 0

    barrier, pair = threading.Barrier(2), (Both(), Both())
    others = [threading.Thread(target=lambda one=one: one.met, daemon=True) for one in pair]
    for other in others:
        other.start()
    for other in others:
        other.join(60.0)
    assert [vars(one) for one in pair] == [{"met": True}] * 2
    assert isinstance(Both.met, cached_property)  # as documented, of the class


def test_a_package_is_imported_whole():
    """Ctrl-C during the import of joblib ends the call, and the next one finds joblib whole."""
    pytest.importorskip("joblib")
    program = textwrap.dedent(
        """
        import _thread, sys, time
        import numpy as np, ggn

        class Interrupting:
            def find_spec(self, name, path=None, target=None):
                if name == "joblib.parallel":
                    _thread.interrupt_main()
                    time.sleep(0.05)
                return None

        sys.meta_path.insert(0, Interrupting())
        x = np.linspace(-1, 1, 9)[:, None]
        run = lambda: ggn.train_restarts(ggn.MLP((1, 2, 1)), x, x, n_restarts=2, max_iter=2)
        try:
            run()
        except KeyboardInterrupt:
            print("interrupted")
        print(len(run().runs))
        """
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        preexec_fn=interrupts.as_in_a_terminal,
    )  # fmt: skip
    assert found.stdout.split() == ["interrupted", "2"], found.stderr

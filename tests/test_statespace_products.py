"""State-space fits outside of Python's memory: files, C, the command line."""

import ctypes
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from test_narx import system

import ggn
from ggn.export import to_c
from ggn.recurrent import Simulator, StateSpace

COMPILER = shutil.which("cc") or shutil.which("gcc")
KINDS = {
    "linear": {"f": None},
    "both nets": {"f": 3, "g": (2, 2)},
    "Elman": {
        "f": ggn.MLP((3, 2), output_activation="tanh"),
        "linear": False,
        "feedthrough": False,
    },
    "g takes the offset": {"f": ggn.MLP((3, 3, 2), "silu"), "g": ggn.MLP((3, 2, 1), bias=[1, 0])},
}


def fitted(kind):
    u, y = system(80)
    if kind == "two of each":
        U, Y = np.stack([u, u[::-1]], axis=1) + 3.0, np.stack([y, 0.5 * y + u], axis=1) - 9.0
        return ggn.statespace([U[:40], U[40:]], [Y[:40], Y[40:]], 3, f=2, max_iter=3), U[:30]
    if kind == "no inputs":
        return ggn.statespace(None, y, 2, f=2, max_iter=3), None
    return ggn.statespace(2.0 * u + 1.0, 5.0 * y, 2, max_iter=3, **KINDS[kind]), u[:30]


@pytest.mark.parametrize("kind", [*KINDS, "two of each", "no inputs"])
def test_what_is_saved_runs_as_the_fit_did(kind, tmp_path):
    fit, u = fitted(kind)
    fit.save(tmp_path / "plant.npz")
    again = Simulator.load(tmp_path / "plant.npz")
    assert again.model == fit.model
    x0 = fit.initial_states[0]
    run = {"n_steps": 30} if u is None else {"U": u}
    assert np.array_equal(again.simulate(x0=x0, **run), fit.simulate(x0=x0, **run))
    assert np.array_equal(again.poles(), fit.poles())
    again.save(tmp_path / "again.npz", again.input_names, again.target_names)
    assert (tmp_path / "again.npz").read_bytes()
    assert "Simulator(StateSpace(" in repr(again)


def test_files_of_other_kinds_are_told(tmp_path):
    fit, _ = fitted("linear")
    fit.save(tmp_path / "plant.npz")
    with pytest.raises(ValueError, match=r"which ggn\.recurrent\.Simulator\.load reads$"):
        ggn.Model.load(tmp_path / "plant.npz")
    ggn.Model(ggn.MLP((1, 1)), [1.0, 2.0]).save(tmp_path / "net.npz")
    with pytest.raises(ValueError, match=r"is not a state-space model: ggn\.Model\.load reads"):
        Simulator.load(tmp_path / "net.npz")
    with np.load(tmp_path / "plant.npz") as file:
        arrays = dict(file)
    header = json.loads(arrays["header"].tobytes())
    for change, said in (
        ({"n_states": 10**9}, "do not fit"),
        ({"n_states": 3}, "w must have"),
        ({"f": {"n": 10**9}}, "do not fit a network"),
        ({"linear": False, "f": None}, "f must move the state"),
        ({"linear": None}, "linear must be True or False"),
        (None, "its header is malformed"),
    ):
        told = None if change is None else {**header["states"], **change}
        text = json.dumps({**header, "states": told}).encode()
        spoilt = {**arrays, "header": np.frombuffer(text, dtype=np.uint8)}
        np.savez(tmp_path / "bad.npz", **spoilt)
        with pytest.raises(ValueError, match=re.escape(said)) as error:
            Simulator.load(tmp_path / "bad.npz")
        assert "bad.npz" in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
@pytest.mark.parametrize("kind", [*KINDS, "two of each", "no inputs"])
def test_the_loop_in_c_runs_as_ours(kind, tmp_path):
    fit, u = fitted(kind)
    source, library = tmp_path / "model.c", tmp_path / "model.so"
    source.write_text(to_c(fit, name="plant"))
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC"]
    subprocess.run([COMPILER, *strict, source, "-o", library, "-lm"], check=True)
    function = ctypes.CDLL(str(library)).ggn_plant_simulate
    array = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
    function.argtypes, function.restype = [ctypes.c_int, array, array, array], None
    x0 = fit.initial_states[0]
    inputs = np.zeros((30, 1)) if u is None else np.ascontiguousarray(u.reshape(30, -1))
    x, run = x0.copy(), np.full((30, fit.model.n_outputs), np.nan)
    function(30, inputs, x, run)
    given = {"n_steps": 30} if u is None else {"U": u}
    np.testing.assert_allclose(run, fit.simulate(x0=x0, **given), rtol=1e-10, atol=1e-11)
    # the state is left where the run ended, so that it may be gone on with
    first, x, second = run.copy(), x0.copy(), run.copy()
    function(10, inputs[:10].copy(), x, first)
    function(20, inputs[10:].copy(), x, second)
    assert np.array_equal(np.vstack([first[:10], second[:20]]), run)


def test_a_name_that_c_has_not_is_refused():
    fit, _ = fitted("linear")
    with pytest.raises(ValueError, match="name must be a C identifier"):
        to_c(fit, name="9")
    own = ggn.Activation("own", np.tanh, lambda z: 1 - np.tanh(z) ** 2, lambda z: 0 * z)
    with pytest.raises(ValueError, match="must have activations of"):
        StateSpace(1, 1, 1, f=ggn.MLP((2, 1, 1), own))

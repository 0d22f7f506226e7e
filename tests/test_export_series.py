"""A model of lags in C: its loop runs as ours does."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from test_narx import LAGS, system

import ggn
from ggn.export import to_c, to_onnx

COMPILER = shutil.which("cc") or shutil.which("gcc")


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
@pytest.mark.parametrize("kind", ["one", "several", "alone", "nothing fed back"])
def test_the_loop_in_c_runs_as_ours(kind, tmp_path):
    u, y = system(120)
    if kind == "one":
        fit = ggn.narx(u, y, hidden=3, max_iter=5, **LAGS)
    elif kind == "several":
        u, y = np.stack([u, u[::-1]], axis=1), np.stack([y, 0.5 * y + 0.1 * u], axis=1)
        fit = ggn.narx(u, y, output_lags=[[1, 3], [2]], input_lags=[[0], [1, 2]], max_iter=3)
    elif kind == "alone":
        fit, u = ggn.narx(None, y, output_lags=2, hidden=2, max_iter=3), None
    else:
        fit = ggn.narx(u, y, output_lags=0, input_lags=3, hidden=2, max_iter=3)
    source, library = tmp_path / "model.c", tmp_path / "model.so"
    source.write_text(to_c(fit, name="plant"))
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC"]
    subprocess.run([COMPILER, *strict, source, "-o", library, "-lm"], check=True)
    function = ctypes.CDLL(str(library)).ggn_plant_simulate
    array = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
    function.argtypes, function.restype = [ctypes.c_int, array, array], None
    p, flat = fit.lags.depth, y.reshape(len(y), -1)
    run = np.full(flat.shape, np.nan)
    run[:p] = flat[:p]
    inputs = np.zeros((len(y), 1)) if u is None else np.ascontiguousarray(u.reshape(len(y), -1))
    function(len(y), inputs, run)
    expected = fit.simulate(len(y) if u is None else u, y)
    np.testing.assert_allclose(run, expected.reshape(flat.shape), rtol=1e-9, atol=1e-11)


def test_the_one_step_map_goes_to_onnx(tmp_path):
    pytest.importorskip("onnx")
    fit = ggn.narx(*system(60), hidden=2, max_iter=2, **LAGS)
    to_onnx(fit, tmp_path / "one.onnx")
    assert (tmp_path / "one.onnx").stat().st_size > 0

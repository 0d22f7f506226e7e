"""Models written for other programs, run there: ONNX by onnxruntime, C by the compiler."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

import commands
import numpy as np
import pytest
import reference
from commands import fails
from hypothesis import given, settings
from strategies import assert_close, cases

import ggn
from ggn.export import to_c, to_onnx
from ggn.io.scaling import PrecisionWarning

COMPILER = shutil.which("cc") or shutil.which("gcc")
NAMES = sorted(reference.ACTIVATIONS)
LEAKY = ggn.activations.LeakyReLU(0.3)

run = pytest.fixture(commands.run)


def run_onnx(model, X, path, dtype="float64"):
    runtime = pytest.importorskip("onnxruntime")
    to_onnx(model, path, dtype)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (Y,) = session.run(["Y"], {"X": X.astype(dtype)})
    assert Y.dtype == dtype
    return Y


def run_c(model, X, path, name="m"):
    if COMPILER is None:
        pytest.skip("no C compiler")
    source = path.with_suffix(".c")
    source.write_text(to_c(model, name), encoding="ascii")
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC"]
    subprocess.run([COMPILER, *flags, "-o", path, source, "-lm"], check=True)
    function = getattr(ctypes.CDLL(str(path)), f"ggn_{name}_predict")
    array = np.ctypeslib.ndpointer(np.float64, ndim=1, flags="C_CONTIGUOUS")
    function.argtypes, function.restype = [array, array], None
    Y = np.full((len(X), model.net.n_outputs), np.nan)
    for x, y in zip(np.ascontiguousarray(X), Y, strict=True):
        function(x, y)
    return Y


RUNNERS = [run_onnx, run_c]


def scaled_model(activation, output_activation="identity"):
    """Three layers, one without a dummy unit, a fixed bias, and data far from standard units."""
    net = ggn.MLP(
        (3, 8, 6, 2), activation, output_activation, bias=[True, False, True], fixed_bias=0.25
    )
    gain = 0.3 if activation == "exponential" else 1.5
    w = gain * net.initial_weights(1, "fan_in")
    units = [[100.0, -2.0, 0.0], [20.0, 0.1, 1.0], [5.0, 0.0], [3.0, 40.0]]
    return ggn.Model(net, w, ["a", "größe */ /*", '"'], None, *units)


def data(T=300):
    return np.array([100.0, -2.0, 0.0]) + np.random.default_rng(0).normal(
        size=(T, 3), scale=[40.0, 0.2, 2.0]
    )


# the same numbers


@pytest.mark.parametrize("run_there", RUNNERS)
@pytest.mark.parametrize("activation", [*NAMES, LEAKY, ["softplus", LEAKY]], ids=str)
def test_other_programs_give_the_predictions(run_there, activation, tmp_path):
    model, X = scaled_model(activation), data()
    assert_close(run_there(model, X, tmp_path / "m"), model.predict(X))


@pytest.mark.parametrize("activation", NAMES)
def test_single_precision(activation, tmp_path):
    model, X = scaled_model(activation), data().astype("float32")
    assert_close(run_onnx(model, X, tmp_path / "m", "float32"), model.predict(X), 2e-6)


@pytest.mark.parametrize("run_there", RUNNERS)
@pytest.mark.parametrize("name", NAMES)
def test_activations_over_the_whole_line(run_there, name, tmp_path):
    """The bare activation, at both ends and around 0, to 1e-12 of its size or absolutely."""
    model = ggn.Model(ggn.MLP((1, 1), output_activation=name, bias=False), [1.0])
    small = 10.0 ** np.linspace(-300, 0, 61)
    z = np.concatenate([np.linspace(-700.0, 700.0, 1401), small, -small, [0.0]])
    if name != "exponential":
        z = np.concatenate([z, [-1e200, -1e19, -1e5, 1e5, 1e19, 1e200]])
    Y = run_there(model, z[:, np.newaxis], tmp_path / "m")[:, 0]
    expected = reference.ACTIVATIONS[name][0](z)
    assert (np.abs(Y - expected) <= 1e-12 * np.maximum(1.0, np.abs(expected))).all()


@pytest.mark.parametrize("run_there", RUNNERS)
def test_not_a_number_is_not_hidden(run_there, tmp_path):
    for name in NAMES:
        model = ggn.Model(ggn.MLP((1, 1), output_activation=name), [1.0, 0.0])
        assert np.isnan(run_there(model, np.array([[np.nan]]), tmp_path / name)).all()


@settings(max_examples=20)
@given(cases())
def test_any_architecture_in_onnx(tmp_path_factory, c):
    X, _ = c.data(5)
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    expected = reference.forward(c.spec, c.w, X)[0][-1]
    assert_close(run_onnx(ggn.Model(c.net, c.w), X, path), expected)


@settings(max_examples=20)
@given(cases())
def test_any_architecture_in_c(tmp_path_factory, c):
    X, _ = c.data(5)
    path = tmp_path_factory.mktemp("c") / "m"
    expected = reference.forward(c.spec, c.w, X)[0][-1]
    assert_close(run_c(ggn.Model(c.net, c.w), X, path), expected)


@pytest.mark.parametrize("run_there", RUNNERS)
def test_inputs_far_from_zero_keep_their_digits(run_there, tmp_path):
    """The scaling is a step of its own: folded into the weights it would cost six digits here."""
    net = ggn.MLP((1, 8, 1))
    model = ggn.Model(net, net.initial_weights(0), x_mean=[1e6], x_scale=[1.0])
    X = 1e6 + np.linspace(-3.0, 3.0, 50)[:, np.newaxis]
    assert_close(run_there(model, X, tmp_path / "m"), model.predict(X), 1e-14)


def test_float32_beside_a_large_offset(tmp_path):
    """Its inputs are exact in float32 here, x_mean is not: nothing is lost but what is said."""
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    net = ggn.MLP((1, 8, 1))
    stamps = (1.7e9 + 86400.0 * np.arange(50.0)).astype(np.float32)[:, np.newaxis]
    model = ggn.Model(net, net.initial_weights(0), x_mean=[1.7e9 + 2.1e6 + 77.3], x_scale=[1.2e6])
    to_onnx(model, tmp_path / "m.onnx", dtype="float32")  # 64 s of 1.2e6 are told apart
    assert onnx.load(tmp_path / "m.onnx").graph.node[0].op_type == "Sub"
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    found = session.run(None, {"X": stamps})[0]
    np.testing.assert_allclose(found, model.predict(stamps.astype(float)), atol=3e-6)
    fast = ggn.Model(net, net.initial_weights(0), x_mean=[1.7e9], x_scale=[100.0])
    with pytest.warns(PrecisionWarning, match="float32 holds x1 only to 1 of its unit"):
        to_onnx(fast, tmp_path / "m.onnx", dtype="float32")


@pytest.mark.parametrize("run_there", RUNNERS)
def test_scaling_around_other_output_activations(run_there, tmp_path):
    model, X = scaled_model("tanh", "softplus"), data()
    assert_close(run_there(model, X, tmp_path / "m"), model.predict(X))


@pytest.mark.parametrize("run_there", RUNNERS)
@pytest.mark.parametrize(
    ("unit", "value"),
    [("x_mean", [1.0, 2.0]), ("x_scale", [3.0, 0.5]), ("y_mean", [-7.0]), ("y_scale", [9.0])],
)
def test_each_part_of_the_scaling_alone(run_there, unit, value, tmp_path):
    net = ggn.MLP((2, 3, 1), "sigmoid")
    model = ggn.Model(net, net.initial_weights(0), **{unit: value})
    X = np.random.default_rng(0).normal(size=(9, 2))
    assert_close(run_there(model, X, tmp_path / "m"), model.predict(X))


# the files


def test_the_graph_is_of_the_runtimes_own_operators(tmp_path):
    """In float32 an activation that ONNX has is one node, which accelerators know."""
    onnx = pytest.importorskip("onnx")
    for name in NAMES:
        if ggn.activations.BUILT_IN[name].onnx is None and name not in ("sigmoid", "tanh"):
            continue  # written out from its expression, in which sigmoid and tanh are a word
        model = ggn.Model(ggn.MLP((1, 1, 1), name), np.ones(4))
        to_onnx(model, tmp_path / "m.onnx", "float32")
        graph = onnx.load(tmp_path / "m.onnx").graph
        operators = [node.op_type for node in graph.node]
        assert operators[::2] == ["Gemm", "Gemm"]
        assert operators[3:] == ["Identity"]
        used = {given for node in graph.node for given in node.input}
        assert {constant.name for constant in graph.initializer} <= used


def test_an_old_runtime_reads_what_needs_no_newer_operator(tmp_path):
    onnx = pytest.importorskip("onnx")
    for name, opset in (("tanh", 13), ("silu", 13), ("mish", 18), ("gelu", 20)):
        to_onnx(ggn.Model(ggn.MLP((1, 1, 1), name), np.ones(4)), tmp_path / "m.onnx", "float32")
        assert onnx.load(tmp_path / "m.onnx").opset_import[0].version == opset


def test_the_names_of_the_columns_are_in_the_file(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    to_onnx(scaled_model("tanh"), tmp_path / "m.onnx")
    session = runtime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == {
        "input_names": r'["a", "gr\u00f6\u00dfe */ /*", "\""]',
        "target_names": '["y1", "y2"]',
    }
    assert [(i.name, i.shape) for i in session.get_inputs()] == [("X", ["samples", 3])]
    assert [(o.name, o.shape) for o in session.get_outputs()] == [("Y", ["samples", 2])]


def test_two_functions_in_one_program(tmp_path):
    """All names begin with the function's."""
    text = to_c(scaled_model("softsign"), "first") + to_c(scaled_model("softsign"), "second")
    if COMPILER is None:
        pytest.skip("no C compiler")
    (tmp_path / "m.c").write_text(text)
    subprocess.run([COMPILER, "-std=c99", "-c", "m.c"], check=True, cwd=tmp_path)


def test_numbers_in_c_are_exact(tmp_path):
    w = np.array([5e-324, 0.1 + 0.2, -1.7976931348623157e308, np.nextafter(1.0, 2.0)])
    X = np.eye(4)
    model = ggn.Model(ggn.MLP((4, 1), bias=False), w)
    assert run_c(model, X, tmp_path / "m")[:, 0].tolist() == w.tolist()


# refusals


def test_a_users_activation_cannot_be_written(tmp_path):
    sine = ggn.Activation("sine", np.sin, np.cos)
    model = ggn.Model(ggn.MLP((1, 1, 1), sine), np.ones(4))
    before = tmp_path / "m.onnx"
    before.write_bytes(b"kept")
    message = r"^model must have built-in activations only to be written as %s, got Activation\('s"
    with pytest.raises(ValueError, match=message % "ONNX"):
        to_onnx(model, before)
    with pytest.raises(ValueError, match=message % "C"):
        to_c(model)
    assert before.read_bytes() == b"kept"


def test_bad_arguments(tmp_path):
    model = ggn.Model(ggn.MLP((1, 1)), [1e300, 0.0])
    for dtype in ("float16", "double precision", 64, [1]):
        with pytest.raises(ValueError, match=r"^dtype must be one of float32, float64, got"):
            to_onnx(model, tmp_path / "m", dtype)
    with pytest.raises(ValueError, match=r"within the range of float32 .* got W1 from 1e.300"):
        to_onnx(model, tmp_path / "m", "float32")
    tiny = ggn.Model(ggn.MLP((1, 1)), [1.0, 0.0], x_scale=[1e-60])
    with pytest.raises(ValueError, match="got x_scale from 1e-60"):
        to_onnx(tiny, tmp_path / "m", "float32")
    for write in (to_c, lambda m: to_onnx(m, tmp_path / "m")):
        with pytest.raises(ValueError, match=r"^model must be a fit, .* ggn.Model .*, got MLP"):
            write(model.net)
    for name in ("2nd", "a b", "", "größe", 3):
        with pytest.raises(ValueError, match=r"^name must be a C identifier, got"):
            to_c(model, name)
    assert os.listdir(tmp_path) == []


def test_a_path_that_cannot_be_written(tmp_path):
    model = ggn.Model(ggn.MLP((1, 1)), [1.0, 0.0])
    with pytest.raises(FileNotFoundError, match="none"):
        to_onnx(model, tmp_path / "none" / "m.onnx")
    with pytest.raises(IsADirectoryError):
        to_onnx(model, tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    (tmp_path / "m.onnx").write_bytes(b"kept")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        to_onnx(ggn.Model(ggn.MLP((1, 1)), [1.0, 0.0]), tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_bytes() == b"kept"
    assert os.listdir(tmp_path) == ["m.onnx"]


def test_without_the_package_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install ggn\[onnx\]"):
        to_onnx(ggn.Model(ggn.MLP((1, 1)), [1.0, 0.0]), tmp_path / "m.onnx")
    assert os.listdir(tmp_path) == []


# the command line


def test_the_command_line_writes_what_python_writes(run, tmp_path):
    model, saved = scaled_model("softplus"), tmp_path / "m.npz"
    model.save(saved)
    result = run("export", saved, "-o", tmp_path / "m.onnx")
    assert (result.status, result.out, result.err) == (0, "", "")
    assert run("export", saved, "--output", tmp_path / "m.c").status == 0
    assert (tmp_path / "m.c").read_text() == to_c(model)
    to_onnx(model, tmp_path / "python.onnx")
    assert (tmp_path / "m.onnx").read_bytes() == (tmp_path / "python.onnx").read_bytes()


def test_the_command_line_badly_used(run, tmp_path, monkeypatch):
    saved = tmp_path / "m.c"
    ggn.Model(ggn.MLP((1, 1)), [1.0, 0.0]).save(saved)
    before = saved.read_bytes()
    fails(run("export", saved), "the following arguments are required: -o/--output")
    fails(run("export", saved, "-o", "m.txt"), r"--output must end in \.onnx or \.c, got 'm.txt'")
    fails(run("export", saved, "-o", saved), "--output would overwrite .*m.c, which is read")
    fails(run("export", saved, "-o", tmp_path / "none" / "m.c"), "none/m.c: No such file")
    fails(run("export", tmp_path / "none.npz", "-o", "m.c"), "none.npz: No such file")
    sine = ggn.Activation("sine", np.sin, np.cos)
    ggn.Model(ggn.MLP((1, 1, 1), sine), np.ones(4)).save(tmp_path / "sine")
    fails(run("export", tmp_path / "sine", "-o", "m.c"), "which the command line does not have\n")
    monkeypatch.setitem(sys.modules, "onnx", None)
    fails(run("export", saved, "-o", tmp_path / "m.onnx"), r"pip install ggn\[onnx\]")
    assert saved.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["m.c", "sine"]


@pytest.mark.parametrize("name", ["2x", "", "a-b", "a\n"])
def test_names_that_c_does_not_take(name):
    with pytest.raises(ValueError, match="name must be a C identifier"):
        to_c(ggn.Model(ggn.MLP((1, 1)), [1.0, 0.0]), name)

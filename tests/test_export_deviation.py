"""Standard deviations of new targets in other programs: ONNX by onnxruntime, C by the compiler.

The oracle: P of `reference.jacobian`, one sample at a time, and NumPy's general solver for H.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess

import commands
import numpy as np
import pytest
import reference
from commands import fails
from strategies import NAMES, assert_close, case

import ggn
from ggn.export import c_deviation, onnx_deviation, to_c, to_onnx
from ggn.io.laplace import Laplace, LaplaceMixture
from ggn.network import side_by_side

COMPILER = shutil.which("cc") or shutil.which("gcc")
STRICT = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
UNITS = {
    "x_mean": [100.0, -2.0, 0.0],
    "x_scale": [20.0, 0.1, 1.0],
    "y_mean": [5.0, 0.0],
    "y_scale": [3.0, 40.0],
}

run = pytest.fixture(commands.run)


def in_c(models, X, folder):
    """Return the deviations that each model's function of one file gives, by compiled code."""
    if COMPILER is None:
        pytest.skip("no C compiler")
    source, library = folder / "m.c", folder / "m.so"
    texts = [to_c(model, f"m{i}") for i, model in enumerate(models)]
    source.write_text("\n".join(texts), encoding="ascii")
    subprocess.run(
        [COMPILER, *STRICT, "-shared", "-fPIC", "-o", library, source, "-lm"], check=True
    )
    array, found = np.ctypeslib.ndpointer(np.float64, ndim=1, flags="C_CONTIGUOUS"), []
    for i, model in enumerate(models):
        function = ctypes.CDLL(str(library))[f"ggn_m{i}_deviation"]
        function.argtypes, function.restype = [array, array], None
        found.append(np.full((len(X[i]), model.net.n_outputs), np.nan))
        for x, s in zip(np.ascontiguousarray(X[i]), found[-1], strict=True):
            function(x, s)
    return found


def in_onnx(models, X, folder):
    runtime = pytest.importorskip("onnxruntime")
    found = []
    for model, x in zip(models, X, strict=True):
        to_onnx(model, folder / "m.onnx")
        session = runtime.InferenceSession(folder / "m.onnx", providers=["CPUExecutionProvider"])
        Y, S = session.run(["Y", "Y_std"], {"X": x})
        assert_close(Y, model.predict(x))
        found.append(S)
    return found


RUNNERS = [in_c, in_onnx]


def root(N, rng):
    """Return L of H = L Lᵀ, a matrix of condition about a thousand."""
    A = rng.normal(size=(N, 2 * N))
    return np.linalg.cholesky(A @ A.T / N + 0.1 * np.eye(N))


def laplace(N, rng):
    return Laplace(root(N, rng), rng.uniform(0.01, 0.5), 10.0, rng.uniform(1.0, 1.5))


def oracle(spec, w, part, Z):
    """Return the variances of new targets, (T, nL), by the definition."""
    P = reference.jacobian(spec, w, Z)
    H = part.root @ part.root.T
    about = np.sum(P * np.linalg.solve(H, P), axis=0).reshape(len(Z), -1)
    return part.inflation * (part.noise_std**2 + about)


def single(one, rng, **units):
    """Return a model of a case with a posterior, inputs, and what their deviations are."""
    part = laplace(one.net.n_weights, rng)
    model = ggn.Model(one.net, one.w, posterior=part, **units)
    Z = rng.normal(size=(7, one.net.n_inputs))
    expected = model.y_scale * np.sqrt(oracle(one.spec, one.w, part, Z))
    return model, model.x_mean + model.x_scale * Z, expected


def mixed(one, k, rng, **units):
    ws = [one.w + 0.3 * rng.normal(size=one.w.size) for _ in range(k)]
    parts = [laplace(one.net.n_weights, rng) for _ in ws]
    wide, w = side_by_side(one.net, ws)
    model = ggn.Model(wide, w, posterior=LaplaceMixture(ws, parts), **units)
    Z = rng.normal(size=(7, one.net.n_inputs))
    each = [oracle(one.spec, v, part, Z) for v, part in zip(ws, parts, strict=True)]
    f = [reference.forward(one.spec, v, Z)[0][-1] for v in ws]
    expected = model.y_scale * np.sqrt(np.mean(each, axis=0) + np.var(f, axis=0))
    return model, model.x_mean + model.x_scale * Z, expected


def check(run_there, given, folder, tolerance=1e-11):
    models, X, expected = map(list, zip(*given, strict=True))
    found = run_there(models, X, folder)
    for model, x, s, own in zip(models, X, found, expected, strict=True):
        assert s.shape == own.shape
        np.testing.assert_allclose(s, own, rtol=tolerance)
        np.testing.assert_allclose(s, model.deviation(x), rtol=tolerance)


@pytest.mark.parametrize("run_there", RUNNERS)
def test_every_activation_bias_and_unit(run_there, rng, tmp_path):
    """Three layers, two outputs, one layer without dummy unit, hidden and output activation."""
    given = [
        single(case((3, 4, 3, 2), name, (True, False, True), 0.25, seed), rng, **UNITS)
        for seed, name in enumerate(NAMES)
    ]
    check(run_there, given, tmp_path)


@pytest.mark.parametrize("run_there", RUNNERS)
def test_every_depth(run_there, rng, tmp_path):
    shapes = [
        ((1, 1), ["identity"], [False]),
        ((4, 3), ["tanh"], [True]),
        ((2, 6, 1), ["tanh", "identity"], [True, True]),
        ((2, 6, 3), ["identity", "identity"], [False, False]),
        ((3, 1, 7, 2, 4), ["tanh", "silu", "gelu", "identity"], [True, True, False, True]),
    ]
    given = [single(case(*shape, seed=seed), rng) for seed, shape in enumerate(shapes)]
    scales = [{name: [value[0]]} for name, value in UNITS.items()]
    given += [single(case((1, 3, 1), ["tanh", "identity"]), rng, **unit) for unit in scales]
    check(run_there, given, tmp_path)


@pytest.mark.parametrize("run_there", RUNNERS)
def test_mixtures(run_there, rng, tmp_path):
    """Members of one, two and three layers; each has its own noise, root and inflation."""
    linear = [case((3, 2), ["identity"])]
    deep = [
        case((3, 4, 2), ["softplus", "identity"], [True, True], 0.25),
        case((3, 4, 3, 2), ["tanh", "sine", "identity"], [False, True, False]),
    ]
    given = [mixed(one, 5, rng, **UNITS) for one in (*linear, *deep)]
    given.append(mixed(deep[0], 1, rng))
    check(run_there, given, tmp_path)


@pytest.mark.parametrize("run_there", RUNNERS)
def test_slopes_over_the_whole_line(run_there, tmp_path):
    """Of one weight, 1, and H = 1 the deviation is |z σ'(z)|: it is right to 1e-12."""
    small = 10.0 ** np.linspace(-150, 0, 61)
    z = np.concatenate([np.linspace(-700.0, 700.0, 1401), small, -small, [0.0, -1e100, 1e100]])
    leaky = ggn.activations.LeakyReLU(0.3)
    slopes = {ggn.activations.BUILT_IN[name](): reference.ACTIVATIONS[name][1] for name in NAMES}
    slopes[leaky] = lambda z: np.where(z > 0.0, 1.0, 0.3)
    models, X = [], []
    for activation in slopes:
        own = z[np.abs(z) < 350.0] if activation.name == "exponential" else z  # finite squares
        net = ggn.MLP((1, 1), output_activation=activation, bias=False)
        models.append(ggn.Model(net, [1.0], posterior=Laplace([[1.0]], 0.0, 1.0)))
        X.append(own[:, np.newaxis])
    for slope, x, s in zip(slopes.values(), X, run_there(models, X, tmp_path), strict=True):
        size = np.maximum(1.0, np.abs(slope(x)))
        assert (np.abs(s - np.abs(x * slope(x))) <= 1e-12 * np.abs(x) * size).all()


# the files


def test_a_model_without_posterior_has_the_mean_alone(rng, tmp_path):
    onnx = pytest.importorskip("onnx")
    model, _, _ = single(case((2, 3, 2), "tanh"), rng)
    to_onnx(model, tmp_path / "m.onnx")
    assert [o.name for o in onnx.load(tmp_path / "m.onnx").graph.output] == ["Y", "Y_std"]
    assert "deviation" in to_c(model)
    model.posterior = None
    to_onnx(model, tmp_path / "m.onnx")
    assert [o.name for o in onnx.load(tmp_path / "m.onnx").graph.output] == ["Y"]
    assert "deviation" not in to_c(model)


def test_no_samples_have_no_deviations(rng, tmp_path):
    model, _, _ = single(case((2, 3, 2), "tanh"), rng)
    (S,) = in_onnx([model], [np.empty((0, 2))], tmp_path)
    assert S.shape == (0, 2)


def test_what_is_too_large_or_too_coarse_is_refused(rng, tmp_path, monkeypatch):
    model = ggn.Model(ggn.MLP((2999, 1)), np.zeros(3000), posterior=Laplace(np.eye(3000), 0.1, 1.0))
    sentence = (
        "^model has a posterior of 1 network of 3000 weights, 4501500 numbers, of which C would "
        r"take 99 MB; without its posterior \(model.posterior = None\) the mean alone is written$"
    )
    with pytest.raises(ValueError, match=sentence):
        to_c(model)
    small, _, _ = mixed(case((1, 2, 1), ["tanh", "identity"]), 2, rng)
    with pytest.raises(ValueError, match=r"^dtype must be float64 for .* got float32"):
        to_onnx(small, tmp_path / "m.onnx", "float32")
    monkeypatch.setattr(onnx_deviation, "MOST", 2 * 8 * 49 - 1)
    with pytest.raises(ValueError, match="of 2 networks of 7 weights, of which ONNX would take"):
        to_onnx(small, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_writes_deviations(run, tmp_path):
    """Those of train --bayesian, beside what predict writes in its column std(y)."""
    x = np.linspace(0.0, 6.0, 60)
    rows = "\n".join(f"{a},{np.sin(a) + 0.1 * np.cos(37.0 * a)}" for a in x)
    (tmp_path / "d.csv").write_text(f"x,y\n{rows}\n")
    saved, source = tmp_path / "m.npz", tmp_path / "m.c"
    options = ("--hidden", "3", "--max-iter", "20", "--bayesian", "--save", saved)
    assert run("train", tmp_path / "d.csv", "--target", "y", *options).status == 0
    assert run("export", saved, "-o", source).status == 0
    predicted = run("predict", saved, tmp_path / "d.csv").out.splitlines()
    assert predicted[0] == "y,std(y)"
    model = ggn.Model.load(saved)
    assert source.read_text() == to_c(model)
    functions = re.findall(r"^void (\w+)", source.read_text(), re.M)
    assert functions == ["ggn_model_predict", "ggn_model_deviation"]
    expected = np.array([[float(line.split(",")[1])] for line in predicted[1:]])
    for run_there in RUNNERS:
        (found,) = run_there([model], [x[:, np.newaxis]], tmp_path)
        np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_the_command_line_says_that_a_posterior_is_too_large(run, tmp_path, monkeypatch):
    model = ggn.Model(ggn.MLP((1, 1)), np.ones(2), posterior=Laplace(np.eye(2), 0.1, 1.0))
    model.save(tmp_path / "m.npz")
    monkeypatch.setattr(c_deviation, "MOST", 2)
    fails(run("export", tmp_path / "m.npz", "-o", tmp_path / "m.c"), "of 2 weights, 3 numbers")
    assert [p.name for p in tmp_path.iterdir()] == ["m.npz"]

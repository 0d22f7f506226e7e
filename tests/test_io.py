"""Saved models: what goes in comes out, and nothing else is ever taken for one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import threading
import tracemalloc
import zipfile

import numpy as np
import pytest

import ggn
from ggn.io import Model
from ggn.io.archive import ARRAYS


@pytest.fixture
def model():
    net = ggn.MLP(
        (2, 3, 4, 1), ["softsign", ggn.activations.LeakyReLU(0.2)], bias=[True, False, True]
    )
    return Model(
        net,
        net.initial_weights(0),
        ["größe, m", "b"],
        ["y"],
        x_mean=[1.0, -2.0],
        x_scale=[2.0, 1e-3],
        y_mean=[1 / 3],
        y_scale=[7.0],
    )


@pytest.fixture
def path(tmp_path, model):
    path = tmp_path / "model.npz"
    model.save(path)
    return path


def rewrite(path, header=None, **arrays):
    """Write the file anew with parts of it replaced (None: left out)."""
    with np.load(path) as archive:
        parts = dict(archive)
    text = json.loads(parts["header"].tobytes()) | (header or {})
    text = {key: value for key, value in text.items() if value is not None}
    parts["header"] = np.frombuffer(json.dumps(text).encode(), dtype=np.uint8)
    parts |= arrays
    np.savez(path, **{key: value for key, value in parts.items() if value is not None})


def fails(path, message, **options):
    with pytest.raises(ValueError, match=message) as caught:
        Model.load(path, **options)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text


# what comes out


def test_all_fields_come_back_bit_for_bit(path, model):
    loaded = Model.load(path)
    assert loaded.net == model.net
    assert loaded.input_names == ("größe, m", "b")
    assert loaded.target_names == ("y",)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(model, name), strict=True)
    X = np.random.default_rng(1).standard_normal((5, 2))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("name", sorted(ggn.activations.BUILT_IN))
def test_every_built_in_activation_comes_back(tmp_path, name):
    net = ggn.MLP((1, 2, 1), name, output_activation=name, bias=False, fixed_bias=0.5)
    Model(net, np.ones(4)).save(tmp_path / "m")
    assert Model.load(tmp_path / "m").net == net


def test_the_file_is_plain_arrays(path):
    with np.load(path, allow_pickle=False) as archive:
        assert set(archive) == {"header", *ARRAYS}
        header = json.loads(archive["header"].tobytes())
        assert archive["w"].dtype == np.float64
    assert (header["format"], header["version"], header["sizes"]) == ("ggn-model", 1, [2, 3, 4, 1])


def test_prediction_is_in_the_units_of_the_data():
    net = ggn.MLP((1, 1))
    model = Model(net, [2.0, 1.0], x_mean=[10.0], x_scale=[5.0], y_mean=[100.0], y_scale=[3.0])
    # z = (20 - 10)/5 = 2, φ = 2z + 1 = 5, y = 100 + 3·5
    np.testing.assert_array_equal(model.predict([[20.0]]), [[115.0]])
    np.testing.assert_array_equal(model.predict([20.0]), [[115.0]])


def test_prediction_checks_its_argument(model):
    with pytest.raises(ValueError, match="X must have 2 columns"):
        model.predict(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="X must be finite"):
        model.predict([[np.nan, 0.0]])


def test_a_network_trained_in_python_is_saved_by_its_weights(tmp_path):
    net, X = ggn.MLP((3, 2, 2)), np.random.default_rng(0).standard_normal((9, 3))
    fit = ggn.train(net, X, X[:, :2], rng=0, max_iter=3)
    ggn.Model(net, fit.w).save(tmp_path / "m.npz")
    loaded = Model.load(tmp_path / "m.npz")
    assert (loaded.input_names, loaded.target_names) == (("x1", "x2", "x3"), ("y1", "y2"))
    np.testing.assert_array_equal(loaded.predict(X), net.forward(fit.w, X))


def test_the_model_keeps_its_own_weights():
    w = np.array([2.0, 1.0])
    model = Model(ggn.MLP((1, 1)), w)
    w[:] = 0.0
    assert model.predict([[1.0]])[0, 0] == 3.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"w": [1.0]}, r"w must have shape \(2,\)"),
        ({"w": [1.0, np.inf]}, "w must be finite"),
        ({"input_names": ["a", "b"]}, "input_names must be 1 names"),
        ({"target_names": [""]}, "target_names must be 1 names"),
        ({"x_mean": [0.0, 0.0]}, r"x_mean must have shape \(1,\)"),
        ({"x_scale": [0.0]}, "x_scale must be positive"),
        ({"y_scale": [-1.0]}, "y_scale must be positive"),
    ],
)
def test_a_model_must_fit_together(options, message):
    with pytest.raises(ValueError, match=message):
        Model(ggn.MLP((1, 1)), **({"w": [2.0, 1.0]} | options))


def test_names_must_be_distinct():
    with pytest.raises(ValueError, match="input_names must be distinct"):
        Model(ggn.MLP((2, 1)), np.ones(3), ["a", "a"])
    with pytest.raises(ValueError, match="net must be an MLP"):
        Model("net", [1.0])


# a custom activation


@pytest.fixture
def sine():
    return ggn.Activation("sine", np.sin, np.cos)


@pytest.fixture
def custom_path(tmp_path, sine):
    Model(ggn.MLP((1, 1, 1), sine, bias=False), [2.0, 3.0]).save(tmp_path / "sine.npz")
    return tmp_path / "sine.npz"


def test_a_custom_activation_is_given_again(custom_path, sine):
    loaded = Model.load(custom_path, activations={"sine": sine})
    assert loaded.predict([[0.5]])[0, 0] == 3.0 * np.sin(1.0)


def test_a_custom_activation_is_asked_for(custom_path):
    fails(custom_path, "custom activation 'sine'.*activations=")
    fails(custom_path, "custom activation 'sine'", activations={"cosine": None})
    fails(custom_path, r"activations\['sine'\] must be an Activation", activations={"sine": np.sin})


def test_a_custom_activation_may_have_the_name_of_a_built_in(tmp_path):
    mine = ggn.Activation("tanh", np.sin, np.cos)
    Model(ggn.MLP((1, 1, 1), mine, bias=False), [1.0, 1.0]).save(tmp_path / "m")
    fails(tmp_path / "m", "custom activation 'tanh'")


# what is refused


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Model.load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"x,y\n1,2\n", "it is another format"),
        (b"P", "it is another format"),
        (pickle.dumps([1, 2]), "a pickle, which is never loaded"),
        (b"PK\x03\x04 and so on", "truncated or damaged"),
    ],
)
def test_other_files_are_not_models(tmp_path, content, message):
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    fails(path, message)


def test_other_archives_are_not_models(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, w=np.ones(3))
    fails(path, "not a ggn model: it has no header")
    np.savez(path, header=np.frombuffer(b"{", dtype=np.uint8))
    fails(path, "header is not JSON")
    np.savez(path, header=np.frombuffer(b'{"format": "other"}', dtype=np.uint8))
    fails(path, "does not say format 'ggn-model'")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", "text")
    fails(path, "truncated or damaged")


def test_a_file_cut_anywhere_is_refused(path):
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        fails(path, "truncated or damaged|is not a ggn model")


def test_a_changed_byte_is_refused_or_harmless(path, model, rng):
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            loaded = Model.load(path)
        except ValueError:
            refused += 1
        else:  # a date, say
            assert loaded.net == model.net
            np.testing.assert_array_equal(loaded.w, model.w)
            assert loaded.input_names == model.input_names
    assert refused > 200


def test_pickled_objects_are_never_loaded(path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(path) + ".sprung",)

    trap = np.array([Trap()], dtype=object)
    rewrite(path, w=trap)
    fails(path, "holds pickled objects, which are never loaded")
    rewrite_header = io.BytesIO()
    np.savez(rewrite_header, header=trap)
    path.write_bytes(rewrite_header.getvalue())
    fails(path, "holds pickled objects, which are never loaded")
    assert os.listdir(path.parent) == [path.name]


def test_a_newer_version_is_refused(path):
    rewrite(path, {"version": 5})
    fails(path, "format version 5, but this ggn reads versions up to 4")
    rewrite(path, {"version": "1"})
    fails(path, "its version is '1'")


@pytest.mark.parametrize(
    ("header", "arrays", "message"),
    [
        ({}, {"w": np.ones(5)}, "5 weights do not fit"),
        ({"sizes": [2, 3, 4]}, {}, "bias flags do not fit sizes"),
        ({"sizes": [10**12, 10**12, 1, 1]}, {}, "weights do not fit"),
        ({"sizes": None}, {}, "'sizes' is missing"),
        ({"sizes": 3}, {}, "header is malformed"),
        ({"sizes": [2, 3, 4, "1"]}, {}, "header is malformed"),
        ({"bias": [1, 0, 2]}, {}, "do not fit"),
        ({"activations": []}, {}, "header is malformed"),
        ({"activations": [{"name": "tanh"}]}, {}, "one per hidden layer"),
        ({"activations": [{"name": "swish"}] * 3}, {}, "activation 'swish', which this ggn"),
        ({"activations": ["tanh"] * 3}, {}, "header is malformed"),
        ({"fixed_bias": "x"}, {}, "fixed_bias must be a number"),
        ({"input_names": ["a"]}, {}, "input_names must be 2 names"),
        ({}, {"w": None}, "the array 'w' is missing"),
        ({}, {"y_scale": None}, "the array 'y_scale' is missing"),
        ({}, {"x_mean": np.zeros(3)}, r"x_mean must have shape \(2,\)"),
        ({}, {"x_mean": np.zeros((2, 1))}, "x_mean must be 1-D"),
        ({}, {"x_scale": np.zeros(2)}, "x_scale must be positive"),
        ({}, {"y_mean": np.array([np.nan])}, "y_mean must be finite"),
        ({}, {"y_mean": np.array(["a"])}, "y_mean must hold real numbers"),
    ],
)
def test_parts_that_do_not_fit_are_refused(path, header, arrays, message):
    rewrite(path, header, **arrays)
    fails(path, message)


def test_weights_that_are_not_finite_are_refused(path, model):
    w = model.w.copy()
    w[3] = np.nan
    rewrite(path, w=w)
    fails(path, r"w must be finite, got nan at w\[3\]")


def test_data_frames_are_read_by_name():
    pandas = pytest.importorskip("pandas", reason="data frames are pandas's")
    model = ggn.Model(ggn.MLP((2, 1), bias=False), [1.0, 10.0], ["a", "b"])
    frame = pandas.DataFrame({"b": [3.0], "other": [7.0], "a": [2.0]})
    assert model.predict(frame) == [[32.0]]
    with pytest.raises(ValueError, match="X must have the columns a, b, got none named b"):
        model.predict(frame.rename(columns={"b": "c"})[["a", "c"]])
    assert model.predict(frame[["a", "b"]].to_numpy()) == [[32.0]]


# --------------------------------------------------------------- before it takes memory or time


def packed(path, **members):
    """Write an archive of these members, compressed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def test_an_archive_that_unpacks_to_far_more_is_refused_unopened(path):
    with zipfile.ZipFile(path) as archive:
        header = archive.read("header.npy")
    packed(path, header=header, w=bytes(2**28))
    assert path.stat().st_size < 2**19
    tracemalloc.start()
    fails(path, r"not a ggn model: its \d+ bytes would be \d+ unpacked")
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


@pytest.mark.parametrize("shape", [(10**7,), (2**62,), (2**31, 2**31), (10**400,), (-1,)])
def test_an_array_that_claims_more_than_there_is(path, shape):
    with zipfile.ZipFile(path) as archive:
        members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    stream = io.BytesIO()
    claim = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, claim)
    packed(path, **members | {"w": stream.getvalue() + bytes(64)})
    tracemalloc.start()
    fails(path, "truncated or damaged")
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


@pytest.mark.parametrize("sizes", [[10**400, 1], [2, "x", 1], [2, 3.0, 1], [2, 2**62, 4, 1]])
def test_sizes_that_are_none(path, sizes):
    rewrite(path, {"sizes": sizes})
    fails(path, "do not fit|malformed")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no endless file here")
def test_a_file_without_end(tmp_path, monkeypatch):
    fails("/dev/zero", "it is another format")
    monkeypatch.setattr(ggn.io.archive, "UNPACKED", 2**16)
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write():
        with contextlib.suppress(BrokenPipeError), open(path, "wb") as stream:
            stream.write(b"PK\x03\x04")
            while True:
                stream.write(bytes(2**12))

    writer = threading.Thread(target=write)
    writer.start()
    fails(path, "it has not ended after 65536 bytes")
    writer.join()


def test_a_path_of_bytes(path, model):
    assert np.array_equal(Model.load(os.fsencode(path)).w, model.w)
    model.save(os.fsencode(path))
    assert np.array_equal(Model.load(path).w, model.w)

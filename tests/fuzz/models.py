"""Model files: bytes changed, members of the archive changed, header changed, and repacked."""

from __future__ import annotations

import copy
import functools
import io
import json
import os
import tempfile
import zipfile

import numpy as np

import ggn
from fuzz import values
from fuzz.bytes import mutated
from ggn.io.asinh_transform import AsinhTransform
from ggn.recurrent import NARXModel, Simulator
from ggn.recurrent.narx_model import is_narx
from ggn.recurrent.statespace_file import is_statespace

ABSURD = [
    None, True, -1, 0, 1, 2, 3, 1.5, 1e308, 10**400, 2**63, 2**62, "", "x", "tanh", [], [[]], {}, [1, 2],
    {"name": 3}, ["x"] * 5, "\x1b[2J", [2**62, 4], [10**400, 1], [-1, 3], "=1+1", [None], ["tanh", ["x"]],
]  # fmt: skip


@functools.cache
def originals() -> tuple[bytes, ...]:
    """Return files of models of every kind."""
    x = np.linspace(-1.0, 1.0, 12)[:, np.newaxis]
    net, y = ggn.MLP((1, 3, 1), ["leaky_relu"]), np.sin(x)
    made = [ggn.Model(net, net.initial_weights(0), ["a"], ["b"], loss="cauchy", l2=0.1)]
    bayes = ggn.train_bayesian(ggn.MLP((1, 2, 1)), x, y, max_iter=200)
    made.append(ggn.Model(bayes.net, bayes.w, posterior=bayes.posterior))
    two = ggn.MLP((2, 2), bias=False)
    made.append(
        ggn.Model(two, [1.0, 2.0, 3.0, 4.0], loss="softmax_cross_entropy", classes=["a", "b"])
    )
    transform = AsinhTransform([0.5, 0.0], [2.0, np.inf])
    made.append(ggn.Model(two, [1.0, 2.0, 3.0, 4.0], x_transform=transform))
    mixture = ggn.train_bayesian(ggn.MLP((1, 2, 1)), x, y, max_iter=20, n_estimators=2)
    made.append(mixture.as_model())
    made.append(ggn.narx(x[:, 0], y[:, 0], hidden=2, max_iter=2))
    made.append(values.simulator())
    files = []
    for model in made:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.npz")
            model.save(path)
            with open(path, "rb") as stream:
                files.append(stream.read())
    return tuple(files)


def case(rng: np.random.Generator):
    """Return the call that loads a changed file, and predicts with it if that works."""
    data = originals()[int(rng.integers(len(originals())))]
    kind = int(rng.integers(4))
    data = mutated(data, rng) if kind == 0 else _repacked(data, rng, kind)
    return functools.partial(load, data)


def load(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        path = os.path.join(folder, "m.npz")
        with open(path, "wb") as stream:
            stream.write(data)
        if is_narx(path):
            plant = NARXModel.load(path)
            plant.simulate(
                np.zeros((9, len(plant.input_names))), np.zeros((9, plant.net.n_outputs))
            )
            repr(plant)
        if is_statespace(path):
            runs = Simulator.load(path)
            runs.simulate(np.zeros((3, runs.model.n_inputs)))
            repr(runs)
            return
        model = ggn.Model.load(path)
        model.predict(np.zeros((2, model.net.n_inputs)))
        repr(model)


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _repacked(data: bytes, rng: np.random.Generator, kind: int) -> bytes:
    """Change a member, and write an archive that is sound again."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if kind == 1:
        members["header.npy"] = _array(_header(members["header.npy"], rng))
    elif kind == 2:
        name = str(rng.choice([*members]))
        members[name] = mutated(members[name], rng)
    else:
        name = str(rng.choice([*members]))
        what = int(rng.integers(6))
        if what == 0:
            del members[name]
        elif what == 1:
            members[name] = _array(_strange(rng))
        elif what == 2:
            members[str(rng.choice(["../evil.npy", "/tmp/evil.npy", "w.npy.npy", "x"]))] = b"x"
        elif what == 3:
            members[name] += rng.bytes(int(rng.integers(1, 2000)))
        elif what == 4:
            other = str(rng.choice([*members]))
            members[name], members[other] = members[other], members[name]
        else:
            members[name] = _claim(rng)
    stream = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if rng.random() < 0.5 else zipfile.ZIP_STORED
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _array(value) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(value), allow_pickle=True)
    return stream.getvalue()


def _claim(rng: np.random.Generator) -> bytes:
    """Return an array's header that claims far more than there is."""
    shape = [(10**12,), (2**62,), (-1,), (10**30,), (2**31, 2**31), (0,), ()][int(rng.integers(7))]
    kind = str(rng.choice(["<f8", "|O", "<U1000000", "|V8", "<M8[s]", "<c16"]))
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": kind, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue() + b"\x00" * int(rng.integers(0, 64))


def _strange(rng: np.random.Generator):
    made = [
        np.array(["text"]), np.array([None], object), np.full(13, np.nan), np.full((3, 3), np.inf), np.zeros(0),
        np.zeros((1, 13)), np.array(1.0), np.ones(13, np.float32), np.ones(13) + 1j, np.array(["2020"], "M8[Y]"),
        np.full(13, 1e308), np.full(13, 5e-324), np.arange(13, dtype=np.uint64), np.zeros(3, [("a", "f8")]),
        -np.ones(1), np.zeros(1), np.ones(13, bool), np.ones(1, ">f8"),
    ]  # fmt: skip
    return made[int(rng.integers(len(made)))]


def _header(member: bytes, rng: np.random.Generator):
    told = json.loads(np.load(io.BytesIO(member)).tobytes())
    for _ in range(int(rng.integers(1, 4))):
        if rng.random() < 0.7:
            _change(told, rng)
    text = json.dumps(told).encode()
    if rng.random() < 0.3:
        text = mutated(text, rng)
    return np.frombuffer(text, dtype=np.uint8)


def _change(told, rng: np.random.Generator) -> None:
    """Change an entry somewhere inside."""
    keys = [*told] if isinstance(told, dict) else [*range(len(told))]
    if not keys:
        return
    key = keys[int(rng.integers(len(keys)))]
    if isinstance(told[key], (dict, list)) and told[key] and rng.random() < 0.5:
        return _change(told[key], rng)
    if rng.random() < 0.15:
        del told[key]
    else:
        told[key] = copy.deepcopy(ABSURD[int(rng.integers(len(ABSURD)))])
    return None

"""SIGKILL during every kind of save: the old or the new file whole, and no litter after the next.

A child process saves again and again, one content and another in turn, and is killed at a random
time; then the file is read, and saved once more.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import tempfile
import time

import numpy as np

import ggn
from fuzz.watch import Outcome
from ggn.command import cli
from ggn.io.files import replacing
from ggn.plot.style import figure
from ggn.recurrent import Scaling, Simulator, StateSpace
from ggn.recurrent.statespace_file import is_statespace

NET = ggn.MLP((2, 40, 1))
SHAPE = StateSpace(1, 3, 1, f=20, initial_states=0)
UNITS = Scaling(np.zeros(1), np.ones(1), np.zeros(1), 1.0)
STATES = [Simulator(SHAPE, np.full(SHAPE.n_weights, 0.1 * seed), UNITS) for seed in (0, 1)]
MODELS = [ggn.Model(NET, NET.initial_weights(seed), ["a", "b"], ["c"]) for seed in (0, 1)]


def _model(path, which):
    MODELS[which].save(path)


def _states(path, which):
    STATES[which].save(path)


def _c_of_states(path, which):
    _silently("export", _saved(path, which, STATES), "--output", path)


def _onnx(path, which):
    ggn.export.to_onnx(MODELS[which], path)


def _c(path, which):
    _silently("export", _saved(path, which), "--output", path)


def _predictions(path, which):
    data = f"{os.path.dirname(path)}/data.csv"
    if not os.path.exists(data):
        np.savetxt(data, np.random.default_rng(0).random((400, 2)), delimiter=",",
                   header="a,b", comments="")  # fmt: skip
    _silently("predict", _saved(path, which), data, "--output", path)


def _plot(path, which):
    with figure() as (picture, axes), replacing(path) as stream:
        axes[0, 0].plot([0, 1], [which, 1])
        picture.savefig(stream, format="png")


def _saved(path, which, models=MODELS):
    model = f"{os.path.dirname(path)}/model{which}.npz"
    if not os.path.exists(model):
        models[which].save(model)
    return model


def _silently(*argv):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert cli.main([*map(str, argv)]) == 0


SAVES = {
    "Model.save": (_model, "m.npz"),
    "to_onnx": (_onnx, "m.onnx"),
    "C": (_c, "m.c"),
    "Simulator.save": (_states, "s.npz"),
    "C of states": (_c_of_states, "s.c"),
    "predictions": (_predictions, "p.csv"),
    "plot": (_plot, "p.png"),
}


def case(rng: np.random.Generator) -> Outcome:
    """Kill one save."""
    name = [*SAVES][int(rng.integers(len(SAVES)))]
    return killed(name, float(rng.uniform(0.0, 0.03)))


def killed(name: str, seconds: float) -> Outcome:
    """Kill a process that saves, so many seconds after its first save."""
    save, file = SAVES[name]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, file)
        whole = set()
        for which in (1, 0):
            save(path, which)
            whole.add(_content(path))
        listing = sorted(os.listdir(folder))
        child = os.fork()
        if child == 0:
            for i in range(10**6):
                save(path, i % 2)
            os._exit(0)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        litter = sorted(os.listdir(folder)) != listing
        if _content(path) not in whole:
            return Outcome("half", f"{name}: neither the old file nor the new one")
        save(path, 0)
        if sorted(os.listdir(folder)) != listing:
            return Outcome("litter", f"{name}: {sorted(set(os.listdir(folder)) - set(listing))}")
    return Outcome("litter removed" if litter else "clean")


def _content(path):
    with open(path, "rb") as stream:
        data = stream.read()
    if path.endswith("npz"):  # whose members have a time
        kind = Simulator if is_statespace(path) else ggn.Model
        return kind.load(path).w.tobytes()
    return data

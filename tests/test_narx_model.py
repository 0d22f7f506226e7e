"""Models of lags in files: what is loaded runs as the fit did."""

import json
import re

import commands
import numpy as np
import pytest
from test_narx import LAGS, system

import ggn
from ggn.export import to_c
from ggn.recurrent import Lags, NARXModel, Simulator

run = pytest.fixture(commands.run)
FEW = {"hidden": 3, "max_iter": 5}


def fitted(kind):
    """Return a fit, with inputs and outputs to run it on."""
    u, y = system(120)
    if kind == "one":
        return ggn.narx(u, y, **FEW, **LAGS), u, y
    if kind == "columns":
        return ggn.narx(u[:, np.newaxis], y[:, np.newaxis], **FEW, **LAGS), u, y
    if kind == "several":
        u, y = np.stack([u, u[::-1]], axis=1), np.stack([y, 0.5 * y + 0.1 * u], axis=1)
        lags = {"output_lags": [[1, 3], [2]], "input_lags": [[0], [1, 2]]}
        return ggn.narx(u, y, **FEW, **lags), u, y
    if kind == "an input without lags":
        u = np.stack([u, u[::-1]], axis=1)
        return ggn.narx(u, y, output_lags=1, input_lags=[[1], []], **FEW), u, y
    if kind == "alone":
        return ggn.narx(None, y, output_lags=2, **FEW), None, y
    return ggn.narx(u, y, output_lags=0, input_lags=3, loss="cauchy", l2=0.01, **FEW), u, y


KINDS = ["one", "columns", "several", "an input without lags", "alone", "nothing fed back"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_runs_as_the_fit_did(kind, tmp_path):
    fit, u, y = fitted(kind)
    fit.save(tmp_path / "plant.npz")
    plant = NARXModel.load(tmp_path / "plant.npz")
    assert (plant.lags.outputs, plant.lags.inputs) == (fit.lags.outputs, fit.lags.inputs)
    inputs = len(y) if u is None else u
    assert np.array_equal(plant.simulate(inputs, y), fit.simulate(inputs, y))
    for horizon in (1, 3, None):
        expected = fit.predict(u, y, horizon=horizon)
        assert np.array_equal(plant.predict(u, y, horizon=horizon), expected, equal_nan=True)
    assert plant.input_names == tuple(f"u{i + 1}" for i in range(len(fit.lags.inputs)))
    plant.save(tmp_path / "again.npz")
    assert repr(NARXModel.load(tmp_path / "again.npz")) == repr(plant)
    # the network of one step is an ordinary model
    step = ggn.Model.load(tmp_path / "plant.npz")
    assert list(step.input_names) == fit.lags.columns(plant.target_names, plant.input_names)
    given = np.empty((len(y), 0)) if u is None else u.reshape(len(y), -1)
    Z = fit.lags.matrix(given, y.reshape(len(y), -1))
    ahead = fit.predict(u, y).reshape(len(y), -1)[fit.lags.depth :]
    np.testing.assert_allclose(step.predict(Z), ahead, rtol=1e-12, atol=1e-14)
    assert repr(step.loss) == repr(fit.loss)


def test_names_are_kept_and_told_in_c(tmp_path):
    fit, *_ = fitted("one")
    fit.save(tmp_path / "plant.npz", ["valve"], ["level"])
    plant = NARXModel.load(tmp_path / "plant.npz")
    assert (plant.input_names, plant.target_names) == (("valve",), ("level",))
    assert plant.model.input_names == ("level(k-1)", "level(k-2)", "valve(k-1)")
    text = to_c(plant)
    assert 'x[2]  "valve(k-1)"' in text
    assert text.partition("#include")[2] == to_c(fit).partition("#include")[2]
    assert "void ggn_model_simulate(" in text
    with pytest.raises(ValueError, match="input_names must be"):
        fit.save(tmp_path / "other.npz", ["a", "b"])


def test_a_network_of_ones_own_in_other_units():
    """Units are folded in: the free run is the loop of predictions, one sample at a time."""
    rng = np.random.default_rng(0)
    net = ggn.MLP((3, 4, 1))
    units = [[1.0, 2.0, -3.0], [2.0, 3.0, 0.5], [0.5], [0.2]]
    model = ggn.Model(net, net.initial_weights(0), None, ["level"], *units)
    plant = NARXModel(model, Lags([1, 3], [0], 1, 1))
    u, y = rng.normal(size=20), np.zeros((20, 1))
    y[:3, 0] = 0.1, 0.2, 0.3
    for k in range(3, 20):
        y[k] = model.predict([[y[k - 1, 0], y[k - 3, 0], u[k]]])[0]
    np.testing.assert_allclose(plant.simulate(u, y[:3]), y, rtol=1e-12)
    bare = ggn.Model(ggn.MLP((3, 1), bias=False), np.ones(3), None, None, *units)
    with pytest.raises(ValueError, match="net must have a dummy unit in its first layer"):
        NARXModel(bare, Lags([1, 3], [0], 1, 1))
    with pytest.raises(ValueError, match=r"^model must have 4 inputs and 1 outputs, as"):
        NARXModel(model, Lags(3, [0], 1, 1))
    with pytest.raises(ValueError, match=r"^lags must be .*, got 2"):
        NARXModel(model, 2)


def test_files_of_other_kinds_and_older_ones_are_told(tmp_path):
    fit, u, y = fitted("one")
    fit.as_model().save(tmp_path / "old.npz")  # without lags
    with pytest.raises(ValueError, match=r"old\.npz is not a model of lags, or was saved without"):
        NARXModel.load(tmp_path / "old.npz")
    plant = NARXModel(ggn.Model.load(tmp_path / "old.npz"), fit.lags, flat=True)
    assert np.array_equal(plant.simulate(u, y), fit.simulate(u, y))
    ggn.statespace(u, y, 1, f=None, max_iter=1).save(tmp_path / "states.npz")
    with pytest.raises(ValueError, match=r"ggn\.recurrent\.Simulator\.load reads what it is"):
        NARXModel.load(tmp_path / "states.npz")
    fit.save(tmp_path / "plant.npz")
    with pytest.raises(ValueError, match="is not a state-space model"):
        Simulator.load(tmp_path / "plant.npz")
    with np.load(tmp_path / "plant.npz") as file:
        arrays = dict(file)
    header = json.loads(arrays["header"].tobytes())
    for change, said in (
        ({"outputs": [[1, 2, 3]]}, "model must have 4 inputs"),
        ({"outputs": [[0, 1]]}, "output_lags must be an integer of at least 1"),
        ({"outputs": None}, "output_lags must be"),
        ({"inputs": [[1], [2]]}, "input_lags must be one sequence for each of 1 column"),
        ({"input_names": ["a", "b"]}, "input_lags must be one sequence for each of 2 columns"),
        ({"input_names": 1}, "its header is malformed"),
        ({"flat": 2}, "flat must be True or False"),
        (None, "its header is malformed"),
    ):
        told = [] if change is None else {**header["lags"], **change}
        text = json.dumps({**header, "lags": told}).encode()
        spoilt = {**arrays, "header": np.frombuffer(text, dtype=np.uint8)}
        np.savez(tmp_path / "bad.npz", **spoilt)
        with pytest.raises(ValueError, match=re.escape(said)) as error:
            NARXModel.load(tmp_path / "bad.npz")
        assert "bad.npz" in str(error.value)
        assert "\n" not in str(error.value)


def test_pictures_of_runs_take_it(tmp_path):
    pytest.importorskip("matplotlib")
    fit, u, y = fitted("one")
    fit.save(tmp_path / "plant.npz")
    plant = NARXModel.load(tmp_path / "plant.npz")
    for draw in (ggn.plot.simulated, ggn.plot.horizons):
        with ggn.plot.figure() as (_, axes):
            draw(plant, u, y, ax=axes[0, 0])
    with pytest.raises(ValueError, match=r"fit must be of ggn\.narx or ggn\.statespace, got NARXM"):
        ggn.plot.poles(plant)


def test_the_command_line_exports_its_loop(run, tmp_path):
    fit, *_ = fitted("one")
    fit.save(tmp_path / "plant.npz", ["valve"], ["level"])
    assert run("export", tmp_path / "plant.npz", "-o", tmp_path / "plant.c").status == 0
    text = (tmp_path / "plant.c").read_text()
    assert text == to_c(NARXModel.load(tmp_path / "plant.npz"))
    onnx = pytest.importorskip("onnx")
    assert run("export", tmp_path / "plant.npz", "-o", tmp_path / "plant.onnx").status == 0
    assert [o.name for o in onnx.load(tmp_path / "plant.onnx").graph.output] == ["Y"]

"""Samples in chunks where they are not taken, and what is not chunks: a sentence each."""

import copy
import pickle

import numpy as np
import pytest

import ggn
from ggn.linearization.linearization import Linearization

x = np.linspace(-1.0, 1.0, 40)[:, np.newaxis]
y = np.sin(3.0 * x)
NET = ggn.MLP((1, 3, 1))
DATA = ggn.Chunks([(x[:30], y[:30]), (x[30:], y[30:])])
FOR = "X must be an array, got Chunks: samples in chunks are for ggn.train,"


@pytest.mark.parametrize("name", ["train_bayesian", "train_robust", "train_many"])
def test_other_trainings_say_which_take_them(name):
    for given in ((DATA,), (DATA, y)):
        with pytest.raises(ValueError, match=FOR):
            getattr(ggn, name)(NET, *given)
    with pytest.raises(ValueError, match="Y must hold real numbers, got None"):
        getattr(ggn, name)(NET, x)


def test_split_names_the_method_of_chunks():
    with pytest.raises(ValueError, match=FOR + ".* Chunks.split"):
        ggn.split(DATA)


def test_what_is_as_large_as_the_data_says_why_it_is_not_there():
    at = ggn.linearize(NET, NET.initial_weights(0), DATA)
    for name in {name for name in dir(Linearization) if not name.startswith("_")} - {*dir(at)}:
        with pytest.raises(AttributeError, match=f"{name} cannot be had where samples come in ch"):
            getattr(at, name)
    assert not hasattr(at, "jacobian")
    with pytest.raises(AttributeError, match="'SummedLinearization' object has no attribute 'no'"):
        at.no  # noqa: B018
    for twin in (copy.copy(at), pickle.loads(pickle.dumps(at))):
        np.testing.assert_array_equal(twin.gradient, at.gradient)


@pytest.mark.parametrize("given", [None, 5])
def test_a_function_that_returns_no_iterator(given):
    data = ggn.Chunks(lambda: given)
    with pytest.raises(ValueError, match=f"chunks must return an iterator of chunks, got {given}"):
        ggn.train(NET, data)


def test_a_part_without_samples_has_none():
    parts = DATA.split(validation=0.0, test=0.0)
    assert [part.n_samples for part in parts] == [40, 0, 0]
    with pytest.raises(ValueError, match="validation must be samples as the fit's: X must hold at"):
        ggn.train(NET, parts[0], validation=parts[1])


@pytest.mark.parametrize(("inputs", "targets"), [([], ["y"]), (["x"], [])])
def test_columns_of_parquet_are_at_least_one(inputs, targets, tmp_path):
    path, empty = tmp_path / "a.parquet", "inputs" if not inputs else "targets"
    path.touch()
    with pytest.raises(ValueError, match=f"{empty} must name at least one column, got \\[\\]"):
        ggn.Chunks.of_parquet(path, inputs, targets)

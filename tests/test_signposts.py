"""Faults that people make once: the sentence says which way to go instead."""

import numpy as np
import pandas as pd
import pytest

import ggn

X = np.random.default_rng(0).normal(size=(40, 2))
Y = X[:, 0] - X[:, 1]
NAMES = np.array(["cat", "dog"] * 20)
NET, THREE = ggn.MLP((2, 3, 1)), ggn.MLP((2, 3, 3))
W = NET.initial_weights(0)
LABELS = [
    NAMES,
    NAMES.tolist(),
    NAMES.astype(object),
    NAMES.astype("S"),
    [[name] for name in NAMES],
    pd.Series(NAMES),
    pd.Series(NAMES).astype("category"),
    pd.DataFrame({"kind": NAMES}),
    np.where(Y > 0.0, "True", "False"),
]
CLASSIFIER = r"^Y must hold (real )?numbers, got .*; labels of classes are for .*GGNClassifier$"


@pytest.mark.parametrize("labels", LABELS, ids=lambda a: type(a).__name__)
def test_labels_in_the_place_of_targets(labels):
    for call in (
        lambda: ggn.train(NET, X, labels),
        lambda: ggn.train(THREE, X, labels, "softmax_cross_entropy"),
        lambda: ggn.linearize(NET, W, X, labels),
        lambda: ggn.diagnose(NET, W, X, labels),
        lambda: ggn.train_many(NET, X, labels),
    ):
        with pytest.raises(ValueError, match=CLASSIFIER):
            call()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_classifier_that_is_pointed_to_takes_them():
    from ggn.sklearn import GGNClassifier

    for labels in (NAMES, pd.Series(NAMES).astype("category"), Y > 0.0):
        GGNClassifier((3,), max_iter=1, random_state=0).fit(X, labels)


def test_booleans_are_numbers():
    one, other = (
        ggn.train(NET, X, y, "logistic", max_iter=2).w for y in (Y > 0.0, 1.0 * (Y > 0.0))
    )
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("inputs", "targets", "sentence"),
    [
        (
            np.c_[NAMES, NAMES],
            Y,
            r"^X must hold .* <U3; make columns of 0 and 1 of them",
        ),
        (X.astype(str), Y, r"^X must hold .*; turn text into numbers, as astype\(float\) does$"),
        (X, Y.astype(str), r"^Y must hold .*; turn text into numbers, as astype\(float\) does$"),
        (X.T, Y, r"^X must have 2 columns, .*\(2, 40\); samples are rows, so transpose it$"),
        (
            X,
            Y[np.newaxis],
            r"^Y must have 1 column, .*\(1, 40\); samples are rows, so transpose",
        ),
        (Y, X, r"^X must have shape \(samples, 2\), .*\(40,\); X and Y look swapped$"),
        (Y[:, np.newaxis], X, r"^X must have 2 columns, .*\(40, 1\); X and Y look swapped$"),
        (np.ones((40, 3)), Y, r"^X must have 2 columns, got an array of shape \(40, 3\)$"),
        (np.ndarray, Y, r"^X must hold real numbers, got <class 'numpy.ndarray'>$"),
        (X, np.ndarray, r"^Y must hold real numbers, got <class 'numpy.ndarray'>$"),
    ],
)
def test_data_of_another_shape_or_kind(inputs, targets, sentence):
    for call in (ggn.train, lambda net, X, Y: ggn.linearize(net, W, X, Y)):
        with pytest.raises(ValueError, match=sentence):
            call(NET, inputs, targets)


def test_numbers_of_classes_where_each_has_an_output():
    sentence = r"^Y must have shape \(samples, 3\), .*\(40,\); classes have a column each, 1 in"
    with pytest.raises(ValueError, match=sentence):
        ggn.train(THREE, X, np.arange(40) % 3, "softmax_cross_entropy")


def test_no_advice_where_none_fits():
    with pytest.raises(ValueError, match=r"^w0 must hold real numbers, got dtype <U3$"):
        ggn.train(NET, X, Y, w0=np.array(["dog"]), max_iter=0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            (X[:, 0], Y),
            r"^f must be .*one pair \(X, Y\).*, got 2 arguments by place; ggn.train",
        ),
        (
            (X, Y),
            r"^f must be .*, got 2 arguments by place; ggn.train trains a network on X",
        ),
        ((NET, X, Y), r"^f must be .*, got 3 arguments by place; ggn.train trains"),
        ((np.sin, (0, 1)), r"^bounds must be given by name, bounds=\(-1, 1\), got 2 arguments"),
        ((np.sin, 0, 1), r"^bounds must be given by name, bounds=\(-1, 1\), got 3 arguments"),
    ],
)
def test_what_approximate_is_not_given(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        ggn.approximate(*given)

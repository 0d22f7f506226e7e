"""Arrays whose meaning NumPy would drop, and names that other tools use."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import ggn
from ggn import activations, losses

NET = ggn.MLP((1, 2, 1))


class Quantity(np.ndarray):
    """As astropy's: an array with a unit, which np.asarray drops."""

    unit = "km"

    def to_value(self, unit):
        return self


class Pint:
    """As pint's."""

    magnitude, units = np.ones((3, 1)), "kilometre"

    def __array__(self, *_, **__):
        return self.magnitude


class NeedsGrad:
    """As a tensor of PyTorch that needs a gradient."""

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on it. Use tensor.detach().numpy() instead.")


class Tensor:
    """As PyTorch's say of themselves."""

    requires_grad = True


MASKED = np.ma.array([[1.0], [1e20], [2.0]], mask=[[0], [1], [0]])
LOST = [
    (MASKED, r"have no masked entries, got 1; leave these samples out, or fill them"),
    (list(MASKED), r"have no masked entries, got 1"),
    (np.ones((3, 1)).view(Quantity), r"be plain numbers, got a quantity in km; give"),
    (Pint(), r"be plain numbers, got a quantity in kilometre"),
    (scipy.sparse.csr_array(np.eye(3)[:, :1]), r"be a dense array, got a sparse one; call toarray"),
    (pd.DataFrame({"a": pd.Categorical([1, 2, 1])}), r"hold numbers, got categories; make columns"),
    (pd.Series(pd.Categorical([1, 2, 1])), r"hold numbers, got categories"),
    (Tensor(), r"not need a gradient, got a tensor that does"),
    (NeedsGrad(), r"be an array of numbers, got NeedsGrad: .*; Use tensor.detach\(\)"),
    (np.ones((3, 1), complex), r"hold real numbers, got dtype complex128; give real and imag"),
    (np.ones((3, 1), "M8[s]"), r"hold real numbers, got dtype datetime64\[s\]; subtract a time"),
    (np.ones((3, 1), "m8[s]"), r"hold real numbers, got dtype timedelta64\[s\]; divide by"),
    (np.ones(3, "i4,f8"), r"hold real numbers, got dtype .*; see numpy.lib.recfunctions"),
    (np.ones(3, "V8"), r"hold real numbers, got dtype"),
    ([[1.0], [None], [2.0]], r"hold real numbers, got None at X\[1, 0\]"),
    (pd.Series([1, None, 2], dtype="Int64"), r".*got (nan|<NA>) at X\[1\]"),
]


@pytest.mark.parametrize(("X", "sentence"), LOST, ids=[m[:30] for _, m in LOST])
def test_what_would_lose_its_meaning_is_refused(X, sentence):
    with pytest.raises(ValueError, match=rf"^X must {sentence}") as error:
        ggn.train(NET, X, [0.0, 1.0, 2.0], max_iter=1)
    assert "\n" not in str(error.value)
    assert not str(error.value).endswith(".")


@pytest.mark.parametrize(
    "X",
    [
        np.ma.array([[1.0], [2.0]]),
        np.array([[1.0], [2.0]]).view(np.matrix),
        pd.Series([1, 2], dtype="Int64"),
        pd.DataFrame({"a": [1.0, 2.0]}),
        np.array([[1], [2]], object),
    ],
    ids=["no_mask", "matrix", "nullable", "frame", "objects"],
)
def test_what_keeps_it_is_taken(X):
    w = NET.initial_weights(0)
    assert np.array_equal(NET.forward(w, X), NET.forward(w, [[1.0], [2.0]]))


@pytest.mark.parametrize("name", ["bfloat16", "float8_e5m2"])
def test_short_floats_are_taken(name):
    dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes has them, newer onnx brings it")
    test_what_keeps_it_is_taken(np.array([[1], [2]], getattr(dtypes, name)))


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        *[("tansig", "tanh"), ("logsig", "sigmoid"), ("purelin", "identity")],
        *[("poslin", "relu"), ("radbas", "gaussian"), ("elliotsig", "softsign")],  # MATLAB
        *[("linear", "identity"), ("exponential", "exponential"), ("swish", "silu")],  # Keras
        *[("nn.Tanh", "tanh"), ("torch.nn.SiLU()", "silu"), ("LeakyReLU", "leaky_relu")],
        *[("logistic", "sigmoid"), ("expit", "sigmoid"), ("bent-identity", "bent_identity")],
    ],
)
def test_activations_by_their_names_elsewhere(name, ours):
    assert activations.resolve(name).name == ours


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        *[("mse", "squared"), ("mean_squared_error", "squared"), ("nn.MSELoss()", "squared")],
        *[("squared_error", "squared"), ("CrossEntropyLoss", "softmax_cross_entropy")],
        *[("nn.BCEWithLogitsLoss", "logistic"), ("Cauchy", "cauchy"), ("smooth-lp", "smooth_lp")],
    ],
)
def test_losses_by_their_names_elsewhere(name, ours):
    assert losses.resolve(name).name == ours


@pytest.mark.parametrize(
    ("resolve", "name", "answer"),
    [
        (losses.resolve, "mae", "'smooth_lp' is a smooth absolute value"),
        (losses.resolve, "nn.L1Loss", "'smooth_lp' is a smooth absolute value"),
        (losses.resolve, "huber", "'smooth_lp' is like it"),
        (losses.resolve, "SmoothL1Loss", "'smooth_lp' is like it"),
        (losses.resolve, "log_loss", "'logistic' (yes or no) or 'softmax_cross_entropy'"),
        (losses.resolve, "categorical_crossentropy", "'softmax_cross_entropy'"),
        (activations.resolve, "softmax", "in the loss 'softmax_cross_entropy'"),
        (activations.resolve, "hardtanh", "use a smooth one"),
        (activations.resolve, "relu6", "use a smooth one"),
    ],
)
def test_what_we_do_not_have_is_answered(resolve, name, answer):
    with pytest.raises(ValueError, match="must be one of") as error:
        resolve(name)
    assert answer in str(error.value)
    assert "did you mean" not in str(error.value)


def test_every_alias_leads_to_one_thing():
    for aliases, answers, known in (
        (activations.ALIASES, activations.ANSWERS, activations.BUILT_IN),
        (losses.ALIASES, losses.ANSWERS, losses.BUILT_IN),
    ):
        assert set(aliases.values()) == set(known)
        assert not set(aliases) & set(answers)

"""Weights to and from other libraries, and training that goes on here."""

from __future__ import annotations

import collections

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neural_network import MLPClassifier, MLPRegressor
from strategies import assert_close, cases

import ggn
from ggn.export import (
    from_keras_weights,
    from_mlp_regressor,
    from_sklearn,
    from_torch_state_dict,
    to_keras_weights,
    to_sklearn,
    to_torch_state_dict,
)

NAMES = sorted(reference.ACTIVATIONS)
UNITS = [[3.0, -2.0], [20.0, 0.1], [5.0, 0.0], [3.0, 40.0]]  # x_mean, x_scale, y_mean, y_scale


def dense(arrays, names, X):
    """Dense layers of kernels with or without a bias behind each, as Keras computes them."""
    arrays, V = collections.deque(arrays), X
    for name in names:
        V = V @ arrays.popleft()
        if arrays and arrays[0].ndim == 1:
            V = V + arrays.popleft()
        V = reference.ACTIVATIONS[name][0](V)
    assert not arrays
    return V


def data(T=40):
    return UNITS[0] + np.random.default_rng(0).normal(size=(T, 2)) * UNITS[1]


def scaled_model(activation="tanh", output_activation="identity", bias=True, fixed_bias=0.0):
    net = ggn.MLP((2, 7, 4, 2), activation, output_activation, bias, fixed_bias)
    return ggn.Model(net, net.initial_weights(3, "fan_in"), None, None, *UNITS)


# out


@given(cases(), st.booleans(), st.integers(0, 9))
def test_arrays_alone_give_the_predictions(c, scaled, seed):
    """Any bias flags and fixed bias; scaled or not; any output activation."""
    rng, (n0, nL) = np.random.default_rng(seed), (c.spec.sizes[0], c.spec.sizes[-1])
    units = [rng.normal(size=n0), rng.uniform(0.5, 2.0, n0)]
    units += [rng.normal(size=nL), rng.uniform(0.5, 2.0, nL)]
    model = ggn.Model(c.net, c.w, None, None, *units) if scaled else ggn.Model(c.net, c.w)
    X, _ = c.data(5)
    names = c.names
    if scaled and names[-1] != "identity":
        names += ("identity",)  # the targets' scaling behind another activation
    expected = reference.forward(c.spec, c.w, (X - units[0]) / units[1] if scaled else X)[0][-1]
    expected = units[2] + units[3] * expected if scaled else expected
    arrays = to_keras_weights(model)
    assert_close(dense(arrays, names, X), expected)
    state = to_torch_state_dict(model)
    assert [a.T.tolist() for a in state.values()] == [a.tolist() for a in arrays]
    assert all(a.dtype == np.float64 and a.flags.c_contiguous for a in state.values())


def test_keys_count_the_activations():
    assert list(to_torch_state_dict(scaled_model())) == [
        f"{i}.{kind}" for i in (0, 2, 4) for kind in ("weight", "bias")
    ]


def test_layers_without_bias_stay_so_unless_one_is_needed():
    net = ggn.MLP((2, 3, 1), bias=False)
    keys = list(to_torch_state_dict(ggn.Model(net, np.ones(9), x_scale=[2.0, 3.0])))
    assert keys == ["0.weight", "2.weight"]
    keys = list(to_torch_state_dict(ggn.Model(net, np.ones(9), x_mean=[0.0, 1.0], y_mean=[2.0])))
    assert keys == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_a_users_activation_is_no_hindrance_to_arrays():
    sine = ggn.Activation("sine", np.sin, np.cos)
    model = scaled_model(sine)
    back = from_torch_state_dict(to_torch_state_dict(model), sine)
    assert_close(back.predict(data()), model.predict(data()))


def test_only_what_mlp_regressor_computes_goes_there():
    for model in (
        scaled_model("softsign"),
        scaled_model(["tanh", "sigmoid"]),
        scaled_model(ggn.Activation("tanh", np.tanh, lambda z: 1.0 - np.tanh(z) ** 2)),
        ggn.Model(ggn.MLP((1, 1, 1), output_activation="tanh"), np.ones(4)),
    ):
        with pytest.raises(ValueError, match=r"^model must have one of identity, .* got MLP\(\("):
            to_sklearn(model)


# in


@pytest.mark.parametrize("bias", [True, False, [True, False, True]])
def test_there_and_back(bias):
    net = ggn.MLP((2, 7, 4, 2), ["softplus", "tanh"], "sigmoid", bias)
    model, options = ggn.Model(net, net.initial_weights(0)), (["softplus", "tanh"], "sigmoid")
    for back in (
        from_torch_state_dict(to_torch_state_dict(model), *options),
        from_keras_weights(to_keras_weights(model), *options),
    ):
        assert back.net == net
        assert back.w.tolist() == model.w.tolist()


def test_modules_of_any_name_in_their_order():
    arrays = list(to_torch_state_dict(scaled_model()).values())
    keys = ["out.weight", "out.bias", "a.weight", "a.bias", "b.0.weight", "b.0.bias"]
    model = from_torch_state_dict(dict(zip(keys, arrays, strict=True)), "tanh")
    assert_close(model.predict(data()), scaled_model().predict(data()))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, "^state must hold at least one layer, got none"),
        ([1.0], "^state must be a mapping of names to arrays, got"),
        ({"0.weight": np.ones(3)}, r"^state\['0.weight'\] must be 2-D, got .* \(3,\)"),
        ({"0.weight": [[np.nan]]}, r"^state\['0.weight'\] must be finite"),
        (
            {"0.weight": np.ones((2, 3)), "1.running_mean": np.ones(2)},
            "^state must hold weights and biases of linear layers only, .* key '1.running_mean'",
        ),
        ({"0.bias": np.ones(2)}, "^state must hold weights and biases .* the key '0.bias'"),
        (
            {"0.weight": np.ones((2, 3)), "0.bias": np.ones(3)},
            r"^state\['0.bias'\] must have shape \(2,\), one per unit of the layer, got \(3,\)",
        ),
        (
            {"0.weight": np.ones((2, 3)), "2.weight": np.ones((1, 5))},
            r"^state\['2.weight'\] must take the 2 outputs of the layer before, got 5",
        ),
    ],
)
def test_states_that_are_no_chain_of_linear_layers(state, message):
    with pytest.raises(ValueError, match=message):
        from_torch_state_dict(state, "tanh")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "^weights must hold at least one layer, got none"),
        (3, "^weights must be a sequence of arrays, got 3"),
        ([np.ones(3)], r"^weights\[0\] must be the kernel of a layer, 2-D, got shape \(3,\)"),
        ([np.ones((3, 2)), np.ones(2), np.ones(2)], r"^weights\[2\] must be the kernel"),
        ([np.ones((3, 2)), np.ones(3)], r"^weights\[1\] must have shape \(2,\)"),
        ([np.ones((3, 2)), np.ones((3, 2))], r"^weights\[1\] must take the 2 outputs"),
        ([np.ones((3, 2, 1))], r"^weights\[0\] must be 1-D or 2-D"),
    ],
)
def test_weights_that_are_no_chain_of_dense_layers(weights, message):
    with pytest.raises(ValueError, match=message):
        from_keras_weights(weights, "tanh")


def test_coefficients_that_do_not_fit():
    with pytest.raises(ValueError, match=r"^intercepts must hold one array for each of the 1 of"):
        from_sklearn([np.ones((2, 1))], [], "tanh")
    with pytest.raises(ValueError, match=r"^intercepts\[0\] must have shape \(1,\)"):
        from_sklearn([np.ones((2, 1))], [np.ones(2)], "tanh")
    with pytest.raises(ValueError, match=r"^activation must be one of"):
        from_sklearn([np.ones((2, 1)), np.ones((1, 1))], [np.ones(1), np.ones(1)], "softmax")
    with pytest.raises(ValueError, match=r"^model must be a fit, .* a ggn.Model or .*, got MLP"):
        to_sklearn(ggn.MLP((1, 1)))


# scikit-learn, there


def wave(T=200):
    X = np.random.default_rng(1).uniform(-1.0, 1.0, (T, 2))
    return X, np.sin(3.0 * X[:, :1]) * np.cos(2.0 * X[:, 1:])


def polish(model, X, Y):
    """Go on training from the weights of a model."""
    return ggn.Model(model.net, ggn.train(model.net, X, Y, w0=model.w, max_iter=50).w)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_fitted_regressor_comes_in_and_goes_back(activation, outputs):
    X, y = wave(60)
    y = y[:, 0] if outputs == 1 else np.hstack([y, -y])
    other = MLPRegressor(
        hidden_layer_sizes=(6, 5), activation=activation, solver="lbfgs", max_iter=20, tol=0.1
    ).fit(X, y)
    model = from_mlp_regressor(other)
    there = other.predict(X).reshape(60, outputs)
    assert_close(model.predict(X), there)
    other.coefs_, other.intercepts_ = to_sklearn(
        ggn.Model(model.net, model.w, x_mean=[1.0, 2.0], x_scale=[3.0, 4.0], y_mean=[5.0] * outputs)
    )
    assert_close(
        other.predict(3.0 * X * [1.0, 4.0 / 3.0] + [1.0, 2.0]).reshape(60, outputs), there + 5.0
    )


@pytest.mark.skipif(
    "loss" not in MLPRegressor().get_params(), reason="scikit-learn has it from 1.7 on"
)
def test_a_regressor_of_counts_has_an_exponential():
    X, y = wave(60)
    other = MLPRegressor(loss="poisson", solver="lbfgs", tol=0.1).fit(X, np.exp(y[:, 0]))
    model = from_mlp_regressor(other)
    assert model.net.activations[-1] == ggn.activations.Exponential()
    assert_close(model.predict(X)[:, 0], other.predict(X))


def test_a_regressor_fitted_to_a_table_gives_its_names():
    pandas = pytest.importorskip("pandas")
    X, y = wave(60)
    table = pandas.DataFrame(X, columns=["depth", "speed"])
    other = MLPRegressor(solver="lbfgs", tol=0.1).fit(table, y[:, 0])
    assert from_mlp_regressor(other).input_names == ("depth", "speed")


def test_what_is_no_fitted_regressor():
    with pytest.raises(ValueError, match=r"^estimator must be a fitted MLPRegressor, got MLPReg"):
        from_mlp_regressor(MLPRegressor())
    X, y = wave(60)
    other = MLPClassifier(solver="lbfgs", tol=0.1).fit(X, np.digitize(y[:, 0], [-0.3, 0.3]))
    with pytest.raises(ValueError, match=r"^estimator's activation must be .* got 'softmax'"):
        from_mlp_regressor(other)


def test_a_regressor_polished_here_and_sent_back_has_a_lower_loss():
    X, Y = wave()
    other = MLPRegressor(
        hidden_layer_sizes=(12,), activation="tanh", solver="lbfgs", alpha=0.0, max_iter=2000,
        random_state=0,
    ).fit(X, Y[:, 0])  # fmt: skip
    before = np.mean((other.predict(X) - Y[:, 0]) ** 2)
    better = polish(from_mlp_regressor(other), X, Y)
    other.coefs_, other.intercepts_ = to_sklearn(better)
    after = np.mean((other.predict(X) - Y[:, 0]) ** 2)
    assert_close(other.predict(X), better.predict(X)[:, 0])
    assert after < 0.1 * before


# PyTorch, there


def torch_modules(torch, name):
    """The module that the class of each activation names; some have none of their own."""

    class Function(torch.nn.Module):
        def __init__(self, function):
            super().__init__()
            self.forward = function

    module = ggn.activations.BUILT_IN[name].torch
    if module is not None:
        return eval(module, {"nn": torch.nn})
    # what torch has no module for, by the library's own functions: nothing to export but weights
    return Function(
        lambda z: torch.from_numpy(ggn.activations.resolve(name).value(z.detach().numpy()))
    )


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize("bias", [True, [True, False, True]])
@pytest.mark.parametrize("name", NAMES)
def test_a_sequential_loads_the_state_and_predicts_the_same(torch, name, bias):
    model = scaled_model(name, bias=bias, fixed_bias=0.0)
    state = {key: torch.from_numpy(array) for key, array in to_torch_state_dict(model).items()}
    linear = [
        torch.nn.Linear(m, n, bias=f"{2 * i}.bias" in state)
        for i, (m, n) in enumerate(zip(model.net.sizes, model.net.sizes[1:], strict=False))
    ]
    between = [torch_modules(torch, name) for _ in linear[1:]]
    pairs = zip(linear, [*between, torch.nn.Identity()], strict=True)
    there = torch.nn.Sequential(*(part for pair in pairs for part in pair)).double()
    there.load_state_dict(state, strict=True)
    with torch.no_grad():
        assert_close(there(torch.from_numpy(data())).numpy(), model.predict(data()))
    if name != "leaky_relu":
        back = from_torch_state_dict(there.state_dict(), name)
        assert_close(back.predict(data()), model.predict(data()))


def test_a_sequential_polished_here_and_sent_back_has_a_lower_loss(torch):
    """Trained by Adam in float32, as is usual there; the weights go back into float32."""
    X, Y = wave()
    torch.manual_seed(0)
    nn = torch.nn
    there = nn.Sequential(nn.Linear(2, 12), nn.Tanh(), nn.Linear(12, 1))
    inputs, targets = (torch.from_numpy(a.astype("float32")) for a in (X, Y))
    optimizer = torch.optim.Adam(there.parameters(), lr=0.01)
    for _ in range(500):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(there(inputs), targets)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        before = float(nn.functional.mse_loss(there(inputs), targets))
        model = polish(from_torch_state_dict(there.state_dict(), "tanh"), X, Y)
        state = {key: torch.from_numpy(a) for key, a in to_torch_state_dict(model).items()}
        there.load_state_dict(state, strict=True)
        after = float(nn.functional.mse_loss(there(inputs), targets))
    assert after < 0.1 * before

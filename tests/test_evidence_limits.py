"""Where the evidence has little to go by: few samples, next to no noise, constant columns."""

import warnings

import numpy as np
import pytest
from scipy.linalg import svd
from sklearn_data import quiet

import ggn
from ggn.fit.evidence import determined
from ggn.linearization import Objective
from ggn.sklearn import GGNClassifier, GGNRegressor


@pytest.mark.parametrize("smallest", [1e-14, 1e-6, 1.0])
@pytest.mark.parametrize("T", [12, 60])
def test_what_is_not_determined_is_known_to_all_digits(T, smallest):
    """T - γ = Σ 1/(1 + s²) over the singular values s of BᵀΛ^-½, T of them, not their squares."""
    rng = np.random.default_rng(T)
    net, X, Y = ggn.MLP((2, 10, 1)), rng.normal(size=(T, 2)), rng.normal(size=T)
    at = Objective(net, X, Y).at(rng.normal(size=net.n_weights))
    B, _ = at.root()
    prior = np.full(net.n_weights, smallest * np.einsum("ij,ij->i", B, B).max())
    s = svd(B / np.sqrt(prior)[:, np.newaxis], compute_uv=False)
    exact = np.sum(1.0 / (1.0 + s**2)) + T - len(s)
    root, left, _, rest = determined(at, prior)
    assert rest == pytest.approx(exact, rel=1e-6 if T < net.n_weights else 1e-3)
    assert net.n_weights - left.sum() == pytest.approx(T - rest, rel=1e-6)
    assert np.log(np.diag(root)).sum() == pytest.approx(0.5 * np.log1p(s**2).sum(), rel=1e-3)


@pytest.mark.parametrize("noise", [0.0, 0.01])
@quiet
def test_few_samples_of_a_plane_with_next_to_no_noise(noise):
    """No more weights are determined than there are samples, and no noise comes from rounding."""
    for seed in (1, 2, 6, 19):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((20, 5))
        y = X @ [1.0, 2.0, 3.0, 4.0, 5.0] + noise * rng.standard_normal(20)
        model = GGNRegressor(random_state=0).fit(X, y)
        assert all(member.effective_parameters <= 20.0 for member in model.result_.members)
        assert np.median(model.predict(X, return_std=True)[1]) < 0.1 * y.std()


@quiet
def test_an_input_that_never_varied_does_nothing_to_deviations_either():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.0, 2.0, (150, 2))
    y = np.sin(2.0 * X[:, 0]) + 0.1 * rng.standard_normal(150)
    for unit in (1e-6, 1.0, 1e6):
        model = GGNRegressor(12, n_estimators=2, random_state=0)
        model.fit(np.column_stack([X, np.full(150, unit)]), y)
        there, far = ([[0.0, 0.0, unit]], [[0.0, 0.0, 10.0 * unit]])
        for one, other in zip(
            model.predict(there, return_std=True), model.predict(far, return_std=True), strict=True
        ):
            np.testing.assert_allclose(other, one, rtol=1e-9)
        draws = [model.sample_y(at, 400, random_state=0).std() for at in (there, far)]
        assert draws[1] == pytest.approx(draws[0], rel=1e-9)


def test_targets_that_never_change_are_told_as_one_noise_is_shared():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.0, 2.0, (60, 2))
    Y = np.column_stack([np.sin(X[:, 0]), np.full(60, 2.0), X[:, 1]])
    model = GGNRegressor(4, n_estimators=2, max_iter=40)

    def told(call, *data):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            call(*data)
        return [str(one.message) for one in found if one.category is ggn.EvidenceWarning]

    said = "all targets share one noise, but of y2 all samples have the same number: "
    assert any(one.startswith(said) for one in told(model.fit, X, Y))
    bayesian = told(ggn.train_bayesian, ggn.MLP((2, 4, 3)), X, Y)
    assert any(one.startswith(said) for one in bayesian)
    for others in (Y[:, ::2], Y[:, 1]):
        assert not any("share one noise" in one for one in told(model.fit, X, others))


@quiet
def test_units_are_as_many_as_samples_count():
    rng = np.random.default_rng(1)
    X, y = rng.uniform(-2.0, 2.0, (300, 3)), rng.normal(size=300)

    def sizes(X, y, s=None):
        model = GGNRegressor(alpha=1e-2, max_iter=1, random_state=0)
        return model.fit(X, y, sample_weight=s).model_.net.sizes

    twice = sizes(np.r_[X, X], np.r_[y, y])
    assert twice == sizes(X, y, np.full(300, 2.0)) == (3, 30, 1)
    assert sizes(X, y) == (3, 20, 1)
    half = np.r_[np.ones(300), np.zeros(300)]
    assert sizes(np.r_[X, X], np.r_[y, y], half) == (3, 20, 1)
    # weights that only compare samples are no fewer samples
    many, y = rng.normal(size=(900, 3)), rng.normal(size=900)
    assert sizes(many, y, np.full(900, 1.0 / 900.0)) == sizes(many, y) == (3, 45, 1)


@pytest.mark.parametrize("model", [GGNRegressor(3), GGNClassifier(3)])
def test_one_sample_that_counts_is_one_sample(model):
    X, s = np.random.default_rng(0).normal(size=(20, 2)), np.zeros(20)
    s[3] = 1.0
    with pytest.raises(ValueError, match=r"Found array with 1 sample.* a minimum of 2 is"):
        model.fit(X, np.arange(20) % 2, sample_weight=s)

"""The classifier's penalty: chosen by samples left out, the same however it is asked."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn_data import classification, quiet

import ggn
from ggn.fit.cross_validation import ENOUGH, START, cross_validate, dealt, without_copies
from ggn.fit.result import Status
from ggn.linearization import Objective
from ggn.losses import Logistic, SoftmaxCrossEntropy
from ggn.sklearn import GGNClassifier


def curve(V, T=60, status=Status.STEP):
    """Cross-validate with a bias alone, which 'training' at alpha sets to V(log10 alpha)."""
    net = ggn.MLP((1, 1))
    X, Y = np.arange(float(T))[:, np.newaxis], np.tile([[0.0], [1.0]], (T // 2, 1))
    calls = []

    def trainer(data, w, alpha, most):
        calls.append((round(2.0 * np.log10(alpha)), most, data.T))
        return ggn.TrainResult(w=np.array([0.0, V(np.log10(alpha))]), status=status)

    data = Objective(net, X, Y, Logistic())
    return cross_validate(data, trainer, np.random.default_rng(0)), calls


@pytest.mark.parametrize("best", [-7.5, -5.0, -3.5, -3.0, -2.5, -1.0, 0.5, 1.0])
def test_the_walk_ends_at_the_least_loss(best):
    """Half of the labels are 1: V rises with the size of the bias, on either side."""
    found, calls = curve(lambda a: a - best)
    assert found.alpha == pytest.approx(10.0**best, rel=1e-3)
    k = [call[0] for call in calls[::5]]
    assert k[0] == START
    assert len(set(k)) == len(k)
    assert set(k) <= set(range(min(START, round(2 * best)) - 1, max(START, round(2 * best)) + 2))
    np.testing.assert_array_equal(found.path[:, 0], np.sort(found.path[:, 0]))
    assert found.path[found.path[:, 1].argmin(), 0] == found.alpha
    expected = np.log(2.0 * np.cosh(0.5 * (np.log10(found.path[:, 0]) - best)))
    np.testing.assert_allclose(found.path[:, 1], expected, rtol=1e-3)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("s", [None, 2.0])
def test_one_sample_more_of_any_class(outputs, s):
    """V is the mean over the n samples, and over all classes of one sample more."""
    T, logit = 60, 2.5
    net = ggn.MLP((1, outputs))
    X, right = np.arange(float(T))[:, np.newaxis], np.arange(T) % max(outputs, 2)
    Y = np.eye(max(outputs, 2))[right] if outputs > 1 else right[:, np.newaxis].astype(float)
    loss = SoftmaxCrossEntropy() if outputs > 1 else Logistic()
    w = np.zeros(net.n_weights)
    w[-1] = logit  # the last class is likelier

    def trainer(data, _, alpha, most):
        return ggn.TrainResult(w=w, status=Status.STEP)

    data = Objective(net, X, Y, loss, sample_weight=None if s is None else np.full(T, s))
    V = cross_validate(data, trainer, np.random.default_rng(0)).path[0, 1]
    n, classes = T * (s or 1.0), max(outputs, 2)
    logs = np.log(np.append(np.ones(classes - 1), np.exp(logit)) / (classes - 1 + np.exp(logit)))
    given = -np.mean(logs[right])
    assert V == pytest.approx((n * given - np.mean(logs)) / (n + 1.0), rel=1e-12)


def test_losses_that_fall_for_ever_or_are_no_numbers():
    assert curve(lambda a: 8.0 + a)[0].alpha == pytest.approx(1e-8)
    assert curve(lambda a: 8.0 - a)[0].alpha == pytest.approx(10.0)
    assert curve(lambda a: np.nan)[0].alpha == pytest.approx(1e-3)


def test_few_samples_many_samples_and_an_interrupt():
    assert curve(lambda a: a, T=18)[0] is None
    _, calls = curve(lambda a: a, T=40)
    assert calls[0][2] == 32
    _, calls = curve(lambda a: a, T=10 * ENOUGH)
    assert sum(k == START for k, *_ in calls) == 1
    assert calls[0][2] == 8 * ENOUGH
    with pytest.raises(KeyboardInterrupt):
        curve(lambda a: a, status=Status.INTERRUPTED)


def test_parts_have_their_share_of_each_class_and_repeats_stay_together():
    rng = np.random.default_rng(1)
    X = rng.integers(0, 60, size=(300, 1)).astype(float)
    Y = np.eye(3)[(X[:, 0] % 3).astype(int)]
    parts = dealt(X, Y, 5, rng)
    assert parts.shape == (5, 300)
    np.testing.assert_array_equal(parts.sum(axis=0), 1)
    for value in np.unique(X):
        assert parts[:, X[:, 0] == value].any(axis=1).sum() == 1
    for k in range(3):
        distinct = [len(np.unique(X[part & (Y[:, k] == 1.0)])) for part in parts]
        assert max(distinct) - min(distinct) <= 1


def test_parts_do_not_depend_on_order_or_on_repeats():
    X, y = make_moons(100, noise=0.2, random_state=0)
    Y = y[:, np.newaxis].astype(float)
    parts = dealt(X, Y, 5, np.random.default_rng(0))
    order = np.random.default_rng(2).permutation(np.repeat(np.arange(100), 3))
    again = dealt(X[order], Y[order], 5, np.random.default_rng(0))
    np.testing.assert_array_equal(again, parts[:, order])


def cells(T, kind="noisy"):
    """Samples of 48 cells, coded as columns of zeros and ones, each with a chance of its own."""
    rng = np.random.default_rng(2)
    a, b, effect = rng.integers(0, 8, T), rng.integers(0, 6, T), rng.normal(size=(8, 6)) * 1.5
    p = 1.0 / (1.0 + np.exp(-effect[a, b]))
    y = p > 0.5 if kind == "clear" else rng.uniform(size=T) < p
    return np.hstack([np.eye(8)[a], np.eye(6)[b]]), y.astype(int)


RNG = np.random.default_rng(0)
MEASURED = RNG.normal(size=(120, 3)), RNG.integers(0, 2, 120)


def measured(*rows):
    rows = np.concatenate(rows)
    return tuple(of[rows] for of in MEASURED)


ALL, ONES = np.arange(120), np.flatnonzero(MEASURED[1])
TIED = np.vstack([MEASURED[0], MEASURED[0][:1]]), np.append(MEASURED[1], 1 - MEASURED[1][0])
REPEATS = {
    "of a cell whose labels differ each is a draw": (*cells(500), 500),
    "so it is where labels are clear": (*cells(500, "clear"), 500),
    "rows measured, drawn again": (*measured(ALL, RNG.integers(0, 120, 780)), 120),
    "those of one class": (*measured(ALL, RNG.choice(ONES, 200)), 120),
    "a tie among copies": (*(np.repeat(of, 1 + np.arange(121) % 4, axis=0) for of in TIED), 120),
}


@pytest.mark.parametrize("kind", REPEATS)
def test_what_occurs_again_is_a_draw_or_a_copy(kind):
    X, y, draws = REPEATS[kind]
    of, firsts = without_copies(X, y[:, np.newaxis].astype(float))
    assert len(firsts) == draws
    np.testing.assert_array_equal(of[firsts], np.arange(draws))
    np.testing.assert_array_equal(X[firsts][of], X)


@pytest.mark.parametrize("more", [0, 2])
def test_draws_that_were_written_several_times_are_counted_once(more):
    """Of the same cells, and of one class more often: a part has all copies of what it has."""
    X, y = cells(150)
    times = 2 + more * y
    part = dealt(X, y[:, np.newaxis] + 0.0, 5, np.random.default_rng(0))
    X, y, s = (np.repeat(of, times, axis=0) for of in (X, y, times))
    copies = dealt(X, y[:, np.newaxis] + 0.0, 5, np.random.default_rng(0))
    kind = np.unique(np.column_stack([X, y]), axis=0, return_inverse=True)[1].ravel()
    for k in range(5):
        once = np.bincount(kind, np.repeat(part[k], times) / s)
        np.testing.assert_allclose(np.bincount(kind, copies[k] / s), once, rtol=1e-12)


@quiet
@pytest.mark.parametrize("kind", ["noisy", "clear"])
def test_cells_that_interact_are_learnt(kind):
    """The loss of samples left out is that of new ones, of the same cells; log 2 is the prior's."""
    X, y = cells(4500, kind)
    new, labels = X[500:], y[500:]

    def loss(model):
        return -np.log(model.predict_proba(new)[np.arange(4000), labels]).mean()

    model = GGNClassifier(random_state=0).fit(X[:500], y[:500])
    assert loss(model) < 0.9 * np.log(2.0)
    assert loss(model) == pytest.approx(model.alpha_path_[:, 1].min(), abs=0.05)
    for alpha in (1e-5, 0.1):
        assert kind == "clear" or loss(model) < loss(
            GGNClassifier(alpha=alpha, random_state=0).fit(X[:500], y[:500])
        )


@quiet
def test_copies_are_not_learnt_by_heart():
    """Labels of a coin, each written four times: the best is still to say a half."""
    X, y = (np.repeat(of, 4, axis=0) for of in MEASURED)
    model = GGNClassifier(random_state=0).fit(X, y)
    p = model.predict_proba(np.random.default_rng(1).normal(size=(200, 3)))
    assert -np.log(p).mean() < 1.05 * np.log(2.0)


@pytest.fixture(scope="module")
def moons():
    X, y = make_moons(600, noise=0.25, random_state=1)
    return X[:200], y[:200], X[200:], y[200:]


def test_a_fit_is_as_if_the_number_had_been_given(moons):
    X, y, Z, _ = moons
    model = GGNClassifier(8, random_state=3).fit(X, y)
    given = GGNClassifier(8, alpha=model.alpha_, random_state=3).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(Z), given.predict_proba(Z))
    assert given.alpha_ == model.alpha_
    assert given.alpha_path_.shape == (0, 2)
    assert model.alpha_ in model.alpha_path_[:, 0]
    twin = pickle.loads(pickle.dumps(model))
    assert twin.alpha_ == model.alpha_
    np.testing.assert_array_equal(twin.predict_proba(Z), model.predict_proba(Z))


def test_threads_change_nothing(moons):
    X, y, _, _ = moons
    found = []
    for count in (1, 2):
        model = GGNClassifier((20, 20), max_iter=3, random_state=0)
        with ggn.threads(count), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the limit
            found.append(model.fit(X, y).alpha_path_)
    np.testing.assert_array_equal(*found)


def test_noise_needs_more_than_what_is_clear():
    """Labels of a coin: the best is to say a half, which only a large penalty does."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    coin = GGNClassifier(random_state=0).fit(X, rng.integers(0, 2, 200))
    clear = GGNClassifier(random_state=0).fit(X, X[:, 0] * X[:, 1] > 0.0)
    assert clear.alpha_ < 3e-3 < coin.alpha_
    loss = -np.log(coin.predict_proba(rng.normal(size=(100, 4)))).mean()  # at least log 2
    assert loss < 1.05 * np.log(2.0)


def test_classes_that_can_be_separated_do_not_let_the_penalty_vanish():
    """Without the one sample more V falls with alpha for ever."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.normal(size=(60, 2)) + np.where(y, 9.0, -9.0)[:, np.newaxis]
    model = GGNClassifier(4, random_state=0).fit(X, y)
    assert 1e-4 < model.alpha_ < 0.1
    assert 0.9 < model.predict_proba(X).max(axis=1).min() < 0.9999


@quiet
def test_better_than_the_fixed_penalties_on_either_side():
    X, y = load_iris(return_X_y=True)
    cv = StratifiedKFold(3, shuffle=True, random_state=0)

    def loss(alpha):
        model = GGNClassifier(8, alpha=alpha, max_iter=100, random_state=0)
        return -cross_val_score(model, X, y, cv=cv, scoring="neg_log_loss").mean()

    chosen = loss("cross_validation")
    assert chosen < 0.8 * loss(1.0)
    assert chosen < 0.8 * loss(1e-6)


@quiet
@pytest.mark.parametrize("kind", ["words", "several labels", "lonely class", "weighted", "squared"])
def test_every_kind_of_labels(kind):
    X, y = classification(3, T=60)
    s = None
    model = GGNClassifier(3, max_iter=10, random_state=0)
    if kind == "several labels":
        y = np.column_stack([y == "fig", y != "apple"]).astype(int)
    elif kind == "lonely class":
        y = y.copy()
        y[7] = "quince"
    elif kind == "weighted":
        s = np.where(y == "fig", 2.0, 0.5)
        model.set_params(class_weight="balanced")
    elif kind == "squared":
        model.set_params(loss="squared")
    model.fit(X, y, s)
    assert len(model.alpha_path_) >= 3
    assert np.isfinite(model.alpha_path_).all()
    assert model.predict(X).shape == y.shape


@quiet
def test_where_it_is_not_chosen(moons):
    X, y, _, _ = moons
    assert GGNClassifier(3, max_iter=2, early_stopping=True).fit(X, y).alpha_ == 1e-3
    assert GGNClassifier(3, max_iter=2).fit([[0.0], [1.0], [2.0]], [0, 1, 1]).alpha_ == 1e-3
    with pytest.raises(ValueError, match=r"^alpha must be a number or 'cross_validation', got 'ev"):
        GGNClassifier(alpha="evidence").fit(X, y)


@quiet
def test_warm_start_keeps_the_penalty(moons):
    X, y, Z, z = moons
    model = GGNClassifier(5, warm_start=True, max_iter=40, random_state=0).fit(X, y)
    alpha, path = model.alpha_, model.alpha_path_
    model.fit(Z, z)
    assert model.alpha_ == alpha
    assert model.alpha_path_ is path
    assert clone(model).set_params(warm_start=False, alpha=0.1).fit(X, y).alpha_ == 0.1
    assert model.set_params(alpha=0.1).fit(X, y).alpha_ == 0.1


def test_the_evidence_of_classes_points_to_the_classifier():
    with pytest.raises(ValueError, match=r"^loss must be 'squared'.*GGNClassifier"):
        ggn.train_bayesian(ggn.MLP((1, 1)), [[0.0], [1.0]], [[0.0], [1.0]], "logistic")

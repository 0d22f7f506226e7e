"""What is no series, no lag, no state and no flag is refused in one sentence of ours."""

import numpy as np
import pytest

import ggn
from ggn.recurrent import Scaling, Simulator, StateSpace
from ggn.recurrent.lags import Lags
from ggn.validation import ArgumentError

U = np.random.default_rng(2).uniform(-1.0, 1.0, 60)
Y = np.sin(np.convolve(U, [1.0, 0.5, 0.2])[:60])
FEW = {"max_iter": 2}
UNITS = Scaling(np.zeros(1), np.ones(1), np.zeros(1), 1.0)


@pytest.fixture(scope="module")
def narx():
    return ggn.narx(U, Y, hidden=2, **FEW)


@pytest.fixture(scope="module")
def states():
    return ggn.statespace(U, Y, 2, f=2, **FEW)


@pytest.mark.parametrize("name", ["free_run", "free_start", "robust"])
@pytest.mark.parametrize("value", [np.ones(3), "no", 2, None])
def test_flags_of_a_model_of_lags(name, value):
    with pytest.raises(ArgumentError, match=rf"^{name} must be True or False, got "):
        ggn.narx(U, Y, **{name: value}, **FEW)


@pytest.mark.parametrize("name", ["linear", "feedthrough", "free_initial_states", "robust"])
@pytest.mark.parametrize("value", [np.ones(3), "no", 2, None])
def test_flags_of_a_state_space_model(name, value):
    with pytest.raises(ArgumentError, match=rf"^{name} must be True or False, got "):
        ggn.statespace(U, Y, 2, **{name: value}, **FEW)


@pytest.mark.parametrize("value", ["23", None, 1.5, np.ones((30, 2)), [None], range(2**62)])
def test_widths_of_a_model_of_lags(value):
    with pytest.raises(ArgumentError, match=r"^hidden must be an integer .*, got .{1,70}$"):
        ggn.narx(U, Y, hidden=value, **FEW)


@pytest.mark.parametrize("value", ["23", b"23", bytearray(b"23"), memoryview(b"23")])
def test_hidden_units_of_a_state_space_model_are_no_text(value):
    with pytest.raises(ArgumentError, match=r"^g must be hidden units, an MLP or None, got "):
        StateSpace(1, 1, 1, g=value)


def test_a_target_where_the_data_choose_is_shown_in_a_line():
    with pytest.raises(ArgumentError, match=r"^loss_target must be left out .*, got .{1,70}$"):
        ggn.narx(U, Y, loss_target=np.ones((30, 2)), l2="evidence", **FEW)


def test_bounds_with_noise_or_without(states):
    for value in (np.ones((6, 2)), "x" * 5, 2):
        with pytest.raises(ArgumentError, match=r"^noise must be True or False, got "):
            states.intervals(noise=value)


@pytest.mark.parametrize(
    "value", [10**12, range(2**62), [range(2**62)], [[1], 10**12], "2", np.ones]
)
def test_lags_that_no_series_has(value):
    for names in ((value, 1), (1, value)):
        with pytest.raises(ArgumentError, match=r"^(in|out)put_lags must be "):
            Lags(*names, n_outputs=2, n_inputs=2)


def test_steps_that_memory_does_not_hold(states):
    model = StateSpace(0, 1, 1, initial_states=0)
    w = model.pack({"A": [[0.5]], "C": [[1.0]]})
    free = Simulator(model, w, UNITS)
    assert free.simulate(n_steps=3, x0=[1.0]).ravel().tolist() == [1.0, 0.5, 0.25]
    for n_steps in (2**62, 2**50):
        with pytest.raises(ArgumentError, match=r"^n_steps must be at most .*, which memory holds"):
            free.simulate(n_steps=n_steps)
    alone = ggn.narx(None, Y, output_lags=1, hidden=0, **FEW)
    for T in (2**62, 2**50):
        with pytest.raises(ArgumentError, match=r"^U must be at most .*, which memory holds"):
            alone.simulate(T, Y)


def test_states_to_begin_with(states):
    for x0 in (3.0, "text", [0.0], [[1.0], [1.0, 2.0]], [[0.0, 0.0]] * 2):
        with pytest.raises(ArgumentError, match=r"^x0 must "):
            states.simulate(U, x0)
    for memory in (0, -1, 1.5, NotImplemented, [20]):
        with pytest.raises(ArgumentError, match=r"^memory must be an integer of at least 1, got "):
            states.predict(U, Y, memory=memory)


def test_parts_of_a_model():
    model = StateSpace(1, 1, 1)
    for parts in (np.zeros(3), None, [("A", 1.0)]):
        with pytest.raises(ValueError, match=r"^parts must be a Mapping, got "):
            model.pack(parts)
    for value in ([[1.0], [1.0, 2.0]], "text", [[np.nan]], [[1j]], np.ones((2, 2))):
        with pytest.raises(ArgumentError, match=r"^parts must "):
            model.pack({"A": value})


def test_runs_of_what_is_no_series(narx):
    ragged = [[1.0], [1.0, 2.0]]
    with pytest.raises(ArgumentError, match=r"^y0 must be a list of 2 starts"):
        narx.simulate(ragged, Y)
    with pytest.raises(ArgumentError, match=r"^y0 must be an array of numbers"):
        narx.simulate(U, ragged)


def test_a_fit_that_time_stops_on_the_way_is_returned():
    for options in ({"l2": "evidence"}, {"loss": "cauchy", "robust": True}):
        for n_starts in (1, 2):
            fit = ggn.narx(U, Y, hidden=2, n_starts=n_starts, max_seconds=0.0, **options)
            assert np.isfinite(fit.w).all()
            assert fit.status is ggn.Status.MAX_SECONDS


def test_nothing_is_told_of_a_state_by_what_is_too_far_off():
    model = StateSpace(0, 1, 1, initial_states=0)
    w = model.pack({"A": [[1e100]], "C": [[1.0]]})  # finite for three samples
    assert Simulator(model, w, UNITS).initial_state(None, np.ones(9)).tolist() == [0.0]
    w = model.pack({"A": [[0.5]], "C": [[1.0]]})
    assert Simulator(model, w, UNITS).initial_state(None, np.full(9, 1e200)).tolist() == [0.0]
    halves = 7.0 * 0.5 ** np.arange(9)
    assert Simulator(model, w, UNITS).initial_state(None, halves) == pytest.approx([7.0])


def test_a_tolerance_whose_square_is_no_number():
    net, x = ggn.MLP((1, 2, 1)), U[:, np.newaxis]
    for damping in ("undamped", "levenberg_marquardt"):
        fit = ggn.train(net, x, Y, damping=damping, step="minimum_norm", tol=1e200)
        assert fit.status is ggn.Status.GRADIENT


@pytest.fixture(scope="module")
def fitted():
    pytest.importorskip("sklearn")
    from ggn.sklearn import NARXRegressor

    return NARXRegressor(2, random_state=0, **FEW).fit(U[:, np.newaxis], Y)


def test_outputs_may_be_a_column(fitted):
    X = U[:, np.newaxis]
    for steps in (None, 1):
        flat = fitted.predict(X, Y, steps_ahead=steps)
        column = fitted.predict(X, Y[:, np.newaxis], steps_ahead=steps)
        assert np.array_equal(flat, column, equal_nan=True)
    assert fitted.score(X, Y) == fitted.score(X, Y[:, np.newaxis])


def test_sizes_of_sessions(fitted):
    for sizes in (60, object, "60", range(2**62), [60.0]):
        with pytest.raises(ArgumentError, match=r"^session_sizes must be "):
            fitted.fit(U[:, np.newaxis], Y, session_sizes=sizes)


def test_outputs_that_are_none(fitted):
    for y in (3.0, [[1.0], [1.0, 2.0]], "text", Y + 1j):
        with pytest.raises((TypeError, ValueError), match=r"[a-z]+ [a-z]+ [a-z]+"):
            fitted.predict(U[:, np.newaxis], y)
    wide = np.lib.stride_tricks.as_strided(np.zeros(1), (2**40, 1), (0, 0))
    for given, name in (((wide,), "X"), ((U[:, np.newaxis], wide), "y")):
        with pytest.raises(ArgumentError, match=f"^{name} must fit into memory, got an array"):
            fitted.predict(*given)
        with pytest.raises(ArgumentError, match=f"^{name} must fit into memory, got an array"):
            fitted.fit(*given, *[Y][: 2 - len(given)])


def test_a_fit_that_was_refused_is_none():
    pytest.importorskip("sklearn")
    from sklearn.exceptions import NotFittedError

    from ggn.sklearn import GGNRegressor, NARXRegressor

    X = U[:, np.newaxis]
    for estimator, ask in (
        (GGNRegressor(activation="none"), lambda e: e.predict_interval(X)),
        (NARXRegressor(activation="none"), lambda e: e.predict(X)),
    ):
        with pytest.raises(ValueError, match=r"^activation must be "):
            estimator.fit(X, Y)
        with pytest.raises(NotFittedError):
            ask(estimator)


@pytest.mark.parametrize("size", [1e155, 1e200, 1e308, 1e-155, 1e-200, 5e-324])
def test_series_whose_squares_are_no_numbers(size):
    two = np.stack([U, size * U], axis=1)  # a column by itself
    for train in (
        lambda u, y: ggn.narx(u, y, hidden=2, **FEW),
        lambda u, y: ggn.statespace(u, y, 2, f=2, **FEW),
    ):
        for data, name in (((two, Y), "U"), ((U, size * Y), "Y")):
            with pytest.raises(ArgumentError, match=rf"^{name} must be of a size in \[.* unit$"):
                train(*data)


@pytest.mark.parametrize("size", [1e135, 1e-135])
def test_series_of_all_other_sizes(size):
    """Inputs may come in any unit, and J is in that of the outputs, squared."""
    for train in (
        lambda u, y: ggn.narx(u, y, hidden=2, max_iter=5).fun,
        lambda u, y: ggn.statespace(u, y, 2, f=2, max_iter=5).fun,
    ):
        one = train(U, Y)
        assert train(size * U, Y) == pytest.approx(one, rel=1e-6)
        assert train(U, size * Y) / size / size == pytest.approx(one, rel=1e-6)


@pytest.mark.parametrize("far", [1e308, -1e308])
def test_a_run_far_outside_the_data_overflows_without_a_warning(states, far):
    for said in (states.simulate(np.full(5, far)), states.predict(np.full(60, far), Y)):
        assert not np.isfinite(said).all()
    for ask in (lambda: states.poles(u=[far]), lambda: states.poles_along(np.full(60, far), Y)):
        with pytest.raises(ValueError, match=r"^poles and stability need a finite run, got"):
            ask()


@pytest.mark.parametrize("n", [10**6, 10**8])
def test_models_that_memory_does_not_hold(n):
    """More states than outputs to tell them, and weights whose matrix nobody could keep."""
    with pytest.raises(ArgumentError, match=rf"^n_states must be less than .*, 60, got {n}$"):
        ggn.statespace(U, Y, n)
    for name, train in (
        ("a model for step='primal'", lambda: ggn.statespace(U, Y, 1, f=n)),
        ("hidden", lambda: ggn.narx(U, Y, hidden=n)),
    ):
        with pytest.raises(ArgumentError, match=f"^the weights of (sizes|{name}) must be at most"):
            train()


@pytest.mark.parametrize("n", [2**62, 2**50])
def test_runs_that_memory_does_not_hold(n):
    with pytest.raises(ArgumentError, match=r"^n_starts must be at most .*, which memory holds"):
        ggn.narx(U, Y, n_starts=n)
    with pytest.raises(ArgumentError, match=r"^n_restarts must be at most .*, which memory holds"):
        ggn.statespace(U, Y, 2, n_restarts=n)

"""`ggn predict` with models of series: free runs over the rows of a table."""

import commands
import numpy as np
import pytest
from commands import fails
from test_narx import LAGS, system

import ggn
from ggn.io import Model
from ggn.recurrent import Lags, NARXModel, Simulator

run = pytest.fixture(commands.run)


@pytest.fixture(scope="module")
def fits():
    u, y = system(200)
    two = np.stack([y, 0.5 * y + 0.1 * u], axis=1)
    given = {"max_iter": 10, "hidden": 3}
    return {
        "lags": (ggn.narx(u, y, **given, **LAGS), ["u"], ["y"]),
        "alone": (ggn.narx(None, y, output_lags=2, **given), [], ["y"]),
        "two": (ggn.narx(u, two, output_lags=[[1, 3], []], input_lags=[0], **given), ["u"],
                ["y", "z"]),
        "states": (ggn.statespace(u, y, 2, f=2, max_iter=5), ["u"], ["y"]),
        "states of two": (ggn.statespace(u, two, 2, f=2, max_iter=5), ["u"], ["y", "z"]),
        "states alone": (ggn.statespace(None, y, 2, f=None, max_iter=5), [], ["y"]),
    }  # fmt: skip


@pytest.fixture
def saved(fits, tmp_path):
    """Return a function that saves a model, and returns its path and what is loaded from it."""

    def save(kind):
        fit, inputs, targets = fits[kind]
        path = tmp_path / "plant.npz"
        fit.save(path, inputs, targets)
        return path, (Simulator if kind.startswith("states") else NARXModel).load(path)

    return save


def write(path, **columns):
    """Write a table; nan is an empty cell."""
    cells = [["" if isinstance(x, float) and np.isnan(x) else str(x) for x in column]
             for column in columns.values()]  # fmt: skip
    path.write_text("\n".join([",".join(columns), *map(",".join, zip(*cells, strict=True))]) + "\n")
    return path


def read(text):
    names, *rows = (line.split(",") for line in text.splitlines())
    return names, np.array([[float(cell) for cell in row] for row in rows])


def series(T=60, measured=None):
    """Return inputs and outputs of another run; outputs but in the first rows are empty."""
    u, y = system(T, seed=5, start=0.3)
    if measured is not None:
        y[measured:] = np.nan
    return u.tolist(), y.tolist()


def test_lags_run_from_the_first_rows(run, saved, tmp_path):
    path, plant = saved("lags")
    u, y = series()
    expected = plant.simulate(u, y)
    for measured in (None, 2, 30):
        _, seen = series(measured=measured)
        done = run("predict", path, write(tmp_path / "in.csv", t=range(60), y=seen, u=u))
        assert done.status == 0
        names, values = read(done.out)
        assert names == ["y"]
        np.testing.assert_array_equal(values[:, 0], expected.ravel())
        if measured is not None:
            continue
        error = expected.ravel()[2:] - np.array(y)[2:]
        share = 1.0 - np.mean(error**2) / np.var(y[2:])
        rmse = np.sqrt(np.mean(error**2))
        assert done.err == f"y: RMSE {rmse:.6g}, R2 {share:.6f}, 58 rows, in free run\n"
    assert "28 rows, in free run" in done.err  # those that were measured, behind the start
    named = run("predict", path, tmp_path / "in.csv", "--id", "t", "-o", tmp_path / "o.csv")
    assert (named.status, named.out) == (0, "")
    assert (tmp_path / "o.csv").read_text().splitlines()[:2] == ["t,y", f"0,{y[0]!r}"]


def test_what_is_not_fed_back_needs_no_column(run, saved, tmp_path):
    """z is predicted, but no lag of it is seen: before the run it is not known."""
    path, plant = saved("two")
    u, y = series(measured=3)
    done = run("predict", path, write(tmp_path / "in.csv", u=u, y=y))
    assert (done.status, done.err) == (0, "")
    names, values = read(done.out)
    assert names == ["y", "z"]
    start = np.stack([y[:3], np.zeros(3)], axis=1)
    np.testing.assert_array_equal(values[3:], plant.simulate(u, start)[3:])
    np.testing.assert_array_equal(values[:3, 0], y[:3])
    assert np.isnan(values[:3, 1]).all()


@pytest.mark.parametrize("kind", ["alone", "states alone"])
def test_models_without_inputs_run_as_long_as_the_table(kind, run, saved, tmp_path):
    path, plant = saved(kind)
    _, y = series(40, measured=2)
    done = run("predict", path, write(tmp_path / "in.csv", t=range(40), y=y))
    assert done.status == 0
    if kind == "alone":
        expected = plant.simulate(40, y)
    else:
        x0 = plant.initial_state(None, np.array(y)[:20])
        expected = plant.simulate(None, x0, 40)
    np.testing.assert_array_equal(read(done.out)[1], expected.reshape(-1, 1))


def test_states_begin_as_the_first_rows_tell(run, saved, tmp_path):
    path, plant = saved("states")
    u, y = series()
    expected = plant.predict(u, y, horizon=None)  # the state that the first 20 samples tell
    done = run("predict", path, write(tmp_path / "in.csv", u=u, y=y))
    np.testing.assert_array_equal(read(done.out)[1], expected)
    begun, score = done.err.splitlines()
    assert begun == "ggn: begins with the state that the targets in the first 20 rows tell"
    rmse = np.sqrt(np.mean((expected.ravel() - y) ** 2))
    assert score.startswith(f"y: RMSE {rmse:.6g}, ")
    assert score.endswith(", 60 rows, in free run")
    # without, at rest
    for columns in ({"u": u}, {"u": u, "y": [np.nan] * 60}):
        done = run("predict", path, write(tmp_path / "in.csv", **columns))
        np.testing.assert_array_equal(read(done.out)[1], plant.simulate(u))
        assert done.err == ("ggn: begins at rest, state zero, for no target is in the first rows\n")


def test_some_of_the_targets_tell_a_state_too(run, saved, tmp_path):
    path, plant = saved("states of two")
    u, y = series()
    y[3] = np.nan
    seen = np.stack([y, np.full(60, np.nan)], axis=1)
    expected = plant.simulate(u, plant.initial_state(u[:20], seen[:20]))
    done = run("predict", path, write(tmp_path / "in.csv", u=u, y=y))
    names, values = read(done.out)
    assert names == ["y", "z"]
    np.testing.assert_array_equal(values, expected)
    assert "59 rows" in done.err


def test_a_run_that_leaves_the_finite_numbers_says_so(run, tmp_path):
    square = ggn.MLP((1, 1), output_activation="exponential", bias=False)
    NARXModel(Model(square, [2.0]), Lags(1, 0, 1, 0)).save(tmp_path / "plant.npz")
    table = write(tmp_path / "in.csv", t=range(9), y1=[1.0] + [np.nan] * 8)
    done = run("predict", tmp_path / "plant.npz", table)
    assert done.status == 0
    values = read(done.out)[1].ravel()
    assert np.isfinite(values[:3]).all()
    (left,) = [i for i in range(9) if np.isfinite(values[:i]).all() and np.isnan(values[i:]).all()]
    assert done.err == (
        f"ggn: the run leaves the finite numbers in row {left + 1}; from there it is nan\n"
    )


def test_a_file_without_lags_predicts_one_step(run, fits, tmp_path):
    fit, *_ = fits["lags"]
    step = ggn.Model(fit.net, fit.w, ["y(k-1)", "y(k-2)", "u(k-1)"], ["y"])
    step.save(tmp_path / "old.npz")
    Z = np.random.default_rng(0).normal(size=(5, 3))
    table = write(tmp_path / "in.csv", **dict(zip(step.input_names, Z.T.tolist(), strict=True)))
    done = run("predict", tmp_path / "old.npz", table)
    np.testing.assert_array_equal(read(done.out)[1], step.predict(Z))


def test_what_cannot_be_is_told(run, saved, tmp_path):
    path, _ = saved("lags")
    u, y = series()
    table = tmp_path / "in.csv"

    def refused(message, *more, model=path, **columns):
        fails(run("predict", model, write(table, **columns), *more), message)

    refused("in.csv has no column 'u', which the model needs; it has y", y=y)
    refused("has no column 'y', with which the model begins in the first 2 rows; it has u", u=u)
    refused("in.csv has 2 rows, but the model begins with the first 2 rows, so", u=u[:2], y=y[:2])
    refused("begins with 'y' in the first 2 rows, but there is no number in row 2", u=u,
            y=[y[0], np.nan, *y[2:]])  # fmt: skip
    refused("the input 'u' has no number in row 31", u=[*u[:30], np.nan, *u[31:]], y=y)
    refused("row 31, column 'u': 'high' is not a number", u=[*u[:30], "high", *u[31:]], y=y)
    refused("row 8, column 'y': 'inf' is not finite", u=u, y=[*y[:7], "inf", *y[8:]])
    refused("--std is not for a model of series, which .*plant.npz is", "--std", u=u, y=y)
    refused("--missing drop is not for a model of series", "--missing", "drop", u=u, y=y)
    refused("the column 'y' is in --id and a target", "--id", "y", u=u, y=y)
    refused("no column 't', which --id names", "--id", "t", u=u, y=y)
    refused("--output would overwrite .*in.csv", "-o", table, u=u, y=y)
    path, _ = saved("states")
    refused("has no column 'u', which the model needs", y=y)
    refused("the input 'u' has no number in row 1,", u=[np.nan, *u[1:]], y=y)

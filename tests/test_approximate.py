"""`ggn.approximate`: the error between the nodes is what it says, and what it cannot do it says."""

import math
import sys

import numpy as np
import pytest

import ggn
from ggn.fit.construction import Construction
from ggn.fit.spread import Kind
from ggn.fit.target import target_of


def largest_error(found, f, bounds, count=4000):
    """Largest error on points of our own, relative to max |f|: random, on faces and corners."""
    low, high = np.array(bounds, dtype=float).reshape(-1, 2).T
    rng = np.random.default_rng(777)
    X = rng.uniform(low, high, (count, len(low)))
    for i in range(len(low)):
        X[i::20, i] = rng.choice([low[i], high[i]], len(X[i::20]))
    y = f(*X.T)
    return np.abs(found(*X.T) - y).max() / np.abs(y).max()


SMOOTH = {
    "wave": (lambda x: np.exp(-(x**2)) * np.cos(2 * np.pi * x), (-2, 2), 1e-12),
    "runge": (lambda x: 1 / (1 + 25 * x**2), (-1, 1), 1e-12),
    "oscillating": (lambda x: np.sin(60 * x), (-1, 1), 1e-12),
    "layer": (lambda x: np.tanh(200 * x), (-1, 1), 1e-9),
    "plane": (lambda x, y: np.cos(3 * x + y**2), [(-1, 1), (0, 1)], 1e-10),
    "space": (lambda x, y, z: np.sin(x + y + z), [(-1, 1)] * 3, 1e-4),
}


@pytest.mark.parametrize(("f", "bounds", "tol"), SMOOTH.values(), ids=SMOOTH)
def test_the_error_between_the_nodes_is_within_tol(f, bounds, tol):
    found = ggn.approximate(f, bounds=bounds, tol=tol)
    assert found.converged
    assert found.error <= tol
    assert largest_error(found, f, bounds) <= tol
    assert found.net.sizes == (found.net.n_inputs, sum(s.units for s in found.stages), 1)
    assert "within tol" in str(found)


def test_stages_go_where_one_does_not():
    """340 tanh units leave more than tol; steeper ones for the rest, in its own units, do not."""
    f, tol = (lambda x: np.cos(25 * x) * x), 1e-12
    rng = np.random.default_rng(0)
    kind = Kind(ggn.activations.Tanh())
    built = Construction(target_of(f, (-1, 1), rng), [kind], tol, 2000, math.inf, rng)
    built._accept(built._trial(kind, 340, 16.0), "spread")
    assert built.error > tol
    while built.error > built.goal:
        assert built._next() is None
    assert len(built.sum.stages) > 1
    assert built.sum.stages[1].slope > built.sum.stages[0].slope
    # one network, which is what was measured
    net, w = built.sum.network
    x = np.linspace(-1.0, 1.0, 4001)
    y = net.forward(w, x)[:, 0] * built.target.y_half + built.target.y_middle
    assert np.abs(y - f(x)).max() <= tol
    assert net.sizes == (1, sum(s.units for s in built.sum.stages), 1)


def test_an_activation_may_be_asked_for():
    found = ggn.approximate(np.exp, bounds=(0, 1), activation="tanh")
    assert found.converged
    assert found.net.activations[0] == ggn.activations.Tanh()


def test_a_steep_ridge_is_found_by_training():
    """No spread unit has this direction and slope; eight trained ones find it."""
    found = ggn.approximate(lambda x, y: np.tanh(50 * (x + 2 * y)), bounds=[(-1, 1)] * 2)
    assert [s.how for s in found.stages] == ["trained"]
    assert found.converged
    assert found.net.sizes == (2, 8, 1)


def test_a_kink_is_reported():
    found = ggn.approximate(np.abs, bounds=(-1, 1))
    assert not found.converged
    assert "kink" in found.message
    assert abs(found.worst[0]) < 0.01
    # near the kink, where the error is: what is reported is about all there is
    x = np.linspace(-0.01, 0.01, 20001)
    assert found.error >= 0.5 * 2 * np.abs(found(x) - np.abs(x)).max()


def test_few_units_are_trained_together():
    f, bounds = SMOOTH["wave"][:2]
    found = ggn.approximate(f, bounds=bounds, max_units=5, activation="gaussian")
    assert found.net.sizes == (1, 5, 1)
    assert found.stages[-1].how == "together"
    assert found.stages[-1].error < 0.5 * found.stages[0].error
    assert not found.converged
    assert "max_units" in found.message


def test_an_offset_is_said_to_limit():
    found = ggn.approximate(lambda x: 1e6 + np.sin(x), bounds=(1000, 1001))
    assert not found.converged
    assert found.error < 1e-8
    assert "offset" in found.message


def test_a_constant_needs_no_stage():
    found = ggn.approximate(lambda x, y: 3.0, bounds=[(0, 1), (0, 2)])
    assert found.converged
    assert found.error == 0.0
    assert found.stages == ()
    assert found(0.5, 1.0) == 3.0


def test_functions_of_plain_numbers_are_called_point_by_point():
    found = ggn.approximate(lambda x: math.exp(x) if x < 5 else 0.0, bounds=(0, 1), tol=1e-10)
    assert found.converged
    assert abs(found(0.3) - math.exp(0.3)) < 1e-10


def test_a_function_that_mixes_its_points_is_called_point_by_point():
    found = ggn.approximate(lambda x: np.max(x) ** 2, bounds=(0, 1), tol=1e-10)
    assert abs(found(0.5) - 0.25) < 1e-10


def test_samples():
    rng = np.random.default_rng(0)
    x = rng.uniform(10, 12, 300)
    found = ggn.approximate((x, np.sin(5 * x)))
    assert found.converged
    assert found.evaluations == 0
    assert found.points == 30  # a tenth; another tenth was decided by
    inner = np.linspace(x.min(), x.max(), 5001)
    assert np.abs(found.predict(inner)[:, 0] - np.sin(5 * inner)).max() < 1e-11
    # columns stay columns, as in every other prediction
    column = inner[:, np.newaxis]
    for predicted in (found.predict(column), found(column), found.model.predict(column)):
        assert predicted.shape == column.shape
        assert np.abs(predicted - np.sin(5 * column)).max() < 1e-11


def test_noise_is_told_from_a_lack_of_samples():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 300)
    noisy = ggn.approximate((x, np.sin(5 * x) + 1e-3 * rng.normal(size=300)))
    assert not noisy.converged
    assert "noise" in noisy.message
    few = ggn.approximate((x[:40], np.sin(25 * x[:40])))
    assert not few.converged
    assert "more samples" in few.message


def test_ctrl_c_keeps_what_there_is():
    asked = []

    def interrupted(x):
        asked.append(np.size(x))
        if len(asked) == 9:  # those before: f tried, the grid, points watched, first nodes
            raise KeyboardInterrupt
        return np.sin(30 * x) / (1 + x**2)

    found = ggn.approximate(interrupted, bounds=(-1, 1))
    assert found.message.startswith("Interrupted")
    assert np.isfinite(found.predict([0.5])).all()


def test_no_time_is_said():
    found = ggn.approximate(np.sin, bounds=(-1, 1), max_seconds=0.0)
    assert not found.converged
    assert found.message == "max_seconds leaves no time for more units."


def test_the_same_seed_gives_the_same_bits():
    one, two = (ggn.approximate(np.exp, bounds=(0, 1), rng=3) for _ in range(2))
    assert np.array_equal(one.w, two.w)


def test_the_model_is_the_approximation(tmp_path):
    found = ggn.approximate(np.exp, bounds=(0, 1))
    found.model.save(tmp_path / "m.npz")
    again = ggn.Model.load(tmp_path / "m.npz")
    x = np.linspace(0, 1, 50)
    assert np.array_equal(again.predict(x)[:, 0], found(x))
    assert found(x.reshape(5, 10)).shape == (5, 10)


X = np.linspace(0.0, 1.0, 30)


def raising(x):
    raise RuntimeError("no such thing")


@pytest.mark.parametrize(
    ("f", "options", "sentence"),
    [
        (3, {}, r"^f must be a function of 1 to 3 arrays, or a pair \(X, Y\) of samples, got 3$"),
        (np.sin, {}, r"^bounds must be given with a function"),
        (np.sin, {"bounds": (1, -1)}, r"^bounds must be pairs low < high, got \(1, -1\)$"),
        (np.sin, {"bounds": (0, 0)}, r"^bounds must be pairs low < high, got \(0, 0\)$"),
        (np.sin, {"bounds": [(0, 1)] * 4}, r"^bounds must be 1 to 3 pairs"),
        (np.sin, {"bounds": (0, np.inf)}, r"^bounds must be finite, got inf"),
        (np.sin, {"bounds": "box"}, r"^bounds must hold real numbers"),
        (np.log, {"bounds": (-1, 1)}, r"^f must be finite in the box, got nan at \(-"),
        (lambda x: 1 / x, {"bounds": (-1, 1)}, r"^f must be finite in the box, got inf at \(0\)"),
        (
            lambda x: np.ones(7),
            {"bounds": (0, 1)},
            r"^f must return one number per point, got shape \(7,\) for 3 points$",
        ),
        (
            lambda x: x * 1j,
            {"bounds": (0, 1)},
            r"^f must return real numbers, got dtype c",
        ),
        (lambda x: None, {"bounds": (0, 1)}, r"^f must return real numbers, got dtype object$"),
        (
            np.sin,
            {"bounds": [(0, 1)] * 3},
            r"^f must take 3 arguments, arrays or",
        ),
        (
            raising,
            {"bounds": (0, 1)},
            r"^f must take 1 arg.*, got RuntimeError",
        ),
        (np.sin, {"bounds": (0, 1), "tol": -1}, r"^tol must be a number in \[0, inf\)"),
        (np.sin, {"bounds": (0, 1), "max_units": 0}, r"^max_units must be an integer"),
        (np.sin, {"bounds": (0, 1), "activation": "tanhh"}, r"^activation must be one of"),
        ((X, X[:-1]), {}, r"^X and Y must have as many rows, got 30 and 29$"),
        ((X[:5], X[:5]), {}, r"^X must hold at least 20 samples, got 5$"),
        ((X, np.stack([X, X], axis=1)), {}, r"^Y must have one column, got 2$"),
        ((np.ones((30, 4)), X), {}, r"^X must have 1 to 3 columns, got 4$"),
        ((np.ones(30), X), {}, r"^X must vary in every column, got only 1 in column 0$"),
        ((X, np.where(X == 1.0, np.nan, X)), {}, r"^Y must be finite, got nan at Y\[29\]$"),
        ((X, X), {"bounds": (0, 0.5)}, r"^X must lie within bounds, got 15 rows outside$"),
        ((X, X), {"bounds": [(0, 1)] * 2}, r"^bounds must be 1 pairs, one per column"),
    ],
)
def test_faults_are_named_in_a_sentence(f, options, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        ggn.approximate(f, **options)
    assert "\n" not in str(caught.value)


def test_ctrl_c_finds_the_sum_before_a_stage_or_after_it():
    """At any bytecode of what takes a stage."""
    names, seen, at = {"_accept", "_take", "_together"}, 0, 0

    def trace(frame, event, arg):
        nonlocal seen
        code = frame.f_code
        if code.co_name not in names or not code.co_filename.endswith("construction.py"):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            seen += 1
            if seen == at:
                raise KeyboardInterrupt
        return trace

    ended = set()
    while seen >= at:
        seen, at = 0, at + 1
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            found = ggn.approximate(np.sin, bounds=(-1.0, 1.0), tol=1e-9, max_units=8)
        finally:
            sys.settrace(before)
        assert found.net.sizes[1] == max(sum(stage.units for stage in found.stages), 1)
        assert found.error < 1.0 if found.stages else found.error == 1.0
        ended.add("Interrupted" in found.message)
    assert ended == {True, False}

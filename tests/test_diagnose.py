"""The verdicts: on points of known kind (known_points.py), and on what could mislead them."""

import functools
from collections import Counter

import known_points
import numpy as np
import pytest
import reference
from known_points import Kind, Point

import ggn
from ggn.surface import EvidenceKind, Verdict

RIGHT = {
    Kind.GLOBAL: Verdict.GLOBAL_MINIMUM,
    Kind.STRICT: Verdict.LOCAL_MINIMUM,
    Kind.FLAT: Verdict.LOCAL_MINIMUM,
    Kind.SADDLE: Verdict.SADDLE,
    Kind.DEGENERATE: Verdict.INCONCLUSIVE,
    Kind.MOVING: Verdict.NOT_STATIONARY,
    Kind.RUNAWAY: Verdict.RUNAWAY,
    Kind.INFEASIBLE: Verdict.INFEASIBLE,
}
# true as well, though they say less
LESS = {
    Kind.GLOBAL: {Verdict.LOCAL_MINIMUM, Verdict.INCONCLUSIVE},
    Kind.RUNAWAY: {Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE},
    Kind.DEGENERATE: set(),
    Kind.MOVING: set(),
}
OPEN = {Verdict.INCONCLUSIVE, Verdict.INFEASIBLE}


def diagnose(point, **options):
    return ggn.diagnose(point.net, point.w, point.X, point.Y, **(point.options | options))


def provably_infeasible(point):
    """Equal inputs with different targets, or a noisy linear network: known by construction."""
    return point.kind is Kind.INFEASIBLE


def fits_a_screen(report):
    lines = str(report).splitlines()
    return len(lines) <= 24 and max(map(len, lines)) <= 88 and lines[0].startswith("verdict ")


@pytest.fixture(scope="module")
def found():
    return [(point, diagnose(point)) for point in known_points.all_points()]


def test_confusion_table(found):
    """No wrong verdict on more than 200 points of known kind; hardly any that says too little."""
    table = Counter((point.kind, d.verdict) for point, d in found)
    print()
    for (kind, verdict), n in sorted(table.items(), key=lambda item: item[0][0].name):
        print(f"{kind.name:<12}{verdict.name:<16}{n:>4}")
    wrong = [
        f"{point}: {d.verdict.name}"
        for point, d in found
        if d.verdict is not RIGHT[point.kind] and d.verdict not in LESS.get(point.kind, OPEN)
    ]
    assert not wrong
    assert len(found) > 200
    counts = Counter(point.kind for point, _ in found)
    assert min(counts[kind] for kind in Kind) >= 10
    less = [str(point) for point, d in found if d.verdict is not RIGHT[point.kind]]
    assert len(less) <= 3, less


def test_every_report_fits_a_screen(found):
    for point, d in found:
        assert fits_a_screen(d), (str(point), str(d))
        assert d.verdict.value in str(d)
        for sentence in (*map(str, d.evidence), str(d.suggestion)):
            assert sentence.endswith(".")
            assert "{" not in sentence
        assert not any(str(e)[0].islower() for e in d.evidence)
        assert d.suggestion.advice


def test_programs_read_numbers_not_sentences(found):
    """The fields of the evidence are those of the diagnosis, unrounded."""
    kinds = Counter()
    for _, d in found:
        for e in d.evidence:
            kinds[e.kind] += 1
            if e.kind is EvidenceKind.AT_BOUND:
                assert e.fields["bound"] == d.lower_bound
            elif e.kind is EvidenceKind.DESCENT:
                t, J = d.descent_path[-1]
                assert (e.fields["t"], e.fields["fall"]) == (t, d.loss - J)
            elif e.kind is EvidenceKind.NEGATIVE_EIGENVALUE:
                assert e.fields["lowest"] == d.spectrum.eigenvalues[0] < -d.tolerance
            elif e.kind is EvidenceKind.FALLS_BY_SHARE:
                assert e.fields["relative"] == d.relative_gradient
            elif e.kind is EvidenceKind.OBSTRUCTION:
                assert e.fields["obstruction"] in d.obstructions
    assert {
        EvidenceKind.AT_BOUND, EvidenceKind.DESCENT, EvidenceKind.NEGATIVE_EIGENVALUE,
        EvidenceKind.FALLS_BY_SHARE, EvidenceKind.OBSTRUCTION,
    } <= set(kinds)  # fmt: skip


def test_what_bounds_settle_needs_no_hessian(monkeypatch):
    def dear(*args):
        raise AssertionError

    monkeypatch.setattr("ggn.surface.examination.SecondOrder", dear)
    monkeypatch.setattr("ggn.surface.judgements.certify", dear)
    one = ggn.MLP((1, 1, 1))
    assert ggn.diagnose(one, np.zeros(4), [[1.0]], [[0.0]]).verdict is Verdict.GLOBAL_MINIMUM


def test_fields_are_what_they_say(found):
    for point, d in found:
        if any(a.name == "relu" for a in point.net.activations) or "loss" in point.options:
            continue
        spec, l2 = known_points.spec_of(point.net), point.options.get("l2", 0.0)
        J = reference.objective(spec, point.w, point.X, point.Y, known_points.SQUARED, l2=l2)
        g = reference.gradient(spec, point.w, point.X, point.Y, known_points.SQUARED, l2=l2)
        assert d.loss == pytest.approx(J, rel=1e-10, abs=1e-25)
        assert d.gradient_norm == pytest.approx(np.linalg.norm(g), rel=1e-6, abs=1e-12)
        assert 0.0 <= d.relative_gradient <= 1.0 + 1e-12
        assert d.lower_bound <= J * (1.0 + 1e-12) + 1e-25
        assert (d.degenerate is None) == (d.verdict is not Verdict.LOCAL_MINIMUM)
        if d.verdict is Verdict.LOCAL_MINIMUM:
            assert d.degenerate == (point.kind is Kind.FLAT)
            assert (d.flat > 0) == d.degenerate
        assert (d.descent is None) == (d.descent_path == ())
        if d.verdict is Verdict.SADDLE:
            assert np.linalg.norm(d.descent) == pytest.approx(1.0, rel=1e-12)
            for t, value in d.descent_path:
                there = reference.objective(
                    spec, point.w + t * d.descent, point.X, point.Y, known_points.SQUARED, l2=l2
                )
                assert value == pytest.approx(there, rel=1e-12)
            values = [value for _, value in d.descent_path]
            assert values == sorted(values, reverse=True)
            H = reference.hessian(spec, point.w, point.X, point.Y, known_points.SQUARED, l2=l2)
            assert d.descent @ H @ d.descent < 0.0
        if point.kind is Kind.RUNAWAY and d.verdict is Verdict.RUNAWAY:
            assert d.saturation.units
        if d.verdict is Verdict.INFEASIBLE:
            assert any(o.rigorous for o in d.obstructions)


def test_a_saddle_is_left_along_its_descent(found):
    for point, d in found:
        if d.verdict is Verdict.SADDLE:
            t, J = d.descent_path[-1]
            w0 = point.w + t * d.descent
            fit = ggn.train(point.net, point.X, point.Y, w0=w0, max_iter=20, **point.options)
            assert fit.fun <= J < d.loss


def test_ranks_and_principles_are_those_at_the_point():
    point = next(known_points.teachers())
    d = diagnose(point)
    assert d.ranks().jacobian.shape == (point.net.n_weights, point.Y.size)
    assert [f.principle for f in d.principles()][:2] == ["1", "1.a"]


# ------------------------------------------------------------------ what must not matter
@functools.cache
def some_points():
    """Every eleventh point; made when a test asks, for collecting all tests shall be quick."""
    return [p for p in known_points.all_points() if p.kind is not Kind.RUNAWAY][::11]


N_SOME = 27


@pytest.fixture(params=range(N_SOME))
def some_point(request):
    assert len(some_points()) == N_SOME
    return some_points()[request.param]


def in_units(point, inputs, targets):
    """The same function of data in other units."""
    Ws = [W.copy() for W in point.net.unpack(point.w)]
    Ws[0][: point.net.n_inputs] /= inputs[:, np.newaxis]
    Ws[-1] *= targets
    w = point.net.pack(Ws)
    return Point(point.name, point.kind, point.net, w, point.X * inputs, point.Y * targets)


def test_units_of_inputs_and_targets_do_not_matter(some_point):
    point = some_point
    if point.options.get("l2") or point.options.get("loss", "squared") != "squared":
        pytest.skip("the penalty and the scale of a loss are in these units")
    sizes = 10.0 ** np.linspace(-6.0, 6.0, point.net.n_inputs)
    linear = point.net.activations[-1].name == "identity" and len(point.net.sizes) > 2
    for inputs in (np.full(point.net.n_inputs, 1e-8), np.full(point.net.n_inputs, 1e8), sizes):
        for targets in (1e-8, 1.0, 1e8) if linear else (1.0,):
            assert diagnose(in_units(point, inputs, targets)).verdict is RIGHT[point.kind]


@pytest.mark.parametrize("point", list(known_points.linear_saddles()), ids=str)
@pytest.mark.parametrize(("inputs", "targets"), [(1e-8, 1e8), (1e8, 1e8), (1e-3, 1e6)])
def test_how_far_a_saddle_is_followed_has_the_units_of_weights(point, inputs, targets):
    """At w = 0 too, where only the data say how large weights are."""
    d = diagnose(in_units(point, np.full(point.net.n_inputs, inputs), targets))
    assert d.verdict is Verdict.SADDLE
    assert d.descent_path[-1][1] < 0.99 * d.loss


@pytest.mark.parametrize("factor", [1e-10, 1e10])
def test_the_unit_of_the_loss_does_not_matter(some_point, factor):
    point = some_point
    given = ggn.losses.resolve(point.options.get("loss", "squared"))
    scaled = ggn.Loss(
        "scaled",
        lambda F, Y: factor * given.value(F, Y),
        lambda F, Y: factor * given.gradient(F, Y),
        lambda F, Y: factor * given.hessian(F, Y),
        lambda F, Y: factor * given.hessian(F, Y, psd=True),
    )
    scaled.unique_minimum, scaled.convex = given.unique_minimum, given.convex
    d = diagnose(point, loss=scaled, l2=factor * point.options.get("l2", 0.0))
    # the least squared error is not known to be that of a loss of one's own
    less = {*LESS.get(point.kind, ()), *OPEN} if d.lower_bound <= 0.0 else ()
    assert d.verdict is RIGHT[point.kind] or d.verdict in less


def test_weights_of_samples_count_them(some_point):
    point = some_point
    X, Y = point.X, point.Y
    base = diagnose(point)
    T = len(X)
    twice = np.vstack([X, X[:1]]), np.vstack([Y, Y[:1]])
    repeated = ggn.diagnose(point.net, point.w, *twice, **point.options)
    weight = np.where(np.arange(T) == 0, 2.0, 1.0)
    weighted = diagnose(point, sample_weight=weight)
    assert weighted.verdict is repeated.verdict
    assert weighted.loss == pytest.approx(repeated.loss, rel=1e-12)
    more = np.vstack([X, 1e3 * np.ones((2, X.shape[1]))]), np.vstack([Y, np.roll(Y[:2], 1)])
    weight = np.append(np.ones(T), [0.0, 0.0])
    left_out = ggn.diagnose(point.net, point.w, *more, sample_weight=weight, **point.options)
    assert left_out.verdict is base.verdict is RIGHT[point.kind]
    assert left_out.loss == pytest.approx(base.loss, rel=1e-12, abs=1e-30)
    assert len(left_out.saturation.layers[0].level) == T
    assert f"over {T} sample" in str(left_out)


# ------------------------------------------------------------------ all that can be given
CUSTOM = ggn.Activation("arctan", np.arctan, lambda z: 1 / (1 + z * z))
SMOOTH = ggn.Activation(
    "arctan", np.arctan, lambda z: 1 / (1 + z * z), lambda z: -2 * z / (1 + z * z) ** 2
)
LOG_COSH = ggn.Loss(
    "log_cosh",
    lambda F, Y: np.log(np.cosh(F - Y)).sum(axis=1),
    lambda F, Y: np.tanh(F - Y),
    lambda F, Y: 1 / np.cosh(F - Y) ** 2,
)


@pytest.mark.parametrize("loss", [*ggn.losses.BUILT_IN, LOG_COSH], ids=str)
@pytest.mark.parametrize("activation", [*ggn.activations.BUILT_IN, CUSTOM, SMOOTH], ids=str)
def test_every_loss_and_activation(loss, activation):
    """At random weights J falls, and where it is said to fall later, it does."""
    net = ggn.MLP((2, 3, 2), activation)
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(10, 2)), np.eye(2)[rng.integers(0, 2, 10)]
    w = 0.5 * net.initial_weights(0)
    start = ggn.diagnose(net, w, X, Y, loss)
    assert start.verdict is Verdict.NOT_STATIONARY
    assert fits_a_screen(start)
    for nit in (10, 300):
        given = ggn.losses.resolve(loss)  # zeros and ones on the squared loss, and knowingly
        w = ggn.train(net, X, Y, given, w0=w, l2=1e-3, max_iter=nit).w
        d = ggn.diagnose(net, w, X, Y, loss, l2=1e-3)
        assert fits_a_screen(d)
        kinked = activation in ("relu", "leaky_relu")  # at which training stops
        assert kinked or (d.spectrum is None) == (activation is CUSTOM)
        if d.verdict is Verdict.NOT_STATIONARY:
            further = ggn.train(net, X, Y, given, w0=w, l2=1e-3, max_iter=50, step="gradient")
            assert further.fun < d.loss
        else:
            assert d.promised <= 1e-6 * d.loss or (kinked and "but no step" in str(d))
            assert d.verdict in (Verdict.LOCAL_MINIMUM, Verdict.SADDLE, *OPEN)


@pytest.mark.parametrize("seed", range(20))
def test_no_more_is_promised_than_j_can_fall_by(seed):
    rng = np.random.default_rng(seed)
    net, X, Y = ggn.MLP((2, 3, 1)), rng.normal(size=(12, 2)), rng.normal(size=12)
    X[1], Y[:2] = X[0], (0.0, 1.0)  # one input with two targets: J >= 1/24
    d = ggn.diagnose(net, rng.normal(size=net.n_weights), X, Y)
    assert d.lower_bound == pytest.approx(1.0 / 24.0, rel=1e-9)
    assert 0.0 < d.promised <= d.loss - 1.0 / 24.0 * (1.0 - 1e-9)


def test_one_weight_and_one_sample():
    net = ggn.MLP((1, 1), bias=False)
    assert ggn.diagnose(net, [2.0], [[3.0]], [[6.0]]).verdict is Verdict.GLOBAL_MINIMUM
    assert ggn.diagnose(net, [1.0], [[3.0]], [[6.0]]).verdict is Verdict.NOT_STATIONARY
    assert ggn.diagnose(net, [1.0], [[0.0]], [[6.0]]).verdict is Verdict.GLOBAL_MINIMUM  # any w is
    # (w - 1)² + w²
    assert ggn.diagnose(net, [0.5], [[1.0]], [[1.0]], l2=1.0).verdict is Verdict.GLOBAL_MINIMUM
    assert ggn.diagnose(net, [0.6], [[1.0]], [[1.0]], l2=1.0).verdict is Verdict.NOT_STATIONARY
    one = ggn.MLP((1, 1, 1))
    assert ggn.diagnose(one, np.zeros(4), [[1.0]], [[0.0]]).verdict is Verdict.GLOBAL_MINIMUM
    assert ggn.diagnose(one, np.zeros(4), [[1.0]], [[1.0]]).verdict is Verdict.NOT_STATIONARY


def test_without_memory_for_the_hessian_minima_are_not_certified():
    """Lanczos finds the saddles; that a point is none it cannot show."""
    for kind in (Kind.STRICT, Kind.SADDLE):
        point = max(
            (p for p in known_points.all_points() if p.kind is kind), key=lambda p: p.w.size
        )
        assert point.w.size > 12
        d = diagnose(point, max_memory=1.0)
        assert not d.spectrum.dense
        assert d.verdict is (Verdict.SADDLE if kind is Kind.SADDLE else Verdict.INCONCLUSIVE)
        assert ("Lanczos" in str(d)) == (kind is Kind.STRICT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": np.zeros(8)}, r"^w must have shape \(9,\), "),
        ({"X": np.zeros((4, 3))}, "^X must have 2 columns"),
        ({"Y": [0.0, np.nan, 1.0, 0.0]}, "^Y must be finite"),
        ({"loss": "square"}, "^loss must be"),
        ({"l2": -1.0}, "^l2 must"),
        ({"sample_weight": [1.0]}, "^sample_weight must have shape"),
        ({"max_memory": -1.0}, "^max_memory must be"),
        ({"net": "MLP"}, "^net must be an MLP"),
        ({"w": np.full(9, 1e200)}, "^w must have a finite loss and gradient"),
    ],
)
def test_bad_input(change, message):
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 2, 1), "bent_identity")
    given = {"net": net, "w": np.zeros(9), "X": X, "Y": Y} | change
    with pytest.raises(ValueError, match=message):
        ggn.diagnose(**given)

"""A sample of the random tries of `tests/fuzz`, the same at every run; the rest is a command."""

import functools
import warnings

import pytest

pytest.importorskip("sklearn")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fuzz import doors, importers, interrupts, kills, models, tables, values
from fuzz.watch import judged, one, tried

import ggn
from ggn.validation import ArgumentError

SEED = 20180619
LONG = {
    "command", "command, lags", "command, states", "train_bayesian, mixed",
    "train_bayesian, restarts", "train_robust, restarts", "narx, starts", "narx, evidence",
    "statespace, windows", "approximate", "GGNRegressor, evidence",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _made_once():
    """What all cases share is made, with the warnings that trainings of three steps give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for made in (values.bad, values.things, doors.objects, models.originals):
            made()


@pytest.mark.parametrize(
    ("kind", "count"),
    [(models, 200), (tables, 400), (importers, 400), (doors, 600)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_nothing_but_answers_and_refusals(kind, count):
    found = [(i, one(kind.case, SEED, i)) for i in range(count)]
    assert [(i, outcome.fault) for i, outcome in found if outcome.fault is not None] == []
    assert len({outcome.kind for _, outcome in found}) > 1  # some went well, some were refused


@pytest.mark.parametrize("job", [job for job in interrupts.JOBS if job not in LONG])
def test_ctrl_c_anywhere(job):
    n = interrupts.length(job)
    for share in (0.4, 0.97):
        outcome = interrupts.interrupted(job, int(share * n))
        assert outcome.fault is None, outcome


@pytest.mark.parametrize("name", ["Model.save", "predictions"])
def test_killed_while_saving(name):
    outcome = kills.killed(name, 0.01)
    assert outcome.fault is None, outcome


# --------------------------------------------------------------- the judge itself


def test_what_is_a_refusal():
    def refused():
        ggn.MLP("no")

    def pythons_own():
        ggn.MLP((2, 1)).forward()

    def numpys_own():
        ggn.losses.Squared().value("a", "b")

    assert tried(refused).fault is None
    for fault in (pythons_own, numpys_own, lambda: warnings.warn("x", RuntimeWarning, 2)):
        assert tried(fault).fault is not None
    for error in (ZeroDivisionError, MemoryError, functools.partial(ArgumentError, "X", "a\nb")):
        try:
            raise error()
        except Exception as raised:
            assert judged(raised).fault is not None  # noqa: PT017

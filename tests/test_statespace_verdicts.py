"""Verdicts on state-space points of known kind; `statespace_campaign.py verdicts` has more."""

from statespace_kinds import exact, minimum, points, silent_unit_in_f

import ggn
from ggn.recurrent.statespace_diagnosis import diagnose_statespace


def test_no_verdict_is_wrong():
    for name, objective, w, kind in points(9):
        assert diagnose_statespace(objective, w).verdict is kind, name


def test_a_saddle_is_left_along_its_descent():
    objective, w, _ = next(filter(None, map(silent_unit_in_f, range(20))))
    found = diagnose_statespace(objective, w)
    J = min(objective.value(w + 0.1**i * found.descent) for i in range(8))
    assert J < found.loss


def test_report_counts_coordinates():
    objective, w, _ = exact(0)
    found = diagnose_statespace(objective, w)
    assert found.invariant == 4 + 2  # x -> T x + t
    assert found.rank + found.invariant == objective.net.n_weights
    assert str(found).startswith("verdict     global minimum")


def test_a_penalty_knows_coordinates_apart():
    from ggn.recurrent.statespace_objective import StateSpaceObjective

    objective, w, _ = next(filter(None, map(minimum, range(9))))
    Us = [objective.X[a:b] for a, b in ((0, 120), (120, 200))]
    Ys = [objective.Yt.T[a:b] for a, b in ((0, 120), (120, 200))]
    penalised = StateSpaceObjective(objective.net, Us, Ys, l2=1e-3)
    assert diagnose_statespace(penalised, w).invariant == 0
    assert diagnose_statespace(penalised, w).verdict is ggn.surface.Verdict.NOT_STATIONARY

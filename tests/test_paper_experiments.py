"""The paper's experiments at small sizes: numbers against oracles."""

from __future__ import annotations

import dataclasses

import matplotlib as mpl
import numpy as np
import pytest
import reference
import threadpoolctl
from paper_sizes import SMALL

import ggn
from ggn import problems
from ggn.paper import bp_forms, fig1a, fig1b, fig1c, fig1c_shown, xor, xor_shown
from ggn.paper.pseudo_inverse import PseudoInverse
from ggn.paper.rates import Rate
from ggn.paper.reproduce import EXPERIMENTS
from ggn.paper.sections import csv_bytes

mpl.use("Agg")


@pytest.fixture(scope="module")
def data():
    return {name: EXPERIMENTS[name].run(None, 1, **SMALL[name]) for name in EXPERIMENTS}


# Fig. 1(a)


def test_fig1a_converges_quadratically(data):
    found = data["fig1a"]
    assert len(found.ways) == 6
    assert len(found.converged) >= 5
    assert all(found.ways[k].losses[-1] < 1e-20 for k in found.converged)
    pooled = fig1a.experiment(seed=2, runs=20)
    assert np.median(pooled.orders) >= 1.9
    assert len(pooled.orders) == len(pooled.constants) >= 15
    (claim,) = fig1a.section(pooled).claims
    assert claim.holds
    assert f"{len(pooled.converged)} of 20 runs" in claim.measured


def test_fig1a_draws_the_distances(data):
    found = data["fig1a"]
    left, right = fig1a.draw(found).axes
    first = found.ways[found.converged[0]]
    assert np.array_equal(left.lines[0].get_ydata(), first.distances[:-1])
    assert len(left.lines) == min(6, len(found.converged))
    d, following = right.lines[0].get_data()
    assert len(d) >= len(found.converged)
    assert (following < d).all()
    assert (left.get_yscale(), right.get_xscale(), right.get_yscale()) == ("log",) * 3


def test_fig1a_without_any_convergence():
    nothing = fig1a.Fig1a([ggn.fit.convergence.Approach(np.ones(2), np.array([2.0, 0.0]), 1e-13)])
    assert fig1a.section(nothing).claims[0].holds is False
    fig1a.draw(nothing)


# Fig. 1(b)


def test_fig1b_counts_exact_fits(data):
    found = data["fig1b"]
    assert [len(found.of(name, "run")) for name in fig1b.ACTIVATIONS] == [12] * 5
    for name in fig1b.ACTIVATIONS:
        assert found.rate(name) == Rate(int((found.of(name, "loss") < 1e-20).sum()), 12)
        assert np.array_equal(found.of(name, "run"), np.arange(12))
        assert (found.of(name, "least_rank") <= found.of(name, "rank")).all()
        assert np.array_equal(found.of(name, "verdict") == "", found.exact(name))
    assert min(found.rate(name).k for name in fig1b.BETTER) >= 10
    # 1/2 < sigma' < 3/2 for the bent identity; others go to 0 somewhere
    assert (found.of("bent_identity", "least_slope") >= 0.5).all()
    assert (found.of("sigmoid", "least_slope") < 1e-3).all()


def test_fig1b_ends_are_what_the_weights_say():
    """One run again, by hand: rank by NumPy, slopes by their formula."""
    row = fig1b._run(1, "sigmoid", 4)
    rng = np.random.default_rng([1, 4])
    X, Y = problems.four_regions(20, rng)
    net = ggn.MLP((2, 20, 1), "sigmoid")
    path = [net.initial_weights(rng)]
    fit = ggn.train(
        net, X, Y, w0=path[0], damping="undamped", max_iter=200, tol=0.0, loss_target=1e-26,
        callback=path.append,
    )  # fmt: skip
    assert row["loss"] == fit.fun
    assert row["iterations"] == fit.nit
    assert row["rank"] == np.linalg.matrix_rank(net.jacobian(fit.w, X))
    assert row["least_rank"] == min(np.linalg.matrix_rank(net.jacobian(w, X)) for w in path)
    assert row["largest"] == np.abs(fit.w).max()

    def slopes(w):
        z = np.hstack([X, np.ones((20, 1))]) @ net.unpack(w)[0]
        phi = 1.0 / (1.0 + np.exp(-np.abs(z)))
        return phi * np.exp(-np.abs(z)) / (1.0 + np.exp(-np.abs(z)))

    least = min(slopes(w).min() for w in path)
    assert row["least_slope"] == pytest.approx(least, rel=1e-6, abs=1e-300)
    flat = slopes(fit.w) < 2.0**-26 * 0.25
    assert (row["flat"], row["flat_units"]) == (flat.sum(), flat.all(axis=0).sum())


def made_up(losses, ranks):
    """Return data of Fig. 1(b) with these losses of each activation, by run."""
    names = np.repeat(fig1b.ACTIVATIONS, len(losses[0]))
    loss, rank = np.concatenate(losses), np.concatenate(ranks)
    columns = {key: np.zeros(len(names)) for key in ("flat", "flat_units", "largest")}
    columns |= {
        "activation": names,
        "run": np.tile(np.arange(len(losses[0])), 5),
        "iterations": np.full(len(names), 9),
        "loss": loss,
        "verdict": np.where(loss < 1e-20, "", "RUNAWAY"),
        "rank": rank,
        "least_rank": rank,
        "least_slope": np.full(len(names), 1e-5),
    }
    return fig1b.Fig1b(len(losses[0]), columns)


@pytest.mark.parametrize(
    ("worse", "holds"), [(40, True), (95, None), (100, False)], ids=["apart", "close", "reversed"]
)
def test_fig1b_ranks_the_activations_if_it_can(worse, holds):
    losses = [np.where(np.arange(100) < n, 1e-25, 0.3) for n in [worse] * 2 + [98] * 3]
    ranks = [np.where(J < 1e-20, 20, 13) for J in losses]
    section = fig1b.section(made_up(losses, ranks))
    assert section.claims[0].holds is holds
    assert "softsign 98 of 100" in section.claims[0].measured
    assert section.claims[1].holds
    assert csv_bytes(section.tables["fig1b_rates.csv"]).count(b"\n") == 6


def test_fig1b_draws_every_run(data):
    found = data["fig1b"]
    boxes, slopes, ranks = fig1b.draw(found).axes
    assert [text.get_text() for text in boxes.texts] == [
        f"{found.rate(name).k}/12" for name in fig1b.ACTIVATIONS
    ]
    for ax in (slopes, ranks):
        assert sum(len(line.get_xdata()) for line in ax.lines) == 60
    shown = {label.get_text() for label in boxes.get_xticklabels()}
    assert shown == {"sigmoid", "tanh", "softsign", "softplus", "bent\nidentity"}


# Fig. 1(c)


def test_pseudo_inverse_is_numpy_s():
    """On three samples G has rank 12 at most, and 172 eigenvalues to leave out."""
    net = ggn.MLP((2, 10, 10, 4), "sigmoid")
    X, Y = problems.four_regions(3, rng=0, one_hot=True)
    at = ggn.linearize(net, net.initial_weights(0), X, Y)
    prepared = PseudoInverse().prepare(at, None)
    G = at.normal_matrix()
    d = np.linalg.pinv(G, rcond=1e-13, hermitian=True) @ at.gradient
    np.testing.assert_allclose(prepared.solve(0.0), d, atol=1e-8 * np.abs(d).max())
    assert prepared.accelerate(d) is None


def loss(net, w, X, Y):
    return np.square(net.forward(w, X) - Y).sum(axis=1).mean()


def test_fig1c_takes_the_steps_it_says(data):
    found = data["fig1c"]
    assert [len(J) for J in found.losses[0].values()] == [round(20.76 * 40) + 1, 41, 41]
    rng = np.random.default_rng([1, 0])
    X, Y = problems.four_regions(1000, rng, one_hot=True)
    net = ggn.MLP((2, 10, 10, 4), "sigmoid")
    w = net.initial_weights(rng)
    starts = {losses[0] for losses in found.losses[0].values()}
    assert all(start == pytest.approx(loss(net, w, X, Y)) for start in starts)
    at = ggn.linearize(net, w, X, Y)
    assert found.losses[0]["bp"][1] == pytest.approx(loss(net, w - 0.01 * at.gradient, X, Y))
    with threadpoolctl.threadpool_limits(1):  # as the workers have: the same bits
        again = fig1c._race(1, 0, 40)
    for method in fig1c.METHODS:
        assert np.array_equal(again[f"{method}_losses"], found.losses[0][method])
    assert (np.diff(found.losses[0]["lm"]) <= 0.0).all()


def race(bp, ggn_losses, tail=((), ())):
    """Return Fig. 1(c) with one run: BP takes 1 s an iteration, GGN 4 s."""
    losses = {"bp": np.array(bp), "ggn": np.array(ggn_losses), "lm": np.array(ggn_losses)}
    seconds = {
        "bp": np.arange(len(bp)) * 1.0,
        "ggn": np.arange(len(ggn_losses)) * 4.0,
        "lm": np.arange(len(ggn_losses)) * 2.0,
    }
    return fig1c.Fig1c(len(ggn_losses) - 1, [losses], [seconds], [tuple(map(np.array, tail))])


def said(data):
    """Return the claims of Fig. 1(c) by their first words."""
    return {claim.statement.split(".")[0]: claim for claim in fig1c_shown.section(data).claims}


def test_fig1c_compares_at_the_same_time():
    short = race([9, 8, 7, 6, 5, 4, 3, 2, 1.5, 1, 0.5], [9, 20, 0.1])
    assert short.bp_meanwhile(0) == (1.5, 8)
    long = race([9, 8, 7], [9, 20, 0.1], ([6.0, 5.0, 4.0], [4.0, 7.0, 9.0]))
    assert long.bp_meanwhile(0) == (5.0, 4)
    assert long.per_iteration("ggn") / long.per_iteration("bp") == 4.0
    claims = said(long)
    assert claims["GGN goes up at the beginning"].holds
    assert claims["Given the same time, GGN reaches a smaller loss than BP"].holds
    ratio = fig1c_shown.section(long).claims[5]
    assert ratio.holds is False
    assert ratio.measured.startswith("4.0 times here")
    assert (1314.1 / 61.1, 20760 / 1000) == pytest.approx((21.5, 20.76), abs=0.01)
    assert "are 21.5 to one, its iterations 20.76." in ratio.measured
    timing = fig1c_shown.section(long).timings["fig1c_timing.csv"]
    assert timing.columns["method"] == ("bp", "ggn", "lm", "bp, going on")
    once = race([9, 8, 7], [9, 20, 0.1], ([6.0], [4.5]))  # one iteration more, where GGN was quick
    timing = fig1c_shown.section(once).timings["fig1c_timing.csv"]
    assert timing.columns["seconds_per_iteration"][3] == 4.5 - once.seconds[0]["bp"][-1]


def test_fig1c_names_every_number_of_the_paper():
    numbers = " ".join(claim.paper for claim in fig1c_shown.section(race([9, 8], [9, 8])).claims)
    for number in ("61.1 s", "1314.1 s", "21.4", "20760"):
        assert number in numbers


@pytest.mark.parametrize(
    ("ggn_losses", "lm_losses", "rises", "least", "smooth"),
    [
        ([9, 20, 0.1], [9, 5, 0.1], True, True, True),
        ([9, 8, 0.1], [9, 5, 0.01], False, False, True),
        ([9, 20, 1, 2, 1], [9, 5, 4, 3, 2], True, True, False),
    ],
)
def test_fig1c_answers_what_was_measured(ggn_losses, lm_losses, rises, least, smooth):
    made = race([9, 8, 7], ggn_losses)
    made.losses[0]["lm"] = np.array(lm_losses)
    claims = said(made)
    assert claims["GGN goes up at the beginning"].holds is rises
    assert claims["Then GGN converges to the global minimal value"].holds is least
    assert claims["It converges smoothly"].holds is smooth


# BP with the sum over samples, and with the mean


def test_the_two_forms_of_bp_are_algorithm_1_and_eq_6():
    """The first two steps by the oracle: with the sum over samples, and with their mean."""
    found = bp_forms.experiment(seed=4, draws=1, iterations=40)
    spec = reference.named_spec((2, 10, 10, 4), ("sigmoid", "sigmoid", "identity"))
    squared = reference.LOSSES["squared"]()
    for (T, draw), losses in zip(found.runs, found.losses, strict=True):
        rng = np.random.default_rng([4, T, draw])
        X, Y = problems.four_regions(T, rng, one_hot=True)
        net = ggn.MLP((2, 10, 10, 4), "sigmoid")
        w0 = net.initial_weights(rng)
        for form, factor in (("sum", T), ("mean", 1)):
            w = w0
            for k in range(2 if T < 1000 else 1):
                assert losses[form][k] == pytest.approx(loss(net, w, X, Y), rel=1e-9)
                w = w - 0.01 * factor * reference.gradient(spec, w, X, Y, squared)
    assert [len(J) for J in found.many("mean")] == [3]


@pytest.mark.parametrize(
    ("J", "longest"),
    [([3, 2, 1], 0), ([1, 2, 3], 0), ([3, 1, 2], 2), ([9, 5, 6, 4, 5, 3, 2, 1], 5), ([1], 0)],
)
def test_alternation(J, longest):
    assert bp_forms.longest_alternation(np.array(J, dtype=float)) == longest


def forms(late, early, mean_rises=False):
    """Return eight runs of few samples, some of which oscillate late or only early."""
    wave = np.resize([1.0, 2.0], 200)
    falling = np.linspace(9.0, 1.0, 800)
    kinds = [np.r_[falling, wave]] * late + [np.r_[wave, falling]] * early
    kinds += [falling] * (8 - late - early)
    mean = np.array([1.0, 2.0]) if mean_rises else falling
    runs = [(T, draw) for T in bp_forms.FEW for draw in range(2)] + [(1000, 0)]
    losses = [{"sum": J, "mean": mean} for J in kinds]
    return bp_forms.BPForms(runs, [*losses, {"sum": np.array([1.0, 1e9]), "mean": falling}])


@pytest.mark.parametrize(
    ("late", "early", "holds"), [(5, 2, True), (4, 3, None), (0, 7, None), (0, 0, False)]
)
def test_bp_oscillates_late_early_or_never(late, early, holds):
    claim = bp_forms.claim(forms(late, early))
    assert claim.holds is holds
    assert f"in {late + early} of 8 runs" in claim.measured
    assert f"in the last quarter in {late};" in claim.measured
    assert "it ever rises in 0." in claim.measured
    assert "the sum diverges, 1e+09 after 1 iterations" in claim.measured
    assert "it ever rises in 8." in bp_forms.claim(forms(late, early, True)).measured


# XOR


def test_xor_ends_are_sorted_by_their_value(data):
    found = data["xor"]
    assert [xor._end(J) for J in (1e-21, 1e-19, 0.125, 0.1251, 1 / 6, 0.25, 0.2)] == [
        "0", "other", "1/8", "1/8", "1/6", "1/4", "other",
    ]  # fmt: skip
    for case in xor.CASES:
        assert sum(found.rate(case, end).k for end in xor.ENDS) == 30
        assert np.array_equal(found.of(case, "start"), np.arange(30))
    assert found.rate(xor.Case(3, "tanh", "LM")).k > found.rate(xor.Case(2, "tanh", "undamped")).k


def test_xor_ranks_are_those_of_the_blocks(data):
    found = data["xor"]
    X, _ = problems.xor()
    for case in (xor.Case(2, "sigmoid", "undamped"), xor.Case(3, "tanh", "LM")):
        net = ggn.MLP((2, case.hidden, 1), case.activation)
        (start, *_) = found.paths(case, list(xor.ENDS))
        P = net.jacobian(net.initial_weights(np.random.default_rng([1, 0])), X)
        blocks = (P[: 3 * case.hidden], P[3 * case.hidden :], P[3 * case.hidden : -1], P)
        assert start[0].tolist() == [np.linalg.matrix_rank(block) for block in blocks]
        assert len(found.paths(case, list(xor.ENDS))) == 6
        assert len(start) == found.of(case, "iterations")[0] + 1


def test_xor_says_when_the_premise_is_lost(data):
    found = data["xor"]
    claim = xor_shown.section(found).claims[0]
    lost, followed, broken = xor_shown._premise(found)
    ranks = found.ranks
    runs = {
        tuple(row)
        for row, phi, n in zip(
            zip(*(ranks[k].tolist() for k in xor_shown.RUN), strict=True),
            ranks["phi1"],
            ranks["hidden"],
            strict=True,
        )
        if phi < n
    }
    assert (lost, followed) == (len(runs), 8 * 6)
    assert lost > 0
    assert broken == 0
    assert claim.holds is False
    assert f"of 48 starts followed, {lost} lose it" in claim.measured


@pytest.mark.parametrize(
    ("undamped", "damped", "holds"),
    [
        (["INCONCLUSIVE"], ["RUNAWAY"] * 3, True),
        ([], ["RUNAWAY"] * 39 + ["SADDLE"], True),
        (["RUNAWAY"], ["RUNAWAY", "SADDLE"], None),
        ([], [], None),
        ([], ["RUNAWAY"] * 39 + ["LOCAL_MINIMUM"], False),
        (["GLOBAL_MINIMUM"], ["RUNAWAY"], False),
    ],
)
def test_xor_ends_run_away_or_not(undamped, damped, holds):
    assert xor_shown._runaway({"undamped": undamped, "LM": damped}) is holds


def test_xor_without_every_end_is_drawn_all_the_same(data):
    picture = xor_shown.draw(dataclasses.replace(data["xor"], ends={}))
    assert any("not all three ends" in t.get_text() for ax in picture.axes for t in ax.texts)
    bars = xor_shown.draw(data["xor"]).axes[0]
    heights = np.array([[bar.get_height() for bar in bars] for bars in bars.containers])
    np.testing.assert_allclose(heights.sum(axis=0), 100.0)

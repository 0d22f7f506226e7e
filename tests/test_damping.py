"""What a damping, a rule and a step of the user's own inherit, and when they are asked."""

import re
import sys

import numpy as np
import pytest
import reference

import ggn
from ggn import Status
from ggn.damping import Damping, LevenbergMarquardt, Metric, Nielsen, Rule
from ggn.steps import Prepared, Primal, Step
from ggn.validation import classes_of

NET = ggn.MLP((2, 4, 1))
W0 = NET.initial_weights(0)
RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (30, 2))
Y = np.sin(3 * X[:, :1]) + X[:, 1:] + RNG.normal(scale=0.3, size=(30, 1))
PLAIN = LevenbergMarquardt(acceleration=0.0, refits=False)


def fit(**changed):
    return ggn.train(NET, X, Y, **({"w0": W0, "max_iter": 12} | changed))


# ------------------------------------------------------------- a step of one's own


class Newton(Step):
    """The damped step by dense algebra, which asks for no more than it must."""

    def prepare(self, at, metric):
        return Dense(at, metric)


class Dense(Prepared):
    def __init__(self, at, metric):
        self.gradient, self.matrix = at.gradient, at.normal_matrix()
        self.diagonal = np.diagonal(self.matrix)
        self.scale = metric.scale(self.diagonal)

    def solve(self, mu):
        D = np.ones(len(self.gradient)) if self.scale is None else self.scale
        return np.linalg.solve(self.matrix + mu * np.diag(D**2), self.gradient)


@pytest.mark.parametrize(
    "damping", [PLAIN, LevenbergMarquardt(refits=False)], ids=["plain", "accelerated"]
)
def test_users_step(damping):
    """It knows no acceleration, so none is added, whatever the rule says."""
    own, ours = fit(step=Newton(), damping=damping), fit(step="primal", damping=PLAIN)
    np.testing.assert_allclose(own.history.loss, ours.history.loss, rtol=1e-8)
    assert isinstance(own.step, Newton)
    assert repr(own.step) == "Newton()"
    assert np.all(own.history.residual[1:] == 0.0)


@pytest.mark.parametrize("name", sorted(ggn.damping.NAMES))
def test_every_rule_by_name(name):
    """A damped one never lets J rise, and its mu is positive and answers to what happened."""
    run = fit(damping=name)
    assert run.nit > 0
    assert np.isfinite(run.history.loss).all()
    if ggn.damping.NAMES[name].damped:
        assert np.all(np.diff(run.history.loss) <= 1e-10 * run.history.loss[0])
        assert np.all(run.history.damping[1:] > 0.0)
        assert len(set(run.history.damping[1:])) > 1


# ------------------------------------------------------------- a rule of one's own


class Fixed(Damping):
    """Constant mu in the identity's metric, the base class's judgement."""

    def __init__(self, mu):
        self.mu, self.judged = mu, []

    def rule(self, objective):
        assert objective.net is NET
        return FixedRule(self)


class FixedRule(Rule):
    def __init__(self, damping):
        self.mu, self.judged = damping.mu, damping.judged

    def judge(self, trial):
        self.judged.append(trial)
        return super().judge(trial)


@pytest.mark.parametrize("step", ["primal", "dual", "minimum_norm"])
def test_users_damping(step):
    """One step by hand: (G + 0.3 I) d = g."""
    rule = Fixed(0.3)
    r = fit(damping=rule, step=step, max_iter=1)
    slow = reference.LOSSES["squared"]()
    spec = reference.named_spec((2, 4, 1), ("tanh", "identity"))
    G = reference.normal_matrix(spec, W0, X, Y, slow)
    g = reference.gradient(spec, W0, X, Y, slow)
    d = np.linalg.solve(G + 0.3 * np.eye(17), g)
    np.testing.assert_allclose(r.w, W0 - d, rtol=1e-9, atol=1e-11)
    J = [reference.objective(spec, w, X, Y, slow) for w in (W0, r.w)]
    (trial,) = rule.judged
    assert trial.before is None
    assert (trial.mu, trial.J, trial.best) == (0.3, r.fun, r.history.loss[0])
    np.testing.assert_array_equal(trial.w, W0 - trial.d)
    assert (trial.actual, trial.predicted) == pytest.approx(
        (J[0] - J[1], g @ d - 0.5 * d @ G @ d), rel=1e-9
    )


def test_a_trial_tells_of_the_run_before_it():
    rule = Fixed(1e-6)
    r = fit(damping=rule, step="primal", max_iter=10)
    taken = [t for t in rule.judged if t.actual > 0.0]
    assert len(taken) == r.nit < len(rule.judged)  # some were refused: mu rose tenfold
    for trial, before, best in zip(taken[1:], taken[:-1], r.history.loss[1:], strict=False):
        assert trial.before is before.d
        assert trial.best == best


class Bold(Damping):
    """Transtrum & Sethna (2012): uphill too, if the run goes on in the direction it came by."""

    def __init__(self, power):
        self.power, self.uphill = power, []

    def rule(self, objective):
        return BoldRule(self)


class BoldRule(Rule):
    mu = 1.0

    def __init__(self, damping):
        self.power, self.uphill = damping.power, damping.uphill

    def judge(self, trial):
        if trial.actual > 0.0 or trial.before is None or self.power is None:
            return trial.actual > 0.0
        lengths = np.linalg.norm(trial.d) * np.linalg.norm(trial.before)
        cosine = float(trial.d @ trial.before) / lengths
        return (1.0 - cosine) ** self.power * trial.J <= trial.best

    def accept(self, trial):
        self.uphill += [trial] if trial.actual < 0.0 else []
        self.mu /= 5.0

    def reject(self, trial):
        self.mu *= 2.0


@pytest.mark.parametrize("power", [1, 2])
def test_bold_acceptance_cuts_the_bends_of_a_valley(power):
    """Three units that fit two: creeping along the valley's floor takes hundreds of steps."""
    net, x = ggn.MLP((1, 3, 1)), np.linspace(0, 3, 30)
    y = net.forward(net.initial_weights(100), x)
    timid, bold = Bold(None), Bold(power)
    slow, fast = (
        ggn.train(net, x, y, w0="normal", damping=rule, step="primal", max_iter=2000)
        for rule in (timid, bold)
    )
    assert not timid.uphill
    assert len(bold.uphill) >= 5
    for trial in bold.uphill:
        cosine = trial.d @ trial.before / np.linalg.norm(trial.d) / np.linalg.norm(trial.before)
        assert (1 - cosine) ** power * trial.J <= trial.best <= trial.J
    assert fast.status is slow.status is Status.PRECISION
    assert fast.fun == pytest.approx(slow.fun, rel=1e-6)
    assert 4 * fast.nit < slow.nit
    assert (np.diff(fast.history.loss) > 0.0).sum() == len(bold.uphill)


def test_no_step_is_a_rejection_without_a_trial():
    """A singular matrix: mu rises from where it is too small for the factor to exist."""
    refused = []

    class Patient(LevenbergMarquardt):
        def rule(self, objective):
            return PatientRule(self, objective)

    class PatientRule(Nielsen):
        def reject(self, trial):
            refused.append((trial, self.mu))
            super().reject(trial)

    net = ggn.MLP((1, 1, 1), "identity")  # two units in a row: P is rank-deficient
    fit = ggn.train(net, [1.0, 2.0], [1.0, 3.0], step="primal", damping=Patient(initial=1e-40))
    assert refused[0] == (None, 1e-40)
    assert [mu for _, mu in refused[:4]] == pytest.approx([1e-40, 2e-40, 8e-40, 64e-40])
    assert fit.fun < 1e-20


# ------------------------------------------------------------- the order of the loop


class Log(Damping):
    def __init__(self):
        self.said = []

    def __call__(self, word):
        self.said.append(word)

    def metric(self, objective):
        self("metric")
        return LoggedMetric(self)

    def rule(self, objective):
        self("rule")
        return LoggedRule(self, objective)


class LoggedMetric(Metric):
    def __init__(self, log):
        self.log = log

    def scale(self, diagonal):
        self.log("scale")


class LoggedRule(Nielsen):
    def __init__(self, log, objective):
        super().__init__(LevenbergMarquardt(initial=1e-6, refits=False), objective)
        self.log = log

    def judge(self, trial):
        self.log("judge")
        return super().judge(trial)

    def accept(self, trial):
        self.log("accept")
        super().accept(trial)

    def reject(self, trial):
        self.log("reject")
        super().reject(trial)


class LoggedStep(Step):
    def __init__(self, log):
        self.log = log

    def start(self, objective):
        self.log("start")
        return self

    def prepare(self, at, metric):
        self.log("prepare")
        return LoggedPrepared(self.log, Primal().prepare(at, metric))


class LoggedPrepared(Prepared):
    def __init__(self, log, inner):
        self.log, self.inner = log, inner
        self.gradient, self.diagonal, self.scale = inner.gradient, inner.diagonal, inner.scale

    def solve(self, mu):
        self.log("solve")
        return self.inner.solve(mu)

    def accelerate(self, d):
        self.log("accelerate")
        return self.inner.accelerate(d)


def test_the_order_that_train_promises():
    log = Log()
    r = fit(step=LoggedStep(log), damping=log, max_iter=8)
    said = " ".join(log.said) + " "
    trial = "solve accelerate judge "
    point = f"prepare scale (?:{trial}reject )*{trial}accept "
    assert re.fullmatch(f"start metric rule (?:{point}){{8}}prepare scale ", said)
    assert "reject" in log.said
    assert log.said.count("judge") == r.nfev - 1


# ------------------------------------------------------------- what is refused


def bare(**members):
    return type("Duck", (), members)()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step": bare(prepare=lambda *a: None)}, "step must be a name or a Step, got "),
        ({"damping": bare(start=lambda *a: None)}, "damping must be a name or a Damping, got "),
        ({"damping": bare(rule=lambda *a: Rule())}, "damping must be a name or a Damping, got "),
    ],
)
def test_strategies_inherit(options, message):
    with pytest.raises(ValueError, match=rf"^{message}.*Duck"):
        fit(**options)


@pytest.mark.parametrize(
    ("base", "method", "kind"),
    [
        (Primal, "start", "Step"), (Primal, "prepare", "Prepared"),
        (LevenbergMarquardt, "metric", "Metric"), (LevenbergMarquardt, "rule", "Rule"),
    ],
)  # fmt: skip
def test_what_strategies_make_inherits(base, method, kind):
    own = type("Own", (base,), {method: lambda self, *arguments: None})()
    option = {"step" if base is Primal else "damping": own}
    with pytest.raises(ValueError, match=rf"^{method}\(\) must return a {kind}, got None$"):
        fit(**option)


# ------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("option", "name", "cls"),
    [
        ("step", "minimum_norm", ggn.steps.MinimumNorm),
        ("step", "conjugate_gradient", ggn.steps.ConjugateGradient),
        ("damping", "levenberg_marquardt", LevenbergMarquardt),
    ],
)
def test_names_of_several_words(option, name, cls):
    """Underscores are the documented spelling, hyphens are read as well."""
    room = {"step": ggn.steps, "damping": ggn.damping}[option]
    assert room.NAMES[name] is cls
    for spelling in (name, name.replace("_", "-")):
        assert type(room.resolve(spelling)) is cls
        assert fit(**{option: spelling}).nit > 0
    with pytest.raises(ValueError, match=rf"{name}.*, got 'x{name}'; did you mean '{name}'\?"):
        room.resolve("x" + name)


def test_other_names_of_several_words():
    net = ggn.MLP((1, 2, 1), "bent-identity")
    assert net.activations[0] == ggn.activations.BentIdentity()
    assert isinstance(ggn.losses.resolve("smooth-lp"), ggn.losses.SmoothLp)
    drawn = [net.initial_weights(0, scheme) for scheme in ("fan_in", "fan-in")]
    assert np.array_equal(*drawn)


STRATEGY = """
from ggn.steps import Step

class Mine(Step):
    name = "mine"

    def prepare(self, at, metric): ...

class Helper(Mine): ...

Alias = Mine
"""


def test_a_file_in_its_package_is_a_name(tmp_path, monkeypatch):
    """No list elsewhere; names are not inherited, and two classes cannot share one."""
    package = tmp_path / "strategies_of_a_test"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "mine.py").write_text(STRATEGY)
    monkeypatch.syspath_prepend(tmp_path)
    __import__(package.name)
    try:
        known = classes_of(package.name, Step)
        assert {name: cls.__name__ for name, cls in known.items()} == {"mine": "Mine"}
        (package / "other.py").write_text(STRATEGY)
        with pytest.raises(ValueError, match="'mine'"):
            classes_of(package.name, Step)
    finally:
        for module in [m for m in sys.modules if m.startswith(package.name)]:
            del sys.modules[module]

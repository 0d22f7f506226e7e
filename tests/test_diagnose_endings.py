"""The diagnosis of a fit knows how the training ended, and does not advise against it."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import ggn
from ggn.command.words import WORDS as OPTIONS
from ggn.fit.result import Status
from ggn.sklearn import GGNRegressor
from ggn.sklearn.words import WORDS as PARAMETERS
from ggn.surface import Advice, Verdict

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 5))
Y = X[:, 0] + RNG.standard_normal(60)
NET = ggn.MLP((5, 10, 1))
TRAINED, HELD = (X[:30], Y[:30]), (X[30:], Y[30:])
MIXED = (Advice.SETTLED, Advice.MEMBERS_STEPS, Advice.MEMBERS_TIME)
ENDINGS = (Advice.MORE_STEPS, Advice.GO_ON, Advice.HELD_OUT, Advice.OVERFITTED)
LOWER_J = (Advice.TRAIN_ON, Advice.FIT_CLOSER, Advice.LEAVE_SADDLE, Advice.REMEDY_OR_ACCEPT)


def test_samples_held_out_end_a_training_where_it_was_meant_to_stop():
    fit = ggn.train(NET, *TRAINED, validation=HELD)
    assert fit.status is Status.VALIDATION
    found = ggn.diagnose(fit, *TRAINED)
    assert found.verdict is Verdict.NOT_STATIONARY
    assert fit.validation_losses[fit.kept] < 2.0 * found.loss
    assert found.suggestion.advice == (Advice.HELD_OUT,)
    assert "stopped     The loss of samples held out falls no more" in str(found)
    assert not re.search("Train on|larger max_iter|more hidden units", str(found))
    # the same weights, asked about without their training, can be trained on
    assert ggn.diagnose(NET, fit.w, *TRAINED).suggestion.advice[0] is Advice.TRAIN_ON


def test_where_they_are_missed_by_far_a_smaller_network_is_advised():
    held = HELD[0], 3.0 * HELD[1]
    fit = ggn.train(NET, *TRAINED, validation=held)
    found = ggn.diagnose(fit, *TRAINED)
    assert fit.validation_losses[fit.kept] > 2.0 * found.loss
    assert found.suggestion.advice == (Advice.HELD_OUT, Advice.OVERFITTED)
    assert "fewer hidden units" in str(found)
    # on other samples J is another
    assert ggn.diagnose(fit, *HELD).suggestion.advice == (Advice.HELD_OUT,)


@pytest.mark.parametrize("few", [True, False], ids=["few weights", "many weights"])
def test_whatever_the_verdict_a_lower_loss_is_not_advised(few):
    """Linear least squares at its minimum, and a start where every hidden unit is the same."""
    net = ggn.MLP((5, 1)) if few else NET
    w0 = None if few else np.zeros(net.n_weights)
    fit = ggn.train(net, *TRAINED, w0=w0, max_iter=50)
    fit.update(status=Status.VALIDATION, validation_losses=np.array([fit.fun]), kept=0)
    found = ggn.diagnose(fit, *TRAINED)
    assert found.verdict is (Verdict.GLOBAL_MINIMUM if few else Verdict.SADDLE)
    assert found.suggestion.advice[-1] is Advice.HELD_OUT
    assert not set(found.suggestion.advice) & set(LOWER_J)
    assert found.suggestion.remedy is None


def test_a_limit_is_named_and_going_on_from_there_lowers_the_loss():
    fit = ggn.train(NET, *TRAINED, max_iter=3)
    found = ggn.diagnose(fit, *TRAINED)
    assert found.status is fit.status is Status.MAX_ITER
    assert found.suggestion.advice[0] is Advice.MORE_STEPS
    text = str(found)
    assert "stopped     The iteration limit max_iter was reached." in text
    assert "go on from here with w0=fit" in text
    assert ggn.train(NET, *TRAINED, w0=fit).fun < found.loss
    assert "--max-iter ended the training" in found.report(OPTIONS)


def test_a_run_that_was_cut_off_is_to_go_on_where_the_point_is_open_too():
    """No advice to move w at random, as for a stationary point whose Hessian is singular."""
    net, data = ggn.MLP((2, 2, 1)), ggn.problems.xor()
    fit = ggn.train(net, *data, w0=[0, 0, 0, 0, 0, 0, 0, 0, 0.5], max_iter=0)
    assert ggn.diagnose(net, fit.w, *data).suggestion.advice[0] is Advice.PERTURB
    fit.update(status=Status.MAX_ITER)
    assert ggn.diagnose(fit, *data).suggestion.advice[0] is Advice.MORE_STEPS
    fit.update(status=Status.MAX_SECONDS)
    assert ggn.diagnose(fit, *data).suggestion.advice[0] is Advice.GO_ON


def test_nor_is_another_tolerance_advised_where_something_else_ended_it():
    fit = ggn.train(NET, *TRAINED, loss_target=0.5)
    assert fit.status is Status.TARGET
    assert ggn.diagnose(fit, *TRAINED).suggestion.advice[0] is Advice.GO_ON

    fit = ggn.train(NET, *TRAINED, tol=0.1)  # here it did
    found = ggn.diagnose(fit, *TRAINED)
    assert found.status is fit.status
    assert found.status in (Status.STEP, Status.LOSS)
    assert found.verdict is Verdict.NOT_STATIONARY
    assert found.suggestion.advice[0] is Advice.TRAIN_ON
    assert "stopped" not in str(found)


def test_a_mixture_says_that_one_of_its_networks_was_looked_at():
    x, y = load_diabetes(return_X_y=True)
    model = GGNRegressor(random_state=0).fit(x, y)
    assert model.result_.best.status is Status.VALIDATION
    for found in (model.diagnosis_, ggn.diagnose(model, x, y)):
        text = " ".join(str(found).split())
        assert found.members == 5
        assert "; of the 5 of the mixture that of greatest evidence" in text
        assert "Fit on" not in text
        assert "was meant to stop here" in text
        assert found.suggestion.advice == (Advice.HELD_OUT,)


def test_an_estimators_own_split_and_limit():
    model = GGNRegressor(10, alpha=0.0, early_stopping=True, random_state=0).fit(X, Y)
    assert model.result_.status is Status.VALIDATION
    found = model.diagnosis_
    assert Advice.HELD_OUT in found.suggestion.advice
    assert found.members == 1
    assert "mixture" not in str(found)
    with pytest.warns(match="max_iter"):
        model = GGNRegressor(10, alpha=0.0, max_iter=3, random_state=0).fit(X, Y)
    assert "max_iter ended the training: fit on" in str(model.diagnosis_.suggestion)


def wave(seed):
    """60 samples of a curve of one of two inputs, on which some networks of three settle."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2.0, 2.0, (60, 2))
    return x, np.sin(2.0 * x[:, 0]) + 0.02 * rng.standard_normal(60)


def of_three(x, y, max_iter, seed):
    return ggn.train_bayesian(ggn.MLP((2, 4, 1)), x, y, n_estimators=3, max_iter=max_iter, rng=seed)


def test_a_network_of_a_mixture_that_ended_by_itself_is_not_told_to_train_on():
    """More steps would change nothing, which is seen, and the advice says so."""
    x, y = wave(3)
    fit = of_three(x, y, 1000, 3)
    assert fit.best.status is Status.GRADIENT
    found = ggn.diagnose(fit, x, y)
    assert found.verdict is Verdict.NOT_STATIONARY
    assert found.suggestion.advice == (Advice.SETTLED,)
    assert not re.search("w0=fit|more hidden units", str(found))
    longer = of_three(x, y, 5000, 3)
    np.testing.assert_array_equal(longer.best.w, fit.best.w)
    # the same weights, asked about without their training, can be trained on
    alone = ggn.diagnose(fit.best.net, fit.best.w, fit.best.X, fit.model.scaled(x, y)[1])
    assert alone.suggestion.advice[0] is Advice.TRAIN_ON


def test_a_limit_is_told_of_the_networks_that_it_ended():
    """Of three, one settled; the others had no more steps.  None can be gone on from."""
    x, y = wave(2)
    with pytest.warns(ggn.EvidenceWarning, match="predict best in 2 of the 3 networks: noise"):
        fit = of_three(x, y, 80, 3)
    ends = [member.status for member in fit.members]
    assert sorted(status.name for status in ends) == ["GRADIENT", "MAX_ITER", "MAX_ITER"]
    assert fit.status is Status.MAX_ITER
    assert fit.message == "The iteration limit max_iter was reached. (2 of 3 networks)"
    for member in fit.members:
        fit.best = member
        advice = ggn.diagnose(fit, x, y).suggestion.advice
        assert (Advice.SETTLED in advice) == member.success
        assert not {Advice.TRAIN_ON, Advice.MORE_STEPS} & {*advice}
    fit.best = fit.members[ends.index(Status.MAX_ITER)]
    fit.best.status = Status.MAX_SECONDS
    assert "w0=" not in str(ggn.diagnose(fit, x, y))


def test_a_network_of_a_mixture_is_trained_again_and_not_gone_on_from():
    x, y = wave(3)
    with pytest.warns(ggn.EvidenceWarning, match="which penalties predict best: noise"):
        fit = of_three(x, y, 20, 0)
    for status, key in (
        (Status.MAX_ITER, Advice.MEMBERS_STEPS),
        (Status.MAX_SECONDS, Advice.MEMBERS_TIME),
    ):
        fit.best.status = status
        found = ggn.diagnose(fit, x, y)
        assert found.suggestion.advice[0] is key
        assert "w0=" not in str(found)


def test_an_estimators_warning_says_how_many_networks_had_no_more_steps():
    x, y = wave(2)
    model = GGNRegressor(4, n_estimators=3, max_iter=80, random_state=0)
    with pytest.warns(match=r"max_iter was reached\. \(2 of 3 networks\)$"):
        model.fit(x, y)
    assert [member.success for member in model.result_.members].count(False) == 2


def test_every_face_has_words_for_how_a_training_ended():
    assert {*ENDINGS, *MIXED} <= set(PARAMETERS)
    assert set(ENDINGS) <= set(OPTIONS)  # which mixes no networks
    for key in (*ENDINGS, *MIXED):
        assert not re.search(r"\bw0\b|\bl2\b|max_seconds|loss_target", PARAMETERS[key])
    for key in ENDINGS:
        assert not re.search(r"\bw0\b|(?<!-)\bl2\b|_", OPTIONS[key])


@pytest.mark.parametrize("data", [(), (X,)], ids=["none", "no targets"])
def test_a_fit_without_its_data_is_told_so(data):
    fit = ggn.train(NET, *TRAINED, max_iter=1)
    with pytest.raises(TypeError, match=r"^diagnose\(fit, X, Y\) needs X and Y, the data that"):
        ggn.diagnose(fit, *data)
    with pytest.raises(TypeError, match=r"^diagnose\(\) got an unexpected keyword argument"):
        ggn.diagnose(fit, *TRAINED, penalty=1.0)


def test_of_a_gradient_that_is_not_finite_it_is_said():
    net = ggn.MLP((1, 2, 1), "identity", output_activation="exponential", bias=False)
    X, w = np.array([[1.0], [-1.0]]), np.array([1e3, 1.0, 1.0, 1.0])
    loss = ggn.losses.BlakeZisserman(0.5)
    assert np.isfinite(ggn.linearize(net, w, X, [[0.0], [0.0]], loss).loss)
    with pytest.raises(ValueError, match=r"^w must have a finite .* and a gradient that is not"):
        ggn.diagnose(net, w, X, [[0.0], [0.0]], loss)

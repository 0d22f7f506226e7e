"""What was fitted, from whatever has it: a fit, a Model or an estimator.

a fit            `TrainResult`, of `ggn.train` and its kin: net, w, loss, l2, history
a Model          net, w, and the units of the data
an estimator     once fitted: `model_`, a Model, and `result_`, a TrainResult

A fit inside an estimator knows by its `model` the units that it was made in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, TypeGuard

from ggn.fit.result import TrainResult
from ggn.io.model import Model
from ggn.network import MLP
from ggn.validation import ArgumentError, describe

__all__ = [
    "Estimator",
    "Fitted",
    "as_model",
    "as_result",
    "is_fitted",
    "refuse_around",
    "targets_of",
    "words_of",
]

DEEPEST = 8  # of one thing inside another
# where scikit-learn's own keep the fitted estimator, and what is to be said of its data
AROUND = {
    "best_estimator_": "",
    "regressor_": "which sees transformed targets",
    "estimator_": "",
}


class Estimator(Protocol):
    """What is asked of an estimator."""

    model_: Model
    result_: TrainResult
    _advice_words: Mapping[Any, str]

    def _network_targets(self, Y: Any) -> Any:
        """Return targets (T, nL) of the network, in the data's units, for y as `fit` takes it."""


Fitted: TypeAlias = TrainResult | Model | Estimator


def is_fitted(value: Any) -> TypeGuard[Fitted]:
    """Whether `as_model` takes the value."""
    return isinstance(value, (Model, TrainResult)) or _is_estimator(value)


def as_model(value: Fitted, argument: str = "model") -> Model:
    """Return the network and the units of a fit, a Model or an estimator.

    Parameters
    ----------
    value : TrainResult, Model or estimator
        Of a fit without units of its own, the network takes data as they are.
    argument : str, default "model"
        What errors call it.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> import ggn
    >>> fit = ggn.train(ggn.MLP((2, 3, 1)), *ggn.problems.xor(), max_iter=20)
    >>> as_model(fit)
    Model(MLP((2, 3, 1), activation='tanh'), x1, x2 -> y1)
    """
    if isinstance(value, Model):
        return value
    if _is_estimator(value):
        return value.model_
    if isinstance(value, TrainResult) and ("net" in value or "model" in value):
        return value.as_model()
    raise _refused(argument, value)


def as_result(value: TrainResult | Estimator, argument: str = "result") -> TrainResult:
    """Return the record of a training, from a fit or an estimator.

    Raises
    ------
    ValueError
        For anything else, a Model too, which has no history.
    """
    if isinstance(value, TrainResult):
        return value
    if _is_estimator(value):
        return value.result_
    if isinstance(value, Model):
        raise ArgumentError(
            argument,
            "must be a fit, as ggn.train returns it, or a fitted estimator, whose fit is .result_, "
            f"got {describe(value)}, which has no history",
        )
    raise _refused(argument, value)


def targets_of(value: Fitted, Y: Any) -> Any:
    """Return Y as the network's targets: an estimator's labels become columns of 0 and 1."""
    return value._network_targets(Y) if _is_estimator(value) else Y


def words_of(value: Fitted) -> Mapping[Any, str]:
    """Return the words in which a face speaks of what it can do, where they are its own."""
    return value._advice_words if _is_estimator(value) else {}


def _is_estimator(value: Any) -> TypeGuard[Estimator]:
    return isinstance(getattr(value, "model_", None), Model) and not isinstance(value, type)


def refuse_around(argument: str, value: Any) -> None:
    """Raise ValueError for what has a fit, or a fitted estimator, inside it."""
    if isinstance(getattr(value, "best", None), TrainResult) or _inside(value, argument):
        raise _refused(argument, value)


def _inside(value: Any, name: str) -> tuple[str, list[str]] | None:
    """Return where, in a pipeline or a search called name, the estimator is, and what it sees.

    It is not taken from there: what other steps do to data would be left out unseen.
    """
    meaning: list[str] = []
    for _ in range(DEEPEST):
        if _is_estimator(value):
            return name, meaning
        steps = getattr(value, "steps", None)
        if isinstance(steps, list) and steps and hasattr(value, "named_steps"):
            if len(steps) > 1:
                meaning.append(f"which sees inputs as {name}[:-1].transform(X) gives them")
            value, name = steps[-1][-1], f"{name}[-1]"
            continue
        several = getattr(value, "estimators_", None)
        if isinstance(several, list) and several:
            meaning.append(f"one of {len(several)}")
            value, name = several[0], f"{name}.estimators_[0]"
            continue
        attribute = next((known for known in AROUND if hasattr(value, known)), None)
        if attribute is None:
            return None
        value, name = getattr(value, attribute), f"{name}.{attribute}"
        meaning += [said for said in [AROUND[attribute]] if said]
    return None


def _refused(argument: str, value: Any) -> ArgumentError:
    """Return the error for what holds no fit, with the way to one if it is known."""
    if isinstance(value, MLP):
        way = ": ggn.Model(net, w) joins it and its weights"
    elif (inside := _inside(value, argument)) is not None:
        where, meaning = inside
        way = f": the estimator is {where}" + "".join(f", {said}" for said in meaning)
    elif hasattr(value, "_advice_words"):
        way = ": it is not fitted yet"
    elif callable(getattr(value, "fit", None)) and not isinstance(value, type):
        way = ": it has no fitted estimator of ggn.sklearn inside it"
    elif isinstance(getattr(value, "best", None), TrainResult):
        way = ": its fit is .best"
    elif isinstance(getattr(value, "model", None), Model):
        way = ": its Model is .model"
    else:
        way = ""
    return ArgumentError(
        argument,
        "must be a fit, as ggn.train returns it, a ggn.Model or a fitted estimator, "
        f"which has them as .result_ and .model_, got {describe(value)}{way}",
    )

"""A fit, a Model or an estimator in place of a network and its weights.

Its data are taken in their own units, loss and penalty are those that it was trained with,
and so are the samples' weights where it knows them.  What is given beside it counts; where
that is another problem than the fit's, it is said and not refused: the same weights under
another penalty, or on samples held out, are worth a look, but what is found there says
nothing of why the fit stopped.

No training ended at the mean of a mixture: asked of one, the answer is its best member's.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np

from ggn.fit.fitted import Fitted, as_model, is_fitted, targets_of, words_of
from ggn.fit.mixture import trained
from ggn.fit.result import TrainResult
from ggn.fit.start import in_chunks_as
from ggn.io import Chunks
from ggn.io.scaling import linear_units
from ggn.linearization import Source
from ggn.linearization.mean_loss import penalty
from ggn.losses import Loss, resolve
from ggn.network import MLP
from ggn.surface.diagnosis import Diagnosis
from ggn.surface.ending import ended
from ggn.validation import ArgumentError

__all__ = ["takes_fits"]

SAME = 1e-6  # of J: the same data


def takes_fits(diagnose: Callable[..., Diagnosis]) -> Callable[..., Diagnosis]:
    """Let diagnose(net, w, X, Y, ...) be called as diagnose(fit, X, Y, ...) too."""

    @functools.wraps(diagnose)
    def call(*data: Any, **options: Any) -> Diagnosis:
        # three arguments without a network are meant as (fit, X, Y), whatever the first is
        meant = len(data) == 3 and not isinstance(data[0], MLP)
        if len(data) == 2 and is_fitted(data[0]) and isinstance(data[1], Source):
            return _of_chunks(diagnose, *data, **options)
        if data and (is_fitted(data[0]) or meant):
            given = {"X", "Y"}.intersection(options)
            if len(data) + len(given) < 3:
                raise TypeError(
                    "diagnose(fit, X, Y) needs X and Y, the data that the fit was trained on"
                )
            fit = data[0]
            if isinstance(fit, TrainResult) and fit.diagnoses_itself:
                return cast(Diagnosis, fit.diagnose(*data[1:], **options))
            return _of_fit(diagnose, *data, **options)
        if len(data) == 3 and not isinstance(data[2], Source) and not {"w", "Y"} & {*options}:
            raise TypeError(
                "diagnose(net, w, X, Y) needs the weights w between network and data, which "
                "diagnose(fit, X, Y) has from a fit"
            )
        return diagnose(*data, **options)

    return call


def _of_chunks(
    diagnose: Callable[..., Diagnosis],
    fit: Fitted,
    chunks: Source,
    loss: str | Loss | None = None,
    *,
    l2: Any = None,
    max_memory: float | None = None,
) -> Diagnosis:
    model = as_model(fit, "fit")
    scaling = linear_units(model, "fit")
    if any((one != plain).any() for one, plain in zip(scaling, (0, 1, 0, 1), strict=True)):
        raise ArgumentError(
            "fit", "must be in the units of the chunks, got one with a scaling of its own"
        )
    if isinstance(chunks, Chunks):
        chunks = in_chunks_as(fit, chunks)
    own = "squared" if model.loss is None else model.loss
    penalised = model.l2 if l2 is None else l2
    whole = fit if isinstance(fit, TrainResult) else getattr(fit, "result_", None)
    with _of_its_weights(whole):
        found = diagnose(
            model.net, model.w, chunks, loss=own if loss is None else loss,
            l2=0.0 if penalised is None else penalised, max_memory=max_memory,
        )  # fmt: skip
    return found if whole is None else ended(found, whole)


def _of_fit(
    diagnose: Callable[..., Diagnosis],
    fit: Fitted,
    X: Any,
    Y: Any,
    loss: str | Loss | None = None,
    *,
    l2: Any = None,
    sample_weight: Any = None,
    max_memory: float | None = None,
) -> Diagnosis:
    model = as_model(fit, "fit")
    Z, T = model.scaled(X, targets_of(fit, Y))
    whole = fit if isinstance(fit, TrainResult) else getattr(fit, "result_", None)
    result = None if whole is None else trained(whole)
    if result is not None and result is not whole:
        model = as_model(result)
    weights = None if result is None else result.get("sample_weight")
    if sample_weight is None and weights is not None and len(weights) != len(Z):
        raise ArgumentError(
            "sample_weight",
            f"must be given for data other than the fit's, which has weights of {len(weights)} "
            f"samples; got {len(Z)} samples without",
        )
    own = "squared" if model.loss is None else model.loss
    chosen = resolve(own if loss is None else loss)
    penalised = model.l2 if l2 is None else penalty(l2, model.net.n_weights)
    used = weights if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    with _of_its_weights(result):
        found = diagnose(
            model.net,
            model.w,
            Z,
            T,
            chosen,
            l2=0.0 if penalised is None else penalised,
            sample_weight=used,
            max_memory=max_memory,
        )
    said = []
    if model.loss is not None and repr(chosen) != repr(model.loss):
        said.append(f"the loss is {chosen!r} here, {model.loss!r} in the fit")
    if model.l2 is not None and penalised is not None:
        here, there = np.broadcast_arrays(*map(np.atleast_1d, (penalised, model.l2)))
        if not np.array_equal(here, there):
            said.append(f"l2 is {_amount(here)} here, {_amount(there)} in the fit")
    if result is not None and not _same_weights(used, weights, len(Z)):
        said.append(f"samples have {_weights(used)} here, {_weights(weights)} in the fit")
    if result is not None and not said and not _same_loss(found, float(result.fun)):
        said.append(
            f"J is {found.loss:.6g} on these data, {float(result.fun):.6g} at the end of the fit, "
            "so they are others"
        )
    told = getattr(model, "training", None)
    if result is None and told is not None and len(Z) != len(told.rows("train")):
        said.append(
            f"these are {len(Z)} samples, the model was trained on {len(told.rows('train'))} of "
            f"{told.T} rows"
        )
    worded = replace(found.suggestion, words=words_of(fit))
    found = replace(found, differs=tuple(said), suggestion=worded)
    return found if whole is None else ended(found, whole)


_of_fit.__qualname__ = "diagnose"  # what Python's errors call it, for an unknown option too


@contextlib.contextmanager
def _of_its_weights(result: TrainResult | None) -> Iterator[None]:
    """Say of the fit what is wrong with its weights, which whoever asks never gave."""
    try:
        yield
    except ArgumentError as error:
        if error.argument != "w":
            raise
        jac = None if result is None else result.get("jac")
        if result is None or jac is None or np.isfinite(jac).all():
            raise ArgumentError("fit", *error.text) from None
        raise ArgumentError(
            "fit",
            f"must have a finite loss and gradient, but its training ended at a loss of "
            f"{float(result.fun):g} with a gradient that is not finite",
        ) from None


def _same_weights(here: np.ndarray | None, there: np.ndarray | None, T: int) -> bool:
    """Whether samples count the same; J does not depend on a common factor."""
    a, b = (np.ones(T) if s is None else np.asarray(s) for s in (here, there))
    return a.shape == b.shape and bool(np.allclose(a / a.sum(), b / b.sum(), rtol=1e-12, atol=0.0))


def _same_loss(found: Diagnosis, J: float) -> bool:
    """Whether J is that of the fit, which may have summed in other units."""
    off = abs(found.loss - J)
    return off <= SAME * abs(J) + 1e3 * found.rounding or not np.isfinite(J)


def _amount(l2: np.ndarray) -> str:
    """Return a penalty in a few words."""
    low, high = float(l2.min()), float(l2.max())
    if low == high:
        return f"{high:.3g} on every weight"
    return f"{high:.3g} on {int((l2 > 0.0).sum())} weights" if low == 0.0 else "of each weight"


def _weights(s: np.ndarray | None) -> str:
    return "equal weights" if s is None or np.ptp(s) == 0.0 else "weights of their own"

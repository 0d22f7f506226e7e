"""A model as one C function: C99, of the mathematical library only, without allocation.

    y = y_mean + y_scale · φ_L((x - x_mean) / x_scale)          one sample
    s = y_scale · sqrt(c (σ² + pᵀ H⁻¹ p))                       of a model with posterior

Every number is written with the digits that give the same float64 back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ggn.export.c_classes import class_functions
from ggn.export.c_deviation import deviation_parts
from ggn.export.c_network import network_parts, prefix_of
from ggn.export.c_simulation import simulation
from ggn.export.c_statespace import statespace_source
from ggn.export.layers import built_in_layers
from ggn.fit.fitted import Fitted, as_model
from ggn.io import Model
from ggn.io.classes import Classes
from ggn.recurrent import NARXModel, NARXResult
from ggn.recurrent.simulator import Simulates

__all__ = ["to_c"]


def to_c(model: Fitted | Simulates | NARXModel, name: str = "model") -> str:
    """Return C source of a function that predicts one sample.

    Parameters
    ----------
    model : Model, TrainResult, estimator, Simulator or NARXModel
        With built-in activations only; an estimator is fitted.
    name : str, default "model"
        A C identifier; every name in the file is ``ggn_``, this and what it is, so that
        ``sin`` or ``int`` will do.  All are static but for those of the next section.

    Returns
    -------
    str
        The definition of ``void ggn_model_predict(const double *x, double *y)`` with x (n0,)
        and y (nL,) apart from each other; compile it as C99 and link with ``-lm``.
        Of a model with posterior also ``void ggn_model_deviation(const double *x, double *s)``,
        the standard deviations s (nL,) of new targets that `Model.deviation` gives.  It holds N
        numbers of each network of N weights on the stack, and the file N²/2, about 12 N² bytes;
        set ``model.posterior = None`` to do without.
        Of a model of classes also ``const char *const ggn_model_classes[]``, the labels;
        ``void ggn_model_probabilities(const double *x, double *p)``, the probability of each,
        unless the loss was squared; and ``int ggn_model_class(const double *x)``, the place of
        the likeliest, unless a sample may have several.
        Of a fit of `ggn.narx`, or a `NARXModel`, the one-step map, and ``void ggn_model_simulate(
        int samples, const double *u, double *y)``, which runs it freely: y (samples, n_y) has the
        outputs that the run begins with in its first rows, u (samples, n_u) the inputs.
        Of a fit of `ggn.statespace`, or a `Simulator`, ``void ggn_model_step(const double *u,
        double *x, double *y)``, one sample, and ``void ggn_model_simulate(int samples, const double
        *u, double *x, double *y)``: x is the state to begin with, and gets that of the end.

    Raises
    ------
    ValueError
        For a user's own activation, a name that is no C identifier, or a posterior with noise
        that varies with the inputs, or of more than 4 million numbers, 100 MB of C.

    Examples
    --------
    >>> import ggn
    >>> from ggn.export import to_c
    >>> text = to_c(ggn.Model(ggn.MLP((1, 1), bias=False), [2.5]), name="gain")
    >>> print(text[text.index("static") :])
    static const double ggn_gain_W1[1][1] = {
        {2.5}
    };
    <BLANKLINE>
    void ggn_gain_predict(const double *x, double *y)
    {
        for (int i = 0; i < 1; i++) {
            double z = 0.0;
            for (int j = 0; j < 1; j++)
                z += ggn_gain_W1[i][j] * x[j];
            y[i] = z;
        }
    }
    <BLANKLINE>
    """
    if isinstance(model, Simulates):
        return statespace_source(model, prefix_of(name))
    lags = model.lags if isinstance(model, (NARXResult, NARXModel)) else None
    model = model.model if isinstance(model, NARXModel) else as_model(model)
    prefix = prefix_of(name)
    network = network_parts(model, prefix)
    parts = [_comment(model, name), "#include <math.h>\n", *network]
    if model.posterior is not None:
        activations = [activation for _, activation in built_in_layers(model, "C")]
        parts += deviation_parts(model, model.posterior, prefix, activations)
    if model.classes is not None:
        parts += class_functions(model.classes, model.net.n_outputs, prefix)
    if lags is not None:
        parts.append(simulation(lags, prefix))
    return "\n".join(parts)


def _comment(model: Model, name: str) -> str:
    def listed(letter: str, names: tuple[str, ...], labels: Any = ()) -> Iterator[str]:
        each = labels if len(labels) == len(names) else None
        for i, text in enumerate(map(json.dumps, names)):
            told = text if each is None else f"{text}, of {json.dumps(each[i])}"
            yield f" *   {letter}[{i}]  {told.replace('*/', '* /').replace('/*', '/ *')}"

    classes = model.classes
    return "\n".join(
        [
            f"/* {name}: a multilayer perceptron, {' - '.join(map(str, model.net.sizes))}.",
            " *",
            *listed("x", model.input_names),
            *listed("y", model.target_names, () if classes is None else classes.labels),
            *([] if classes is None else _told(classes)),
            *([] if model.posterior is None else [" *   s[k]  standard deviation of a new y[k]"]),
            " *",
            " * Written by ggn.  C99; arrays must not overlap; link with -lm. */",
        ]
    )


def _told(classes: Classes) -> list[str]:
    """Return what y means, as lines of the comment."""
    what = {
        "logistic": "y: logits; the probability is 1 / (1 + exp(-y))",
        "softmax": "y: logits; the probability is exp(y[k]) / sum of exp(y)",
        "identity": "y: estimates of 0 and 1",
    }[classes.link]
    return [" *", f" *   {what}; see the functions at the end."]

"""A model of lags that runs: its one-step map, and which earlier samples that sees.

What `ggn.narx` returns is one, too; its `save` keeps it in a file, from which `NARXModel.load`
brings it back.  The file is that of the one-step map, which `ggn.Model.load` reads; its header has
`lags`: those of each output and each input, the inputs' names, and whether series had no columns.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ggn.io import Model
from ggn.io.archive import read_archive, usable, write_archive
from ggn.io.columns import names
from ggn.io.files import FilePath
from ggn.io.scaling import fold, linear_units
from ggn.recurrent.lags import Lags
from ggn.recurrent.narx_runs import LoopRuns
from ggn.validation import ArgumentError, flag, instance

__all__ = ["NARXModel", "is_narx"]


class NARXModel(LoopRuns):
    """A model of lags from a file, or of a network of your own.

    Parameters
    ----------
    model : Model
        The one-step map: its inputs are the lags, outputs first, as `Lags.columns` lists them.
        Its units are folded into the weights.
    lags : Lags
    input_names, target_names : sequence of str, optional
        Of the series, by default u1, u2, ... and those of the model's targets.
    flat : bool, default False
        Whether outputs are returned without columns, (T,), where there is one.

    Attributes
    ----------
    model : Model
        The one-step map in the units of the data, its inputs named by column and lag.

    Raises
    ------
    ValueError
        If the model has not as many inputs and outputs as the lags have, or its units cannot be
        folded into its weights.

    Examples
    --------
    >>> import ggn
    >>> from ggn.recurrent import Lags, NARXModel
    >>> step = ggn.Model(ggn.MLP((2, 1), bias=False), [0.5, 1.0])
    >>> plant = NARXModel(step, Lags(1, [1], n_outputs=1, n_inputs=1), ["valve"], ["level"])
    >>> plant
    NARXModel(MLP((2, 1), bias=False), level(k-1), valve(k-1) -> level)
    >>> plant.simulate([1.0, 0.0, 0.0, 0.0], [0.0]).ravel()
    array([0.  , 1.  , 0.5 , 0.25])
    """

    def __init__(
        self,
        model: Model,
        lags: Lags,
        input_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
        flat: bool = False,
    ) -> None:
        net = instance("model must be", model, Model).net
        self.lags = instance("lags must be", lags, Lags)
        sizes = net.n_inputs, net.n_outputs
        if sizes != (lags.n, len(lags.outputs)):
            raise ArgumentError(
                "model",
                f"must have {lags.n} inputs and {len(lags.outputs)} outputs, as the lags have, got "
                f"{sizes[0]} and {sizes[1]}",
            )
        self.input_names = names("input_names", input_names, len(lags.inputs), "u")
        given = model.target_names if target_names is None else target_names
        self.target_names = names("target_names", given, net.n_outputs, "y")
        self.net, self.w = net, model.w
        units = linear_units(model)
        if any(shift.any() for shift in units[::2]) or any((s != 1.0).any() for s in units[1::2]):
            self.w = fold(net, model.w, *units)
        columns = lags.columns(self.target_names, self.input_names)
        self.model = Model(net, self.w, columns, self.target_names, loss=model.loss, l2=model.l2)
        self.flat = flag("flat", flat) and net.n_outputs == 1

    def save(self, path: FilePath) -> None:
        """Write the one-step map and its lags to a file, which `NARXModel.load` reads.

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is left intact.
        """
        header, *more = self.model._contents()
        own = {"outputs": self.lags.outputs, "inputs": self.lags.inputs}
        told = {"lags": {**own, "input_names": self.input_names, "flat": self.flat}}
        write_archive(path, {**header, **told}, *more)

    @classmethod
    def load(cls, path: FilePath) -> NARXModel:
        """Read a model that `save` wrote; nothing in it is ever executed or unpickled.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not a whole model, has no lags, or is of a newer version.
        """
        told = read_archive(name := os.fsdecode(path))[0].get("lags")
        if told is None:
            raise ValueError(
                f"{name} is not a model of lags, or was saved without them: ggn.Model.load or "
                "ggn.recurrent.Simulator.load reads what it is"
            )
        model = Model.load(path)
        with usable(name):
            if not isinstance(told, Mapping):
                raise TypeError
            inputs = told["input_names"]
            lags = Lags(told["outputs"], told["inputs"], model.net.n_outputs, len(inputs))
            return cls(model, lags, inputs, flat=told["flat"])

    def __repr__(self) -> str:
        columns = f"{', '.join(self.model.input_names)} -> {', '.join(self.target_names)}"
        return f"NARXModel({self.net!r}, {columns})"


def is_narx(path: FilePath) -> bool:
    """Whether a file, which must be one of a model, has lags."""
    return "lags" in read_archive(os.fsdecode(path))[0]

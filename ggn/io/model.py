"""A trained network with the scaling of its data.

predict(X) = y_mean + y_scale · φ_L(w, (x_transform(X) - x_mean) / x_scale)
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np

from ggn.activations import Activation
from ggn.io import archive
from ggn.io.asinh_transform import AsinhTransform
from ggn.io.classes import Classes
from ggn.io.columns import by_name, names, units
from ggn.io.files import FilePath
from ggn.io.laplace import Laplace, LaplaceMixture, posterior_of
from ggn.io.training import Training
from ggn.linearization import Linearization, linearize
from ggn.linearization.mean_loss import penalty
from ggn.losses import Loss, resolve
from ggn.network import MLP
from ggn.validation import flag, instance, samples, vector

__all__ = ["Model"]


class Model:
    """A trained network that takes and gives numbers in the units of the data.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    input_names, target_names : sequence of str, optional
        One per input (output); by default x1, x2, ... (y1, y2, ...).
    x_mean, x_scale : array_like, (n0,), optional
        The network sees (X - x_mean) / x_scale; by default X itself.
    y_mean, y_scale : array_like, (nL,), optional
        The prediction is y_mean + y_scale · φ_L.
    loss : str or Loss, optional
    l2 : float or array_like (N,), optional
        What the network was trained with, in its own units; kept, and saved, for what needs
        them again, such as `ggn.diagnose`.  None where not known.
    classes : sequence of labels, or Classes, optional
        Of a classifier, in the order of its outputs; for one output what 0 and 1 stand for.
        The loss says how outputs tell them.
    posterior : Laplace or LaplaceMixture, optional
        `posterior` of `train_bayesian`'s result, from which the deviation of predictions comes.
    training : Training, optional
        Which rows of its table it was trained on; the command line and estimators keep it.
    x_transform : AsinhTransform, optional
        What becomes of skewed inputs before x_mean is taken away; by default nothing.

    Raises
    ------
    ValueError
        For shapes that do not fit, non-finite numbers, scales that are not
        positive, or names that are not distinct.

    Examples
    --------
    >>> import ggn
    >>> from ggn.io.model import Model
    >>> model = Model(ggn.MLP((1, 1)), [2.0, 1.0], y_mean=[10.0], y_scale=[0.5])
    >>> model.predict([[3.0]])
    array([[13.5]])
    """

    def __init__(
        self,
        net: MLP,
        w: Any,
        input_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
        x_mean: Any = None,
        x_scale: Any = None,
        y_mean: Any = None,
        y_scale: Any = None,
        loss: str | Loss | None = None,
        l2: Any = None,
        classes: Any = None,
        posterior: Laplace | LaplaceMixture | None = None,
        training: Training | None = None,
        x_transform: AsinhTransform | None = None,
    ) -> None:
        self.net = instance("net must be", net, MLP)
        self.w = vector("w", w, net.n_weights, "the network's n_weights").copy()
        self.input_names = names("input_names", input_names, net.n_inputs, "x")
        self.target_names = names("target_names", target_names, net.n_outputs, "y")
        self.x_mean = units("x_mean", x_mean, net.n_inputs, 0.0)
        self.x_scale = units("x_scale", x_scale, net.n_inputs, 1.0)
        self.y_mean = units("y_mean", y_mean, net.n_outputs, 0.0)
        self.y_scale = units("y_scale", y_scale, net.n_outputs, 1.0)
        self.loss = None if loss is None else resolve(loss)
        self.l2 = None if l2 is None else penalty(l2, net.n_weights)
        self.classes = None if classes is None else Classes.of(classes, self.loss, net.n_outputs)
        self.posterior = None if posterior is None else posterior_of(posterior, net)
        self.training, self.x_transform = training, x_transform
        if x_transform is not None:
            instance("x_transform must be", x_transform, AsinhTransform).check(net.n_inputs)

    @overload
    def predict(self, X: Any, return_std: Literal[False] = ...) -> np.ndarray: ...
    @overload
    def predict(self, X: Any, return_std: bool) -> Any: ...
    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the targets predicted for the samples X.

        Parameters
        ----------
        X : array_like, (T, n0)
            Columns in the order of `input_names`; of a data frame that has columns of
            these names, they are taken by name.
        return_std : bool, default False
            Return (mean, `deviation`), each (T, nL), of a model with posterior.

        Returns
        -------
        ndarray, (T, nL), or a tuple of two

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers, some of the names only in a
            data frame, or return_std without posterior.
        """
        Z = self.scaled_inputs(X)
        with np.errstate(all="ignore"):
            Y: np.ndarray = self.y_mean + self.y_scale * self.net.forward(self.w, Z)
        return (Y, self.deviation(X)) if flag("return_std", return_std) else Y

    def deviation(self, X: Any) -> np.ndarray:
        """Return the deviations (T, nL) of new targets at X, of a model with posterior."""
        if self.posterior is None:
            raise ValueError(
                "a model without posterior has no deviations: before it is saved set it to that of "
                "the fit, of ggn.train_bayesian or .result_ of an estimator; or train --bayesian"
            )
        return self.y_scale * self.posterior.deviation(self.net, self.w, self.scaled_inputs(X))

    def scaled_inputs(self, X: Any) -> np.ndarray:
        """Return inputs as the network takes them; far outside the data they may be inf."""
        X = samples("X", by_name(X, self.input_names), self.net.n_inputs)
        with np.errstate(all="ignore"):
            U = X if self.x_transform is None else self.x_transform(X)
            return np.asarray((U - self.x_mean) / self.x_scale)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each of the `classes`, (T, n_labels)."""
        return self._told().probabilities(self.predict(X))

    def predict_labels(self, X: Any) -> list[Any]:
        """Return the likeliest of the `classes` for each sample.

        Examples
        --------
        >>> import ggn
        >>> model = ggn.Model(ggn.MLP((1, 1)), [2.0, 1.0], loss="logistic", classes=["no", "yes"])
        >>> model.predict_labels([[3.0], [-3.0]])
        ['yes', 'no']
        """
        return self._told().told(self.predict(X))

    def _told(self) -> Classes:
        if self.classes is None:
            raise ValueError("a model without classes predicts numbers, not labels")
        return self.classes

    def scaled(self, X: Any, Y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return data in the units of the network, in which `net`, `w`, `loss` and `l2` are.

        Parameters
        ----------
        X : array_like, (T, n0)
        Y : array_like, (T, nL)

        Returns
        -------
        tuple of ndarray
            (X - x_mean) / x_scale and (Y - y_mean) / y_scale.

        Examples
        --------
        >>> import ggn
        >>> ggn.Model(ggn.MLP((1, 1)), [2.0, 1.0], x_mean=[3.0]).scaled([[4.0]], [[5.0]])
        (array([[1.]]), array([[5.]]))
        """
        Y = samples("Y", by_name(Y, self.target_names, "Y"), self.net.n_outputs)
        with np.errstate(all="ignore"):
            return self.scaled_inputs(X), (Y - self.y_mean) / self.y_scale

    def linearize(self, X: Any, Y: Any, *, sample_weight: Any = None) -> Linearization:
        """Return all that is known at the weights for data X, Y, in the units of the network.

        Parameters
        ----------
        X : array_like, (T, n0)
        Y : array_like, (T, nL)
        sample_weight : array_like, (T,), optional

        Returns
        -------
        Linearization
            With the loss and the penalty of the training, where the model knows them;
            otherwise squared loss, and none.

        Examples
        --------
        >>> import ggn
        >>> ggn.Model(ggn.MLP((1, 1)), [2.0, 1.0], x_mean=[3.0]).linearize([[4.0]], [[5.0]])
        Linearization(MLP((1, 1)), 1 samples, loss 4)
        """
        loss, l2 = self.loss or "squared", 0.0 if self.l2 is None else self.l2
        data = self.scaled(X, Y)
        return linearize(self.net, self.w, *data, loss, l2=l2, sample_weight=sample_weight)

    def input_jacobian(self, X: Any) -> np.ndarray:
        """Return the derivatives of the predicted targets with respect to the inputs.

        Parameters
        ----------
        X : array_like, (T, n0)

        Returns
        -------
        ndarray, (T, nL, n0)
            In the units of the targets per unit of the inputs.

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers.

        Examples
        --------
        >>> import ggn
        >>> ggn.Model(ggn.MLP((1, 1)), [2.0, 1.0], x_scale=[10.0]).input_jacobian([[3.0]])
        array([[[0.2]]])
        """
        with np.errstate(all="ignore"):
            J = self.net.input_jacobian(self.w, Z := self.scaled_inputs(X))
            J *= self.y_scale[:, np.newaxis]
            J /= self.x_scale
            if self.x_transform is not None:
                J *= self.x_transform.slopes(Z * self.x_scale + self.x_mean)[:, np.newaxis]
        return J

    def save(self, path: FilePath) -> None:
        """Write the model to a file, replacing what was there only once all is written.

        A custom activation is stored by name only; `load` must be given it again.  A loss of
        your own is not stored.

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is left intact.
        """
        archive.write_archive(path, *self._contents())

    def _contents(self) -> tuple[Any, ...]:
        """Return what `write_archive` takes, the header first."""
        header = {**archive.network_header(self.net), **archive.training_header(self.loss, self.l2)}
        header |= {"input_names": self.input_names, "target_names": self.target_names}
        arrays = {name: getattr(self, name) for name in archive.ARRAYS}
        return header, arrays, self.classes, self.posterior, self.training, self.x_transform

    @classmethod
    def load(cls, path: FilePath, activations: Mapping[str, Activation] | None = None) -> Model:
        """Read a model from a file; nothing in it is ever executed or unpickled.

        Parameters
        ----------
        path : path
        activations : mapping of str to Activation, optional
            The custom activations that the network uses, by name.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not a whole model, is of a newer version, or needs a custom
            activation that is not given.
        """
        header, arrays = archive.read_archive(name := os.fsdecode(path))
        with archive.usable(name):
            net = archive.network_of(name, header, arrays["w"].size, activations or {})
            given = header["input_names"], header["target_names"]
            x_mean, x_scale, y_mean, y_scale = (arrays[a] for a in archive.ARRAYS[1:])
            told = archive.meaning_of(header, arrays)
            return cls(net, arrays["w"], *given, x_mean, x_scale, y_mean, y_scale, **told)

    def __repr__(self) -> str:
        columns = f"{', '.join(self.input_names)} -> {', '.join(self.target_names)}"
        return f"Model({self.net!r}, {columns})"

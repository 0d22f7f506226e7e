"""A trained network with the scaling of its data, and the one file it is kept in.

    predict(X) = y_mean + y_scale · φ_L(w, (X - x_mean) / x_scale)

The file is NumPy's .npz with the float64 arrays w, x_mean, x_scale, y_mean and
y_scale, and `header`: JSON text as bytes, with format, version, sizes,
activations, bias, fixed_bias, input_names and target_names.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ggn.activations import BUILT_IN, Activation, LeakyReLU
from ggn.io.files import FilePath, replacing
from ggn.network import MLP
from ggn.validation import describe, samples, vector

__all__ = ["Model"]

FORMAT, VERSION = "ggn-model", 1
ARRAYS = ("w", "x_mean", "x_scale", "y_mean", "y_scale")


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

    A network trained in Python is kept by its weights, the names made up:

    >>> import os, tempfile
    >>> net = ggn.MLP((2, 3, 1))
    >>> X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    >>> fit = ggn.train(net, X, [[0.0], [1.0], [1.0], [0.0]], rng=0, max_iter=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "m.npz")
    ...     ggn.Model(net, fit.w).save(path)
    ...     ggn.Model.load(path)
    Model(MLP((2, 3, 1), activation='tanh'), x1, x2 -> y1)
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
    ) -> None:
        if not isinstance(net, MLP):
            raise ValueError(f"net must be an MLP, got {type(net).__name__}")
        self.net = net
        self.w = vector("w", w, net.n_weights, "the network's n_weights").copy()
        self.input_names = _names("input_names", input_names, net.n_inputs, "x")
        self.target_names = _names("target_names", target_names, net.n_outputs, "y")
        self.x_mean = _column("x_mean", x_mean, net.n_inputs, 0.0)
        self.x_scale = _column("x_scale", x_scale, net.n_inputs, 1.0)
        self.y_mean = _column("y_mean", y_mean, net.n_outputs, 0.0)
        self.y_scale = _column("y_scale", y_scale, net.n_outputs, 1.0)

    def predict(self, X: Any) -> np.ndarray:
        """Return the targets predicted for the samples X.

        Parameters
        ----------
        X : array_like, (T, n0)
            Columns in the order of `input_names`; of a data frame that has columns of
            these names, they are taken by name.

        Returns
        -------
        ndarray, (T, nL)

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers, or a data frame that has some
            of the names only.
        """
        X = samples("X", self._by_name(X), self.net.n_inputs)
        with np.errstate(all="ignore"):  # far outside the data it may overflow, visibly, to inf
            Z = (X - self.x_mean) / self.x_scale
            Y: np.ndarray = self.y_mean + self.y_scale * self.net.forward(self.w, Z)
        return Y

    def _by_name(self, X: Any) -> Any:
        """Return the inputs' columns of a data frame, and anything else as it is."""
        columns = getattr(X, "columns", None)
        if columns is None or not any(name in columns for name in self.input_names):
            return X
        missing = [name for name in self.input_names if name not in columns]
        if missing:
            raise ValueError(
                f"X must have the columns {', '.join(self.input_names)}, got none named "
                f"{', '.join(missing)}"
            )
        return X[list(self.input_names)]

    def input_jacobian(self, X: Any) -> np.ndarray:
        """Return the derivatives of the predicted targets with respect to the inputs.

        Parameters
        ----------
        X : array_like, (T, n0)

        Returns
        -------
        ndarray, (T, nL, n0)
            In the units of the targets per unit of the inputs: y_scale · ∂φ_L/∂z / x_scale.

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
        X = samples("X", self._by_name(X), self.net.n_inputs)
        with np.errstate(all="ignore"):
            J = self.net.input_jacobian(self.w, (X - self.x_mean) / self.x_scale)
            J *= self.y_scale[:, np.newaxis]
            J /= self.x_scale
        return J

    def save(self, path: FilePath) -> None:
        """Write the model to a file, replacing what was there only once all is written.

        A custom activation is stored by name only; `load` must be given it again.

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is left intact.
        """
        header = {
            "format": FORMAT,
            "version": VERSION,
            "sizes": self.net.sizes,
            "activations": [_describe_activation(a) for a in self.net.activations],
            "bias": self.net.bias,
            "fixed_bias": self.net.fixed_bias,
            "input_names": self.input_names,
            "target_names": self.target_names,
        }
        text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        with replacing(path) as stream:
            np.savez(stream, header=text, **{name: getattr(self, name) for name in ARRAYS})

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

        Examples
        --------
        >>> import os, tempfile
        >>> import ggn
        >>> from ggn.io.model import Model
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.npz")
        ...     Model(ggn.MLP((1, 1)), [2.0, 1.0]).save(path)
        ...     Model.load(path)
        Model(MLP((1, 1)), x1 -> y1)
        """
        name = os.fspath(path)
        header, arrays = _read(name)
        try:
            sizes, bias = header["sizes"], header["bias"]
            # before the network allocates anything of the size claimed
            if _n_weights(sizes, bias) != arrays["w"].size:
                raise ValueError(f"{arrays['w'].size} weights do not fit sizes {describe(sizes)}")
            chosen = [_find_activation(a, activations or {}) for a in header["activations"]]
            net = MLP(sizes, chosen[:-1], chosen[-1], bias, header["fixed_bias"])
            names = header["input_names"], header["target_names"]
            return cls(net, arrays["w"], *names, *(arrays[a] for a in ARRAYS[1:]))
        except KeyError as error:
            raise ValueError(f"{name} is not a whole model: {error} is missing") from error
        except (TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"{name} is not a whole model: its header is malformed") from error
        except ValueError as error:
            raise ValueError(f"{name} is not a usable model: {error}") from error

    def __repr__(self) -> str:
        return (
            f"Model({self.net!r}, {', '.join(self.input_names)} -> {', '.join(self.target_names)})"
        )


def _read(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the header and the arrays of a file, each checked only for what it is."""
    data = Path(name).read_bytes()
    if not data:
        raise ValueError(f"{name} is not a ggn model: it is empty")
    if not data.startswith(b"PK\x03\x04"):  # a zip archive
        kind = "a pickle, which is never loaded" if data.startswith(b"\x80") else "another format"
        raise ValueError(f"{name} is not a ggn model: it is {kind}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.namelist()
            if "header.npy" not in members:
                raise _RefusedError("is not a ggn model: it has no header")
            header = _parse_header(_read_array(archive, "header"))
            missing = [key for key in ARRAYS if f"{key}.npy" not in members]
            if missing:
                raise _RefusedError(f"is not a whole model: the array {missing[0]!r} is missing")
            return header, {key: _read_array(archive, key) for key in ARRAYS}
    except _RefusedError as error:
        raise ValueError(f"{name} {error}") from error
    # damaged bytes make zipfile, zlib and numpy raise a dozen kinds, all of one meaning
    except Exception as error:
        if "Object arrays" in str(error):
            raise ValueError(f"{name} holds pickled objects, which are never loaded") from error
        raise ValueError(f"{name} is truncated or damaged") from error


class _RefusedError(Exception):
    """The bytes are whole but not what is asked for; says what they are instead."""


def _read_array(archive: zipfile.ZipFile, key: str) -> np.ndarray:
    """Return one array; its bytes are read to the end first, where the checksum is compared."""
    stream = io.BytesIO(archive.read(f"{key}.npy"))
    array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
    if stream.read(1):
        raise ValueError(f"{key} has bytes to spare")
    return array


def _parse_header(array: np.ndarray) -> dict[str, Any]:
    try:
        header = json.loads(array.tobytes())
    except (ValueError, RecursionError) as error:
        raise _RefusedError("is not a ggn model: its header is not JSON") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _RefusedError(f"is not a ggn model: its header does not say format {FORMAT!r}")
    version = header.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _RefusedError(f"is not a ggn model: its version is {describe(version)}")
    if version > VERSION:
        raise _RefusedError(
            f"is a model of format version {version}, but this ggn reads versions up to {VERSION}"
        )
    return header


def _describe_activation(a: Activation) -> dict[str, Any]:
    if a.code < 0:
        return {"name": a.name, "custom": True}
    return {"name": a.name, "slope": a.slope} if isinstance(a, LeakyReLU) else {"name": a.name}


def _find_activation(entry: Any, given: Mapping[str, Activation]) -> Activation:
    name = entry["name"]
    if entry.get("custom"):
        if name not in given:
            raise ValueError(
                f"it uses the custom activation {name!r}, which must be given to "
                f"Model.load as activations={{{name!r}: ...}}"
            )
        if not isinstance(given[name], Activation):
            raise ValueError(
                f"activations[{name!r}] must be an Activation, got {describe(given[name])}"
            )
        return given[name]
    if name not in BUILT_IN:
        raise ValueError(f"it uses the activation {describe(name)}, which this ggn does not have")
    return LeakyReLU(entry["slope"]) if BUILT_IN[name] is LeakyReLU else BUILT_IN[name]()


def _n_weights(sizes: list[int], bias: list[bool]) -> int:
    if not len(sizes) - 1 == len(bias):
        raise ValueError(f"{len(bias)} bias flags do not fit sizes {describe(sizes)}")
    return sum((m + b) * n for m, n, b in zip(sizes, sizes[1:], bias, strict=False))


def _names(argument: str, names: Any, count: int, letter: str) -> tuple[str, ...]:
    if names is None:
        return tuple(f"{letter}{i + 1}" for i in range(count))
    result = tuple(names)
    if len(result) != count or not all(isinstance(n, str) and n for n in result):
        raise ValueError(f"{argument} must be {count} names, got {describe(result)}")
    if len(set(result)) != count:
        raise ValueError(f"{argument} must be distinct, got {describe(result)}")
    return result


def _column(argument: str, value: Any, count: int, default: float) -> np.ndarray:
    if value is None:
        return np.full(count, default)
    array = vector(argument, value, count, "one number per column").copy()
    if argument.endswith("scale") and not (array > 0.0).all():
        raise ValueError(f"{argument} must be positive, got {array.min()}")
    return array

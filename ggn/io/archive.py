"""The one file that a model is kept in; nothing in it is ever executed or unpickled.

It is NumPy's .npz with the float64 arrays w, x_mean, x_scale, y_mean and y_scale,
and `header`: JSON text as bytes, with format, version, sizes, activations, bias,
fixed_bias, input_names and target_names; and, where they are known, loss and l2.

A classifier's file is of version 2 and has `classes` in its header: a reader of version 1 would
take its outputs for predictions.  A `posterior` is one more array, the lower triangle of its root,
with noise_std, freedom and inflation in the header (1 where a file has none); who does not know it
misses nothing else.  That of a mixture has a row for each network, its weights before its triangle,
and lists of these numbers.  Where the noise is not normal and constant, the file is of version 3,
with `noise` in its header; of version 4 with an `x_transform`, start and width of each input.
A `training`, two bits for each row of the table, has rows, members,
status and evidence under this name in the header, and may be missed too.  A state-space model has
`states` in its header, in place of what a network has; a model of lags has `lags` besides, without
which it is a network of one step.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import json
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ggn._core.interrupts import done
from ggn.activations import BUILT_IN, Activation, LeakyReLU
from ggn.io.asinh_transform import AsinhTransform
from ggn.io.classes import Classes
from ggn.io.files import FilePath, replacing
from ggn.io.laplace import Laplace, LaplaceMixture
from ggn.io.noise import law_of
from ggn.io.training import Training
from ggn.losses import BUILT_IN as LOSSES
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import describe

__all__ = [
    "ARRAYS", "CustomActivationError", "meaning_of", "network_header", "network_of",
    "read_archive", "training_header", "usable", "write_archive",
]  # fmt: skip

FORMAT, VERSION = "ggn-model", 4
ARRAYS = ("w", "x_mean", "x_scale", "y_mean", "y_scale")
OPTIONAL = ("posterior", "training", "x_transform")
ARCHIVE = b"PK\x03\x04"  # as a zip archive begins
# What members may be unpacked: floats do not shrink to a quarter, zeros are few.
UNPACKED, TIMES = 2**26, 4
PIECE = 2**20  # bytes that are read at a time


def write_archive(
    path: FilePath,
    header: Mapping[str, Any],
    arrays: Mapping[str, Any],
    classes: Classes | None = None,
    posterior: Laplace | LaplaceMixture | None = None,
    training: Training | None = None,
    x_transform: AsinhTransform | None = None,
) -> None:
    """Write the file, replacing what was there only once all is written."""
    told = {"format": FORMAT, "version": 1, **header}
    if classes is not None:
        told |= {"version": 2, "classes": classes.header()}
    if posterior is not None:
        told |= posterior.numbers()
        told["version"] = 3 if "noise" in told else told["version"]
        arrays = {**arrays, "posterior": posterior.packed()}
    if training is not None:
        told["training"] = training.header()
        arrays = {**arrays, "training": training.packed()}
    if x_transform is not None:
        told["version"] = 4
        arrays = {**arrays, "x_transform": x_transform.packed()}
    text = np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)
    with replacing(path) as stream:  # of an archive broken off zipfile has words of its own
        done(functools.partial(np.savez, stream, header=text, **arrays))


def read_archive(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the header and the arrays of a file, each checked only for what it is."""
    data = _whole(name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.namelist()
            size = sum(member.file_size for member in archive.infolist())
            if size > UNPACKED + TIMES * len(data):
                raise _RefusedError(
                    f"is not a ggn model: its {len(data)} bytes would be {size} unpacked"
                )
            if "header.npy" not in members:
                raise _RefusedError("is not a ggn model: it has no header")
            header = _parse_header(_read_array(archive, "header"))
            missing = [key for key in ARRAYS if f"{key}.npy" not in members]
            if missing:
                raise _RefusedError(f"is not a whole model: the array {missing[0]!r} is missing")
            kept = [*ARRAYS, *(key for key in OPTIONAL if f"{key}.npy" in members)]
            return header, {key: _read_array(archive, key) for key in kept}
    except _RefusedError as error:
        raise ValueError(f"{name} {error}") from error
    # damaged bytes make zipfile, zlib and numpy raise a dozen kinds, all of one meaning
    except Exception as error:
        raise ValueError(f"{name} is truncated or damaged") from error


class _RefusedError(Exception):
    """The bytes are whole but not what is asked for; says what they are instead."""


def _whole(name: str) -> bytes:
    """Return the bytes of a file that begins as a model does, which need not have an end."""
    with open(name, "rb") as stream:
        begin = stream.read(len(ARCHIVE))
        if not begin:
            raise ValueError(f"{name} is not a ggn model: it is empty")
        if begin != ARCHIVE:
            pickled = begin.startswith(b"\x80")
            kind = "a pickle, which is never loaded" if pickled else "another format"
            raise ValueError(f"{name} is not a ggn model: it is {kind}")
        largest = max(UNPACKED, os.fstat(stream.fileno()).st_size)
        data = bytearray(begin)
        while piece := stream.read(PIECE):
            data += piece
            if len(data) > largest:
                raise ValueError(
                    f"{name} is not a ggn model: it has not ended after {largest} bytes"
                )
    return bytes(data)


def _read_array(archive: zipfile.ZipFile, key: str) -> np.ndarray:
    """Return one array; its bytes are read to the end first, where the checksum is compared.

    What it claims to be must be what is there, before anything of that size is made.
    """
    stream = io.BytesIO(archive.read(f"{key}.npy"))
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = read[version[0] - 1](stream)
    if dtype.hasobject:
        raise _RefusedError("holds pickled objects, which are never loaded")
    data = stream.getbuffer()[stream.tell() :]
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{key} is not of the size that it claims")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")


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


def network_header(net: MLP) -> dict[str, Any]:
    """Return what the header says of a network, a user's own activations by name only."""
    return {
        "sizes": net.sizes,
        "activations": [_describe_activation(a) for a in net.activations],
        "bias": net.bias,
        "fixed_bias": net.fixed_bias,
    }


def training_header(loss: Loss | None, l2: float | np.ndarray | None) -> dict[str, Any]:
    """Return what the header says of the training: a built-in loss with its parameters, l2."""
    told: dict[str, Any] = {}
    if loss is not None and type(loss) is LOSSES.get(loss.name):
        given = inspect.signature(type(loss)).parameters
        told["loss"] = {"name": loss.name, **{p: getattr(loss, p) for p in given}}
    if l2 is not None:
        told["l2"] = np.asarray(l2).tolist()
    return told


def training_of(header: Mapping[str, Any]) -> tuple[Loss | None, Any]:
    """Return the loss and the penalty that a file's header tells, None for what it does not."""
    loss = None
    if "loss" in header:
        parameters = dict(header["loss"])
        name = parameters.pop("name")
        if name not in LOSSES:
            raise ValueError(f"it tells the loss {describe(name)}, which this ggn does not have")
        loss = LOSSES[name](**parameters)
    return loss, header.get("l2")


def meaning_of(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return what more a file tells, by the names of `Model`'s arguments, None for what not."""
    loss, l2 = training_of(header)
    told = header.get("classes")
    classes = None if told is None else Classes.from_header(told)
    posterior: Laplace | LaplaceMixture | None = None
    if "posterior" in arrays:
        of = header["noise_std"], header["freedom"], header.get("inflation", 1.0)
        values, noise = arrays["posterior"], law_of(header.get("noise"))
        if values.ndim == 1:
            posterior = Laplace.from_packed(values, arrays["w"].size, *of, noise)
        else:
            posterior = LaplaceMixture.from_packed(values, *of, noise=noise)
    training = None
    if "training" in arrays:
        training = Training.from_packed(arrays["training"], header["training"])
    x_transform = AsinhTransform(*arrays["x_transform"]) if "x_transform" in arrays else None
    more = {"posterior": posterior, "training": training, "x_transform": x_transform}
    return {"loss": loss, "l2": l2, "classes": classes, **more}


def network_of(
    path: str, header: Mapping[str, Any], n_weights: int, activations: Mapping[str, Activation]
) -> MLP:
    """Return the network that a file's header describes, which must have that many weights."""
    if "states" in header:
        raise ValueError("it is a state-space model, which ggn.recurrent.Simulator.load reads")
    sizes, bias = header["sizes"], header["bias"]
    # before the network allocates anything of the size claimed
    if _n_weights(sizes, bias) != n_weights:
        raise ValueError(f"{n_weights} weights do not fit sizes {describe(sizes)}")
    chosen = [_find_activation(path, a, activations) for a in header["activations"]]
    return MLP(sizes, chosen[:-1], chosen[-1], bias, header["fixed_bias"])


@contextlib.contextmanager
def usable(name: str) -> Iterator[None]:
    """Say of errors in reading a header that it is the file of this name that is at fault."""
    try:
        yield
    except CustomActivationError:
        raise
    except KeyError as error:
        raise ValueError(f"{name} is not a whole model: {error} is missing") from error
    except (TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{name} is not a whole model: its header is malformed") from error
    except ValueError as error:
        raise ValueError(f"{name} is not a usable model: {error}") from error


class CustomActivationError(ValueError):
    """A model's custom activation that was not given; .path and .activation name them."""

    def __init__(self, path: str, activation: str) -> None:
        super().__init__(path, activation)
        self.path, self.activation = path, activation

    def worded(self, remedy: str) -> str:
        """Return the sentence, with what is to be said of the activation at its end."""
        use = f"it uses the custom activation {self.activation!r}"
        return f"{self.path} is not a usable model: {use}, which {remedy}"

    def __str__(self) -> str:
        call = f"activations={{{self.activation!r}: ...}}"
        return self.worded(f"must be given to Model.load as {call}")


def _describe_activation(a: Activation) -> dict[str, Any]:
    if a.code < 0:
        return {"name": a.name, "custom": True}
    return {"name": a.name, "slope": a.slope} if isinstance(a, LeakyReLU) else {"name": a.name}


def _find_activation(path: str, entry: Any, given: Mapping[str, Activation]) -> Activation:
    name = entry["name"]
    if entry.get("custom"):
        if name not in given:
            raise CustomActivationError(path, name)
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
    if not all(isinstance(n, int) for n in (*sizes, *bias)):
        raise TypeError  # text times a number is text, of any length
    return sum((m + b) * n for m, n, b in zip(sizes, sizes[1:], bias, strict=False))

"""Arrays at the door: what is read as numbers, and what would lose its meaning so.

masked       NumPy drops the mask: refused, where an entry is masked
quantity     the unit is dropped (astropy, pint): refused, where there is one
categories   numbers that are names (pandas): refused, but as labels of classes
text         refused likewise, with what labels of classes are for
sparse       a single object to NumPy: refused
matrix       2-D already: taken as it is
bfloat16     and other small floats of ml_dtypes: exact in float64, taken
tensor       taken where NumPy can read it: not with a gradient, nor from a GPU
"""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np

from ggn.validation.errors import ArgumentError, count, describe

__all__ = ["float_array", "inputs_and_targets", "plain", "samples", "vector", "widened", "with_sum"]

FLOAT64 = np.dtype(np.float64)
MOST = 2**36  # numbers, which are half a terabyte; views of a few can be as many
# what to do about an array, by its dtype's kind
ADVICE = {
    "c": "; give real and imaginary parts as columns of their own",
    "M": "; subtract a time, and divide by numpy.timedelta64(1, 's') or another unit",
    "m": "; divide by numpy.timedelta64(1, 's') or another unit",
    "records": "; see numpy.lib.recfunctions.structured_to_unstructured",
}


def float_array(name: str, value: Any, ndim: tuple[int, ...] | None = None) -> np.ndarray:
    """Return value as a C-contiguous float64 array of finite numbers, copied only if needed."""
    return with_sum(name, value, ndim)[0]


def with_sum(
    name: str, value: Any, ndim: tuple[int, ...] | None = None
) -> tuple[np.ndarray, float]:
    """Return the same and the sum of all, which the look for what is not finite takes anyway."""
    if type(value) is np.ndarray and value.dtype is FLOAT64 and value.flags.c_contiguous:
        small = value.ndim > 0 and value.size <= MOST and (ndim is None or value.ndim in ndim)
        total = _sum(value) if small else math.nan
        if small and _finite(value, total):
            return value, total
    plain(name, value)
    why = getattr(type(value), "no_array", None)
    if isinstance(why, str):
        raise ArgumentError(name, f"must be an array, got {type(value).__name__}: {why}")
    try:
        array = np.asarray(value)
    except Exception as error:  # ragged nesting; a tensor that needs grad, or is on a GPU
        why = str(error).split("\n")[0].rstrip(".").replace(". ", "; ")
        raise ArgumentError(
            name, f"must be an array of numbers, got {type(value).__name__}: {why}"
        ) from error
    if array.dtype == object:
        array = _from_objects(name, value, array)
    array = widened(array)
    if array.dtype.kind not in "fiub":
        advice = ADVICE.get("records" if array.dtype.names else array.dtype.kind, "")
        if array.dtype.kind in "UST":
            advice = _of_text(name, array.ravel()[0] if array.size else "")
        raise ArgumentError(name, f"must hold real numbers, got dtype {array.dtype}{advice}")
    if ndim is not None and array.ndim not in ndim:
        wanted = " or ".join(f"{n}-D" for n in ndim)
        raise ArgumentError(name, f"must be {wanted}, got an array of shape {array.shape}")
    try:
        array = np.ascontiguousarray(array, dtype=np.float64)
    except MemoryError as error:
        raise ArgumentError(
            name, f"must fit into memory as float64, got an array of shape {array.shape}"
        ) from error
    total = _sum(array)
    if not _finite(array, total):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        index = ", ".join(map(str, where))
        raise ArgumentError(name, f"must be finite, got {array[where]} at {name}[{index}]")
    return array, total


def _sum(array: np.ndarray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.add.reduce(array, axis=None))


def _finite(array: np.ndarray, total: float) -> bool:
    """Whether all numbers of an array are: so they are if their sum is, which spares a mask."""
    return math.isfinite(total) or bool(np.isfinite(array).all())


def widened(array: Any) -> Any:
    """Return small floats that NumPy does not know, as bfloat16, in float64; others as they are."""
    dtype = getattr(array, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind == "V" and dtype.names is dtype.subdtype is None:
        with contextlib.suppress(TypeError, ValueError):
            return np.asarray(array).astype(np.float64)
    return array


def plain(name: str, value: Any, *, labels: bool = False) -> None:
    """Refuse what NumPy would turn into numbers of another meaning: masks, units, categories.

    Parameters
    ----------
    name : str
    value : object
    labels : bool, default False
        Whether these name classes, as categories do.
    """
    if isinstance(value, np.ndarray) and value.size > MOST:
        raise ArgumentError(name, f"must fit into memory, got an array of shape {value.shape}")
    if type(value) is np.ndarray and value.dtype.kind in "fiub":
        return  # nothing else to it
    for part in value if isinstance(value, (list, tuple)) else (value,):
        masked = np.ma.count_masked(part) if isinstance(part, np.ma.MaskedArray) else 0
        if masked:
            advice = "leave these samples out, or fill them with filled()"
            raise ArgumentError(name, f"must have no masked entries, got {masked}; {advice}")
        unit = getattr(part, "unit", None) if hasattr(part, "to_value") else None
        if hasattr(part, "magnitude"):
            unit = getattr(part, "units", None)
        if unit is not None and str(unit) not in ("", "dimensionless"):
            advice = "give its value in the unit that the model is to work in"
            raise ArgumentError(name, f"must be plain numbers, got a quantity in {unit}; {advice}")
    if getattr(value, "requires_grad", False) is True:
        raise ArgumentError(name, "must not need a gradient, got a tensor that does; detach() it")
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        advice = "call toarray(), or give the encoder that makes it sparse_output=False"
        raise ArgumentError(name, f"must be a dense array, got a sparse one; {advice}")
    kinds: Any = getattr(value, "dtypes", getattr(value, "dtype", None))  # a frame's, or one
    for kind in kinds.tolist() if hasattr(kinds, "tolist") else [kinds]:
        if not labels and str(kind) == "category":
            raise ArgumentError(name, f"must hold numbers, got categories{_of_names(name)}")


def _of_names(name: str) -> str:
    """Return what to do about names in the place of numbers."""
    if name == "Y":
        return "; labels of classes are for ggn.sklearn.GGNClassifier"
    return "; make columns of 0 and 1 of them, as pandas.get_dummies does"


def _of_text(name: str, first: Any) -> str:
    """Return what to do about text in the place of data, of which this is the first."""
    if name not in ("X", "Y"):
        return ""
    try:
        float(first)
    except ValueError:
        return _of_names(name)
    return "; turn text into numbers, as astype(float) does"


def _from_objects(name: str, value: Any, array: np.ndarray) -> np.ndarray:
    """Accept object arrays of plain numbers (as pandas makes of nullable columns)."""
    for where, x in np.ndenumerate(array):
        if not isinstance(x, (int, float, np.number)):
            at = f" at {name}[{', '.join(map(str, where))}]" if where else ""
            advice = _of_text(name, x) if isinstance(x, (str, bytes)) else ""
            raise ArgumentError(name, f"must hold real numbers, got {describe(x)}{at}{advice}")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(name, "must hold real numbers, got dtype object") from error


def samples(name: str, value: Any, columns: int, some: bool = False) -> np.ndarray:
    """Return (T, columns) float64; a 1-D array is accepted as the one column; some: T > 0."""
    array = float_array(name, value, (1, 2))
    if array.ndim == 1:
        if columns != 1:
            advice = "; classes have a column each, 1 in their own and 0 elsewhere"
            raise ArgumentError(
                name,
                f"must have shape (samples, {columns}), got an array of shape {array.shape}"
                f"{advice if name == 'Y' else ''}",
            )
        array = array[:, np.newaxis]
    if array.shape[1] != columns:
        advice = "; samples are rows, so transpose it" if len(array) == columns else ""
        raise ArgumentError(
            name,
            f"must have {count(columns, 'column')}, got an array of shape {array.shape}{advice}",
        )
    if some and not len(array):
        raise ArgumentError(name, "must hold at least one sample, got 0")
    return array


def inputs_and_targets(X: Any, Y: Any, n0: int, nL: int) -> tuple[np.ndarray, np.ndarray]:
    """Return X (T, n0) and Y (T, nL), T > 0, in float64."""
    try:
        return samples("X", X, n0, some=True), samples("Y", Y, nL)
    except ArgumentError as error:
        shapes = [getattr(A, "shape", None) for A in (X, Y)]  # of a class it is no tuple
        given = [shape[1:] or (1,) for shape in shapes if isinstance(shape, tuple)]
        if n0 != nL and given == [(nL,), (n0,)]:
            raise ArgumentError(error.argument, *error.text, "; X and Y look swapped") from None
        raise


def vector(name: str, value: Any, length: int, of: str) -> np.ndarray:
    """Return (length,) float64."""
    array = float_array(name, value, (1,))
    if array.shape != (length,):
        raise ArgumentError(name, f"must have shape ({length},), {of}, got {array.shape}")
    return array

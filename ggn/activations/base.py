"""What an activation is: σ with σ' and σ'', compiled or the user's own, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ggn import _core
from ggn.validation import NO_NUMBERS, describe, flag

__all__ = ["Activation", "BuiltIn", "Interval", "Operator"]

ArrayFunction = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Interval:
    """The values that an activation takes, from low to high.

    Parameters
    ----------
    low, high : float
        low < high; they may be infinite.
    low_reached, high_reached : bool or None, default False
        Whether σ takes the value low, or high, at a finite z; None: not known.

    Raises
    ------
    ValueError
        If low is not below high.

    Examples
    --------
    >>> print(Interval(0.0, float("inf"), low_reached=True))
    [0.0, inf)
    """

    low: float
    high: float
    low_reached: bool | None = False
    high_reached: bool | None = False

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if not _is_real(end):
                raise ValueError(f"low and high must be numbers, got {describe(end)}")
        for reached in (self.low_reached, self.high_reached):
            if reached is not None:
                flag("low_reached and high_reached", reached)
        if not float(self.low) < float(self.high):
            raise ValueError(f"low must be below high, got {self.low!r} and {self.high!r}")

    @property
    def unreached(self) -> list[float]:
        """The finite ends that are known to be reached at infinite z only."""
        ends = ((self.low, self.low_reached), (self.high, self.high_reached))
        return [end for end, reached in ends if np.isfinite(end) and reached is False]

    def __str__(self) -> str:
        left, right = "[" if self.low_reached else "(", "]" if self.high_reached else ")"
        return f"{left}{self.low}, {self.high}{right}"


def _is_real(value: object) -> bool:
    """Whether a value is a real number that a float may be: no larger integer, say."""
    if isinstance(value, (*NO_NUMBERS, np.complexfloating)):
        return False
    if not isinstance(value, (int, float, np.number)):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


@dataclass(frozen=True)
class Operator:
    """The operator of ONNX that is an activation, and what is known of it.

    Parameters
    ----------
    name : str
    opset : int, default 13
        The operator set that it came with.
    float64 : bool, default False
        Whether onnxruntime has it in float64; else the expression is written there.
    """

    name: str
    opset: int = 13
    float64: bool = False


class Activation:
    """An activation from Python functions of an array; usable wherever a built-in is.

    Parameters
    ----------
    name : str
        What `repr` and messages call it.
    value, derivative : callable
        σ and σ': take a float64 array, return an array of the same shape.
    second_derivative : callable, optional
        σ''; needed only by exact second-order analysis.

    Attributes
    ----------
    image : Interval or None
        The values that σ takes.  None, for an activation of your own, means not known; you
        may set it, also to a pair (low, high), of which it is not known whether σ reaches them.
    monotone : bool or None
        Whether σ'(z) ≠ 0 for all z; None means not known, and you may set it.
    kink : int or None
        The order of the derivative that jumps at z = 0 (1 for relu), 0 for none; None means
        not known: jumps of σ' and σ'' are then looked for.

    Raises
    ------
    ValueError
        If an argument is of the wrong kind, or, in use, if a function returns
        an array of another shape.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> cubic = ggn.Activation("cubic", lambda z: z**3, lambda z: 3 * z**2, lambda z: 6 * z)
    >>> cubic.derivative(np.array([0.0, 2.0]))
    array([ 0., 12.])
    """

    code = -1  # the kernels' number; -1 calls back into Python
    slope = 0.0
    monotone: bool | None = None
    kink: int | None = None
    _image: Interval | None = None

    def __init__(
        self,
        name: str,
        value: ArrayFunction,
        derivative: ArrayFunction,
        second_derivative: ArrayFunction | None = None,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(f"name must be a non-empty string, got {describe(name)}")
        for argument, function in (("value", value), ("derivative", derivative)):
            if not callable(function):
                raise ValueError(f"{argument} must be callable, got {describe(function)}")
        if second_derivative is not None and not callable(second_derivative):
            raise ValueError(
                f"second_derivative must be callable, got {describe(second_derivative)}"
            )
        self.name = name
        self._functions = (value, derivative, second_derivative)

    @property
    def image(self) -> Interval | None:
        """The values that σ takes; None means not known."""
        return self._image

    @image.setter
    def image(self, given: Interval | tuple[float, float] | None) -> None:
        if given is not None and not isinstance(given, Interval):
            try:
                low, high = (float(end) for end in given)
            except Exception as error:
                raise ValueError(
                    f"image must be an Interval, a pair (low, high) or None, got {describe(given)}"
                ) from error
            given = Interval(low, high, None, None)
        self._image = given

    @property
    def has_second_derivative(self) -> bool:
        """Whether σ'' can be asked for."""
        return self._functions[2] is not None

    def value(self, z: Any) -> np.ndarray:
        """Return σ(z), of z's shape."""
        return self._call(0, z)

    def derivative(self, z: Any) -> np.ndarray:
        """Return σ'(z), of z's shape."""
        return self._call(1, z)

    def second_derivative(self, z: Any) -> np.ndarray:
        """Return σ''(z), of z's shape."""
        return self._call(2, z)

    def _call(self, order: int, z: Any) -> np.ndarray:
        z = np.asarray(z, dtype=np.float64)
        function = self._functions[order]
        kind = ("value", "derivative", "second_derivative")[order]
        if function is None:
            raise ValueError(f"activation {self.name!r} has no {kind}, which is needed here")
        result = np.asarray(function(z), dtype=np.float64)
        if result.shape != z.shape:
            raise ValueError(
                f"{kind} of activation {self.name!r} must return an array of its argument's "
                f"shape {z.shape}, got {result.shape}"
            )
        return result

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"


class BuiltIn(Activation):
    """A compiled activation; its name finds its row in the kernels' table.

    Besides what every activation has, a class says what other programs need:
    `expression` and `slope_expression`, σ(z) and σ'(z) in the language of
    `ggn.export.expression`, from which C and ONNX are written; `onnx`, the operator that is
    the whole of σ; `torch` and `keras`, what these call it; `aliases`, other names that are
    accepted.
    """

    name: str
    aliases: ClassVar[tuple[str, ...]] = ()
    kink = 0
    has_second_derivative = True
    expression: ClassVar[str]
    slope_expression: ClassVar[str]
    onnx: ClassVar[Operator | None] = None
    torch: ClassVar[str | None] = None
    keras: ClassVar[str | None] = None

    def __init_subclass__(cls) -> None:
        cls.code = _core.ACTIVATIONS.index(cls.name)

    def __init__(self) -> None:
        pass

    def _call(self, order: int, z: Any) -> np.ndarray:
        z = np.asarray(z, dtype=np.float64)
        flat = np.ascontiguousarray(z).reshape(-1)
        out = np.empty((order + 1, flat.size))
        _core.activate(self.code, self.slope, flat, out)
        return out[order].reshape(z.shape)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.slope == other.slope  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self.code, self.slope))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

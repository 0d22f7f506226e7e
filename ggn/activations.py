r"""Activations σ with σ' and σ'': nine compiled ones, and the user's own.

========================  =========================================
name                      σ(z)
========================  =========================================
``sigmoid``               1 / (1 + exp(-z))
``tanh``                  tanh z
``softsign``              z / (1 + \|z\|)
``softplus``              log(1 + exp(z))
``bent_identity``         (sqrt(z² + 1) - 1)/2 + z
``identity``              z
``exponential``           exp(z)
``leaky_relu``            z for z > 0, else slope · z
``relu``                  max(z, 0)
========================  =========================================

The last two have a kink; σ'(0) is taken from the negative side and σ'' is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from ggn import _core
from ggn.validation import named, number

__all__ = [
    "Activation",
    "BentIdentity",
    "Exponential",
    "Identity",
    "LeakyReLU",
    "ReLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
    "resolve",
]

ArrayFunction = Callable[[np.ndarray], Any]


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
    image : tuple of float, or None
        The interval that the values lie in, its ends not reached unless σ(-1) or σ(1) is
        one.  None, for an activation of your own, means not known; you may set it.
    monotone : bool, or None
        Whether σ' is nowhere 0 (Principle 4), so that σ is strictly monotone.  None, for an
        activation of your own, means not known; you may set it.

    Raises
    ------
    ValueError
        If an argument is of the wrong kind, or, in use, if a function returns
        an array of another shape.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> sine = ggn.Activation("sine", np.sin, np.cos, lambda z: -np.sin(z))
    >>> sine.derivative(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """

    code = -1  # the kernels' number; -1 calls back into Python
    slope = 0.0
    image: tuple[float, float] | None = None
    monotone: bool | None = None

    def __init__(
        self,
        name: str,
        value: ArrayFunction,
        derivative: ArrayFunction,
        second_derivative: ArrayFunction | None = None,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(f"name must be a non-empty string, got {name!r}")
        for argument, function in (("value", value), ("derivative", derivative)):
            if not callable(function):
                raise ValueError(f"{argument} must be callable, got {function!r}")
        if second_derivative is not None and not callable(second_derivative):
            raise ValueError(f"second_derivative must be callable, got {second_derivative!r}")
        self.name = name
        self._functions = (value, derivative, second_derivative)

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


class _BuiltIn(Activation):
    """A compiled activation; `code` is its row in the kernels' table."""

    name: str
    has_second_derivative = True

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


class Identity(_BuiltIn):
    """σ(z) = z."""

    name, code = "identity", 0
    image = (-inf, inf)
    monotone = True


class Sigmoid(_BuiltIn):
    """σ(z) = 1 / (1 + exp(-z)), accurate down to the smallest float64."""

    name, code = "sigmoid", 1
    image = (0.0, 1.0)
    monotone = True


class Tanh(_BuiltIn):
    """σ(z) = tanh z; σ' = sech² z without cancellation."""

    name, code = "tanh", 2
    image = (-1.0, 1.0)
    monotone = True


class Softsign(_BuiltIn):
    """σ(z) = z / (1 + |z|)."""

    name, code = "softsign", 3
    image = (-1.0, 1.0)
    monotone = True


class Softplus(_BuiltIn):
    """σ(z) = log(1 + exp(z)), without overflow."""

    name, code = "softplus", 4
    image = (0.0, inf)
    monotone = True


class BentIdentity(_BuiltIn):
    """σ(z) = (sqrt(z² + 1) - 1)/2 + z; σ' lies in (1/2, 3/2), so it cannot saturate."""

    name, code = "bent_identity", 5
    image = (-inf, inf)
    monotone = True


class Exponential(_BuiltIn):
    """σ(z) = exp(z)."""

    name, code = "exponential", 6
    image = (0.0, inf)
    monotone = True


class LeakyReLU(_BuiltIn):
    """σ(z) = z for z > 0, else slope · z; not smooth, so no quadratic convergence.

    Parameters
    ----------
    slope : float, default 0.01
        In [0, 1].
    """

    name, code = "leaky_relu", 7

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = number("slope", slope, 0.0, 1.0)
        self.image = (-inf if self.slope else 0.0, inf)
        self.monotone = self.slope > 0.0

    def __repr__(self) -> str:
        return f"LeakyReLU(slope={self.slope:g})"


class ReLU(_BuiltIn):
    """σ(z) = max(z, 0); not smooth, so no quadratic convergence."""

    name, code = "relu", 8
    image = (0.0, inf)
    monotone = False  # not strictly


BUILT_IN: dict[str, type[_BuiltIn]] = {
    cls.name: cls
    for cls in (
        Identity, Sigmoid, Tanh, Softsign, Softplus, BentIdentity, Exponential, LeakyReLU, ReLU,
    )
}  # fmt: skip


def resolve(value: str | Activation, argument: str = "activation") -> Activation:
    """Return the activation of a name, or the object itself.

    Raises
    ------
    ValueError
        For an unknown name (the known ones are listed) or another kind of value.

    Examples
    --------
    >>> resolve("tanh")
    Tanh()
    """
    ok = isinstance(value, Activation)
    result: Activation = named(argument, value, BUILT_IN, "an Activation", ok)
    return result

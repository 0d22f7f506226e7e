"""The state-space model: its parts, and where their weights are.

    x_{k+1} = A x_k + B u_k + f(x_k, u_k),    y_k = C x_k + D u_k + o + g(x_k, u_k)

w holds A, B, the weights of f, C, D, o, the weights of g, then the initial states that are free;
matrices row by row.  What a model has not, has no weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ggn import _core
from ggn._core.machine import check_room, check_square
from ggn.network import MLP
from ggn.validation import (
    NO_NUMBERS,
    ArgumentError,
    describe,
    flag,
    float_array,
    instance,
    integer,
    vector,
)

__all__ = ["StateSpace", "jacobian_flops", "simulation_flops"]

IDENTITY = _core.ACTIVATIONS.index("identity")


class StateSpace:
    """The shape of a state-space model, as `MLP` is that of a network.

    Parameters
    ----------
    n_inputs : int
        nu, 0 for a series without inputs.
    n_states : int
        nx.
    n_outputs : int
        ny.
    f, g : MLP, int, sequence of int or None
        The networks in the state and in the outputs, each a function of (x, u): hidden units of
        "tanh", or a network with nx + nu inputs and nx or ny outputs.
    linear : bool, default True
        Whether there are A and B; without, f alone moves the state, as in Elman's network.
    feedthrough : bool, default True
        Whether there is D.
    initial_states : int, default 1
        How many initial states are weights, one for each experiment; 0: all start at zero.

    Attributes
    ----------
    n_weights : int
        N, the free initial states counted.
    parts : dict of str to slice
        Where A, B, f, C, D, o, g and x0 are in w.

    Notes
    -----
    The offset o is there unless the output layer of g has a dummy unit, which is one.

    Examples
    --------
    >>> from ggn.recurrent import StateSpace
    >>> model = StateSpace(1, 2, 1, f=4)
    >>> model.n_weights
    38
    >>> {name: part.shape for name, part in model.unpack(np.zeros(38)).items()}
    {'A': (2, 2), 'B': (2, 1), 'f': (26,), 'C': (1, 2), 'D': (1, 1), 'o': (1,), 'x0': (1, 2)}
    """

    def __init__(
        self,
        n_inputs: int,
        n_states: int,
        n_outputs: int,
        f: Any = None,
        g: Any = None,
        linear: bool = True,
        feedthrough: bool = True,
        initial_states: int = 1,
    ) -> None:
        self.n_inputs = check_square("n_inputs", integer("n_inputs", n_inputs, 0))
        self.n_states = check_square("n_states", integer("n_states", n_states, 1))
        self.n_outputs = check_square("n_outputs", integer("n_outputs", n_outputs, 1))
        self.initial_states = check_room(
            "initial_states", integer("initial_states", initial_states, 0), 8.0 * self.n_states
        )
        nz = self.n_inputs + self.n_states
        self.f, self.g = _net("f", f, nz, self.n_states), _net("g", g, nz, self.n_outputs)
        self.linear = flag("linear", linear)
        self.feedthrough = flag("feedthrough", feedthrough) and self.n_inputs > 0
        self.offset = self.g is None or not self.g.bias[-1]
        if not self.linear and self.f is None:
            raise ValueError("f must move the state where linear is False, got None")
        self.layout = _core.StateSpaceLayout(
            self.n_inputs, self.n_states, self.n_outputs, self.linear, self.feedthrough,
            self.offset, _extended(self.f, nz), _extended(self.g, nz),
        )  # fmt: skip
        self.n_shared = self.layout.n_weights
        self.n_weights = self.n_shared + self.initial_states * self.n_states
        self.parts = {**self.layout.parts, "x0": slice(self.n_shared, self.n_weights)}

    @property
    def twice_differentiable(self) -> bool:
        """Whether every activation has a second derivative."""
        return all(net.twice_differentiable for net in (self.f, self.g) if net is not None)

    @property
    def has_kinks(self) -> bool:
        """Whether an activation is known to have a derivative that jumps."""
        return any(net.has_kinks for net in (self.f, self.g) if net is not None)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a part."""
        nu, nx, ny = self.n_inputs, self.n_states, self.n_outputs
        matrices = {"A": (nx, nx), "B": (nx, nu), "C": (ny, nx), "D": (ny, nu)}
        size = self.parts[name].stop - self.parts[name].start
        return (self.initial_states, nx) if name == "x0" else matrices.get(name, (size,))

    def unpack(self, w: Any) -> dict[str, np.ndarray]:
        """Return the parts that the model has, by name: views of w.

        Parameters
        ----------
        w : array_like, (N,)

        Returns
        -------
        dict of str to ndarray
            A (nx, nx), B (nx, nu), f (weights,), C (ny, nx), D (ny, nu), o (ny,), g (weights,)
            and x0 (experiments, nx).

        Raises
        ------
        ValueError
            If w has another length or is not finite.
        """
        w = self._weights(w)
        parts = self.parts.items()
        return {name: w[at].reshape(self.shape(name)) for name, at in parts if at.stop > at.start}

    def pack(self, parts: Mapping[str, Any]) -> np.ndarray:
        """Return w (N,) of its parts by name; what is not given is zero.

        Raises
        ------
        ValueError
            For a part that the model has not, or another shape.

        Examples
        --------
        >>> from ggn.recurrent import StateSpace
        >>> StateSpace(0, 1, 1).pack({"A": [[0.9]], "C": [[2.0]], "x0": [[1.0]]})
        array([0.9, 2. , 0. , 1. ])
        """
        w = np.zeros(self.n_weights)
        for name, value in instance("parts must be", parts, Mapping).items():
            at = self.parts.get(name)
            if at is None or at.stop == at.start:
                known = ", ".join(n for n, s in self.parts.items() if s.stop > s.start)
                raise ArgumentError("parts", f"must be among {known}, got {describe(name)}")
            array = float_array("parts", value)
            if array.shape != self.shape(name):
                raise ArgumentError(
                    "parts", f"must have {name} of shape {self.shape(name)}, got {array.shape}"
                )
            w[at] = array.ravel()
        return w

    def initial_state(self, w: np.ndarray, experiment: int) -> np.ndarray:
        """Return a copy of x_0 (nx,) of an experiment."""
        if not self.initial_states:
            return np.zeros(self.n_states)
        start = self.n_shared + experiment * self.n_states
        return w[start : start + self.n_states].copy()

    def states_and_outputs(
        self, w: np.ndarray, U: np.ndarray, x: np.ndarray, T: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the states x_0 ... x_T (T + 1, nx) and outputs (T, ny); nothing is checked."""
        X, Y = np.empty((T + 1, self.n_states)), np.empty((T, self.n_outputs))
        x = x.copy()
        own = w[: self.n_shared]
        self.layout.simulate(own, U, x, X[:-1], Y, self.layout.scratch())
        X[-1] = x
        return X, Y

    def jacobians(
        self, w: np.ndarray, X: np.ndarray, U: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return ∂x_{k+1}/∂x_k (T, nx, nx) and ∂y_k/∂x_k (T, ny, nx) at states X (T, nx)."""
        nx, parts = self.n_states, self.unpack(w)
        A = parts.get("A", np.zeros((nx, nx)))
        M = np.broadcast_to(A, (len(X), nx, nx))
        H = np.broadcast_to(parts["C"], (len(X), self.n_outputs, nx))
        Z = np.hstack([X, U])
        if not np.isfinite(Z).all():
            raise ValueError("poles and stability need a finite run, got one that overflows")
        if self.f is not None:
            M = M + self.f.input_jacobian(parts["f"], Z)[:, :, :nx]
        if self.g is not None:
            H = H + self.g.input_jacobian(parts["g"], Z)[:, :, :nx]
        return M, H

    def _weights(self, w: Any, name: str = "w") -> np.ndarray:
        return vector(name, w, self.n_weights, "the model's n_weights")

    def _key(self) -> tuple[Any, ...]:
        sizes = self.n_inputs, self.n_states, self.n_outputs, self.initial_states
        return (*sizes, self.f, self.g, self.linear, self.feedthrough)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StateSpace) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        sizes = f"{self.n_inputs}, {self.n_states}, {self.n_outputs}"
        nets = "".join(f", {n}={net!r}" for n, net in (("f", self.f), ("g", self.g)) if net)
        flags = "" if self.linear else ", linear=False"
        flags += "" if self.feedthrough or not self.n_inputs else ", feedthrough=False"
        return f"StateSpace({sizes}{nets}{flags}, initial_states={self.initial_states})"


def _net(name: str, value: Any, inputs: int, outputs: int) -> MLP | None:
    """Return the network that f or g names."""
    if value is None:
        return None
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        value = (value,)
    if isinstance(value, Sequence) and not isinstance(value, NO_NUMBERS):
        value = MLP((inputs, *(integer(name, n, 1) for n in value), outputs))
    if not isinstance(value, MLP):
        raise ArgumentError(name, f"must be hidden units, an MLP or None, got {describe(value)}")
    if (value.n_inputs, value.n_outputs) != (inputs, outputs):
        raise ArgumentError(
            name,
            f"must have {inputs} inputs (states, then inputs) and {outputs} outputs, got "
            f"{value.n_inputs} and {value.n_outputs}",
        )
    if any(a.code < 0 for a in value.activations):
        raise ArgumentError(name, "must have activations of ggn.activations, got one of your own")
    return value


def _extended(net: MLP | None, nz: int) -> _core.Layout | None:
    """Return the layout of a network that is given (x, u) as the weights of a layer more."""
    if net is None:
        return None
    codes, slopes = zip(*((a.code, a.slope) for a in net.activations), strict=True)
    return _core.Layout(
        (1, nz, *net.sizes[1:]), (False, *net.bias), (IDENTITY, *codes), (0.0, *slopes),
        net.fixed_bias, None, True,
    )  # fmt: skip


def simulation_flops(net: StateSpace) -> float:
    """Return the flops of one step, with 75 in the time of an activation."""
    units = sum(sum(m.sizes[1:]) for m in (net.f, net.g) if m is not None)
    return 2.0 * net.n_shared + 75.0 * units + 200.0


def jacobian_flops(net: StateSpace) -> float:
    """Return the flops of one step of the sensitivities and of the normal matrix."""
    n = net.n_shared + net.n_states
    return simulation_flops(net) * 4.0 + 2.0 * n * net.n_states**2 + n * n * net.n_outputs

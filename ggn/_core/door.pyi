from collections.abc import Sequence
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

class _Custom(Protocol):
    def value(self, z: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def derivative(self, z: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def second_derivative(self, z: NDArray[np.float64]) -> NDArray[np.float64]: ...

_Float = NDArray[np.float64]

ACTIVATIONS: tuple[str, ...]
LOSSES: tuple[str, ...]
SIMD: str
SIMD_HERE: tuple[str, ...]

@final
class Layout:
    sizes: tuple[int, ...]
    shapes: tuple[tuple[int, int], ...]
    weight_slices: tuple[slice, ...]
    unit_slices: tuple[slice, ...]
    input_slices: tuple[slice, ...]
    n_weights: int
    n_units: int
    n_inputs: int
    def __new__(
        cls,
        sizes: Sequence[int],
        bias: Sequence[bool],
        codes: Sequence[int],
        slopes: Sequence[float],
        fixed_bias: float = 0.0,
        own: Sequence[_Custom] | None = None,
        one_thread: bool = False,
    ) -> Layout: ...
    def __reduce__(self) -> tuple[type[Layout], tuple[object, ...]]: ...
    def work_size(self, c: int, columns: int) -> int: ...
    def tangent_size(self, c: int) -> int: ...
    def hessian_product_size(self, c: int) -> int: ...
    def normal_sizes(self, c: int, form: int) -> tuple[int, int, int]: ...
    def diagonal_size(self, c: int) -> int: ...
    def kernel_size(self, c: int) -> int: ...
    def descent_size(self, c: int, step: int, form: int) -> int: ...
    def descent_parts(self, memory: _Float, c: int, step: int, form: int) -> dict[str, _Float]: ...
    def weights(self, w: _Float) -> list[_Float]: ...
    def each_weight(self, inputs: _Float) -> _Float: ...
    def inputs(self, work: _Float, c: int, l: int) -> _Float: ...
    def outputs(self, work: _Float, c: int) -> _Float: ...
    def slopes(self, work: _Float, c: int, l: int) -> _Float: ...
    def bends(self, work: _Float, c: int, l: int) -> _Float: ...
    def sensitivities(self, work: _Float, c: int, l: int) -> _Float: ...

@final
class StateSpaceLayout:
    parts: dict[str, slice]
    n_weights: int
    n_moving: int
    def __new__(
        cls,
        nu: int,
        nx: int,
        ny: int,
        linear: bool = True,
        feedthrough: bool = True,
        offset: bool = True,
        f: Layout | None = None,
        g: Layout | None = None,
    ) -> StateSpaceLayout: ...
    def __reduce__(self) -> tuple[type[StateSpaceLayout], tuple[object, ...]]: ...
    def scratch(self) -> _Float: ...
    def simulate(
        self, w: _Float, U: _Float, x: _Float, states: _Float | None, Y: _Float, work: _Float
    ) -> None: ...
    def rows(
        self, w: _Float, U: _Float, x: _Float, S: _Float, Y: _Float, P: _Float, work: _Float
    ) -> None: ...
    def tangent(
        self,
        w: _Float,
        v: _Float,
        U: _Float,
        states: _Float,
        dx: _Float,
        d2x: _Float | None,
        dstates: _Float | None,
        dY: _Float,
        d2Y: _Float | None,
        work: _Float,
    ) -> None: ...
    def adjoint(
        self,
        w: _Float,
        U: _Float,
        states: _Float,
        eps: _Float,
        lam: _Float,
        gradient: _Float,
        work: _Float,
    ) -> None: ...
    def hessian_adjoint(
        self,
        w: _Float,
        v: _Float,
        U: _Float,
        states: _Float,
        dstates: _Float,
        eps: _Float,
        deps: _Float,
        lam: _Float,
        dlam: _Float,
        out: _Float,
        work: _Float,
    ) -> None: ...

def activate(code: int, slope: float, z: _Float, out: _Float) -> None: ...
def forward(
    layout: Layout, w: _Float, X: _Float, work: _Float, keep: int, exact: bool = False
) -> None: ...
def gradient(layout: Layout, w: _Float, c: int, eps: _Float, work: _Float, out: _Float) -> None: ...
def tangent(
    layout: Layout,
    w: _Float,
    v: _Float,
    c: int,
    second: bool,
    work: _Float,
    buffer: _Float,
    out: _Float,
) -> None: ...
def hessian_product(
    layout: Layout,
    w: _Float,
    v: _Float,
    c: int,
    eps: _Float,
    h: _Float,
    work: _Float,
    buffer: _Float,
    out: _Float,
) -> None: ...
def sensitivities(
    layout: Layout, w: _Float, c: int, s: _Float | None, work: _Float, exact: bool = False
) -> None: ...
def jacobian(layout: Layout, c: int, work: _Float, out: _Float, exact: bool = False) -> None: ...
def add_product(B: _Float, out: _Float, transposed: bool = False) -> None: ...
def add_normal(
    layout: Layout,
    c: int,
    h: _Float | None,
    work: _Float,
    hpsi: _Float,
    tile: _Float,
    sums: _Float,
    first: bool,
) -> None: ...
def scatter_normal(layout: Layout, form: int, alpha: float, sums: _Float, G: _Float) -> None: ...
def add_diagonal(layout: Layout, c: int, work: _Float, buffer: _Float, out: _Float) -> None: ...
def scale_kernel(
    layout: Layout, c: int, units: _Float, inputs: _Float, work: _Float, buffer: _Float
) -> None: ...
def gram(layout: Layout, l: int, c: int, buffer: _Float, first: int, stop: int) -> None: ...
def add_kernel(
    layout: Layout,
    l: int,
    c: int,
    first: int,
    stop: int,
    coupled: bool,
    work: _Float,
    buffer: _Float,
    tile: _Float,
    out: _Float,
) -> None: ...
def metric(
    layout: Layout, diagonal: _Float, fixed: _Float, largest: _Float, scale: _Float
) -> None: ...
def scale_rows(
    G: _Float, scale: _Float | None, mu: float, first: int, stop: int, out: _Float
) -> None: ...
def factor_block(factor: _Float, left: int, right: int, first: int, stop: int) -> int: ...
def cholesky_solve(factor: _Float, b: _Float) -> None: ...
def output_sums(
    layout: Layout,
    c: int,
    h: _Float | None,
    eps: _Float,
    work: _Float,
    buffer: _Float,
    sums: _Float,
) -> None: ...
def output_weights(
    layout: Layout,
    own: bool,
    alpha: float,
    sums: _Float,
    l2: _Float | None,
    scale: _Float | None,
    mu: float,
    before: _Float,
    w: _Float,
    out: _Float,
) -> bool: ...
def descend(
    layout: Layout,
    X: _Float,
    Yt: _Float,
    numbers: dict[str, float],
    memory: _Float,
    history: _Float,
) -> tuple[int, dict[str, float]]: ...

@final
class Loop:
    n_weights: int
    depth: int
    def __init__(
        self,
        layouts: tuple[Layout, ...],
        places: Sequence[tuple[int, int]],
        linear: int,
        feeds: Sequence[tuple[int, int]],
        n: int,
        k: int,
    ) -> None: ...
    def simulate_size(self, windows: int) -> int: ...
    def sweep_size(self, c: int) -> int: ...

_Int = NDArray[np.intp]

def simulate(
    loop: Loop, w: _Float, windows: _Int, Z: _Float, O: _Float, buffer: _Float
) -> bool: ...
def loop_slopes(
    loop: Loop, w: _Float, Z: _Float, buffer: _Float, A: _Float, rows: _Float | None = None
) -> None: ...
def recur(loop: Loop, A: _Float, age: _Int, start: _Int, rows: _Float) -> None: ...
def recur_back(
    loop: Loop, A: _Float, age: _Int, window: _Int, start: _Int, lam: _Float, initial: _Float
) -> None: ...
def loop_gradient(
    loop: Loop, w: _Float, Z: _Float, lam: _Float, buffer: _Float, out: _Float
) -> None: ...
def loop_tangent(
    loop: Loop, w: _Float, v: _Float, Z: _Float, buffer: _Float, out: _Float
) -> None: ...
def squares_size(layout: Layout, c: int) -> int: ...
def squares_value(
    layout: Layout,
    w: _Float,
    X: _Float,
    Yt: _Float,
    first: int,
    share: float,
    work: _Float,
    buffer: _Float,
) -> float: ...
def squares_gradient(
    layout: Layout,
    w: _Float,
    X: _Float,
    Yt: _Float,
    first: int,
    share: float,
    work: _Float,
    buffer: _Float,
    out: _Float,
) -> None: ...
def squares_product(
    layout: Layout,
    w: _Float,
    X: _Float,
    Yt: _Float,
    first: int,
    share: float,
    work: _Float,
    buffer: _Float,
    v: _Float,
    second: bool,
    out: _Float,
) -> None: ...
def squares_output_sums(
    layout: Layout,
    w: _Float,
    X: _Float,
    Yt: _Float,
    first: int,
    share: float,
    work: _Float,
    buffer: _Float,
    sums: _Float,
) -> float: ...

from collections.abc import Sequence
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

class _Custom(Protocol):
    def value(self, z: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def derivative(self, z: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def second_derivative(self, z: NDArray[np.float64]) -> NDArray[np.float64]: ...

_Real = NDArray[np.float64]
# layout, w, X and Yt, the first sample's place in Yt, c_i, work and buffer, samples of a chunk
_Passed = tuple[Layout, _Real, _Real, _Real, int, float, _Real, _Real, int]

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
    def by_triples(self, l: int) -> bool: ...
    def diagonal_size(self, c: int) -> int: ...
    def kernel_size(self, c: int) -> int: ...
    def descent_size(self, c: int, step: int, form: int) -> int: ...
    def descent_parts(self, memory: _Real, c: int, step: int, form: int) -> dict[str, _Real]: ...
    def weights(self, w: _Real) -> list[_Real]: ...
    def each_weight(self, inputs: _Real) -> _Real: ...
    def inputs(self, work: _Real, c: int, l: int) -> _Real: ...
    def outputs(self, work: _Real, c: int) -> _Real: ...
    def slopes(self, work: _Real, c: int, l: int) -> _Real: ...
    def bends(self, work: _Real, c: int, l: int) -> _Real: ...
    def sensitivities(self, work: _Real, c: int, l: int) -> _Real: ...

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
    def scratch(self) -> _Real: ...
    def simulate(
        self, w: _Real, U: _Real, x: _Real, states: _Real | None, Y: _Real, work: _Real
    ) -> None: ...
    def rows(
        self, w: _Real, U: _Real, x: _Real, S: _Real, Y: _Real, P: _Real, work: _Real
    ) -> None: ...
    def tangent(
        self,
        w: _Real,
        v: _Real,
        U: _Real,
        states: _Real,
        dx: _Real,
        d2x: _Real | None,
        dstates: _Real | None,
        dY: _Real,
        d2Y: _Real | None,
        work: _Real,
    ) -> None: ...
    def adjoint(
        self,
        w: _Real,
        U: _Real,
        states: _Real,
        eps: _Real,
        lam: _Real,
        gradient: _Real,
        work: _Real,
    ) -> None: ...
    def hessian_adjoint(
        self,
        w: _Real,
        v: _Real,
        U: _Real,
        states: _Real,
        dstates: _Real,
        eps: _Real,
        deps: _Real,
        lam: _Real,
        dlam: _Real,
        out: _Real,
        work: _Real,
    ) -> None: ...

def activate(code: int, slope: float, z: _Real, out: _Real) -> None: ...
def forward(
    layout: Layout, w: _Real, X: _Real, work: _Real, keep: int, exact: bool = False
) -> None: ...
def gradient(layout: Layout, w: _Real, c: int, eps: _Real, work: _Real, out: _Real) -> None: ...
def tangent(
    layout: Layout, w: _Real, v: _Real, c: int, second: bool, work: _Real, buffer: _Real, out: _Real
) -> None: ...
def hessian_product(
    layout: Layout,
    w: _Real,
    v: _Real,
    c: int,
    eps: _Real,
    h: _Real,
    work: _Real,
    buffer: _Real,
    out: _Real,
) -> None: ...
def sensitivities(
    layout: Layout, w: _Real, c: int, s: _Real | None, work: _Real, exact: bool = False
) -> None: ...
def jacobian(layout: Layout, c: int, work: _Real, out: _Real, exact: bool = False) -> None: ...
def add_product(B: _Real, out: _Real, transposed: bool = False) -> None: ...
def add_normal(
    layout: Layout,
    c: int,
    h: _Real | None,
    work: _Real,
    hpsi: _Real,
    tile: _Real,
    sums: _Real,
    first: bool,
) -> None: ...
def scatter_normal(
    layout: Layout,
    form: int,
    alpha: float,
    sums: _Real,
    G: _Real,
    part: int = 0,
    parts: int = 1,
) -> None: ...
def add_diagonal(layout: Layout, c: int, work: _Real, buffer: _Real, out: _Real) -> None: ...
def scale_kernel(
    layout: Layout, c: int, units: _Real, inputs: _Real, work: _Real, buffer: _Real
) -> None: ...
def gram(layout: Layout, l: int, c: int, buffer: _Real, first: int, stop: int) -> None: ...
def add_kernel(
    layout: Layout,
    l: int,
    c: int,
    first: int,
    stop: int,
    coupled: bool,
    work: _Real,
    buffer: _Real,
    tile: _Real,
    out: _Real,
) -> None: ...
def metric(layout: Layout, diagonal: _Real, fixed: _Real, largest: _Real, scale: _Real) -> None: ...
def scale_rows(
    G: _Real, scale: _Real | None, mu: float, first: int, stop: int, out: _Real
) -> None: ...
def factor_block(factor: _Real, left: int, right: int, first: int, stop: int) -> int: ...
def cholesky_solve(factor: _Real, b: _Real) -> None: ...
def output_sums(
    layout: Layout, c: int, h: _Real | None, eps: _Real, work: _Real, buffer: _Real, sums: _Real
) -> None: ...
def output_weights(
    layout: Layout,
    own: bool,
    alpha: float,
    sums: _Real,
    l2: _Real | None,
    scale: _Real | None,
    mu: float,
    before: _Real,
    w: _Real,
    out: _Real,
) -> bool: ...
def descend(
    layout: Layout, X: _Real, Yt: _Real, numbers: dict[str, float], memory: _Real, history: _Real
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

def simulate(loop: Loop, w: _Real, windows: _Int, Z: _Real, O: _Real, buffer: _Real) -> bool: ...
def loop_slopes(
    loop: Loop, w: _Real, Z: _Real, buffer: _Real, A: _Real, rows: _Real | None = None
) -> None: ...
def recur(loop: Loop, A: _Real, age: _Int, start: _Int, rows: _Real) -> None: ...
def recur_back(
    loop: Loop, A: _Real, age: _Int, window: _Int, start: _Int, lam: _Real, initial: _Real
) -> None: ...
def loop_gradient(
    loop: Loop, w: _Real, Z: _Real, lam: _Real, buffer: _Real, out: _Real
) -> None: ...
def loop_tangent(loop: Loop, w: _Real, v: _Real, Z: _Real, buffer: _Real, out: _Real) -> None: ...
def centre_and_size(A: _Real, shift: bool) -> tuple[_Real, _Real]: ...
def root_mean_square(A: _Real, share: float, chunk: int) -> _Real: ...
def variance(A: _Real, share: float, chunk: int, rounding: float) -> tuple[float, float]: ...
def cross_validation(
    H: _Real, Y: _Real, c: _Real, count: float, ridges: _Real
) -> tuple[float, float]: ...
def share_out(
    low: _Real, high: _Real, varies: _Int, V: _Real, reach: float, dummy: bool, times: float
) -> _Real: ...
def respond(X: _Real, W: _Real, dummy: bool, code: int, slope: float) -> _Real: ...
def scale_draws(X: _Real, c: _Real, dummy: bool, W: _Real) -> None: ...
def standardise(A: _Real, m: _Real, s: _Real, out: _Real) -> bool: ...
def squares_size(layout: Layout, c: int) -> int: ...
def squares_value(passed: _Passed) -> float: ...
def squares_gradient(passed: _Passed, out: _Real) -> None: ...
def squares_normal(passed: _Passed, out: _Real, sums: _Real, begins: bool) -> None: ...
def squares_product(passed: _Passed, v: _Real, second: bool, out: _Real) -> None: ...
def squares_output_sums(passed: _Passed, sums: _Real) -> float: ...

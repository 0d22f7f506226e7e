"""NIST StRD nonlinear regression problems that are exactly multilayer perceptrons.

Data, starting values and certified parameters are those of the Statistical
Reference Datasets of the National Institute of Standards and Technology
(https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml), public domain.
Each entry says which network the model is: `matrices` gives W_1 and W_2 of
F(1, n, 1) from the parameters b1, b2, ...; the last row of a matrix is the
dummy unit's where the layer has one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import ggn


@dataclass(frozen=True)
class Problem:
    """One data set, its model as a network, and what is certified."""

    model: str
    source: str
    units: int
    activation: str | ggn.Activation
    bias: tuple[bool, bool]
    matrices: Callable[[tuple[float, ...]], list]
    starts: tuple[tuple[float, ...], tuple[float, ...]]
    certified: tuple[float, ...]
    residual_sum_of_squares: float
    x: tuple[float, ...]
    y: tuple[float, ...]
    transform: Callable[[np.ndarray], np.ndarray] = np.asarray

    def network(self) -> ggn.MLP:
        """Return F(1, units, 1)."""
        return ggn.MLP((1, self.units, 1), self.activation, bias=self.bias)

    def weights(self, b: tuple[float, ...]) -> np.ndarray:
        """Return w (N,) of the parameters."""
        return self.network().pack(self.matrices(b))

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return X (T, 1) and Y (T, 1)."""
        return self.transform(np.array(self.x))[:, np.newaxis], np.array(self.y)[:, np.newaxis]


RISE = ggn.Activation("rise", lambda z: -np.expm1(-z), lambda z: np.exp(-z), lambda z: -np.exp(-z))

# Misra1a and Misra1d are two models of the same measurements
MISRA_X = (
    77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0,
)  # fmt: skip
MISRA_Y = (
    10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.4, 75.47, 81.78,
)  # fmt: skip

PROBLEMS = {
    "Rat42": Problem(
        model="b1 / (1 + exp(b2 - b3 x))",
        source="Ratkowsky (1983), sigmoidal growth; Higher",
        units=1,
        activation="sigmoid",
        bias=(True, False),
        matrices=lambda b: [[[b[2]], [-b[1]]], [[b[0]]]],
        starts=((100.0, 1.0, 0.1), (75.0, 2.5, 0.07)),
        certified=(72.462237576, 2.6180768402, 0.067359200066),
        residual_sum_of_squares=8.0565229338,
        x=(
            9.0, 14.0, 21.0, 28.0, 42.0, 57.0, 63.0, 70.0, 79.0,
        ),
        y=(
            8.93, 10.8, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08,
        ),
    ),
    "Misra1d": Problem(
        model="b1 b2 x / (1 + b2 x)",
        source="Misra (1978), dental research; Average",
        units=1,
        activation="softsign",
        bias=(False, False),
        matrices=lambda b: [[[b[1]]], [[b[0]]]],
        starts=((500.0, 0.0001), (450.0, 0.0003)),
        certified=(437.36970754, 0.00030227324449),
        residual_sum_of_squares=0.056419295283,
        x=MISRA_X,
        y=MISRA_Y,
    ),
    "DanWood": Problem(
        model="b1 x^b2",
        source="Daniel and Wood (1980), radiated energy; Lower",
        units=1,
        activation="exponential",
        bias=(False, False),
        matrices=lambda b: [[[b[1]]], [[b[0]]]],
        starts=((1.0, 5.0), (0.7, 4.0)),
        certified=(0.76886226176, 3.8604055871),
        residual_sum_of_squares=0.0043173084083,
        x=(
            1.309, 1.471, 1.49, 1.565, 1.611, 1.68,
        ),
        y=(
            2.138, 3.421, 3.597, 4.34, 4.882, 5.66,
        ),
        transform=np.log,
    ),
    "MGH17": Problem(
        model="b1 + b2 exp(-x b4) + b3 exp(-x b5)",
        source="Osborne (1972); Average",
        units=2,
        activation="exponential",
        bias=(False, True),
        matrices=lambda b: [[[-b[3], -b[4]]], [[b[1]], [b[2]], [b[0]]]],
        starts=((50.0, 150.0, -100.0, 1.0, 2.0), (0.5, 1.5, -1.0, 0.01, 0.02)),
        certified=(0.37541005211, 1.9358469127, -1.4646871366, 0.01286753464, 0.022122699662),
        residual_sum_of_squares=5.4648946975e-05,
        x=(
            0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0, 110.0, 120.0,
            130.0, 140.0, 150.0, 160.0, 170.0, 180.0, 190.0, 200.0, 210.0, 220.0, 230.0, 240.0,
            250.0, 260.0, 270.0, 280.0, 290.0, 300.0, 310.0, 320.0,
        ),
        y=(
            0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85, 0.818, 0.784, 0.751, 0.718,
            0.685, 0.658, 0.628, 0.603, 0.58, 0.558, 0.538, 0.522, 0.506, 0.49, 0.478, 0.467,
            0.457, 0.448, 0.438, 0.431, 0.424, 0.42, 0.414, 0.411, 0.406,
        ),
    ),
    "Misra1a": Problem(
        model="b1 (1 - exp(-b2 x))",
        source="Misra (1978), dental research; Lower",
        units=1,
        activation=RISE,
        bias=(False, False),
        matrices=lambda b: [[[b[1]]], [[b[0]]]],
        starts=((500.0, 0.0001), (250.0, 0.0005)),
        certified=(238.94212918, 0.00055015643181),
        residual_sum_of_squares=0.12455138894,
        x=MISRA_X,
        y=MISRA_Y,
    ),
}  # fmt: skip

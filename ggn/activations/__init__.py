"""Activations σ with σ' and σ'': the compiled ones, and the user's own.

Each class below is one, with all that is known of it but the numbers of σ, σ' and σ'',
which are the kernels'.  Sigmoid-like, rectifier-like, local and periodic ones; the table of
the guide is made of these classes.
"""

from __future__ import annotations

from math import inf, nextafter, pi

from ggn.activations.base import Activation, BuiltIn, Interval, Operator
from ggn.validation import classes_of, key, named, number

__all__ = [
    "BUILT_IN",
    "ELU",
    "GELU",
    "Activation",
    "Arctan",
    "BentIdentity",
    "Exponential",
    "Gaussian",
    "Identity",
    "Interval",
    "LeakyReLU",
    "Mish",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Sine",
    "Softplus",
    "Softsign",
    "Tanh",
    "resolve",
]


class Identity(BuiltIn):
    """σ(z) = z."""

    aliases = ("purelin", "linear")
    name, _image, monotone = "identity", Interval(-inf, inf), True
    expression = "z"
    slope_expression = "1.0"
    torch, keras = "nn.Identity()", "linear"


class Sigmoid(BuiltIn):
    """σ(z) = 1 / (1 + exp(-z)), accurate down to the smallest float64."""

    aliases = ("logsig", "logistic", "expit")
    name, _image, monotone = "sigmoid", Interval(0.0, 1.0), True
    expression = "sigmoid(z)"
    slope_expression = "sigmoid(z) * sigmoid(-z)"
    torch, keras = "nn.Sigmoid()", "sigmoid"


class Tanh(BuiltIn):
    """σ(z) = tanh z; σ' = sech² z without cancellation."""

    aliases = ("tansig",)
    name, _image, monotone = "tanh", Interval(-1.0, 1.0), True
    expression = "tanh(z)"
    slope_expression = "4.0 * sigmoid(2.0 * z) * sigmoid(-2.0 * z)"
    torch, keras = "nn.Tanh()", "tanh"


class Softsign(BuiltIn):
    """σ(z) = z / (1 + |z|); σ'' jumps at 0."""

    aliases = ("elliotsig",)
    name, _image, monotone, kink = "softsign", Interval(-1.0, 1.0), True, 2
    expression = "z / (1 + abs(z))"
    slope_expression = "u = 1.0 / (1 + abs(z)); u * u"
    onnx = Operator("Softsign")
    torch, keras = "nn.Softsign()", "softsign"


class Softplus(BuiltIn):
    """σ(z) = log(1 + exp(z)), without overflow."""

    name, _image, monotone = "softplus", Interval(0.0, inf), True
    expression = "max(z, 0) + log1p(exp(-abs(z)))"
    slope_expression = "sigmoid(z)"
    onnx = Operator("Softplus")
    torch, keras = "nn.Softplus(threshold=40)", "softplus"


class BentIdentity(BuiltIn):
    """σ(z) = (sqrt(z² + 1) - 1)/2 + z; σ' lies in (1/2, 3/2), so it cannot saturate."""

    name, _image, monotone = "bent_identity", Interval(-inf, inf), True
    # the square of what is cut at 1e18 is finite, and the last bit the same
    expression = "t = max(min(z, 1e18), -1e18); z + 0.5 * z * (t / (sqrt(t * t + 1) + 1))"
    slope_expression = "t = max(min(z, 1e18), -1e18); 1.0 + 0.5 * (t / sqrt(t * t + 1))"


class Exponential(BuiltIn):
    """σ(z) = exp(z)."""

    aliases = ("exp",)
    name, _image, monotone = "exponential", Interval(0.0, inf), True
    expression = "exp(z)"
    slope_expression = "exp(z)"
    keras = "exponential"


class LeakyReLU(BuiltIn):
    """σ(z) = z for z > 0, else slope · z; not smooth, so no quadratic convergence.

    Parameters
    ----------
    slope : float, default 0.01
        In [0, 1].
    """

    name, kink = "leaky_relu", 1
    expression = "max(z, slope * z)"
    slope_expression = "slope + (1 - slope) * max(sign(z), 0)"
    onnx = Operator("LeakyRelu")
    torch, keras = "nn.LeakyReLU(0.01)", "leaky_relu"

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = number("slope", slope, 0.0, 1.0)
        self.monotone, self.kink = self.slope > 0.0, int(self.slope < 1.0)
        self._image = Interval(-inf, inf) if self.monotone else ReLU._image

    def __repr__(self) -> str:
        return f"LeakyReLU(slope={self.slope:g})"


class ReLU(BuiltIn):
    """σ(z) = max(z, 0); not smooth, so no quadratic convergence."""

    aliases = ("poslin", "rectifier")
    name, _image, monotone, kink = "relu", Interval(0.0, inf, low_reached=True), False, 1
    expression = "max(z, 0)"
    slope_expression = "max(sign(z), 0)"
    onnx = Operator("Relu", float64=True)
    torch, keras = "nn.ReLU()", "relu"


class SiLU(BuiltIn):
    """σ(z) = z / (1 + exp(-z)), also called swish; least at z = -1.278."""

    name, aliases = "silu", ("swish",)
    _image, monotone = Interval(-0.2784645427610738, inf, low_reached=True), False
    # (ONNX Runtime makes QuickGelu of z * sigmoid(z), and up to 1.22 at least has none in float64)
    expression = "-z * -sigmoid(z)"
    slope_expression = "sigmoid(z) * (1.0 + z * sigmoid(-z))"
    torch, keras = "nn.SiLU()", "silu"


class GELU(BuiltIn):
    """σ(z) = z Φ(z), Φ the normal distribution (the erf form); least at z = -0.752."""

    name, _image, monotone = "gelu", Interval(-0.16997120747990369, inf, low_reached=True), False
    expression = "z * normal_cdf(z)"
    slope_expression = "normal_cdf(z) + z * (0.3989422804014327 * exp(-0.5 * z * z))"
    onnx = Operator("Gelu", opset=20)
    torch, keras = "nn.GELU()", "gelu"


class Mish(BuiltIn):
    """σ(z) = z tanh(log(1 + exp(z))); least at z = -1.192."""

    name, _image, monotone = "mish", Interval(-0.30884341301725045, inf, low_reached=True), False
    expression = "z * tanh(log1p(exp(z)))"
    slope_expression = (
        "p = max(z, 0) + log1p(exp(-abs(z))); "
        "tanh(p) + z * (4.0 * sigmoid(2.0 * p) * sigmoid(-2.0 * p) * sigmoid(z))"
    )
    onnx = Operator("Mish", opset=18, float64=True)
    torch, keras = "nn.Mish()", "mish"


class ELU(BuiltIn):
    """σ(z) = z for z > 0, else exp(z) - 1; σ'' jumps at 0, where it is the negative side's, 1."""

    name, _image, monotone, kink = "elu", Interval(-1.0, inf), True, 2
    expression = "max(z, 0) + expm1(min(z, 0))"
    slope_expression = "exp(min(z, 0))"
    onnx = Operator("Elu")
    torch, keras = "nn.ELU()", "elu"


class Arctan(BuiltIn):
    """σ(z) = arctan z."""

    # the float64 nearest to π/2 is below it
    aliases = ("atan",)
    name, _image = "arctan", Interval(nextafter(-pi / 2, -2.0), nextafter(pi / 2, 2.0))
    monotone = True
    expression = "atan(z)"
    slope_expression = "1.0 / (1.0 + z * z)"


class Gaussian(BuiltIn):
    """σ(z) = exp(-z²), even, local: MATLAB's radbas."""

    name, _image, monotone = "gaussian", Interval(0.0, 1.0, high_reached=True), False
    aliases = ("radbas",)
    expression = "exp(-z * z)"
    slope_expression = "-2.0 * z * exp(-z * z)"


class Sine(BuiltIn):
    """σ(z) = sin z; |z| beyond a million costs a call of the C library each."""

    aliases = ("sin",)
    name, _image, monotone = "sine", Interval(-1.0, 1.0, True, True), False
    expression = "sin(z)"
    # ONNX Runtime has no cosine of float64
    slope_expression = "u = sin(0.5 * z); 1.0 - 2.0 * u * u"


BUILT_IN = classes_of(__name__, BuiltIn)
# by `key`: names in MATLAB, Keras, PyTorch and scikit-learn, where they are not the same
ALIASES = {
    key(alias): name
    for name, cls in BUILT_IN.items()
    for alias in (*cls.aliases, cls.__name__, cls.keras or name)
}
SMOOTH = "use a smooth one, such as 'tanh', 'softplus' or 'silu'"
BOUNDED = "use a smooth one, 'tanh' or 'sigmoid'"
ANSWERS = {
    "softmax": "softmax is in the loss 'softmax_cross_entropy', whose outputs are 'identity'",
    "logsoftmax": "softmax is in the loss 'softmax_cross_entropy', whose outputs are 'identity'",
    "logsigmoid": "the logistic function is in the loss 'logistic', whose outputs are 'identity'",
    **dict.fromkeys(("relu6", "selu", "celu", "prelu", "tribas", "threshold"), SMOOTH),
    **dict.fromkeys(
        ("hardtanh", "hardsigmoid", "hardlim", "hardlims", "satlin", "satlins", "step", "erf"),
        BOUNDED,
    ),
}  # by `key`


def resolve(value: str | Activation, argument: str = "activation") -> Activation:
    """Return the activation of a name, or the object itself.

    Raises
    ------
    ValueError
        For an unknown name (the known ones are listed) or another kind of value.

    Examples
    --------
    >>> resolve("tanh"), resolve("swish"), resolve("logsig"), resolve("nn.Tanh()")
    (Tanh(), SiLU(), Sigmoid(), Tanh())
    """
    return named(argument, value, BUILT_IN, Activation, ALIASES, ANSWERS)

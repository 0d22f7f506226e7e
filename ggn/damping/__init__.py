"""How far to trust a step: undamped (Algorithm 2 as printed), or Levenberg-Marquardt.

``levenberg_marquardt``  the default: mu from the gain ratio, in units of its own
``undamped``             mu = 0 and every step taken
"""

from __future__ import annotations

import functools

from ggn.damping.base import Damping, Rule, Trial
from ggn.damping.lasting import Lasting
from ggn.damping.levenberg_marquardt import LevenbergMarquardt, Nielsen
from ggn.damping.metric import Metric, ScaleInvariant, natural_scale, typical_scale
from ggn.damping.undamped import Undamped
from ggn.validation import classes_of, named

__all__ = [
    "Damping",
    "Lasting",
    "LevenbergMarquardt",
    "Metric",
    "Nielsen",
    "Rule",
    "ScaleInvariant",
    "Trial",
    "Undamped",
    "natural_scale",
    "resolve",
    "typical_scale",
]

NAMES = classes_of(__name__, Damping)
_MADE = {name: functools.cache(cls) for name, cls in NAMES.items()}  # once, as they are frozen


def resolve(value: str | Damping) -> Damping:
    """Return the damping of a name, with its defaults, or the object itself.

    Raises
    ------
    ValueError
        For an unknown name (the known ones are listed) or another kind of value.

    Examples
    --------
    >>> resolve("undamped")
    Undamped(alpha=1.0, curvature='auto')
    """
    return named("damping", value, _MADE, Damping)

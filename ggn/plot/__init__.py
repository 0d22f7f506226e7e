"""Pictures of fits and of loss surfaces; needs matplotlib (`pip install ggn[plot]`).

Every function draws on `ax`, or on a new figure of pyplot's if that is None, and returns the axes.
What shows a fit takes it from a TrainResult, a Model or a fitted estimator, with data in their
own units.
Series differ in line style or marker as well as in colour.
"""

from ggn.plot.fits import predicted, residuals
from ggn.plot.matrices import singular_values, spectrum
from ggn.plot.regions import decision_regions
from ggn.plot.runs import correlations, horizons, poles, simulated
from ggn.plot.style import figure
from ggn.plot.surfaces import along, plane
from ggn.plot.training import damping, history

__all__ = [
    "along",
    "correlations",
    "damping",
    "decision_regions",
    "figure",
    "history",
    "horizons",
    "plane",
    "poles",
    "predicted",
    "residuals",
    "simulated",
    "singular_values",
    "spectrum",
]

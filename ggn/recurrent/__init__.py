"""Recurrent models: state-space models, trained in free run by exact GGN through time."""

from ggn.recurrent.experiments import Scaling
from ggn.recurrent.statespace_diagnosis import StateSpaceDiagnosis
from ggn.recurrent.statespace_fit import StateSpaceFit
from ggn.recurrent.statespace_model import StateSpace
from ggn.recurrent.statespace_train import statespace

__all__ = ["Scaling", "StateSpace", "StateSpaceDiagnosis", "StateSpaceFit", "statespace"]

"""Models with a memory, trained in free run: networks in a loop, and state-space models."""

from ggn.recurrent.autoregressive import narx
from ggn.recurrent.lags import Lags
from ggn.recurrent.narx_diagnosis import LoopDiagnosis
from ggn.recurrent.narx_fit import NARXResult
from ggn.recurrent.narx_model import NARXModel
from ggn.recurrent.scaling import Scaling
from ggn.recurrent.simulator import Simulator
from ggn.recurrent.stability import Stability
from ggn.recurrent.statespace_diagnosis import StateSpaceDiagnosis
from ggn.recurrent.statespace_fit import StateSpaceFit
from ggn.recurrent.statespace_model import StateSpace
from ggn.recurrent.statespace_train import statespace

__all__ = [
    "Lags",
    "LoopDiagnosis",
    "NARXModel",
    "NARXResult",
    "Scaling",
    "Simulator",
    "Stability",
    "StateSpace",
    "StateSpaceDiagnosis",
    "StateSpaceFit",
    "narx",
    "statespace",
]

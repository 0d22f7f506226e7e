"""Networks in a loop: outputs that are inputs of later samples, as of systems in time."""

from ggn.recurrent.autoregressive import narx
from ggn.recurrent.lags import Lags
from ggn.recurrent.narx_diagnosis import LoopDiagnosis
from ggn.recurrent.narx_fit import NARXResult
from ggn.recurrent.narx_stability import Stability

__all__ = ["Lags", "LoopDiagnosis", "NARXResult", "Stability", "narx"]

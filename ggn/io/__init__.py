"""Files: trained networks with the scaling of their data, and tables of numbers."""

from ggn.io.chunks import Chunks
from ggn.io.model import Model

__all__ = ["Chunks", "Model"]

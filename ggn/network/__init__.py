"""What a network is: its shape, and its values at given weights."""

from ggn.network.architecture import joined
from ggn.network.average import one_of, side_by_side
from ggn.network.initial import SCHEMES
from ggn.network.mlp import MLP
from ggn.network.sweeps import CHUNK_DOUBLES, chunks

__all__ = ["CHUNK_DOUBLES", "MLP", "SCHEMES", "chunks", "joined", "one_of", "side_by_side"]

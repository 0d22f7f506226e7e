"""What a network is: its shape, and its values at given weights."""

from ggn.network.mlp import CHUNK_DOUBLES, MLP, SCHEMES, chunks

__all__ = ["CHUNK_DOUBLES", "MLP", "SCHEMES", "chunks"]

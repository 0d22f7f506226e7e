"""What ends a training through no fault of its own: whoever has the samples cannot go on."""

from __future__ import annotations

__all__ = ["SourceError"]


class SourceError(RuntimeError):
    """Raised by a `Source`; a training that has taken a step ends with its last weights."""

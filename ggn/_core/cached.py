"""`functools.cached_property` without a lock, as Python has it from 3.12 on.

Before, all instances share one, which a thread holds while it computes: fits in several threads
wait for each other's, and where Ctrl-C comes between the block of a `with` and its end, it is
never free again, and every other thread waits for ever.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

__all__ = ["cached_property"]

if TYPE_CHECKING or sys.version_info >= (3, 12):
    cached_property = functools.cached_property
else:

    class cached_property(functools.cached_property):  # noqa: N801
        """Computed once, or by several threads at once, of which the first is kept."""

        def __get__(self, instance: Any, owner: Any = None) -> Any:
            if instance is None:
                return self
            cache = instance.__dict__
            if self.attrname not in cache:
                cache.setdefault(self.attrname, self.func(instance))
            return cache[self.attrname]

"""One BLAS thread where more would not pay.

For small matrices the threads of BLAS cost more than they bring, and on a
machine whose cores are busy they wait for one another: iterations of a
millisecond have been seen to take a hundred.  With threadpoolctl installed
(optional), fits below a certain size run on one thread; BLAS calls of other
threads of the process are limited meanwhile, too.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any

__all__ = ["limited"]

# Flops of an iteration up to which one thread is used: about 4 ms.
ONE_THREAD_UP_TO = 2e8


@functools.cache
def _blas() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")


def limited(flops: float) -> contextlib.AbstractContextManager[Any]:
    """Return a context with one BLAS thread if an iteration has so few flops."""
    blas = _blas() if flops <= ONE_THREAD_UP_TO else None
    return contextlib.nullcontext() if blas is None else blas.limit(limits=1)

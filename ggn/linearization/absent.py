"""What a linearization of sums cannot have: P itself, as large as the data, and what is of it."""

from __future__ import annotations

from typing import NoReturn

from ggn.linearization.linearization import Linearization

__all__ = ["OfSums"]


class OfSums:
    """Says why there is no attribute that a `Linearization` has.

    Examples
    --------
    >>> OfSums().jacobian
    Traceback (most recent call last):
        ...
    AttributeError: jacobian cannot be had where samples come in chunks: it is of all at once, ...
    """

    def __getattr__(self, name: str) -> NoReturn:
        if not name.startswith("_") and hasattr(Linearization, name):
            raise AttributeError(
                f"{name} cannot be had where samples come in chunks: it is of all at once, and the "
                "normal matrix, the Hessian and their products are sums; arrays X and Y have it"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

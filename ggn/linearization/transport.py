"""What bringing sums together costs where samples are on other machines, for who plans a step."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Transport"]


class Transport(NamedTuple):
    """Sums over parts that are swept side by side; work in flops of a large matrix product.

    Attributes
    ----------
    parts : int
        How many there are, each with a core: whoever plans must not ask how many there are
        really, for results are not to depend on it.
    per_sum : float
        Flops in the time of one sum of next to no numbers.
    per_number : float
        And of each number more.
    crossings : float
        How often each is sent, over all parts.
    """

    parts: int
    per_sum: float
    per_number: float
    crossings: float

    def flops(self, sums: float, numbers: float) -> float:
        """Return the flops in the time of so many sums, of so many numbers in all."""
        return sums * self.per_sum + numbers * self.per_number

"""Random numbers as a function of who, what and when: no generator, no state, no order.

A number is the hash of a seed, a device's name, a quantity's name and a step's number, so it is the same whatever was
drawn before it: at any speed, in any number of processes, after any restart. One call draws for all devices of an
array at once.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]
Rows = NDArray[np.intp]

# Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: SplitMix64's finaliser.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_SHIFT_30, _SHIFT_27, _SHIFT_31, _SHIFT_11 = (np.uint64(bits) for bits in (30, 27, 31, 11))
_TO_UNIT = 2.0**-53
_MASK = 0xFFFFFFFFFFFFFFFF


def key_of(*parts: object) -> int:
    """Return the 64-bit key of a name, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(":".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


_salt = lru_cache(maxsize=4096)(key_of)


class Chance:
    """Draws for n things at once.

    Args:
        seed: the run's.
        names: what tells the n things apart, such as `organisation/device`.
    """

    def __init__(self, seed: int, names: Sequence[str]) -> None:
        self._keys: Keys = np.array([key_of(seed, name) for name in names], dtype=np.uint64)

    def uniform(self, what: str, number: int = 0, rows: Rows | None = None) -> Floats:
        """Draw n numbers in [0, 1) for a quantity at a step; with `rows`, those of some things only."""
        salt = np.uint64((_salt(what) + number * int(_GOLDEN)) & _MASK)
        keys = self._keys if rows is None else self._keys[rows]
        return cast("Floats", (_mixed(_mixed(keys ^ salt)) >> _SHIFT_11) * _TO_UNIT)

    def between(self, what: str, low: float, high: float, number: int = 0) -> Floats:
        """Draw n numbers in [low, high)."""
        return low + (high - low) * self.uniform(what, number)

    def normal(self, what: str, number: int = 0) -> Floats:
        """Draw n numbers of mean 0 and standard deviation 1."""
        # Source: Box and Muller 1958. 1 - u is never 0.
        radius = np.sqrt(-2.0 * np.log(1.0 - self.uniform(f"{what}:radius", number)))
        return radius * np.cos(2.0 * np.pi * self.uniform(f"{what}:angle", number))

    def exponential(self, what: str, mean: float | Floats, number: int = 0) -> Floats:
        """Draw n numbers of an exponential distribution."""
        return -mean * np.log(1.0 - self.uniform(what, number))

    def smooth(self, what: str, at_seconds: float, period_seconds: float) -> Floats:
        """Draw noise in [0, 1) that changes slowly: uniform at the ends of each period, joined by an s-curve."""
        slot, fraction = divmod(at_seconds / period_seconds, 1.0)
        eased = fraction * fraction * (3.0 - 2.0 * fraction)
        left, right = self.uniform(what, int(slot)), self.uniform(what, int(slot) + 1)
        return left + (right - left) * eased


def _mixed(value: Keys) -> Keys:
    value = value + _GOLDEN
    value = (value ^ (value >> _SHIFT_30)) * _FIRST
    value = (value ^ (value >> _SHIFT_27)) * _SECOND
    return value ^ (value >> _SHIFT_31)

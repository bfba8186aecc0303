"""Values as whole numbers of tenths, hundredths ..., which disks hold in less than floats: 12.34 is 1234 / 100.

What meters say has few decimals. A value goes to two columns, `divisor` (1 to 10,000) and `scaled` (int4), where
`scaled / divisor` is that very float8, bit for bit; any other value (-0.0, 1e300, 0.1 + 0.2) is kept as it is.
A column compresses well where neighbours have one divisor, so a series keeps the greatest that it needed so far: 230.0
between 230.1 and 229.9 is 2300 tenths. That memory is a hint, of this process alone: each row carries its divisor.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from veldwatch.storage.arrays import Array

_DIVISORS = np.array([1, 10, 100, 1000, 10_000], np.int16)
_AS_FLOATS = _DIVISORS.astype(np.float64)
_GREATEST = float(np.iinfo(np.int32).max)

_Flags = npt.NDArray[np.bool_]


class Scaled(NamedTuple):
    """Values as whole numbers; divisor 0: this one is kept as a float."""

    divisor: npt.NDArray[np.int16]
    scaled: npt.NDArray[np.int32]


class Decimals:
    """How many decimals the values of each series needed so far."""

    def __init__(self) -> None:
        """Know nothing."""
        self._digits = np.zeros(0, np.int8)

    def scale(self, series_ids: Array, values: Array) -> Scaled:
        """Write values as whole numbers, and learn from them.

        Args:
            series_ids: small, one for each value; a byte is kept for every id up to the greatest.
            values: finite float8.
        """
        if len(values) == 0:
            return Scaled(np.empty(0, np.int16), np.empty(0, np.int32))
        self._make_room(int(series_ids.max()) + 1)
        numbers = np.ascontiguousarray(values, np.float64)
        digits = self._digits[series_ids]
        whole, exact = _whole(numbers, digits)
        others = np.flatnonzero(~exact)
        if len(others):
            found, is_found = _fewest(numbers[others])
            known, is_known = others[is_found], found[is_found]
            np.maximum.at(self._digits, series_ids[known], is_known)
            digits = self._digits[series_ids]
            whole, exact = _whole(numbers, digits)
            # Too large for so many decimals as its series has: as few as it has itself.
            rest = known[~exact[known]]
            digits[rest] = is_known[~exact[known]]
            whole[rest], exact[rest] = _whole(numbers[rest], digits[rest])
        divisor = np.where(exact, _DIVISORS[digits], 0).astype(np.int16)
        return Scaled(divisor, np.where(exact, whole, 0).astype(np.int32))

    def _make_room(self, ids: int) -> None:
        if ids > len(self._digits):
            self._digits = np.concatenate([self._digits, np.zeros(2 * ids - len(self._digits), np.int8)])


def _whole(values: npt.NDArray[np.float64], digits: Array) -> tuple[npt.NDArray[np.float64], _Flags]:
    """Multiply, and tell where division by the same gives the same bits again."""
    divisors = _AS_FLOATS[digits]
    # A value near the greatest float8 becomes infinite here, which is beyond what fits.
    with np.errstate(over="ignore"):
        whole = np.rint(values * divisors)
    # Through an integer and back, as the database does it: it knows no -0.
    exact = ((whole + 0.0) / divisors).view(np.int64) == values.view(np.int64)
    return whole, exact & (np.abs(whole) <= _GREATEST)


def _fewest(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int8], _Flags]:
    """Find the fewest decimals of each value, and whether there are so few."""
    digits = np.zeros(len(values), np.int8)
    is_found = np.zeros(len(values), np.bool_)
    for count in range(len(_DIVISORS)):
        left = np.flatnonzero(~is_found)
        _, exact = _whole(values[left], np.full(len(left), count))
        digits[left[exact]] = count
        is_found[left[exact]] = True
    return digits, is_found

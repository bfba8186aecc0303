"""Values as whole numbers: bit for bit, and with one divisor in a row for each series."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.storage.decimals import Decimals

_FINITE = st.floats(allow_nan=False, allow_infinity=False)


def _metered(whole: int, digits: int) -> float:
    return whole / 10**digits


_METERED = st.builds(_metered, st.integers(-(2**33), 2**33), st.integers(0, 6))


def _back(divisor: npt.NDArray[np.int16], scaled: npt.NDArray[np.int32], values: npt.NDArray[np.float64]) -> bytes:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(divisor == 0, values, scaled / divisor.astype(np.float64)).tobytes()


@given(st.lists(st.tuples(st.integers(0, 3), _FINITE | _METERED)))
def test_every_value_comes_back_bit_for_bit(rows: list[tuple[int, float]]) -> None:
    series = np.array([number for number, _ in rows], np.int32)
    values = np.array([value for _, value in rows], np.float64)
    decimals = Decimals()
    for _ in range(2):
        divisor, scaled = decimals.scale(series, values)
        assert _back(divisor, scaled, values) == values.tobytes()


@pytest.mark.parametrize("value", [-0.0, 1e300, 5e-324, 0.1 + 0.2, 1 / 3, 2.0**31, 0.12345, 300_000.0001])
def test_what_is_no_short_decimal_stays_a_float(value: float) -> None:
    assert Decimals().scale(np.array([1]), np.array([value])).divisor.tolist() == [0]


def test_a_series_keeps_the_greatest_divisor_that_it_needed() -> None:
    decimals = Decimals()
    one, other = np.full(3, 7), np.full(3, 8)
    divisor, scaled = decimals.scale(one, np.array([230.0, 230.1, 229.0]))
    assert (divisor.tolist(), scaled.tolist()) == ([10, 10, 10], [2300, 2301, 2290])
    assert decimals.scale(one, np.array([231.0, 228.0, 0.0])).divisor.tolist() == [10, 10, 10]
    assert decimals.scale(other, np.array([231.0, 228.0, 0.0])).divisor.tolist() == [1, 1, 1]
    assert decimals.scale(one, np.array([0.125, 1 / 3, 7.0])).divisor.tolist() == [1000, 0, 1000]


def test_a_value_too_large_for_its_series_divisor_takes_fewer_decimals() -> None:
    decimals = Decimals()
    decimals.scale(np.array([1]), np.array([0.0001]))
    assert decimals.scale(np.array([1, 1]), np.array([2_000_000_000.0, 500_000.5])).divisor.tolist() == [1, 10]


def test_no_values_are_no_rows() -> None:
    assert [len(part) for part in Decimals().scale(np.empty(0, np.int32), np.empty(0))] == [0, 0]

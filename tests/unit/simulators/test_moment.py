from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.moment import Moment, from_milliseconds, to_milliseconds

START = datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=5)))
SATURDAY = to_milliseconds(datetime(2026, 11, 21, 22, 30, tzinfo=UTC))


def test_local_time_decides_hour_day_and_weekend() -> None:
    here = Moment(at=SATURDAY, step=1000)
    east = Moment(at=SATURDAY, step=1000, utc_offset=2 * 3_600_000)
    assert (here.hour, here.local.isoweekday(), here.is_weekend) == (22.5, 6, True)
    assert (east.hour, east.local.isoweekday(), east.is_weekend) == (0.5, 7, True)
    assert east.day_of_year == here.day_of_year + 1
    assert not Moment(at=SATURDAY + 2 * 86_400_000, step=1000).is_weekend


def test_a_step_has_a_number_on_its_grid() -> None:
    assert Moment(at=900_000, step=300_000).number == 3
    assert Moment(at=900_000, step=300_000).seconds == 300.0


@given(st.integers(0, 4 * 10**15).map(lambda us: START + us * timedelta(microseconds=1)))
def test_times_come_back_to_the_millisecond(at: datetime) -> None:
    back = from_milliseconds(to_milliseconds(at))
    assert timedelta(0) <= at - back < timedelta(milliseconds=1)


def test_what_lies_before_1970_is_rounded_down_too() -> None:
    assert to_milliseconds(datetime(1969, 12, 31, 23, 59, 59, 999_500, tzinfo=UTC)) == -1
    assert from_milliseconds(-1) == datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    with pytest.raises(TypeError):
        to_milliseconds(datetime(2026, 1, 1))  # noqa: DTZ001  # what has no zone has no place on the grid

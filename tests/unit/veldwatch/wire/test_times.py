"""When a device says that something happened."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Quality
from veldwatch.wire.times import observed, observed_or_arrival, read_time

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.000000000Z",
        "2026-03-01T14:00:00+02:00",
        "2026-03-01T14:00:00+0200",
        "2026-03-01 12:00:00+00:00",
        "20260301T120000Z",
        1772366400,
        1772366400.0,
        1772366400000,
        1772366400000000,
        1772366400000000000,
        "1772366400",
        "1772366400000000000",
    ],
)
def test_each_usual_form_is_read(value: object) -> None:
    assert read_time(value) == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_fractions_are_kept_to_the_microsecond() -> None:
    assert read_time("2026-03-01T12:00:00.123456789Z").microsecond == 123456
    assert read_time(1772366400.25).microsecond == 250_000
    assert read_time(1772366400123.5).microsecond == 123_500
    assert read_time(1772366400123456789).microsecond == 123_456
    assert read_time("1772366400123456789").microsecond == 123_456


@settings(deadline=None)
@given(st.integers(315_964_800, 4_102_444_800).map(lambda s: datetime.fromtimestamp(s, UTC)), st.integers(0, 999_999))
def test_what_is_written_is_read(second: datetime, microsecond: int) -> None:
    moment = second.replace(microsecond=microsecond)
    assert read_time(moment.isoformat()) == moment
    assert abs(read_time(moment.timestamp()) - moment) <= timedelta(microseconds=1)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:00:00",
        "2026-03-01",
        "+10000-01-01T00:00:00Z",
        "٢٠٢٦-٠٣-٠١T12:00:00Z",
        "2026-W10-1T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-03-01x12:00:00Z",
        "Sun, 01 Mar 2026 12:00:00 +0000",
        "now",
        "",
        0,
        -1,
        1e300,
        10**400,
        float("nan"),
        True,
        [1],
        "9999-12-31T23:59:59-23:59",
        "1" * 500,
    ],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(MessageRejected) as caught:
        observed(value, NOW)
    assert caught.value.reason in {Reason.BAD_TIME, Reason.FUTURE_TIME}


def test_no_time_is_not_a_bad_time() -> None:
    with pytest.raises(MessageRejected) as caught:
        observed(None, NOW)
    assert caught.value.reason is Reason.MISSING_TIME


@pytest.mark.parametrize("value", [None, "", "0001-01-01T00:00:00Z", 0, 12.5, "1970-01-01T00:01:00Z"])
def test_arrival_stands_for_a_time_that_was_never_set(value: object) -> None:
    assert observed_or_arrival(value, NOW) == (NOW, Quality.TIME_OF_ARRIVAL)


def test_arrival_stands_for_no_time_that_was_set() -> None:
    assert observed_or_arrival("2026-03-01T12:00:00Z", NOW) == (datetime(2026, 3, 1, 12, tzinfo=UTC), Quality.GOOD)
    for value in ("soon", "2028-03-01T12:00:00Z"):
        with pytest.raises(MessageRejected):
            observed_or_arrival(value, NOW)


@pytest.mark.parametrize(
    ("ahead", "quality"),
    [(timedelta(0), Quality.GOOD), (timedelta(seconds=60), Quality.GOOD), (timedelta(hours=24), Quality.CLOCK_AHEAD)],
)
def test_a_clock_that_is_ahead_is_flagged(ahead: timedelta, quality: Quality) -> None:
    assert observed((NOW + ahead).isoformat(), NOW) == (NOW + ahead, quality)


def test_a_clock_that_is_a_day_ahead_is_no_clock() -> None:
    with pytest.raises(MessageRejected) as caught:
        observed((NOW + timedelta(hours=24, seconds=1)).isoformat(), NOW)
    assert caught.value.reason is Reason.FUTURE_TIME


@pytest.mark.parametrize("value", [-6.3e16, -6.213559680000001e16, "-62135596800001000", -9e19, 9e19])
def test_a_number_before_the_calendar_is_no_time(value: float | str) -> None:
    with pytest.raises(MessageRejected) as refused:
        observed(value, NOW)
    assert refused.value.reason in {Reason.BAD_TIME, Reason.FUTURE_TIME}

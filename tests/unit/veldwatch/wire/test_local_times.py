"""Wall clocks without an offset."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Quality
from veldwatch.wire.local_times import observed_locally, read_zone, utc_unless_said

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LUSAKA = ZoneInfo("Africa/Lusaka")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "text", ["2026-03-01T14:00:00", "2026-03-01 14:00:00", "2026-03-01T14:00", "2026-03-01T14:00:00.000"]
)
def test_a_wall_clock_in_its_zone_is_read(text: str) -> None:
    assert observed_locally(text, LUSAKA, NOW) == (datetime(2026, 3, 1, 12, tzinfo=UTC), Quality.GOOD)


def test_without_a_zone_arrival_stands_for_it() -> None:
    assert observed_locally("2026-03-01T14:00:00", None, NOW) == (NOW, Quality.TIME_OF_ARRIVAL)


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00Z", "2026-03-01T07:00:00-05:00", "1772366400"])
def test_an_offset_that_is_said_counts(text: str) -> None:
    assert observed_locally(text, LUSAKA, NOW) == (datetime(2026, 3, 1, 12, tzinfo=UTC), Quality.GOOD)


@pytest.mark.parametrize("text", ["1970-01-01T00:00:05", "0001-01-01T00:00:00", None, ""])
def test_a_clock_that_was_never_set_gives_arrival(text: str | None) -> None:
    assert observed_locally(text, LUSAKA, NOW) == (NOW, Quality.TIME_OF_ARRIVAL)


@pytest.mark.parametrize(("hour", "passes"), [(0, 0), (1, 1)])
def test_of_a_repeated_hour_arrival_tells_the_pass(hour: int, passes: int) -> None:
    """The clock shows 02:30 at 00:30 and once more at 01:30 UTC; a message arrives at once."""
    arrival = datetime(2026, 10, 25, hour, 30, 2, tzinfo=UTC)
    moment, _ = observed_locally("2026-10-25T02:30:00", BERLIN, arrival)
    assert moment == datetime(2026, 10, 25, 0, 30, tzinfo=UTC) + timedelta(hours=passes)


def test_an_hour_that_a_clock_change_leaves_out_is_read_as_before_it() -> None:
    assert observed_locally("2026-03-29T02:30:00", BERLIN, NOW)[0] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-02-30T12:00:00", Reason.BAD_TIME),
        ("yesterday", Reason.BAD_TIME),
        ("2027-03-01T12:00:00", Reason.FUTURE_TIME),
    ],
)
def test_what_is_no_time_is_refused(text: str, reason: Reason) -> None:
    with pytest.raises(MessageRejected) as caught:
        observed_locally(text, LUSAKA, NOW)
    assert caught.value.reason is reason


def test_a_zone_is_named_or_refused() -> None:
    assert read_zone("") is None
    assert read_zone("Africa/Lusaka") == LUSAKA
    with pytest.raises(ConfigurationInvalid, match="bad time_zone"):
        read_zone("Mars/Olympus")


def test_a_time_may_be_in_utc_unless_it_says_otherwise() -> None:
    assert utc_unless_said("2026-03-01 12:00:00") == "2026-03-01 12:00:00Z"
    assert [utc_unless_said(value) for value in ("2026-03-01T12:00:00Z", 5, None, "x")] == [
        "2026-03-01T12:00:00Z", 5, None, "x"
    ]  # fmt: skip

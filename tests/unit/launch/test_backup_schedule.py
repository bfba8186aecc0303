"""When a backup is due."""

from datetime import UTC, datetime, time, timedelta

import pytest

from launch.backup_schedule import due, parse_time
from veldwatch.errors import ConfigurationInvalid

AT = time(1, 30)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_first_one_is_due_at_once() -> None:
    assert due(None, None, AT, NOW) == NOW


def test_after_one_of_this_night_the_next_night_is_due() -> None:
    assert due(datetime(2026, 3, 2, 1, 30, 1, tzinfo=UTC), None, AT, NOW) == datetime(2026, 3, 3, 1, 30, tzinfo=UTC)


def test_after_one_that_a_person_made_before_the_hour_the_hour_is_due() -> None:
    assert due(datetime(2026, 3, 2, 0, 10, tzinfo=UTC), None, AT, NOW) == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def test_a_machine_that_was_off_at_the_hour_makes_up_for_it() -> None:
    assert due(NOW - timedelta(hours=30), None, AT, NOW) == NOW


def test_a_failed_one_is_tried_again_after_a_quarter_of_an_hour() -> None:
    failed = NOW - timedelta(minutes=5)
    assert due(NOW - timedelta(days=3), failed, AT, NOW) == NOW + timedelta(minutes=10)


def test_one_of_the_future_counts_as_none() -> None:
    assert due(datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC), None, AT, NOW) == NOW


def test_a_clock_that_was_set_back_by_seconds_makes_no_second_one() -> None:
    assert due(NOW + timedelta(seconds=30), None, AT, NOW) == datetime(2026, 3, 3, 1, 30, tzinfo=UTC)


def test_a_failure_of_the_future_puts_nothing_off() -> None:
    assert due(NOW - timedelta(hours=2), datetime(2036, 1, 1, tzinfo=UTC), AT, NOW) == NOW


def test_a_time_of_the_day_is_read() -> None:
    assert parse_time("01:30") == AT


@pytest.mark.parametrize("text", ["", "25:00", "1.30", "noon"])
def test_what_is_no_time_of_the_day_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="bad --daily"):
        parse_time(text)

"""Durations as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.wire.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("24h", 86400), ("1h30m", 5400), ("7d", 604800), ("PT24H", 86400), ("P1DT1M", 86460)],
)
def test_both_forms_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "24", "h", "1.5h", "-1h", "24H", "P", "PT", "P1H", "1h 30m", "1m1h", "١h", "9999999d"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_duration(text)


@given(st.integers(1, 3660 * 86400 - 1))
def test_what_is_written_reads_the_same(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (90, "90s"), (86400, "24h"), (5400, "1h30m"), (604800, "7d")])
def test_the_short_form_is_the_one_that_people_use(seconds: int, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text

"""Times as people write them in addresses, and pages' cursors."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages import Id, Moment, decode_cursor, encode_cursor
from api.parameters import check_storable, parse_instant
from veldwatch.errors import RequestInvalid

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T10:00:00Z",
        "2026-11-22T12:00:00+02:00",
        "2026-11-22T12:00:00 02:00",
        "2026-11-22T10:00",
        "2026-11-22 10:00:00.000",
        "20261122T100000Z",
        "1795341600",
        "1795341600.0",
        "1795341600000",
    ],
)
def test_each_way_to_write_ten_o_clock_is_ten_o_clock(text: str) -> None:
    assert parse_instant(text) == TEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-13-01",
        "1e9",
        "NaN",
        "10000-01-01",
        "\u0661",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
        "1899-12-31",
        "2200-01-01",
        "-62135596800",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected ISO 8601"):
        parse_instant(text)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds are naive
def test_a_time_reads_back_as_it_was_written(moment: datetime) -> None:
    assert parse_instant(moment.isoformat()) == moment


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert parse_instant(text).utcoffset() is not None


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 2**31 - 1))
def test_a_cursor_comes_back_as_it_was_given(moment: datetime, number: int) -> None:
    assert decode_cursor(encode_cursor((moment, number)), tuple[Moment, Id]) == (moment, number)


@given(st.text(max_size=60))
def test_a_cursor_that_nobody_gave_is_refused(text: str) -> None:
    with pytest.raises(RequestInvalid, match="bad cursor"):
        decode_cursor(text, tuple[Moment, Id])


@pytest.mark.parametrize("key", [(TEN, -1), (TEN, 2**31), ("2026", 1), (TEN.replace(tzinfo=None), 1), [], None])
def test_a_cursor_of_another_list_is_refused(key: object) -> None:
    with pytest.raises(RequestInvalid, match="bad cursor"):
        decode_cursor(encode_cursor(key), tuple[Moment, Id])


def test_only_documents_that_can_be_stored_pass() -> None:
    check_storable({"title": "Écoulement 🐘", "n": [1, None, 2.5], "path": "C:\\u0000"})
    for bad in ({"a": "\x00"}, {"\x00": 1}, {"a": ["\ud800"]}, {"a": [{"b": "\x00"}]}):
        with pytest.raises(RequestInvalid, match="bad text"):
            check_storable(bad)

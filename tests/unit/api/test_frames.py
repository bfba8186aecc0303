"""Frames of the live stream: what each organisation sees, and how much at once."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.stream import frames
from api.stream.frames import Chapter, batch_frame, format_cursor, merge, parse_cursor
from veldwatch.storage.log import CONTACTS, POSITIONS, READINGS, LogBatch, LogCursor
from veldwatch.storage.names import DeviceName, SeriesName

SERIES = {n: SeriesName(n, f"d{n}", "volume", "m3", organisation_id=n % 2) for n in range(4)}
DEVICES = {n: DeviceName(f"d{n}", n % 2) for n in range(4)}


def _chapter(readings: list[tuple[int, int, float]]) -> Chapter:
    rows = np.array([(series, at, at, value, 0) for series, at, value in readings], READINGS)
    return Chapter(
        cursor=LogCursor(7, 3),
        readings=rows,
        positions=np.empty(0, POSITIONS),
        contacts=np.empty(0, CONTACTS),
        series=SERIES,
        devices=DEVICES,
    )


def _content(frame: bytes) -> dict[str, Any]:
    kind, place, content, end = frame.split(b"\n", 3)
    assert (kind, place, end) == (b"event: batch", b"id: 7-3", b"\n")
    return json.loads(content.removeprefix(b"data: "))


def test_a_reading_is_told_with_its_names() -> None:
    told = _content(batch_frame(_chapter([(2, 1_795_341_600_000_001, 1.5)]), None))
    assert told["readings"] == [
        {
            "series_id": 2,
            "device_id": 2,
            "device": "d2",
            "metric": "volume",
            "unit": "m3",
            "observed_at": "2026-11-22T10:00:00.000001Z",
            "value": 1.5,
        }
    ]
    assert told["omitted"] == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10**15), st.floats(-1e9, 1e9)), min_size=1, max_size=50))
def test_each_scope_sees_its_own_rows_and_no_others(readings: list[tuple[int, int, float]]) -> None:
    chapter = _chapter(readings)
    for scope in (None, 0, 1):
        expected = [value for series, _, value in readings if series < 4 and scope in (None, series % 2)]
        frame = batch_frame(chapter, scope)
        if expected:
            assert [row["value"] for row in _content(frame)["readings"]] == expected
        else:
            assert frame == b": here\nid: 7-3\n\n"


def test_where_too_much_came_at_once_the_newest_of_each_series_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 3)
    many = [(n % 4, at, float(at)) for at, n in enumerate([0, 1, 2, 3, 0, 1, 0])]
    told = _content(batch_frame(_chapter(many), None))
    assert [(row["series_id"], row["value"]) for row in told["readings"]] == [(3, 3.0), (1, 5.0), (0, 6.0)]
    assert told["omitted"] == 4


def test_text_from_outside_cannot_break_out_of_a_frame() -> None:
    chapter = _chapter([(0, 0, 1.0)])
    hostile = {0: SeriesName(0, "a\n\nevent: alert\ndata: {}\r\n\u2028", "m", "u", 0)}
    frame = batch_frame(replace(chapter, series=hostile), None)
    assert frame.count(b"\n") == 4
    assert b"\r" not in frame
    assert _content(frame)["readings"][0]["device"] == hostile[0].device


def test_batches_are_joined_in_their_order() -> None:
    first, second = (LogBatch(readings=np.array([(n, 0, 0, n, 0)], READINGS)) for n in (1, 2))
    readings, positions, contacts = merge([first, second])
    assert readings["series_id"].tolist() == [1, 2]
    assert (len(positions), len(contacts)) == (0, 0)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_a_place_reads_back_as_it_was_written(xid: int, number: int) -> None:
    assert parse_cursor(format_cursor(LogCursor(xid, number)).decode()) == LogCursor(xid, number)


@given(st.text(max_size=30))
def test_any_text_is_a_place_or_none(text: str) -> None:
    found = parse_cursor(text)
    assert found is None or max(found) < 2**63


@pytest.mark.parametrize("text", ["", "-", "1", "1-", "-1", "1-2-3", "１-2", "9223372036854775808-1", "x-1"])
def test_what_is_no_place_is_none(text: str) -> None:
    assert parse_cursor(text) is None

"""Rows of a table: whole columns and one row at a time say the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.imports.cells import Block, CsvCells, Texts
from ingest.imports.found import UNKNOWN, Found
from ingest.imports.local_times import FileClock
from ingest.imports.mapping import Mapping, ValueColumn
from ingest.imports.numbers import read_numbers
from ingest.imports.table import TableReader
from ingest.imports.table_rows import RowTimes, read_row
from ingest.imports.tracks import TrackColumns, TrackReader, read_track_row
from veldwatch.errors import MessageRejected
from veldwatch.wire.values import number_or_text

NOW = datetime(2026, 11, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAUGHTY = [
    "",
    " ",
    "NaN",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1e999",
    "1e-999",
    "0x10",
    "1_000",
    "+1",
    ".5",
    "5.",
    "01",
    "-0",
    "1,5",
    "1.234,5",
    "1,234.5",
    "12 ",
    " 12",
    "\t7",
    "\u00a08",
    "１２",
    "true",
    "null",
    "NA",
    "#N/A",
    "-",
    "1e5",
    "1E+5",
    "9007199254740992",
    "9007199254740994",
    "1" * 401,
    "0." + "1" * 60,
    "\u0000",
    "12\n",
    '"',
    "undefined",
    "1/0",
    "$1.00",
    "Infinity",
    "1d",
]
NUMBERS = st.one_of(
    st.sampled_from(NAUGHTY),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.text(max_size=4),
)
TIMES = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "yesterday",
            "2026-02-30T00:00:00Z",
            "2026-02-28 23:59:60Z",
            "2026-10-25T02:30:00",
            "2026-10-25T02:10:00",
            "2026-10-25T03:10:00",
            "2026-03-29T02:30:00",
            "2026-06-01",
            "20260601T120000Z",
            "2026-W10-1",
            "1970-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
            "2026-11-01T00:00:30Z",
            "2026-11-01T12:00:00Z",
            "1780000000",
            "1780000000000",
            "1780000000.5",
            " 1780000000",
            "1e9",
            "99999999999",
            "100000000000",
            "1e14",
            "1780000000000000",
            "1780000000000000123",
            "9780000000000000123",
            "100000000000000",
            "1780000000000000.5",
            "-5",
            "2026-06-01T12:00:00.1234567Z",
            "2026-06-01T12:00:00,5Z",
            "2026-06-01T12:00Z",
            "2026-06-01t12:00:00z",
            "2026-06-01T12:00:00+05:30",
            "2026-06-01T12:00:00-00:00",
            "2026-06-01T12:00:00+15:00",
            "2026-06-01T24:00:00Z",
            "0001-01-01T00:00:00+05:00",
            "9999-12-31T23:00:00-05:00",
            "9999-12-31T23:59:59",
            "0001-01-01T00:00:00",
        ]
    ),
    st.datetimes(datetime(2026, 10, 24), datetime(2026, 10, 26)).map(lambda time: time.isoformat(" ")),  # noqa: DTZ001
    st.datetimes(datetime(1979, 1, 1), datetime(2026, 11, 3)).map(lambda time: time.isoformat() + "Z"),  # noqa: DTZ001
    st.integers(0, 2_000_000_000).map(str),
)
NAMES = st.sampled_from(["m1", "m2", "m2", "m1", "", "x" * 257, "a\0b", "Zähler 1"])
UNITS = st.sampled_from(["", "m3", "L", "°C", "bananas", " m3 "])
QUALITIES = st.sampled_from(["", "0", "1", "5", "-1", "99999", "x", "32767"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "device": NAMES,
            "time": TIMES,
            "arrived": TIMES,
            "metric": NAMES,
            "value": NUMBERS,
            "other": NUMBERS,
            "unit": UNITS,
            "quality": QUALITIES,
        }
    ),
    max_size=12,
)
LONG = Mapping(
    device_column="device",
    time_column="time",
    metric_column="metric",
    value_column="value",
    unit_column="unit",
    received_column="arrived",
    quality_column="quality",
    time_zone="Europe/Madrid",
)
WIDE = Mapping(
    device_column="device",
    time_column="time",
    values=(
        ValueColumn(column="value", metric="volume", unit="m3"),
        ValueColumn(column="other", metric="flow"),
        ValueColumn(column="other", metric="volume", unit="m3"),
    ),
    decimal_comma=True,
)
Reading = tuple[object, ...]


def block_of(rows: list[dict[str, str]], columns: list[str]) -> Block:
    made: dict[str, Any] = {name: pyarrow.array([row[name] for row in rows], pyarrow.string()) for name in columns}
    return Block(made, np.arange(2, len(rows) + 2), Texts(None, made), [])


def said(found: Found) -> list[Reading]:
    return [
        (int(row), *found.series[reading["series_id"]], *reading.tolist()[1:])
        for row, reading in zip(found.readings_row, found.readings, strict=True)
    ]


def micros(moment: datetime | None) -> int:
    return UNKNOWN if moment is None else (moment - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize("mapping", [LONG, WIDE, Mapping(time_column="time", device="one", values=WIDE.values)])
@given(rows=ROWS)
def test_columns_and_single_rows_say_the_same(mapping: Mapping, rows: list[dict[str, str]]) -> None:
    reader = TableReader(mapping)
    half = len(rows) // 2
    first, second = (reader.read(block_of(part, mapping.columns()), NOW) for part in (rows[:half], rows[half:]))
    clocks = FileClock(mapping.time_zone), FileClock(mapping.time_zone)
    expected: list[Reading] = []
    refusals: list[tuple[int, str, str]] = []
    for number, row in enumerate(rows):
        one = read_row(mapping, row, RowTimes(clocks[0].read, clocks[1].read, NOW))
        expected += [
            (number, r.device, r.metric, r.unit, micros(r.observed_at), micros(one.received_at), r.value, r.quality)
            for r in one.readings
        ]
        refusals += [(number, reason.value, detail) for reason, detail in one.rejected]
    later = [(row + half, *rest) for row, *rest in said(second)]  # type: ignore[operator]
    assert said(first) + later == expected
    told = [(item.line - 2, item.reason.value, item.detail) for item in first.refused]
    told += [(item.line - 2 + half, item.reason.value, item.detail) for item in second.refused]
    assert told == refusals


TRACK = TrackColumns(
    devices=("device", "metric"),
    time="time",
    longitude="value",
    latitude="other",
    received="arrived",
    altitudes=("altitude", "unit"),
    accuracy="accuracy",
    speed="speed",
    heading="heading",
    visible="visible",
    outliers=("marked",),
    valid="valid",
    quality="quality",
    sensors=(ValueColumn(column="sensor", metric="external-temperature", unit="Cel"),),
)
DEGREES = st.one_of(st.floats(-200, 200).map(repr), st.sampled_from(["", "0", "1.5", "-24.9", *NAUGHTY]))
PARTS = st.one_of(st.sampled_from(["", "12.5", "-1", "361", "1e7", *NAUGHTY]))
FLAGS = st.sampled_from(["", "true", "false", "TRUE", "False", "1", "0", "maybe"])
FIXES = st.lists(
    st.fixed_dictionaries(
        {
            "device": NAMES,
            "metric": NAMES,
            "time": TIMES,
            "arrived": TIMES,
            "value": DEGREES,
            "other": DEGREES,
            "altitude": PARTS,
            "unit": PARTS,
            "accuracy": PARTS,
            "speed": PARTS,
            "heading": PARTS,
            "visible": FLAGS,
            "marked": FLAGS,
            "valid": FLAGS,
            "quality": QUALITIES,
            "sensor": PARTS,
        }
    ),
    max_size=10,
)


@given(rows=FIXES)
def test_columns_and_single_rows_of_a_track_say_the_same(rows: list[dict[str, str]]) -> None:
    found = TrackReader(TRACK).read(block_of(rows, TRACK.names()), NOW)
    clocks = FileClock("UTC"), FileClock("UTC")
    readings: list[Reading] = []
    fixes: list[Reading] = []
    refusals: list[tuple[int, str, str]] = []
    for number, row in enumerate(rows):
        one = read_track_row(TRACK, row, RowTimes(clocks[0].read, clocks[1].read, NOW))
        received = micros(one.received_at)
        readings += [
            (number, r.device, r.metric, r.unit, micros(r.observed_at), received, r.value, r.quality)
            for r in one.readings
        ]
        if one.position is not None:
            device, moment, *place, quality = one.position
            parts = [None if part is None else float(np.float32(part)) for part in place[2:]]
            fixes.append((number, device, micros(moment), received, *place[:2], *parts, int(quality)))
        refusals += [(number, reason.value, detail) for reason, detail in one.rejected]
    assert said(found) == readings
    assert [
        (int(row), found.devices[fix[0]], *fix[1:5], *(None if np.isnan(part) else part for part in fix[5:9]), fix[9])
        for row, fix in zip(found.positions_row, (item.tolist() for item in found.positions), strict=True)
    ] == fixes
    assert [(item.line - 2, item.reason.value, item.detail) for item in found.refused] == refusals


@given(st.lists(NUMBERS, min_size=1))
def test_a_sure_number_is_the_number(cells: list[str]) -> None:
    numbers = read_numbers(pyarrow.array(cells, pyarrow.string()))
    for cell, value, sure in zip(cells, numbers.values.tolist(), numbers.sure.tolist(), strict=True):
        try:
            expected = number_or_text(cell.strip())
        except MessageRejected:
            assert not sure
        else:
            assert not sure or value == expected


def test_memory_of_a_clock_change_lasts_over_a_stop(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    times = ["01:50", "02:10", "02:50", "02:10", "02:50", "03:10"]
    path.write_text("device,time,value\n" + "".join(f"m,2016-10-30T{time}:00,1\n" for time in times), encoding="utf-8")
    mapping = Mapping(
        device_column="device",
        time_column="time",
        time_zone="Europe/Madrid",
        values=(ValueColumn(column="value", metric="x"),),
    )
    cells = CsvCells(path)
    (block,) = cells.blocks(mapping.columns())
    cells.text.close()
    whole = TableReader(mapping).read(block, NOW).readings["observed_at"].tolist()
    assert whole == sorted(whole)
    for stop in range(len(times)):
        first, parts = TableReader(mapping), [slice(0, stop), slice(stop, None)]
        cut = [
            Block({name: column[part] for name, column in block.columns.items()}, block.lines[part], block.texts, [])
            for part in parts
        ]
        before = first.read(cut[0], NOW)
        after = TableReader(mapping, first.state()).read(cut[1], NOW)
        assert [*before.readings["observed_at"].tolist(), *after.readings["observed_at"].tolist()] == whole

"""One row of a table, checked part by part: what it says, or the reason why it cannot be stored.

This is what decides. `ingest.imports.table` reads whole columns and asks here only for rows in which something is odd.
"""

from collections.abc import Callable
from collections.abc import Mapping as Cells
from datetime import datetime
from typing import NamedTuple

from ingest.imports.mapping import Mapping, ValueColumn
from ingest.imports.numbers import point
from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import EARLIEST_OBSERVATION, Reading
from veldwatch.wire.times import FURTHEST_AHEAD, checked
from veldwatch.wire.units import canonical
from veldwatch.wire.values import checked_name, number_or_text, shown

LARGEST_QUALITY = 2**15 - 1
"""`quality` is a smallint."""

ReadTime = Callable[[str, str], datetime]
"""(device, cell) to UTC; raises `MessageRejected`."""


class TableRow(NamedTuple):
    """What one row says.

    Attributes:
        received_at: None: the row does not say.
    """

    received_at: datetime | None
    readings: list[Reading]
    rejected: list[tuple[Reason, str]]


class RowTimes(NamedTuple):
    """How the times of a row are read, and the time of the import."""

    observed: ReadTime
    received: ReadTime
    now: datetime


def arrival(times: RowTimes, device: str, cell: str) -> datetime:
    """Read when a row arrived.

    Raises:
        MessageRejected: it cannot be read, or nothing arrived then: who was heard in a time to come would never be
            silent again.
    """
    at = times.received(device, cell)
    if at > times.now + FURTHEST_AHEAD:
        raise MessageRejected(Reason.FUTURE_TIME, f"arrived at {at.isoformat()}, in a time to come")
    if at < EARLIEST_OBSERVATION:
        raise MessageRejected(Reason.BAD_TIME, f"arrived at {at.isoformat()} (expected from 1980 on)")
    return at


def read_row(mapping: Mapping, cells: Cells[str, str], times: RowTimes) -> TableRow:
    """Read one row; each value that cannot be stored is rejected by itself."""
    try:
        return _row(mapping, cells, times)
    except MessageRejected as error:
        return TableRow(None, [], [(error.reason, error.detail)])


def _row(mapping: Mapping, cells: Cells[str, str], times: RowTimes) -> TableRow:
    device = checked_name(cells[mapping.device_column] if mapping.device_column else mapping.device, "device")
    arrived = cells[mapping.received_column] if mapping.received_column else ""
    received_at = arrival(times, device, arrived) if arrived else None
    if not cells[mapping.time_column]:
        raise MessageRejected(Reason.MISSING_TIME, "no time")
    moment, quality = checked(times.observed(device, cells[mapping.time_column]), received_at or times.now)
    if mapping.quality_column:
        quality |= cell_quality(cells[mapping.quality_column])
    row = TableRow(received_at, [], [])
    for column in _columns(mapping, cells):
        cell = cells[column.column].strip()
        if not cell:
            continue
        try:
            value = number_or_text(point(cell) if mapping.decimal_comma else cell)
            row.readings.append(Reading(device, column.metric, moment, value, column.unit, quality))
        except MessageRejected as error:
            row.rejected.append((error.reason, f"{column.column}: {error.detail}"))
    if not row.readings and not row.rejected:
        row.rejected.append((Reason.NOTHING_TO_STORE, "no value in this line"))
    return row


def cell_unit(text: str) -> str | None:
    """Read a cell that names a unit; blank: the series' own.

    Raises:
        MessageRejected: nobody knows such a unit.
    """
    found = canonical(text) if text else None
    if text and found is None:
        raise MessageRejected(Reason.UNIT_MISMATCH, f"unknown unit {shown(text)}")
    return found


def cell_quality(text: str) -> int:
    """Read a cell of quality flags; blank: good.

    Raises:
        MessageRejected: not a whole number that `quality` can hold.
    """
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= LARGEST_QUALITY):
        raise MessageRejected(Reason.BAD_VALUE, f"quality {shown(text)} (expected 0 to {LARGEST_QUALITY})")
    return int(text)


def _columns(mapping: Mapping, cells: Cells[str, str]) -> tuple[ValueColumn, ...]:
    if not mapping.metric_column:
        return mapping.values
    metric = checked_name(cells[mapping.metric_column], "metric")
    unit = cell_unit(cells[mapping.unit_column]) if mapping.unit_column else None
    return (ValueColumn(column=mapping.value_column, metric=metric, unit=unit),)

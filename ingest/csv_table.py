"""A plain CSV file with a mapping of its columns: wide (a column for each metric) or long (a column that names it)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingest.files import FileImport, ImportReport, Row, in_chunks
from ingest.local_times import FileClock
from ingest.movebank import read_header, read_rows
from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Reading
from veldwatch.wire.times import checked
from veldwatch.wire.units import canonical
from veldwatch.wire.values import checked_name, number_or_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueColumn:
    """A column that holds values of one metric; unit None: the series' own."""

    column: str
    metric: str
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which columns of a file say what.

    Attributes:
        device_column: empty: every row is of `device`.
        metric_column, value_column, unit_column: of a long table; empty: a wide one, by `values`.
        received_column: when a row arrived; empty: unknown, and no contact is written.
        time_zone: of times without an offset.
    """

    time_column: str
    device_column: str = ""
    device: str = ""
    values: tuple[ValueColumn, ...] = ()
    metric_column: str = ""
    value_column: str = ""
    unit_column: str = ""
    received_column: str = ""
    time_zone: str = ""

    def columns(self) -> list[str]:
        """List every column that is named."""
        named = [self.device_column, self.time_column, self.metric_column, self.value_column, self.unit_column]
        return [name for name in [*named, self.received_column, *(v.column for v in self.values)] if name]


def value_column(text: str) -> ValueColumn:
    """Read `COLUMN=METRIC[:UNIT]`.

    Raises:
        ConfigurationInvalid: not of that form, or the unit is unknown.
    """
    column, equals, rest = text.partition("=")
    metric, colon, unit = rest.partition(":")
    if not column or not equals or not metric:
        raise ConfigurationInvalid(f"bad --value: {text!r} (expected COLUMN=METRIC or COLUMN=METRIC:UNIT)")
    return ValueColumn(column=column, metric=metric, unit=_unit(unit) if colon else None)


class CsvImport:
    """Imports one file.

    Raises:
        ConfigurationInvalid: no such file, columns are missing, or the mapping says nothing.
    """

    def __init__(self, settings: Settings, path: Path, organisation: str, mapping: Mapping) -> None:
        self._mapping = mapping
        self._path = path
        present = read_header(path)
        missing = [column for column in mapping.columns() if column not in present]
        if missing:
            raise ConfigurationInvalid(
                f"bad column: {', '.join(map(repr, missing))} (the file has {', '.join(present)})"
            )
        if not (mapping.device_column or mapping.device):
            raise ConfigurationInvalid("no device (say --device-column, or --device for a file of one)")
        if bool(mapping.values) == bool(mapping.metric_column and mapping.value_column):
            raise ConfigurationInvalid("no values (say --value, or --metric-column with --value-column)")
        self._clock = FileClock(mapping.time_zone)
        self._arrivals = FileClock(mapping.time_zone)
        self._file = FileImport(settings, path, organisation, source="csv", arrivals=bool(mapping.received_column))
        self.report = ImportReport()

    def run(self) -> Iterator[ImportReport]:
        """Import, giving the report after each chunk."""
        try:
            for chunk in in_chunks(self._rows()):
                self.report.stored.add(self._file.store(chunk))
                yield self.report
        finally:
            self._file.close()

    def _rows(self) -> Iterator[Row]:
        for line, cells in read_rows(self._path):
            self.report.rows += 1
            text = ",".join(cells.values())
            try:
                yield self._row(line, text, cells)
            except MessageRejected as error:
                yield Row(line, text, rejected=((error.reason, error.detail),))

    def _row(self, line: int, text: str, cells: dict[str, str]) -> Row:
        mapping = self._mapping
        device = checked_name(cells[mapping.device_column] if mapping.device_column else mapping.device, "device")
        arrived = cells[mapping.received_column] if mapping.received_column else ""
        received_at = self._arrivals.read(device, arrived) if arrived else None
        if not cells[mapping.time_column]:
            raise MessageRejected(Reason.MISSING_TIME, "no time")
        moment, quality = checked(
            self._clock.read(device, cells[mapping.time_column]), received_at or datetime.now(UTC)
        )
        readings: list[Reading] = []
        rejected: list[tuple[Reason, str]] = []
        for column in self._values(cells):
            cell = cells[column.column].strip()
            if not cell:
                continue
            try:
                readings.append(Reading(device, column.metric, moment, number_or_text(cell), column.unit, quality))
            except MessageRejected as error:
                rejected.append((error.reason, f"{column.column}: {error.detail}"))
        if not readings and not rejected:
            rejected.append((Reason.NOTHING_TO_STORE, "no value in this line"))
        return Row(line, text, received_at, readings=tuple(readings), rejected=tuple(rejected))

    def _values(self, cells: dict[str, str]) -> Sequence[ValueColumn]:
        mapping = self._mapping
        if not mapping.metric_column:
            return mapping.values
        metric = checked_name(cells[mapping.metric_column], "metric")
        unit = _cell_unit(cells[mapping.unit_column]) if mapping.unit_column else None
        return (ValueColumn(column=mapping.value_column, metric=metric, unit=unit),)


def _unit(text: str) -> str:
    found = canonical(text)
    if found is None:
        raise ConfigurationInvalid(f"bad unit: {text!r} (expected a UCUM code)")
    return found


def _cell_unit(text: str) -> str | None:
    found = canonical(text) if text else None
    if text and found is None:
        raise MessageRejected(Reason.UNIT_MISMATCH, f"unknown unit {text!r}")
    return found

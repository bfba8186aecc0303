"""What a block of a file says, into the database: names to ids, then one transaction with the place that was reached.

A block's rows, its quarantine, its log and the import's position are committed together. Where the database refuses a
block for good, it is halved until the row at fault stands alone, and that one goes to quarantine.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import structlog

from ingest import measures
from ingest.imports.cells import Refused
from ingest.imports.contacts import contacts, heard
from ingest.imports.found import UNKNOWN, Found
from ingest.names import Names, SeriesEntry
from ingest.pipeline import Report
from ingest.registration import DeviceName, Refusal
from veldwatch.config import Settings, Source
from veldwatch.errors import ConfigurationInvalid, MessageRejected, StorageRejected
from veldwatch.model.quarantine import Origin
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.storage import log, quarantine
from veldwatch.storage.columnstore import open_as_needed
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import LogBatch
from veldwatch.storage.quarantine import Quarantined
from veldwatch.wire.sources import Route
from veldwatch.wire.topics import is_slug
from veldwatch.wire.units import UNCHANGED

LOG_ROWS = 20_000
"""Readings in one row of the log: 600 kB, as large as a full batch of messages gets."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMED = 20
"""Of what is wrong with a line's values, in the words of its quarantine."""

Rows = npt.NDArray[Any]
Places = npt.NDArray[np.intp]
Advance = Callable[[Connection, Report], None]
"""Moves the import on, last in the transaction, by what was stored."""


class _Part(NamedTuple):
    """Rows of one table with ids for names.

    Attributes:
        devices: id of the device of each.
        row: of the block, that each is from.
    """

    rows: Rows
    devices: npt.NDArray[np.int32]
    row: Places

    def at(self, places: Any) -> "_Part":  # noqa: ANN401  # whatever indexes an array
        return _Part(self.rows[places], self.devices[places], self.row[places])


class _Written(NamedTuple):
    """What one transaction put into the tables of readings and of fixes: what was new, and what collided."""

    new: _Part
    conflicts: _Part


class BulkStore:
    """Stores blocks of one file.

    Args:
        file: name, for the topic of its lines in quarantine.
        source: name of the format.

    Raises:
        ConfigurationInvalid: the organisation cannot be one.
    """

    def __init__(self, settings: Settings, file: str, organisation: str, *, source: str) -> None:
        if not is_slug(organisation):
            raise ConfigurationInvalid(
                f"bad organisation: {organisation!r} (expected a slug: lower-case letters, digits, hyphens)"
            )
        self._topic, self._organisation, self._source = f"file/{file}", organisation, source
        listed = Source(
            name=source, topic_filter="#", decoder="veldwatch", register_unknown=True, registrations_per_hour=0
        )
        self._route = Route(source=listed, decode=_never)
        self._limit = settings.payload_limit_bytes
        self._names = Names(settings)
        self._writer = IntakeWriter(settings.dsn, application="veldwatch-import")

    def close(self) -> None:
        """Give the connection back."""
        self._writer.close()

    @property
    def connection(self) -> Connection:
        """Give the connection that rows are written through."""
        return self._writer.connection

    def store(self, found: Found, now: datetime, advance: Advance) -> Report:
        """Store a block and commit.

        Args:
            now: when rows arrived that do not say.

        Raises:
            StorageUnavailable: nothing, or a part, was committed; storing the block again is right.
        """
        if self._writer.take_register_change():
            self._names.forget()
        barred = self._learn_devices(found)
        readings, mismatched = self._readings(found, barred)
        positions = self._positions(found, barred)
        told = (*found.refused, *_barred(found, barred), *_mismatches(found, mismatched))
        refused = [self._refused(item, now) for item in told]
        self._make_room(readings, positions)
        try:
            return self._commit(found, readings, positions, refused, now, advance)
        except StorageRejected as error:
            self._writer.forget_months()
            self._make_room(readings, positions)
            _log.warning("a block is refused and stored by halves", file=self._topic, reason=str(error))
            refused += self._halved(found, readings, positions, now)
            nothing = readings.at(slice(0))
            return self._commit(found, nothing, positions.at(slice(0)), refused, now, advance)

    def _make_room(self, readings: _Part, positions: _Part) -> None:
        received = np.concatenate([part.rows["received_at"] for part in (readings, positions)])
        for table, moments in (
            ("reading_raw", readings.rows["observed_at"]),
            ("position_raw", positions.rows["observed_at"]),
            ("contact", received[received != UNKNOWN]),
        ):
            if len(moments):
                self._writer.make_room(table, moments)

    def _halved(self, found: Found, readings: _Part, positions: _Part, now: datetime) -> list[Quarantined]:
        """Store what the database takes, in transactions of their own; give the rows that it refuses."""
        refused: list[Quarantined] = []
        for first, second in ((readings, positions.at(slice(0))), (readings.at(slice(0)), positions)):
            rows = max(len(first.rows), len(second.rows))
            for half in (slice(rows // 2), slice(rows // 2, None)) if rows > 1 else (slice(None),):
                parts = first.at(half), second.at(half)
                if not (len(parts[0].rows) or len(parts[1].rows)):
                    continue
                try:
                    self._commit(found, *parts, [], now, _stays)
                except StorageRejected as error:
                    if rows > 1:
                        refused += self._halved(found, *parts, now)
                    else:
                        row = int((*parts[0].row, *parts[1].row)[0])
                        line = Refused(int(found.lines[row]), found.texts.of(row), Reason.STORAGE_REJECTED, str(error))
                        refused.append(self._refused(line, now))
        return refused

    def _commit(  # the parts of one transaction
        self,
        found: Found,
        readings: _Part,
        positions: _Part,
        refused: list[Quarantined],
        now: datetime,
        advance: Advance,
    ) -> Report:
        with translated_errors(), self.connection.transaction():
            self._writer.hold.take(self.connection)
            open_as_needed(self.connection)
            wrote = [
                self._write(readings, self._writer.store_readings, now),
                self._write(positions, self._writer.store_positions, now),
            ]
            collided = [
                item
                for part, of in zip(wrote, ("series", "device"), strict=True)
                for item in _told(found, part.conflicts, of)
            ]
            rows = [*refused, *(self._refused(item, now) for item in _one_each(collided))]
            if rows:
                quarantine.add(self.connection, rows)
            self._append(*wrote, now=now)
            report = Report(readings=len(wrote[0].new.rows), positions=len(wrote[1].new.rows), quarantined=len(rows))
            advance(self.connection, report)
        for row in rows:
            measures.QUARANTINED.labels(row.reason.value).inc()
        return report

    def _write(self, part: _Part, store: Callable[[Rows], Any], now: datetime) -> _Written:
        if not len(part.rows):
            return _Written(part, part)
        stored = store(_arrived(part.rows, now))
        return _Written(part.at(stored.new), part.at(stored.conflicting))

    def _append(self, readings: _Written, positions: _Written, *, now: datetime) -> None:
        """Write contacts and the log; only rows that gave something new prove that their device was heard."""
        new = [heard(part.new.devices, part.new.rows, part.new.row) for part in (readings, positions)]
        met = contacts(np.concatenate(new))
        if len(met):
            self._writer.store_contacts(met)
        for rows in _sliced(_arrived(readings.new.rows, now)):
            log.append(self.connection, LogBatch(readings=rows))
        for rows in _sliced(_arrived(positions.new.rows, now)):
            log.append(self.connection, LogBatch(positions=rows))
        for rows in _sliced(met):
            log.append(self.connection, LogBatch(contacts=rows))

    def _learn_devices(self, found: Found) -> dict[str, Refusal]:
        """Look up and register the devices of a block; give those that may not speak."""
        used: list[int] = np.unique(found.readings["series_id"]).tolist()
        placed: list[int] = np.unique(found.positions["device_id"]).tolist()
        devices: set[str] = {found.series[place][0] for place in used}
        devices |= {found.devices[place] for place in placed}
        names: list[DeviceName] = [(self._organisation, device) for device in sorted(devices)]
        self._names.learn_devices(self.connection, dict.fromkeys(names, self._route))
        unknown = [name for name in names if name not in self._names.devices]
        return {name[1]: self._names.why_unknown(self.connection, name) for name in unknown}

    def _readings(self, found: Found, barred: dict[str, Refusal]) -> tuple[_Part, list[tuple[int, Reason, str]]]:
        """Give series their ids and values their units; those whose unit cannot be are told by row."""
        allowed = np.array([words[0] not in barred for words in found.series], dtype=bool)[found.readings["series_id"]]
        rows, from_row = found.readings[allowed], found.readings_row[allowed]
        used = np.flatnonzero(np.bincount(rows["series_id"], minlength=len(found.series)))
        words = [(self._organisation, *found.series[place]) for place in used.tolist()]
        self._names.learn_series(self.connection, dict.fromkeys(words))
        entries = dict(zip(used.tolist(), (self._names.series[name] for name in words), strict=True))
        place = rows["series_id"].copy()
        rows["series_id"] = _spread(entries, lambda entry: entry.series_id, len(found.series))[place]
        devices = _spread(entries, lambda entry: entry.device_id, len(found.series))[place]
        kept = np.ones(len(rows), dtype=bool)
        mismatched: list[tuple[int, Reason, str]] = []
        for number, entry in entries.items():
            if entry.conversion is UNCHANGED:
                continue
            which = place == number
            if entry.conversion is None:
                kept &= ~which
                mismatched += [(row, entry.reason, entry.detail) for row in from_row[which].tolist()]
            else:
                numerator, denominator, offset = entry.conversion
                rows["value"][which] = rows["value"][which] * numerator / denominator + offset
        self._names.ranges.mark(rows)
        part = _Part(rows, devices, from_row)
        return (part.at(kept), mismatched) if mismatched else (part, mismatched)

    def _positions(self, found: Found, barred: dict[str, Refusal]) -> _Part:
        ids = np.array([self._names.devices.get((self._organisation, name), -1) for name in found.devices], np.int32)
        allowed = np.array([name not in barred for name in found.devices], dtype=bool)[found.positions["device_id"]]
        rows = found.positions[allowed]
        rows["device_id"] = ids[rows["device_id"]]
        return _Part(rows, rows["device_id"].copy(), found.positions_row[allowed])

    def _refused(self, item: Refused, now: datetime) -> Quarantined:
        sentence = f"line {item.line}: {item.detail}"
        topic = f"{self._topic}#{item.line}"
        row = Quarantined(now, self._source, topic, item.text[: self._limit], item.reason, sentence)
        return row._replace(organisation=self._organisation, origin=Origin.FILE)


def _stays(connection: Connection, report: Report) -> None:
    """Leave the import where it is: this is only a part of a block."""
    del connection, report


def _never(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    del payload, received_at
    raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, f"{topic!r}: rows of a file are read by its import")


def _arrived(rows: Rows, now: datetime) -> Rows:
    """Say that rows arrived now where the file does not say when."""
    unknown = rows["received_at"] == UNKNOWN
    if not unknown.any():
        return rows
    rows = rows.copy()
    rows["received_at"][unknown] = (now - _EPOCH) // timedelta(microseconds=1)
    return rows


def _barred(found: Found, barred: dict[str, Refusal]) -> list[Refused]:
    """Tell each row of a device that may not speak, once."""
    if not barred:
        return []
    names = [words[0] for words in found.series]
    rows = _devices_by_row(found.readings_row, found.readings["series_id"], names)
    rows |= _devices_by_row(found.positions_row, found.positions["device_id"], found.devices)
    return [
        Refused(int(found.lines[row]), found.texts.of(row), *barred[device])
        for row, device in sorted(rows.items())
        if device in barred
    ]


def _devices_by_row(rows: Places, places: Rows, names: list[str]) -> dict[int, str]:
    of_rows: list[int] = places.tolist()
    return {row: names[place] for row, place in zip(rows.tolist(), of_rows, strict=True)}


def _mismatches(found: Found, mismatched: list[tuple[int, Reason, str]]) -> list[Refused]:
    return [Refused(int(found.lines[row]), found.texts.of(row), reason, detail) for row, reason, detail in mismatched]


def _told(found: Found, part: _Part, of: str) -> list[Refused]:
    if not len(part.rows):
        return []
    moments = part.rows["observed_at"].astype("datetime64[us]").astype(str)
    identities: list[int] = part.rows[f"{of}_id"].tolist()
    return [
        Refused(
            int(found.lines[row]),
            found.texts.of(row),
            Reason.CONFLICTING_DUPLICATE,
            f"{of} {identity} has another value at {moment}Z already",
        )
        for row, identity, moment in zip(part.row.tolist(), identities, moments, strict=True)
    ]


def _one_each(parts: Sequence[Refused]) -> list[Refused]:
    """Say of each line once what is wrong with several of its values."""
    said: dict[tuple[int, Reason], list[Refused]] = {}
    for part in parts:
        said.setdefault((part.line, part.reason), []).append(part)
    return [same[0]._replace(detail="; ".join(part.detail for part in same[:_NAMED])) for same in said.values()]


def _sliced(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), LOG_ROWS):
        yield rows[start : start + LOG_ROWS]


def _spread(entries: dict[int, SeriesEntry], part: Callable[[SeriesEntry], int], size: int) -> npt.NDArray[np.int32]:
    found = np.zeros(size, dtype=np.int32)
    found[list(entries)] = [part(entry) for entry in entries.values()]
    return found

"""From values to rows: the arrays of one batch, each row with the message that it came in.

A batch is told apart into messages of the general form and scans, and goes on as the one, then the other: the message
of a row is its place in that order.
"""

import operator
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.decoding import Understood
from ingest.names import Names, ScanEntry, ScanName, SeriesEntry, SeriesName
from ingest.registration import DeviceName
from veldwatch.model.identifiers import DeviceId
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Position, Scan
from veldwatch.storage.log import CONTACTS, POSITIONS, READINGS, LogEvent
from veldwatch.wire.sources import Route
from veldwatch.wire.units import UNCHANGED

_NO_TIME = np.iinfo(np.int64).min
_NAN = float("nan")
_SERIES_ID, _CONVERSION = itemgetter(0), itemgetter(2)
_HeardKey = tuple[DeviceId, bool, datetime | None]
_DEVICE_ID, _SERIES = itemgetter(0), itemgetter(1)


class Sorted(NamedTuple):
    """The messages of a batch by their form, each in order of arrival.

    Attributes:
        scanned: for each scan its message; one of several scans is there as often.
        names: of the scans.
    """

    general: list[Understood]
    scanned: list[Understood]
    scans: list[Scan]
    names: list[ScanName]

    def messages(self) -> list[Understood]:
        """Give all, in the order that rows count messages by."""
        return self.general + self.scanned if self.scanned else self.general


def sort(understood: list[Understood]) -> Sorted:
    """Tell scans from the rest, and name what they say."""
    general: list[Understood] = []
    scanned: list[Understood] = []
    scans: list[Scan] = []
    names: list[ScanName] = []
    for item in understood:
        if not item.scans:
            general.append(item)
        for scan in item.scans:
            scanned.append(item)
            scans.append(scan)
            names.append((item.organisation, scan.device, scan.metrics, scan.units))
    return Sorted(general, scanned, scans, names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A batch as it is written; `*_message` say which message, by its place among the understood, a row came in."""

    readings: npt.NDArray[Any]
    readings_message: npt.NDArray[np.intp]
    positions: npt.NDArray[Any]
    positions_message: npt.NDArray[np.intp]
    events: list[LogEvent]
    contacts: npt.NDArray[Any]
    mismatched: list[tuple[int, Reason, str]] = field(default_factory=list)
    """Readings that cannot be stored, mostly for their unit: message, reason, and a sentence."""


def devices_in(understood: list[Understood]) -> dict[DeviceName, Route]:
    """List the devices that messages name."""
    found: dict[DeviceName, Route] = {}
    for _, route, organisation, decoded, scans in understood:
        for scan in scans:
            found[organisation, scan.device] = route
        for part in (decoded.readings, decoded.positions, decoded.events):
            for row in part:
                found[organisation, row.device] = route
        for device in decoded.heard:
            found[organisation, device] = route
    return found


def series_in(understood: list[Understood]) -> list[SeriesName]:
    """Name the series of all readings, in order, one for each reading; those of scans are `series_of`."""
    return [
        (organisation, reading.device, reading.metric, reading.unit)
        for _, _, organisation, decoded, _ in understood
        for reading in decoded.readings
    ]


def series_of(scans: Iterable[ScanName]) -> list[SeriesName]:
    """Name the series of scans."""
    return [
        (organisation, device, metric, unit)
        for organisation, device, metrics, units in scans
        for metric, unit in zip(metrics, units, strict=True)
    ]


def assemble(batch: Sorted, series: list[SeriesName], names: Names, *, each_arrival: bool = False) -> Rows:
    """Make the rows of messages whose names are all known.

    Args:
        series: of the messages in the general form, as `series_in` gave them.
        each_arrival: one contact for each moment of arrival, not one for the batch: a file holds years.
    """
    scans = [names.scans[name] for name in batch.names]
    columns = _columns(batch, [names.series[name] for name in series], scans)
    readings, readings_message, mismatched = _readings(columns)
    names.ranges.mark(readings)
    positions, positions_message = _positions(batch.general, names)
    contacts = _contacts(batch.general, names, each_arrival=each_arrival)
    if scans:
        contacts = _with_scans(contacts, batch, scans, each_arrival=each_arrival)
    return Rows(
        readings=readings,
        readings_message=readings_message,
        positions=positions,
        positions_message=positions_message,
        events=_events(batch.general, names),
        contacts=contacts,
        mismatched=mismatched,
    )


def microseconds(moment: datetime) -> int:
    """Count microseconds since 1970; a double of seconds is exact to a quarter of one until 2106."""
    return round(moment.timestamp() * 1_000_000)


class _Columns(NamedTuple):
    """All readings of a batch, a column each; times in microseconds since 1970."""

    entries: list[SeriesEntry]
    message: npt.NDArray[np.intp]
    observed: npt.NDArray[np.int64]
    received: npt.NDArray[np.int64]
    values: list[float]
    quality: npt.NDArray[np.int64]


def _columns(batch: Sorted, entries: list[SeriesEntry], scans: list[ScanEntry]) -> _Columns:
    """Put the readings together without a line of Python for each value; a scan has one time for all of its own."""
    flat = [reading for item in batch.general for reading in item.decoded.readings]
    said = batch.scans
    # Readings in each message, and how many rows share each time and quality.
    counts = np.array([len(i.decoded.readings) for i in batch.general] + [len(s.values) for s in said], dtype=np.intp)
    shared = np.concatenate([np.ones(len(flat), dtype=np.intp), counts[len(batch.general) :]])
    moments = [reading.observed_at for reading in flat] + [scan.observed_at for scan in said]
    qualities = [reading.quality for reading in flat] + [scan.quality for scan in said]
    arrivals = [item.message.received_at.timestamp() for item in batch.messages()]
    values = [reading.value for reading in flat]
    values += chain.from_iterable([scan.values for scan in said])
    return _Columns(
        entries=entries + list(chain.from_iterable(map(_SERIES, scans))),
        message=np.repeat(np.arange(len(counts)), counts),
        observed=np.repeat(_times(list(map(datetime.timestamp, moments))), shared),
        received=np.repeat(_times(arrivals), counts),
        values=values,
        quality=np.repeat(np.array(qualities, dtype=np.int64), shared),
    )


def _readings(columns: _Columns) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp], list[tuple[int, Reason, str]]]:
    rows = np.empty(len(columns.entries), READINGS)
    if not columns.entries:
        return rows, columns.message, []
    rows["series_id"] = list(map(_SERIES_ID, columns.entries))
    rows["observed_at"] = columns.observed
    rows["received_at"] = columns.received
    rows["value"] = columns.values
    rows["quality"] = columns.quality
    mismatched = _convert(rows, columns.entries)
    if not mismatched:
        return rows, columns.message, []
    kept = np.ones(len(rows), dtype=bool)
    kept[[place for place, _, _ in mismatched]] = False
    told = [(int(columns.message[place]), reason, detail) for place, reason, detail in mismatched]
    return rows[kept], columns.message[kept], told


def _convert(rows: npt.NDArray[Any], entries: list[SeriesEntry]) -> list[tuple[int, Reason, str]]:
    mismatched: list[tuple[int, Reason, str]] = []
    conversions = list(map(_CONVERSION, entries))
    if conversions.count(UNCHANGED) == len(conversions):
        return mismatched
    for place, entry in enumerate(entries):
        if entry.conversion is UNCHANGED:
            continue
        if entry.conversion is None:
            mismatched.append((place, entry.reason, entry.detail))
        else:
            rows["value"][place] = entry.conversion.apply(float(rows["value"][place]))
    return mismatched


def _positions(understood: list[Understood], names: Names) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    rows: list[tuple[object, ...]] = []
    messages: list[int] = []
    for place, (message, _, organisation, decoded, _) in enumerate(understood):
        for position in decoded.positions:
            device_id = names.devices[organisation, position.device]
            rows.append(_position(position, device_id, message.received_at))
            messages.append(place)
    return np.array(rows, POSITIONS), np.array(messages, dtype=np.intp)


def _position(position: Position, device_id: DeviceId, received_at: datetime) -> tuple[object, ...]:
    optional = (position.altitude, position.accuracy, position.speed, position.heading)
    return (
        device_id,
        microseconds(position.observed_at),
        microseconds(received_at),
        position.longitude,
        position.latitude,
        *(_NAN if value is None else value for value in optional),
        position.quality,
    )


def _events(understood: list[Understood], names: Names) -> list[LogEvent]:
    return [
        LogEvent(
            names.devices[organisation, event.device],
            microseconds(event.observed_at),
            microseconds(message.received_at),
            event.kind,
            event.attributes,
        )
        for message, _, organisation, decoded, _ in understood
        for event in decoded.events
    ]


def _contacts(understood: list[Understood], names: Names, *, each_arrival: bool) -> npt.NDArray[Any]:
    """One row for each device that was heard; a last will, which the broker says, is a row of its own."""
    heard: dict[_HeardKey, _Heard] = {}
    for message, _, organisation, decoded, _ in understood:
        if not message.is_news_of_life:
            continue  # kept by the broker since who knows when: no sign of life
        alive = decoded.online is not False
        for device, first, last in _spans(decoded):
            arrival = message.received_at if each_arrival else None
            key = (names.devices[organisation, device], alive, arrival)
            row = heard.get(key)
            if row is None:
                heard[key] = _Heard(message.received_at, first, last)
            else:
                row.add(message.received_at, first, last)
    rows = [
        (key[0], microseconds(row.received_at) + _after(key, row, heard), *row.counted(), key[1])
        for key, row in heard.items()
    ]
    return np.array(rows, CONTACTS)


def _with_scans(
    contacts: npt.NDArray[Any], batch: Sorted, entries: list[ScanEntry], *, each_arrival: bool
) -> npt.NDArray[Any]:
    """Add the contacts that scans are: one for each device, and moment of arrival where those are kept apart."""
    rows = np.empty(len(entries), CONTACTS)
    rows["device_id"] = list(map(_DEVICE_ID, entries))
    rows["received_at"] = _times([item.message.received_at.timestamp() for item in batch.scanned])
    rows["first_observed_at"] = _times([scan.observed_at.timestamp() for scan in batch.scans])
    rows["last_observed_at"] = rows["first_observed_at"]
    # A device is heard once by a message, however many scans of it that holds.
    first = np.fromiter(map(operator.is_not, batch.scanned, (None, *batch.scanned)), dtype=bool, count=len(rows))
    first[1:] |= rows["device_id"][1:] != rows["device_id"][:-1]
    rows["messages"] = first
    rows["online"] = True
    rows = rows[[item.message.is_news_of_life for item in batch.scanned]]
    alive = contacts["online"]
    merged = _merged(np.concatenate([contacts[alive], rows]), each_arrival=each_arrival)
    return np.concatenate([merged, _apart(contacts[~alive], merged)])


def _merged(rows: npt.NDArray[Any], *, each_arrival: bool) -> npt.NDArray[Any]:
    """Make one row of those of one device: messages summed, the latest arrival, the widest span of observation."""
    if len(rows) == 0:
        return rows
    rows = rows[np.lexsort((rows["received_at"], rows["device_id"]))]
    changes = rows["device_id"][1:] != rows["device_id"][:-1]
    if each_arrival:
        changes |= rows["received_at"][1:] != rows["received_at"][:-1]
    begins = np.concatenate([[0], np.flatnonzero(changes) + 1])
    merged = rows[begins].copy()
    merged["messages"] = np.add.reduceat(rows["messages"], begins)
    merged["received_at"] = np.maximum.reduceat(rows["received_at"], begins)
    # Untold is the smallest number there is: it loses against every time as the last, and must as the first.
    first = np.where(rows["first_observed_at"] == _NO_TIME, np.iinfo(np.int64).max, rows["first_observed_at"])
    first = np.minimum.reduceat(first, begins)
    merged["first_observed_at"] = np.where(first == np.iinfo(np.int64).max, _NO_TIME, first)
    merged["last_observed_at"] = np.maximum.reduceat(rows["last_observed_at"], begins)
    return merged


def _apart(wills: npt.NDArray[Any], alive: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Put last wills a microsecond after signs of life that arrived with them: the two would share a key."""
    keys = set(zip(alive["device_id"].tolist(), alive["received_at"].tolist(), strict=True))
    wills = wills.copy()
    for will in wills:
        while (int(will["device_id"]), int(will["received_at"])) in keys:
            will["received_at"] += 1
    return wills


class _Heard:
    """What one device's messages come to."""

    __slots__ = ("first", "last", "messages", "received_at")

    def __init__(self, received_at: datetime, first: datetime | None, last: datetime | None) -> None:
        self.received_at, self.first, self.last, self.messages = received_at, first, last, 1

    def add(self, received_at: datetime, first: datetime | None, last: datetime | None) -> None:
        self.messages += 1
        self.received_at = max(self.received_at, received_at)
        if first is not None and (self.first is None or first < self.first):
            self.first = first
        if last is not None and (self.last is None or last > self.last):
            self.last = last

    def counted(self) -> tuple[int, int, int]:
        first = _NO_TIME if self.first is None else microseconds(self.first)
        return self.messages, first, first if self.last is None else microseconds(self.last)


def _after(key: _HeardKey, row: _Heard, heard: dict[_HeardKey, _Heard]) -> int:
    """Put a last will a microsecond after a sign of life that arrived with it: the two would share a key."""
    other = None if key[1] else heard.get((key[0], True, key[2]))
    return int(other is not None and other.received_at == row.received_at)


def _spans(decoded: Decoded) -> list[tuple[str, datetime | None, datetime | None]]:
    """List the devices that a message proves alive, with the first and last time of observation of each."""
    readings = decoded.readings
    # The usual message: one item of readings, whose time is one object.
    if readings and not decoded.positions and not decoded.heard and readings[0].observed_at is readings[-1].observed_at:
        return [(readings[0].device, readings[0].observed_at, readings[0].observed_at)]
    spans: dict[str, tuple[datetime | None, datetime | None]] = dict.fromkeys(decoded.heard, (None, None))
    for row in (*readings, *decoded.positions):
        first, last = spans.get(row.device, (None, None))
        moment = row.observed_at
        spans[row.device] = (
            moment if first is None else min(first, moment),
            moment if last is None else max(last, moment),
        )
    return [(device, first, last) for device, (first, last) in spans.items()]


def _times(seconds: list[float]) -> npt.NDArray[np.int64]:
    return np.rint(np.array(seconds, dtype=np.float64) * 1e6).astype(np.int64)

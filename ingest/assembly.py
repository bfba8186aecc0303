"""From values to rows: the arrays of one batch, each row with the message that it came in."""

from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.decoding import Understood
from ingest.names import DeviceName, Names, SeriesEntry, SeriesName
from veldwatch.model.identifiers import DeviceId
from veldwatch.model.telemetry import Decoded, Position
from veldwatch.storage.log import CONTACTS, POSITIONS, READINGS, LogEvent
from veldwatch.wire.sources import Route
from veldwatch.wire.units import UNCHANGED

_NO_TIME = np.iinfo(np.int64).min
_NAN = float("nan")
_SERIES_ID, _CONVERSION = itemgetter(0), itemgetter(2)
_HeardKey = tuple[DeviceId, bool, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A batch as it is written; `*_message` say which message, by its place among the understood, a row came in."""

    readings: npt.NDArray[Any]
    readings_message: npt.NDArray[np.intp]
    positions: npt.NDArray[Any]
    positions_message: npt.NDArray[np.intp]
    events: list[LogEvent]
    contacts: npt.NDArray[Any]
    mismatched: list[tuple[int, str]] = field(default_factory=list)
    """Readings whose unit cannot become the series' own: message, and why."""


def devices_in(understood: list[Understood]) -> dict[DeviceName, Route]:
    """List the devices that messages name."""
    found: dict[DeviceName, Route] = {}
    for _, route, organisation, decoded in understood:
        for part in (decoded.readings, decoded.positions, decoded.events):
            for row in part:
                found[organisation, row.device] = route
        for device in decoded.heard:
            found[organisation, device] = route
    return found


def series_in(understood: list[Understood]) -> list[SeriesName]:
    """Name the series of all readings, in order, one for each reading."""
    return [
        (organisation, reading.device, reading.metric, reading.unit)
        for _, _, organisation, decoded in understood
        for reading in decoded.readings
    ]


def assemble(
    understood: list[Understood], series: list[SeriesName], names: Names, *, each_arrival: bool = False
) -> Rows:
    """Make the rows of messages whose names are all known.

    Args:
        series: as `series_in` gave them.
        each_arrival: one contact for each moment of arrival, not one for the batch: a file holds years.
    """
    readings, readings_message, mismatched = _readings(understood, [names.series[name] for name in series])
    positions, positions_message = _positions(understood, names)
    return Rows(
        readings=readings,
        readings_message=readings_message,
        positions=positions,
        positions_message=positions_message,
        events=_events(understood, names),
        contacts=_contacts(understood, names, each_arrival=each_arrival),
        mismatched=mismatched,
    )


def microseconds(moment: datetime) -> int:
    """Count microseconds since 1970; a double of seconds is exact to a quarter of one until 2106."""
    return round(moment.timestamp() * 1_000_000)


def _readings(
    understood: list[Understood], entries: list[SeriesEntry]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp], list[tuple[int, str]]]:
    flat = [reading for _, _, _, decoded in understood for reading in decoded.readings]
    counts = [len(decoded.readings) for _, _, _, decoded in understood]
    message = np.repeat(np.arange(len(understood)), counts)
    rows = np.empty(len(flat), READINGS)
    if not flat:
        return rows, message, []
    # Column by column without a line of Python for each value.
    _, _, observed, values, _, quality = zip(*flat, strict=True)
    rows["series_id"] = list(map(_SERIES_ID, entries))
    rows["observed_at"] = _times(list(map(datetime.timestamp, observed)))
    rows["received_at"] = np.repeat(_times([item.message.received_at.timestamp() for item in understood]), counts)
    rows["value"] = values
    rows["quality"] = quality
    mismatched = _convert(rows, entries)
    if not mismatched:
        return rows, message, []
    kept = np.ones(len(flat), dtype=bool)
    kept[[place for place, _ in mismatched]] = False
    return rows[kept], message[kept], [(int(message[place]), detail) for place, detail in mismatched]


def _convert(rows: npt.NDArray[Any], entries: list[SeriesEntry]) -> list[tuple[int, str]]:
    mismatched: list[tuple[int, str]] = []
    conversions = list(map(_CONVERSION, entries))
    if conversions.count(UNCHANGED) == len(conversions):
        return mismatched
    for place, entry in enumerate(entries):
        if entry.conversion is UNCHANGED:
            continue
        if entry.conversion is None:
            mismatched.append((place, entry.detail))
        else:
            rows["value"][place] = entry.conversion.apply(float(rows["value"][place]))
    return mismatched


def _positions(understood: list[Understood], names: Names) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    rows: list[tuple[object, ...]] = []
    messages: list[int] = []
    for place, (message, _, organisation, decoded) in enumerate(understood):
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
        for message, _, organisation, decoded in understood
        for event in decoded.events
    ]


def _contacts(understood: list[Understood], names: Names, *, each_arrival: bool) -> npt.NDArray[Any]:
    """One row for each device that was heard; a last will, which the broker says, is a row of its own."""
    heard: dict[_HeardKey, _Heard] = {}
    for message, _, organisation, decoded in understood:
        if message.retained:
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

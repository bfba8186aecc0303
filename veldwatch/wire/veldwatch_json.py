"""Our own JSON: readings, positions, events and status on `veldwatch/v1/{organisation}/{device}/{kind}`.

A payload is one object or a list of objects. `observed_at` is required but in a status: without it a message that
is delivered twice would be stored twice. A part that is wrong is rejected and the rest of the message stands. A value
is a JSON number, or a string that holds one (some controllers send nothing else); never a boolean. Encoders stand
beside the decoders: simulators and gateways write with them.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import cast

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import LARGEST_VALUE, Decoded, Event, Position, Reading, Rejection, Scan
from veldwatch.wire.scanning import ScanningDecoder
from veldwatch.wire.times import observed
from veldwatch.wire.topics import Kind, OwnTopic, parse_own_topic
from veldwatch.wire.units import canonical
from veldwatch.wire.values import (
    MOST_SENTENCES,
    MOST_VALUES,
    JsonObject,
    as_object,
    attributes,
    checked_name,
    fix,
    number_or_text,
    plausible,
    read_json,
    shown,
)

_KNOWN_UNITS: dict[str | None, str] = {}
# What devices send together is much the same in every message.
_CHECKED_METRICS: set[tuple[str, ...]] = set()
# Longer lists would fill memory: with names as long as they may be, each is 16 kB so.
_REMEMBERED_METRICS = 64


class _Measured(msgspec.Struct):
    value: float
    unit: str | None = None


class _Readings(msgspec.Struct):
    observed_at: str | float
    readings: dict[str, float | _Measured]


_plain_readings: msgspec.json.Decoder[_Readings | list[_Readings]] = msgspec.json.Decoder(_Readings | list[_Readings])
_known_topic = lru_cache(maxsize=65536)(parse_own_topic)


class OwnJson(ScanningDecoder):
    """Reads messages of our own."""

    def scans(self, topic: str, payload: bytes, received_at: datetime) -> tuple[Scan, ...]:
        """Read items of readings; the careful way says what is wrong with others, and keeps what is not."""
        own = _known_topic(topic)
        if own.kind is not Kind.READINGS:
            return ()
        try:
            if not payload.isascii():
                payload.decode()  # msgspec does not look at names that it skips: `unit` with a damaged byte is one
            said = _plain_readings.decode(payload)
            if isinstance(said, list):
                return tuple([_scan(own, item, received_at) for item in said])
            return (_scan(own, said, received_at),)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MessageRejected):
            return ()

    def read(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """Read any message of ours."""
        return _careful(_known_topic(topic), payload, received_at)


decode = OwnJson()


def encode_readings(
    observed_at: datetime, readings: Mapping[str, float | tuple[float, str]], *, sequence: int | None = None
) -> bytes:
    """Write the readings of one moment.

    Args:
        readings: metric to value, or to (value, UCUM unit).
    """
    values = {
        metric: {"value": value[0], "unit": value[1]} if isinstance(value, tuple) else value
        for metric, value in readings.items()
    }
    document: dict[str, object] = {"observed_at": observed_at, "readings": values}
    return msgspec.json.encode(document if sequence is None else document | {"seq": sequence})


def encode_position(position: Position) -> bytes:
    """Write one fix."""
    optional = {
        "altitude_metres": position.altitude,
        "accuracy_metres": position.accuracy,
        "speed_metres_per_second": position.speed,
        "heading_degrees": position.heading,
    }
    document: dict[str, object] = {
        "observed_at": position.observed_at,
        "longitude": position.longitude,
        "latitude": position.latitude,
    }
    return msgspec.json.encode(document | {name: value for name, value in optional.items() if value is not None})


def encode_event(observed_at: datetime, kind: str, details: JsonObject | None = None) -> bytes:
    """Write one event.

    Args:
        details: stored as the event's attributes.
    """
    return msgspec.json.encode({"observed_at": observed_at, "kind": kind, "attributes": details or {}})


def encode_status(*, online: bool, observed_at: datetime | None = None) -> bytes:
    """Write a birth or, with `online` false, a last will; a will is written ahead and has no time."""
    document: dict[str, object] = {"online": online}
    return msgspec.json.encode(document if observed_at is None else document | {"observed_at": observed_at})


def _scan(own: OwnTopic, message: _Readings, received_at: datetime) -> Scan:
    said = message.readings
    if not said:
        raise MessageRejected(Reason.NOTHING_TO_STORE, "no reading")
    if len(said) > MOST_VALUES:
        raise _too_many()
    metrics = tuple(said)
    if metrics not in _CHECKED_METRICS:
        _check_metrics(metrics)
    moment, quality = observed(message.observed_at, received_at)
    values: list[float] = []
    units: list[str | None] = []
    for value in said.values():
        if isinstance(value, _Measured):
            units.append(_KNOWN_UNITS.get(value.unit) or _unit(value.unit))
            amount = value.value
        else:
            units.append(None)
            amount = value
        if not -LARGEST_VALUE <= amount <= LARGEST_VALUE:
            plausible(amount)
        values.append(amount)
    return Scan(own.organisation, own.device, moment, metrics, tuple(units), values, quality)


def _check_metrics(metrics: tuple[str, ...]) -> None:
    for metric in metrics:
        checked_name(metric, "metric")
    if len(_CHECKED_METRICS) < 4096 and len(metrics) <= _REMEMBERED_METRICS:
        _CHECKED_METRICS.add(metrics)


class _Parts:
    """What a message holds so far: rejected parts beside good ones."""

    __slots__ = ("device", "events", "online", "positions", "readings", "received_at", "rejections", "told")

    def __init__(self, device: str, received_at: datetime) -> None:
        self.device = device
        self.received_at = received_at
        self.readings: list[Reading] = []
        self.positions: list[Position] = []
        self.events: list[Event] = []
        self.rejections: list[Rejection] = []
        self.told: Counter[Reason] = Counter()
        self.online: bool | None = None

    @contextmanager
    def part(self, what: str) -> Generator[None]:
        try:
            yield
        except MessageRejected as error:
            self.told[error.reason] += 1
            if self.told[error.reason] <= MOST_SENTENCES:
                self.rejections.append(Rejection(error.reason, f"{what}: {error.detail}"))


def _careful(own: OwnTopic, payload: bytes, received_at: datetime) -> Decoded:
    parts = _Parts(own.device, received_at)
    if own.kind is Kind.STATUS and payload.strip().lower() in _BARE_STATUS:
        return Decoded(own.organisation, heard=(own.device,), online=_BARE_STATUS[payload.strip().lower()])
    document = read_json(payload)
    items = cast("list[object]", document) if isinstance(document, list) else [document]
    if not items:
        raise MessageRejected(Reason.NOTHING_TO_STORE, "an empty list")
    for place, item in enumerate(items):
        with parts.part(f"item {place}" if isinstance(document, list) else "payload"):
            _READERS[own.kind](as_object(item, "it"), parts)
    return _decoded(own, parts)


def _decoded(own: OwnTopic, parts: _Parts) -> Decoded:
    stored = parts.readings or parts.positions or parts.events or own.kind is Kind.STATUS
    if parts.rejections and not stored:
        first = parts.rejections[0]
        others = f" (and {parts.told.total() - 1} more)" if parts.told.total() > 1 else ""
        raise MessageRejected(first.reason, first.detail + others)
    return Decoded(
        own.organisation,
        readings=tuple(parts.readings),
        positions=tuple(parts.positions),
        events=tuple(parts.events),
        rejections=tuple(parts.rejections),
        heard=(own.device,),
        online=parts.online,
    )


def _readings(item: JsonObject, parts: _Parts) -> None:
    moment, quality = observed(item.get("observed_at"), parts.received_at)
    values = as_object(item.get("readings"), "readings")
    if not values:
        raise MessageRejected(Reason.NOTHING_TO_STORE, "no reading")
    for metric, value in islice(values.items(), MOST_VALUES):
        with parts.part(shown(metric)):
            checked_name(metric, "metric")
            amount, unit = _measured(value)
            parts.readings.append(Reading(parts.device, metric, moment, amount, unit, quality))
    if len(values) > MOST_VALUES:
        raise _too_many()


def _too_many() -> MessageRejected:
    return MessageRejected(Reason.MALFORMED_PAYLOAD, f"more than {MOST_VALUES} metrics: the rest is not stored")


def _measured(value: object) -> tuple[float, str | None]:
    if not isinstance(value, dict):
        return number_or_text(value), None
    measured = cast("JsonObject", value)
    unit = measured.get("unit")
    if unit is not None and not isinstance(unit, str):
        raise MessageRejected(Reason.UNIT_MISMATCH, f"unit {shown(unit)} is not text")
    return number_or_text(measured.get("value")), _unit(unit)


def _unit(text: str | None) -> str | None:
    if not text:
        return None
    known = _KNOWN_UNITS.get(text)
    if known is not None:
        return known
    found = canonical(text)
    if found is None:
        raise MessageRejected(Reason.UNIT_MISMATCH, f"unknown unit {shown(text)} (expected a UCUM code)")
    if len(_KNOWN_UNITS) < 4096:
        _KNOWN_UNITS[text] = found
    return found


def _position(item: JsonObject, parts: _Parts) -> None:
    position = fix(
        parts.device,
        observed(item.get("observed_at"), parts.received_at),
        item.get("longitude"),
        item.get("latitude"),
        altitude=item.get("altitude_metres"),
        accuracy=item.get("accuracy_metres"),
        speed=item.get("speed_metres_per_second"),
        heading=item.get("heading_degrees"),
    )
    parts.positions.append(position)


def _event(item: JsonObject, parts: _Parts) -> None:
    moment, _ = observed(item.get("observed_at"), parts.received_at)
    kind = checked_name(item.get("kind"), "kind of event")
    details = as_object(item.get("attributes", {}), "attributes")
    parts.events.append(Event(parts.device, moment, kind, attributes(details)))


def _status(item: JsonObject, parts: _Parts) -> None:
    said = item.get("online", item.get("status"))
    online = said if isinstance(said, bool) else _SPOKEN_STATUS.get(said) if isinstance(said, str) else None
    if online is None:
        raise MessageRejected(
            Reason.MALFORMED_PAYLOAD,
            f"no status: {shown(said)} (expected online true or false, or status online or offline)",
        )
    parts.online = online


_SPOKEN_STATUS = {"online": True, "offline": False}
_BARE_STATUS = {b"online": True, b"offline": False}
_READERS: dict[Kind, Callable[[JsonObject, _Parts], None]] = {
    Kind.READINGS: _readings,
    Kind.POSITIONS: _position,
    Kind.EVENTS: _event,
    Kind.STATUS: _status,
}


def joined(documents: Iterable[bytes]) -> bytes:
    """Put messages of one topic into one list."""
    return b"[" + b",".join(documents) + b"]"

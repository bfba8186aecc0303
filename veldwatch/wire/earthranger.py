"""EarthRanger and Gundi: fixes and events of animals, vehicles and rangers as these systems pass them on, on any topic.

Read are observations and events of EarthRanger's API, of its sensors' intake, and of Gundi versions 1 (`device_id`,
`x`, `y`) and 2 (`external_source_id`, `lat`, `lon`), one or a list. `recorded_at` is when the tracker was there; it
is required, and without an offset in UTC. Numbers in `additional` are readings under their own names, `"41 kph"` with
its unit.

Source: gundi-core, schemas/v1.py and schemas/v2/gundi.py; EarthRanger API, "observations", "activity/events",
"sensors".
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Quality
from veldwatch.wire.codec_objects import Place, flatten, is_identity
from veldwatch.wire.collected import Collected, When, read_each
from veldwatch.wire.local_times import utc_unless_said
from veldwatch.wire.times import observed
from veldwatch.wire.units import spoken
from veldwatch.wire.values import (
    JsonObject,
    as_object,
    checked_name,
    is_numeric_text,
    items_of,
    members_of,
    number_or_text,
    read_json,
)

_IDENTITIES = ("external_source_id", "device_id", "manufacturer_id", "source_id", "source")
# What gundi-core writes for a device that nobody named.
_NO_IDENTITY = (None, "", "none", "None")
_MEASURED_TEXT = re.compile(r"(?P<number>[^ ]+) ?(?P<unit>[^0-9 .,+-][^ ]{0,15})")
_METRES_PER_SECOND = {"m/s": 1.0, "km/h": 3.6, "[kn_i]": 3600 / 1852, "[mi_i]/h": 3600 / 1609.344}
_HEADINGS = ("heading", "course", "bearing")
_OUTER = {"voltage": "V", "temperature": None}
"""Values that version 1 of Gundi gives beside `additional`."""
_WHO_AND_WHEN = frozenset(
    {"id", "gundi_id", "owner", "recorded_at", "time", "created_at", "source_id", "external_source_id", "device_id",
     "event_type", "observation_type", "data_provider_id", "integration_id", "location", "er_uuid"}
)  # fmt: skip


def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    """Read observations and events.

    Raises:
        MessageRejected: nothing of these kinds, or nothing in it can be stored.
    """
    del topic  # who and when are in the payload; the topic is free
    return read_each(_items(read_json(payload)), lambda item: _item(as_object(item, "an observation"), received_at))


def _items(document: object) -> Iterator[object]:
    """Unwrap a list, and EarthRanger's answers: `{"data": {"results": [...]}}`."""
    inner = document
    for member in ("data", "results"):
        inner = members_of(inner).get(member, inner)
    listed = items_of(inner)
    yield from listed or [inner]


def _item(item: JsonObject, received_at: datetime) -> Decoded:
    for mark, reader in _READERS:
        if mark in item:
            return reader(item, received_at)
    raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, "neither an observation nor an event: recorded_at is not in it")


def _observation(item: JsonObject, received_at: datetime) -> Decoded:
    when = observed(utc_unless_said(item.get("recorded_at")), received_at)
    parts = Collected(_device(item), when)
    additional = {**members_of(item.get("additional")), **members_of(item.get("observation_details"))}
    # Who looked at the track excluded this fix (1: by hand, 2: by a filter); EarthRanger, Observation.exclusion_flags.
    excluded = item.get("exclusion_flags") not in (0, None, False)
    _fix(parts, item, additional, (when[0], when[1] | (Quality.IMPLAUSIBLE if excluded else 0)))
    for name, unit in _OUTER.items():
        parts.reading(name, item.get(name), unit)
    for measured in flatten(additional):
        if not is_identity(measured):
            parts.reading(measured.name, measured.value, measured.unit)
    for name, value in additional.items():
        said = _measured_text(value)
        if said is not None:
            parts.reading(name, *said)
    _device_status(parts, item)
    return parts.decoded()


def _device_status(parts: Collected, item: JsonObject) -> None:
    """Read EarthRanger's `device_status_properties`: a list of label, value and units, or of bare `{label: value}`."""
    for entry in items_of(item.get("device_status_properties")):
        said = members_of(entry)
        label, unit = said.get("label"), said.get("units")
        if isinstance(label, str):
            parts.reading(label, said.get("value"), spoken(unit) if isinstance(unit, str) else None)
            continue
        for measured in flatten(said):
            parts.reading(measured.name, measured.value, measured.unit)


def _event(item: JsonObject, received_at: datetime) -> Decoded:
    when = observed(utc_unless_said(item.get("recorded_at", item.get("time"))), received_at)
    kind = checked_name(item.get("event_type"), "event_type")
    # Reports that no device made are of their kind; source: gundi-core, EREvent.calculate_device_id.
    parts = Collected(_device(item, f"eventtype:{kind}"), when)
    return _told(parts, kind, item, when)


def _text_message(item: JsonObject, received_at: datetime) -> Decoded:
    when = observed(utc_unless_said(item.get("created_at")), received_at)
    parts = Collected(_device(item, item.get("sender")), when)
    return _told(parts, "text_message", item, when)


def _picture(item: JsonObject, received_at: datetime) -> Decoded:
    when = observed(utc_unless_said(item.get("recorded_at")), received_at)
    parts = Collected(_device(item, item.get("camera_name")), when)
    return _told(parts, "camera_trap", item, when)


def _told(parts: Collected, kind: str, item: JsonObject, when: When) -> Decoded:
    parts.event(kind, {name: value for name, value in item.items() if name not in _WHO_AND_WHEN})
    _fix(parts, item, {}, when)
    return parts.decoded()


def _device(item: JsonObject, fallback: object = None) -> str:
    for name in _IDENTITIES:
        identity = item.get(name)
        described = members_of(identity)
        if described:
            identity = described.get("manufacturer_id") or described.get("id")
        if identity not in _NO_IDENTITY:
            return checked_name(str(identity) if isinstance(identity, int) else identity, name)
    return checked_name(fallback, "external_source_id")


def _fix(parts: Collected, item: JsonObject, additional: JsonObject, when: When) -> None:
    said = members_of(item.get("location"))
    longitude, latitude = _coordinates(said)
    if longitude is None and latitude is None:
        return
    parts.place(
        Place(
            _west_is_negative(longitude),
            latitude,
            # Both versions say 0 where the tracker gave no altitude.
            altitude=next((said[name] for name in ("alt", "z", "altitude") if said.get(name)), None),
            speed=_speed(additional.get("speed")),
            heading=next((additional[name] for name in _HEADINGS if name in additional), None),
        ),
        when=when,
    )
    for name in ("hdop", "vdop"):
        parts.reading(name, said.get(name), when=when)


def _coordinates(said: JsonObject) -> tuple[object, object]:
    listed = items_of(said.get("coordinates"))
    if len(listed) >= 2:
        return listed[0], listed[1]
    for east, north in (("lon", "lat"), ("longitude", "latitude"), ("x", "y")):
        if east in said or north in said:
            return said.get(east), said.get(north)
    return None, None


def _west_is_negative(longitude: object) -> object:
    """Gundi lets a longitude run to 360."""
    if isinstance(longitude, (int, float)) and not isinstance(longitude, bool) and 180 < longitude <= 360:
        return longitude - 360
    return longitude


def _measured_text(value: object) -> tuple[float, str] | None:
    """Read `41 kph`; None: it is not a number with a unit that we know."""
    match = _MEASURED_TEXT.fullmatch(value) if isinstance(value, str) and len(value) <= 40 else None
    unit = None if match is None else spoken(match["unit"])
    if match is None or unit is None or not is_numeric_text(match["number"]):
        return None
    try:
        return number_or_text(match["number"]), unit
    except MessageRejected:
        return None


def _speed(value: object) -> float | None:
    """Give metres per second; a number without a unit may be anything."""
    said = _measured_text(value)
    divisor = None if said is None else _METRES_PER_SECOND.get(said[1])
    return None if said is None or divisor is None else said[0] / divisor


_READERS: tuple[tuple[str, Callable[[JsonObject, datetime], Decoded]], ...] = (
    ("event_type", _event),
    ("image_uri", _picture),
    ("text", _text_message),
    ("recorded_at", _observation),
)

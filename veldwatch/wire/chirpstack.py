"""ChirpStack v4: the events of a LoRaWAN network server, on `application/{id}/device/{devEui}/event/{event}`.

A codec's `object` is flattened with dots; a number, a string that is one and a boolean (as 0 or 1) are readings,
other text is not. `{"value", "unit"}` is one reading. A latitude beside a longitude is a fix. `time` is the network
server's clock at reception, so the device's own times inside the object are left as they are.

Source: ChirpStack, api/proto/integration/integration.proto; the integration's JSON marshaler.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, cast

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Event, Position, Quality, Reading, Rejection
from veldwatch.wire.codec_objects import Measured, flatten, place_in
from veldwatch.wire.times import observed
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import (
    JsonObject,
    as_object,
    attributes,
    checked_name,
    fix,
    foreign_number,
    read_object,
    shown,
)

_STATUS_UNITS = {"margin": "dB", "batteryLevel": "%"}
_STATUS_FIELDS = ("margin", "batteryLevel", "externalPowerSource", "batteryLevelUnavailable")
# Who and when stand in the row itself; radio metadata is not about the event.
_NOT_ATTRIBUTES = frozenset({"deduplicationId", "time", "deviceInfo", "rxInfo", "txInfo"})


class _Uplink(NamedTuple):
    """One event of the network server, with who and when read already."""

    kind: str
    document: JsonObject
    device: str
    moment: datetime
    quality: int


def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    """Read one event.

    Raises:
        MessageRejected: not an event of ChirpStack v4, or at no time that can be.
    """
    kind, level = _levels(topic)
    reader = _READERS.get(kind)
    if reader is None:
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, f"event {shown(kind)} (expected one of {sorted(_READERS)})")
    document = read_object(payload)
    moment, quality = _observed(document, received_at)
    return reader(_Uplink(kind, document, _device(document, level), moment, quality))


def _levels(topic: str) -> tuple[str, str]:
    levels = topic.split("/")
    if len(levels) < 4 or levels[-2] != "event" or levels[-4] != "device":
        raise MessageRejected(
            Reason.MALFORMED_TOPIC, f"{shown(topic)} (expected application/ID/device/DEV_EUI/event/EVENT)"
        )
    return levels[-1], device_level(levels[-3])


def _device(document: JsonObject, level: str) -> str:
    described = document.get("deviceInfo")
    if not isinstance(described, dict):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, "no deviceInfo: not an event of ChirpStack v4 in JSON")
    identity = cast("JsonObject", described).get("devEui") or level
    return checked_name(identity, "devEui")


def _observed(document: JsonObject, received_at: datetime) -> tuple[datetime, int]:
    """ChirpStack publishes at once, so where it gives no time, arrival stands for it."""
    if document.get("time") is None:
        return received_at, int(Quality.TIME_OF_ARRIVAL)
    return observed(document["time"], received_at)


def _up(uplink: _Uplink) -> Decoded:
    content = uplink.document.get("object")
    if content is None:
        return Decoded(None, heard=(uplink.device,))
    return _decoded(uplink, as_object(content, "object"))


def _decoded(uplink: _Uplink, content: JsonObject, events: tuple[Event, ...] = ()) -> Decoded:
    place = place_in(content)
    positions: list[Position] = []
    rejections: list[Rejection] = []
    if place is not None:
        try:
            positions.append(
                fix(
                    uplink.device,
                    (uplink.moment, uplink.quality),
                    place.longitude,
                    place.latitude,
                    altitude=place.altitude,
                    accuracy=place.accuracy,
                    speed=place.speed,
                    heading=place.heading,
                )
            )
        except MessageRejected as error:
            rejections.append(Rejection(error.reason, error.detail))
    coordinates = place.keys if place is not None else frozenset[str]()
    readings: list[Reading] = []
    for measured in flatten(content):
        if measured.name in coordinates:
            continue
        try:
            readings.append(_reading(uplink, measured))
        except MessageRejected as error:
            rejections.append(Rejection(error.reason, f"{shown(measured.name)}: {error.detail}"))
    return Decoded(
        None,
        readings=tuple(readings),
        positions=tuple(positions),
        events=events,
        rejections=tuple(rejections),
        heard=(uplink.device,),
    )


def _reading(uplink: _Uplink, measured: Measured) -> Reading:
    metric = checked_name(measured.name, "field")
    return Reading(uplink.device, metric, uplink.moment, measured.checked(), measured.unit, uplink.quality)


def _status(uplink: _Uplink) -> Decoded:
    """The margin and the battery level are what the device answered to the network server's question."""
    unavailable = uplink.document.get("batteryLevelUnavailable") is True
    readings: list[Reading] = []
    for field, value in _present(uplink.document, _STATUS_FIELDS):
        if field == "batteryLevel" and unavailable:
            continue
        amount = foreign_number(value)
        if amount is not None:
            unit = _STATUS_UNITS.get(field)
            readings.append(Reading(uplink.device, field, uplink.moment, amount, unit, uplink.quality))
    return Decoded(None, readings=tuple(readings), heard=(uplink.device,))


def _present(document: JsonObject, fields: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    return ((field, document[field]) for field in fields if field in document)


def _location(uplink: _Uplink) -> Decoded:
    place = as_object(uplink.document.get("location"), "location")
    # Proto3's JSON leaves a zero out: on the equator there is no latitude.
    position = fix(
        uplink.device,
        (uplink.moment, uplink.quality),
        place.get("longitude", 0),
        place.get("latitude", 0),
        altitude=place.get("altitude"),
        accuracy=place.get("accuracy") or None,
    )
    return Decoded(None, positions=(position,), heard=(uplink.device,))


def _event(uplink: _Uplink) -> Decoded:
    """Acknowledgements and logs are about the device but not from it: no sign of life, but for a join or an answer."""
    heard = (uplink.device,) if uplink.kind == "join" or uplink.document.get("acknowledged") is True else ()
    return Decoded(None, events=(_as_event(uplink),), heard=heard)


def _integration(uplink: _Uplink) -> Decoded:
    content = uplink.document.get("object")
    return _decoded(uplink, cast("JsonObject", content) if isinstance(content, dict) else {}, (_as_event(uplink),))


def _as_event(uplink: _Uplink) -> Event:
    details = {field: value for field, value in uplink.document.items() if field not in _NOT_ATTRIBUTES}
    return Event(uplink.device, uplink.moment, uplink.kind, attributes(details))


_READERS: Mapping[str, Callable[[_Uplink], Decoded]] = {
    "up": _up,
    "status": _status,
    "location": _location,
    "join": _event,
    "ack": _event,
    "txack": _event,
    "log": _event,
    "integration": _integration,
}

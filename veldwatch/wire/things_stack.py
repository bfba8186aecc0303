"""The Things Stack v3: what its Application Server publishes, on `v3/{application}/devices/{device id}/{event}`.

The time is `uplink_message.received_at`, the network's clock at reception. `decoded_payload` is flattened as
ChirpStack's object is; `normalized_payload` has the names and units of the Device Repository (`air.temperature`, Cel)
and counts beside it. `locations.user` is where a person put the device on a map, so it is no fix; `location_solved`
is one. All that is not an uplink is an event under its member's name (`join_accept`, `downlink_ack`).

Source: The Things Stack, api/messages.proto (ApplicationUp) and "Data Formats"; lorawan-devices, lib/payload.json.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire import lorawan
from veldwatch.wire.codec_objects import Place, flatten
from veldwatch.wire.collected import Collected
from veldwatch.wire.options import Decoder, read_options
from veldwatch.wire.times import observed_or_arrival
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import JsonObject, as_object, checked_name, items_of, members_of, read_object, shown

_NORMALIZED_UNITS = {
    "soil.depth": "cm", "soil.moisture": "%", "soil.temperature": "Cel", "soil.ec": "dS/m", "soil.pH": "[pH]",
    "soil.n": "[ppm]", "soil.p": "[ppm]", "soil.k": "[ppm]", "air.temperature": "Cel", "air.relativeHumidity": "%RH",
    "air.pressure": "hPa", "air.co2": "[ppm]", "air.lightIntensity": "lx", "wind.speed": "m/s",
    "wind.direction": "deg", "water.temperature.min": "Cel", "water.temperature.avg": "Cel",
    "water.temperature.max": "Cel", "water.temperature.current": "Cel", "metering.water.total": "L", "battery": "V",
}  # fmt: skip
_NOT_ATTRIBUTES = frozenset({"correlation_ids", "received_at", "rx_metadata", "settings", "session_key_id"})
_FROM_DEVICE = frozenset({"join_accept", "downlink_ack", "downlink_nack", "location_solved"})
"""Events that a transmission of the device itself brought about; the others are the network's own."""


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source may tell.

    Attributes:
        device: which identifier names a device; a `device_id` is unique in its application only, a `dev_eui` anywhere.
    """

    device: Literal["device_id", "dev_eui"] = "device_id"


class _Up(NamedTuple):
    """One message, with its device named."""

    kind: str
    content: JsonObject
    document: JsonObject
    device: str
    received_at: datetime

    def collected(self) -> Collected:
        said = self.content.get("received_at") or self.document.get("received_at")
        return Collected(self.device, observed_or_arrival(said, self.received_at))


def configure(given: Mapping[str, object]) -> Decoder:
    """Make the decoder of one source."""
    options = read_options(_Options, given)

    def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
        return _decode(options, topic, payload, received_at)

    return decode


def _decode(options: _Options, topic: str, payload: bytes, received_at: datetime) -> Decoded:
    levels = topic.split("/")
    if len(levels) < 5 or levels[0] != "v3" or levels[2] != "devices":
        raise MessageRejected(Reason.MALFORMED_TOPIC, f"{shown(topic)} (expected v3/APPLICATION/devices/DEVICE/EVENT)")
    level = device_level(levels[3])
    if levels[4:] in (["down", "push"], ["down", "replace"]):
        return Decoded(None)  # an application's command to the network, which answers with events of its own
    document = read_object(payload)
    kind = next((name for name in _READERS if isinstance(document.get(name), dict)), None)
    if kind is None:
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, f"none of {', '.join(_READERS)} is in it")
    device = _device(options, document, level)
    return _READERS[kind](_Up(kind, as_object(document[kind], kind), document, device, received_at))


def _device(options: _Options, document: JsonObject, level: str) -> str:
    identifiers = members_of(document.get("end_device_ids"))
    if options.device == "dev_eui":
        return checked_name(identifiers.get("dev_eui"), "dev_eui")
    return checked_name(identifiers.get("device_id") or level, "device_id")


def _uplink(up: _Up) -> Decoded:
    parts = up.collected()
    lorawan.collect(parts, members_of(up.content.get("decoded_payload")), up.received_at)
    _normalized(up, parts)
    return parts.decoded()


def _normalized(up: _Up, parts: Collected) -> None:
    """Read measurements in the network's own words; each may have a time of its own."""
    said = up.content.get("normalized_payload")
    for item in items_of(said) or [said]:
        measurement = members_of(item)
        try:
            when = observed_or_arrival(measurement["time"], up.received_at) if "time" in measurement else None
        except MessageRejected as error:
            parts.reject("normalized_payload", error)
            continue
        for measured in flatten(measurement):
            parts.reading(measured.name, measured.value, _NORMALIZED_UNITS.get(measured.name), when=when)


def _location(up: _Up) -> Decoded:
    parts = up.collected()
    place = as_object(up.content.get("location"), "location")
    # Proto3's JSON leaves a zero out: on the equator there is no latitude.
    parts.place(
        Place(
            place.get("longitude", 0),
            place.get("latitude", 0),
            altitude=place.get("altitude"),
            accuracy=place.get("accuracy") or None,
        )
    )
    return parts.decoded()


def _event(up: _Up) -> Decoded:
    parts = up.collected()
    parts.event(up.kind, {name: value for name, value in up.content.items() if name not in _NOT_ATTRIBUTES})
    return parts.decoded(heard=up.kind in _FROM_DEVICE)


_READERS: Mapping[str, Callable[[_Up], Decoded]] = {
    "uplink_message": _uplink,
    "uplink_normalized": _uplink,
    "location_solved": _location,
    "join_accept": _event,
    "downlink_ack": _event,
    "downlink_nack": _event,
    "downlink_sent": _event,
    "downlink_failed": _event,
    "downlink_queued": _event,
    "downlink_queue_invalidated": _event,
    "service_data": _event,
}

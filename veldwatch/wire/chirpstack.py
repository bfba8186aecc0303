"""ChirpStack v4: the events of a LoRaWAN network server, on `application/{id}/device/{devEui}/event/{event}`.

A codec's `object` is flattened with dots; a number, a string that is one and a boolean (as 0 or 1) are readings,
other text is not. `{"value", "unit"}` is one reading. A latitude beside a longitude is a fix. `time` is the network
server's clock at reception, so the device's own times inside the object are left as they are.

Source: ChirpStack, api/proto/integration/integration.proto; the integration's JSON marshaler.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, cast

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire import lorawan
from veldwatch.wire.codec_objects import Place
from veldwatch.wire.collected import Collected, When
from veldwatch.wire.times import observed_or_arrival
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import JsonObject, as_object, checked_name, members_of, read_object, shown

_STATUS_UNITS = {"margin": "dB", "batteryLevel": "%"}
_STATUS_FIELDS = ("margin", "batteryLevel", "externalPowerSource", "batteryLevelUnavailable")
# Who and when stand in the row itself; radio metadata is not about the event.
_NOT_ATTRIBUTES = frozenset({"deduplicationId", "time", "deviceInfo", "rxInfo", "txInfo"})


class _Uplink(NamedTuple):
    """One event of the network server, with who and when read already."""

    kind: str
    document: JsonObject
    device: str
    when: When
    received_at: datetime

    def collected(self) -> Collected:
        return Collected(self.device, self.when)


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
    # ChirpStack publishes at once, so where it gives no time, arrival stands for it.
    when = observed_or_arrival(document.get("time"), received_at)
    return reader(_Uplink(kind, document, _device(document, level), when, received_at))


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


def _up(uplink: _Uplink) -> Decoded:
    content = uplink.document.get("object")
    parts = uplink.collected()
    if content is not None:
        lorawan.collect(parts, as_object(content, "object"), uplink.received_at)
    return parts.decoded()


def _status(uplink: _Uplink) -> Decoded:
    """The margin and the battery level are what the device answered to the network server's question."""
    unavailable = uplink.document.get("batteryLevelUnavailable") is True
    parts = uplink.collected()
    for field in _STATUS_FIELDS:
        if not (unavailable and field == "batteryLevel"):
            parts.reading(field, uplink.document.get(field), _STATUS_UNITS.get(field))
    return parts.decoded()


def _location(uplink: _Uplink) -> Decoded:
    said = as_object(uplink.document.get("location"), "location")
    parts = uplink.collected()
    # Proto3's JSON leaves a zero out: on the equator there is no latitude.
    parts.place(
        Place(
            said.get("longitude", 0),
            said.get("latitude", 0),
            altitude=said.get("altitude"),
            accuracy=said.get("accuracy") or None,
        )
    )
    return parts.decoded()


def _event(uplink: _Uplink) -> Decoded:
    """Acknowledgements and logs are about the device but not from it: no sign of life, but for a join or an answer."""
    heard = uplink.kind == "join" or uplink.document.get("acknowledged") is True
    return _told(uplink).decoded(heard=heard)


def _integration(uplink: _Uplink) -> Decoded:
    parts = _told(uplink)
    lorawan.collect(parts, members_of(uplink.document.get("object")), uplink.received_at)
    return parts.decoded()


def _told(uplink: _Uplink) -> Collected:
    parts = uplink.collected()
    details = {field: value for field, value in uplink.document.items() if field not in _NOT_ATTRIBUTES}
    parts.event(uplink.kind, details)
    return parts


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

"""The topic of a message that came over HTTP for a source: as it is said, or as the sender's own format has it.

LoRaWAN servers post the body that they publish too, without its topic: what their topics hold is in the body. The rest
of the body, which may be long, is passed over.
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec import UNSET, Raw, UnsetType

from veldwatch.errors import RequestInvalid
from veldwatch.wire import topics
from veldwatch.wire.sources import Route, Sources

_EVENTS_OF_CHIRPSTACK = frozenset({"up", "join", "ack", "txack", "status", "location", "log", "integration"})


def message_topic(sources: Sources, name: str, topic: str | None, event: str | None, body: bytes) -> tuple[str, Route]:
    """Find the topic of a message, and its source.

    Args:
        topic: as the sender says; None: it is taken from the source's filter, or from the body.
        event: of ChirpStack, which says in the query what kind of message it posts.

    Raises:
        RequestInvalid: there is no such source, it cannot be known which topic this is, or another source takes it.
    """
    route = sources.named(name)
    if route is None:
        raise RequestInvalid(f"no source {name!r} (expected the name of one; `veldwatch sources list` shows them)")
    source = route.source
    found = topic or _implied(source.topic_filter) or _of_format(source.decoder, event, body)
    if found is None:
        raise RequestInvalid(f"no topic (expected `topic=` that matches {source.topic_filter!r} of source {name!r})")
    if set(found) & set("+#\0") or len(found) > 1024 or not topics.matches(source.topic_filter, found):
        raise RequestInvalid(f"bad topic: {found[:200]!r} (expected one that {source.topic_filter!r} takes)")
    first = sources.route(found)
    if first is None or first.source.name != name:
        taken = "no source" if first is None else f"source {first.source.name!r}"
        raise RequestInvalid(f"bad topic: {found[:200]!r} ({taken} takes it, which comes before {name!r})")
    return found, route


def _implied(topic_filter: str) -> str | None:
    return None if set(topic_filter) & set("+#") else topic_filter


def _of_format(decoder: str, event: str | None, body: bytes) -> str | None:
    make = _FORMATS.get(decoder)
    if make is None:
        return None
    try:
        return make(body, event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class _ChirpStackDevice(msgspec.Struct):
    application: str = msgspec.field(name="applicationId")
    eui: str = msgspec.field(name="devEui")


class _ChirpStackBody(msgspec.Struct):
    device: _ChirpStackDevice = msgspec.field(name="deviceInfo")


def _chirpstack(body: bytes, event: str | None) -> str:
    """Source: ChirpStack v4, integrations: HTTP (`?event=up`) and MQTT (`application/ID/device/DevEUI/event/EVENT`)."""
    device = msgspec.json.decode(body, type=_ChirpStackBody).device
    kind = event if event in _EVENTS_OF_CHIRPSTACK else "up"
    return f"application/{device.application}/device/{device.eui}/event/{kind}"


class _Application(msgspec.Struct):
    application_id: str


class _EndDevice(msgspec.Struct):
    device_id: str
    application_ids: _Application


class _ThingsStackBody(msgspec.Struct):
    end_device_ids: _EndDevice
    uplink_message: Raw | UnsetType = UNSET
    join_accept: Raw | UnsetType = UNSET
    location_solved: Raw | UnsetType = UNSET


def _things_stack(body: bytes, _event: str | None) -> str:
    """Source: The Things Stack, webhooks (body as in MQTT) and MQTT (`v3/APPLICATION@TENANT/devices/ID/up`)."""
    said = msgspec.json.decode(body, type=_ThingsStackBody)
    kinds = ((said.uplink_message, "up"), (said.join_accept, "join"), (said.location_solved, "location/solved"))
    kind = next((word for part, word in kinds if part is not UNSET), "up")
    ids = said.end_device_ids
    return f"v3/{ids.application_ids.application_id}@ttn/devices/{ids.device_id}/{kind}"


_FORMATS: Mapping[str, Callable[[bytes, str | None], str]] = {
    "chirpstack": _chirpstack,
    "things_stack": _things_stack,
}

"""The topic of a message that came over HTTP for a source: as it is said, or as the sender's own format has it.

LoRaWAN servers post the body that they publish too, without its topic: what their topics hold is in the body.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

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
        document: Any = msgspec.json.decode(body)
        return make(document, event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return None


def _chirpstack(document: Mapping[str, Any], event: str | None) -> str:
    """Source: ChirpStack v4, integrations: HTTP (`?event=up`) and MQTT (`application/ID/device/DevEUI/event/EVENT`)."""
    device = document["deviceInfo"]
    kind = event if event in _EVENTS_OF_CHIRPSTACK else "up"
    return f"application/{device['applicationId']}/device/{device['devEui']}/event/{kind}"


def _things_stack(document: Mapping[str, Any], _event: str | None) -> str:
    """Source: The Things Stack, webhooks (body as in MQTT) and MQTT (`v3/APPLICATION@TENANT/devices/ID/up`)."""
    ids = document["end_device_ids"]
    kinds = {"uplink_message": "up", "join_accept": "join", "location_solved": "location/solved"}
    kind = next((word for key, word in kinds.items() if key in document), "up")
    return f"v3/{ids['application_ids']['application_id']}@ttn/devices/{ids['device_id']}/{kind}"


_FORMATS: Mapping[str, Callable[[Mapping[str, Any], str | None], str]] = {
    "chirpstack": _chirpstack,
    "things_stack": _things_stack,
}

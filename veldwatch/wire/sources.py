"""Sources: which decoder reads the messages of which topics; the first match wins.

Decoders are found by name among our own and in the entry points of the group `veldwatch.decoders`, so that a package
beside this one can bring another format.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import entry_points
from typing import Any, NamedTuple, cast

from veldwatch.config import Source
from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Scan
from veldwatch.patterns import check_pattern
from veldwatch.wire import (
    chirpstack,
    dsmr,
    earthranger,
    ignored,
    meshtastic,
    ngsi,
    owntracks,
    rtl_433,
    shelly,
    tasmota,
    things_stack,
    topics,
    veldwatch_json,
    wmbusmeters,
    zigbee2mqtt,
)
from veldwatch.wire.mapping import decoder as mapping
from veldwatch.wire.options import Decoder, DecoderFactory, without_options
from veldwatch.wire.scanning import ScanningDecoder
from veldwatch.wire.senml import decoder as senml
from veldwatch.wire.sparkplug import decoder as sparkplug
from veldwatch.wire.stateful import StatefulDecoder

_GROUP = "veldwatch.decoders"
_OWN: dict[str, DecoderFactory] = {
    "veldwatch": without_options(veldwatch_json.decode),
    "wmbusmeters": without_options(wmbusmeters.decode),
    "chirpstack": without_options(chirpstack.decode),
    "owntracks": without_options(owntracks.decode),
    "mapping": mapping.configure,
    "sparkplug": sparkplug.configure,
    "things_stack": things_stack.configure,
    "tasmota": tasmota.configure,
    "zigbee2mqtt": zigbee2mqtt.configure,
    "shelly": without_options(shelly.decode),
    "dsmr": dsmr.configure,
    "ngsi": without_options(ngsi.decode),
    "gundi": without_options(earthranger.decode),
    "earthranger": without_options(earthranger.decode),
    "rtl_433": rtl_433.configure,
    "meshtastic": without_options(meshtastic.MeshtasticDecoder()),
    "ignored": without_options(ignored.decode),
    "senml": senml.configure,
}
_REMEMBERED_TOPICS = 100_000
_LONGEST_REMEMBERED = 256
"""In characters. Longer topics are looked for each time: as many of them as may be remembered would fill memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A source with its decoder at hand.

    Attributes:
        stateful: the same decoder, where it reads messages by what earlier ones said.
        scans: its fast way, where it has one.
    """

    source: Source
    decode: Decoder
    stateful: StatefulDecoder[Any] | None = field(init=False)
    scans: Callable[[str, bytes, datetime], tuple[Scan, ...]] | None = field(init=False)

    def __post_init__(self) -> None:
        decode = cast("object", self.decode)
        stateful = cast("StatefulDecoder[Any]", decode) if isinstance(decode, StatefulDecoder) else None
        object.__setattr__(self, "stateful", stateful)
        object.__setattr__(self, "scans", decode.scans if isinstance(decode, ScanningDecoder) else None)


class Fault(NamedTuple):
    """A source that cannot work, and why."""

    source: str
    detail: str


class Sources:
    """The sources in the order in which they are asked, with every decoder found; `replace` puts others in their place.

    A decoder may remember what its messages told (Sparkplug's birth certificates), so a source keeps its own as long as
    neither its decoder nor its options change.

    Raises:
        ConfigurationInvalid: a source cannot work.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._table = _Table([Route(source=source, decode=check_source(source)) for source in sources])

    def route(self, topic: str) -> Route | None:
        """Give the first source whose filter takes the topic."""
        return self._table.route(topic)

    def named(self, name: str) -> Route | None:
        """Give the source of a name."""
        return next((route for route in self._table.routes if route.source.name == name), None)

    def replace(self, sources: Sequence[Source]) -> list[Fault]:
        """Take other sources from the next message on.

        One that cannot work stops none of the others: what its filter takes is refused as `source_invalid`, rather than
        left to a later source that would read it as something else. With a filter that is none, it takes nothing.

        Returns:
            Those that cannot work.
        """
        decoders = {route.source.name: route for route in self._table.routes}
        routes: list[Route] = []
        faults: list[Fault] = []
        for source in sources:
            before = decoders.get(source.name)
            try:
                routes.append(Route(source=source, decode=check_source(source, before)))
            except Exception as error:  # noqa: BLE001  # a plug-in that cannot be loaded costs its own source only
                faults.append(Fault(source.name, f"{error}"))
                if topics.is_filter(source.topic_filter):
                    routes.append(Route(source=source, decode=_Refusal(source.name, f"{error}")))
        self._table = _Table(routes)
        return faults


class _Table:
    """Some sources, and which of them took the topics of late."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = routes
        self._known: dict[str, Route | None] = {}

    def route(self, topic: str) -> Route | None:
        try:
            return self._known[topic]
        except KeyError:
            found = next((r for r in self.routes if topics.matches(r.source.topic_filter, topic)), None)
            if len(self._known) >= _REMEMBERED_TOPICS:
                self._known.clear()
            if len(topic) <= _LONGEST_REMEMBERED:
                self._known[topic] = found
            return found


class _Refusal:
    """The decoder of a source that cannot work."""

    def __init__(self, source: str, detail: str) -> None:
        self._detail = f"source {source!r} cannot work: {detail}"

    def __call__(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        del topic, payload, received_at
        raise MessageRejected(Reason.SOURCE_INVALID, self._detail)


def check_source(source: Source, before: Route | None = None) -> Decoder:
    """Refuse a source that could not work, and give its decoder: that of `before`, where it was told the same.

    Raises:
        ConfigurationInvalid: the organisation is no slug, the filter none, the decoder unknown, or an option refused.
    """
    _check_organisation(source.organisation)
    topics.check_filter(source.topic_filter)
    told = (source.decoder, source.options)
    if (
        before is not None
        and not isinstance(before.decode, _Refusal)
        and told == (before.source.decoder, before.source.options)
    ):
        return before.decode
    return find_decoder(source.decoder, source.options)


def fault_of(source: Source) -> str | None:
    """Say why a source cannot work, or can register no device; None: it can."""
    try:
        check_source(source)
    except ConfigurationInvalid as error:
        return str(error)
    try:
        check_pattern(source.device_pattern or "")
    except ValueError as error:
        return f"it registers no device: bad device_pattern {source.device_pattern!r}: {error}"
    return None


def _check_organisation(slug: str | None) -> None:
    """Refuse an organisation that cannot be one; None is the setting `default_organisation`."""
    if slug is not None and not topics.is_slug(slug):
        raise ConfigurationInvalid(
            f"bad organisation: {slug!r} (expected a slug: 1 to 63 of a-z, 0-9 and -, not starting with -)"
        )


def find_decoder(name: str, options: Mapping[str, object]) -> Decoder:
    """Find a decoder by name, and give it its options.

    Raises:
        ConfigurationInvalid: there is none of that name, or it refuses an option.
    """
    try:
        return _factory(name)(options)
    except ConfigurationInvalid as error:
        raise ConfigurationInvalid(f"decoder {name!r}: {error}") from error


def decoder_names() -> list[str]:
    """List every decoder that a source can name."""
    return sorted({*_OWN, *(point.name for point in entry_points(group=_GROUP))})


def _factory(name: str) -> DecoderFactory:
    if name in _OWN:
        return _OWN[name]
    for point in entry_points(group=_GROUP):
        if point.name == name:
            return point.load()
    raise ConfigurationInvalid(f"unknown (expected one of {', '.join(decoder_names())})")

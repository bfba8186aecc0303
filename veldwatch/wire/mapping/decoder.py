"""The mapping decoder: options of a source -> what reads its messages.

One message is one item, or as many as the option `items` finds. An item that cannot be stored costs itself only, and
so does a part of an item. Every sentence names the path that it is about.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar, cast

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Event, Position, Quality, Reading, Rejection
from veldwatch.wire.codec_objects import Measured, Place, flatten, places_in
from veldwatch.wire.mapping.options import MappingOptions
from veldwatch.wire.mapping.parts import Absent, EventPart, Item, MetricPart, PositionPart
from veldwatch.wire.mapping.paths import Here, Path, compile_path
from veldwatch.wire.mapping.templates import compile_template
from veldwatch.wire.mapping.times import compile_time
from veldwatch.wire.options import Decoder, read_options
from veldwatch.wire.sentinels import doubt
from veldwatch.wire.topics import is_slug
from veldwatch.wire.values import MOST_VALUES, JsonObject, checked_name, fix, read_json, shown

_Part_co = TypeVar("_Part_co", covariant=True)
# Of one message: at the usual payload limit the smallest real entries, a time and a value, are half as many.
_MOST_ITEMS = 20_000
# Of the attributes of all events of a message, so many times its length: what `$` finds stands in each item's event.
_ATTRIBUTES_TIMES = 20
# Beside that: the smallest messages have room for words of their options.
_ATTRIBUTES_BESIDE = 1024
# Of one reason: the rest is counted.
_MOST_SENTENCES = 19


def configure(given: Mapping[str, object]) -> Decoder:
    """Make the decoder of a source.

    Raises:
        ConfigurationInvalid: an option is wrong; the sentence begins with where it stands (`metrics[2].value`).
    """
    return MappingDecoder(read_options(MappingOptions, given)).decode


class MappingDecoder:
    """Reads messages as its options say; holds nothing between them."""

    def __init__(self, told: MappingOptions) -> None:
        self._text = told.payload == "text"
        self._items = None if told.items is None else compile_path(told.items, "items", relative=False)
        self._device = compile_template(told.device, "device")
        self._named = f"device, {self._device.source}"
        self._organisation = (
            None if told.organisation is None else compile_template(told.organisation, "organisation", topic_only=True)
        )
        self._time = compile_time(told.time)
        self._metrics = [MetricPart(each, f"metrics[{place}]") for place, each in enumerate(told.metrics)]
        self._position = None if told.position is None else PositionPart(told.position)
        self._events = [EventPart(each, f"events[{place}]") for place, each in enumerate(told.events)]
        self._allow_empty = told.allow_empty
        named = bool(told.metrics or told.position or told.events)
        self._flatten = not named if told.flatten is None else told.flatten
        if not self._flatten and not named and not told.allow_empty:
            raise ConfigurationInvalid("nothing would be stored (expected metrics, position, events, or flatten)")
        self._taken = self._names_taken(told) if self._flatten else frozenset[str]()

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """Read one message.

        Raises:
            MessageRejected: not JSON, or of no device, or at no time, or nothing is in it.
        """
        here = Here(topic, topic.split("/"), _as_text(payload) if self._text else read_json(payload))
        organisation = self._organisation_of(here)
        found = _Found(_ATTRIBUTES_TIMES * len(payload) + _ATTRIBUTES_BESIDE)
        if self._items is None:
            self._read(here, received_at, found)
        else:
            for place, (key, item) in enumerate(self._items.items(here)):
                if place == _MOST_ITEMS:
                    found.reject(Reason.PAYLOAD_TOO_LARGE, f"more than {_MOST_ITEMS} items: the rest is not stored")
                    break
                try:
                    self._read(here.at(key, item), received_at, found)
                except MessageRejected as error:
                    found.reject(error.reason, f"item {key}: {error.detail}")
        if found.is_empty() and not self._allow_empty:
            raise MessageRejected(Reason.NOTHING_TO_STORE, f"nothing at {self._where()}")
        return found.decoded(organisation)

    def _read(self, here: Here, received_at: datetime, found: "_Found") -> None:
        device = self._device.fill(here)
        if device is None:
            raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"no device at {self._device.source}")
        checked_name(device, self._named)
        moment, quality = self._time(here, received_at)
        item = Item(here, device, moment, quality)
        found.heard[device] = None
        found.readings += found.each(self._metrics, item)
        if self._position is not None:
            found.positions += found.each([self._position], item)
        if found.has_room:
            found.add_events(found.each(self._events, item))
        if self._flatten:
            self._flattened(item, found)

    def _flattened(self, item: Item, found: "_Found") -> None:
        content = item.here.item
        if self._position is None and isinstance(content, dict):
            # More of them are for `items` and `position` to tell.
            found.positions += found.each(map(_PlaceFound, places_in(cast("JsonObject", content))[:1]), item)
        names = 0
        for measured in flatten(cast("JsonObject", content)):
            name = measured.name or "value"
            if name in self._taken:
                continue
            names += 1
            if names > MOST_VALUES:
                found.reject(Reason.MALFORMED_PAYLOAD, f"more than {MOST_VALUES} numbers: the rest is not stored")
                return
            found.readings += found.each([_NumberFound(name, measured)], item)

    def _organisation_of(self, here: Here) -> str | None:
        if self._organisation is None:
            return None
        slug = self._organisation.fill(here)
        if slug is None or not is_slug(slug):
            raise MessageRejected(
                Reason.MALFORMED_TOPIC,
                f"{shown(slug)} at {self._organisation.source} is not the slug of an organisation",
            )
        return slug

    def _names_taken(self, told: MappingOptions) -> frozenset[str]:
        """Name what flattening leaves to the other options: of one item, so only what is looked up in it."""
        paths = [part.path for part in self._metrics]
        if self._position is not None:
            paths += [self._position.longitude, self._position.latitude]
        texts = [told.device, told.time if isinstance(told.time, str) else told.time.path]
        paths += [compile_path(text, "") for text in texts if text.startswith(("$", "@"))]
        return frozenset(_dotted(path) for path in paths if path.relative or self._items is None)

    def _where(self) -> str:
        if self._items is not None:
            return f"{self._items.text}, or no value in it"
        paths = [part.path.text for part in self._metrics]
        if self._position is not None:
            paths.append(self._position.longitude.text)
        return ", ".join(paths[:8]) or ("the events' paths" if self._events else "$: no number is in it")


class _Reads(Protocol[_Part_co]):
    def read(self, item: Item) -> _Part_co | Absent: ...


class _PlaceFound(NamedTuple):
    """A latitude beside a longitude that nobody named."""

    place: Place

    def read(self, item: Item) -> Position:
        place = self.place
        return fix(
            item.device,
            (item.observed_at, item.quality if place.found else item.quality | Quality.IMPLAUSIBLE),
            place.longitude,
            place.latitude,
            altitude=place.altitude,
            accuracy=place.accuracy,
            speed=place.speed,
            heading=place.heading,
        )


class _NumberFound(NamedTuple):
    """A number that nobody named."""

    name: str
    measured: Measured

    def read(self, item: Item) -> Reading:
        metric = checked_name(self.name, "name of the metric")
        try:
            value = self.measured.checked()
        except MessageRejected as error:
            raise MessageRejected(error.reason, f"{shown(metric)}: {error.detail}") from error
        quality = item.quality | doubt(metric, self.measured.unit, value)
        return Reading(item.device, metric, item.observed_at, value, self.measured.unit, quality)


class _Found:
    """What a message's items came to.

    Args:
        attribute_length: of all events at most.
    """

    def __init__(self, attribute_length: int) -> None:
        self._most_attribute_length = self._attribute_length = attribute_length
        self.readings: list[Reading] = []
        self.positions: list[Position] = []
        self.events: list[Event] = []
        self._rejections: dict[Reason, list[str]] = {}
        self._counts: dict[Reason, int] = {}
        self.heard: dict[str, None] = {}
        self.ignored = False
        """Something was there that means that there is nothing."""

    def each(self, parts: Iterable[_Reads[_Part_co]], item: Item) -> list[_Part_co]:
        """Read parts of an item; one that fails is noted."""
        read: list[_Part_co] = []
        for part in parts:
            try:
                found = part.read(item)
            except MessageRejected as error:
                key = item.here.key
                self.reject(error.reason, f"item {key}: {error.detail}" if key else error.detail)
            else:
                if not isinstance(found, Absent):
                    read.append(found)
                elif found is Absent.IGNORED:
                    self.ignored = True
        return read

    @property
    def has_room(self) -> bool:
        """Whether events are stored still: once they are too long, no more are even made."""
        return self._attribute_length >= 0

    def add_events(self, events: Iterable[Event]) -> None:
        """Take events, as long as their attributes do not grow far beyond the message."""
        for event in events:
            self._attribute_length -= len(event.attributes)
            if not self.has_room:
                most = self._most_attribute_length
                detail = f"attributes of events longer than {most} together: the rest is not stored"
                self.reject(Reason.PAYLOAD_TOO_LARGE, detail)
                return
            self.events.append(event)

    def reject(self, reason: Reason, detail: str) -> None:
        """Note a part that cannot be stored; of many with one reason the first sentences are kept."""
        sentences = self._rejections.setdefault(reason, [])
        self._counts[reason] = self._counts.get(reason, 0) + 1
        if len(sentences) < _MOST_SENTENCES:
            sentences.append(detail)

    def is_empty(self) -> bool:
        return not (self.readings or self.positions or self.events or self._rejections or self.ignored)

    def decoded(self, organisation: str | None) -> Decoded:
        return Decoded(
            organisation,
            readings=tuple(self.readings),
            positions=tuple(self.positions),
            events=tuple(self.events),
            rejections=tuple(self._each_rejection()),
            heard=tuple(self.heard),
        )

    def _each_rejection(self) -> Iterator[Rejection]:
        for reason, sentences in self._rejections.items():
            yield from (Rejection(reason, sentence) for sentence in sentences)
            more = self._counts[reason] - len(sentences)
            if more:
                yield Rejection(reason, f"and {more} more")


def _as_text(payload: bytes) -> str:
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError as error:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"not UTF-8: {error.reason} at byte {error.start}") from error
    if not text:
        raise MessageRejected(Reason.NOTHING_TO_STORE, "an empty payload")
    return text


def _dotted(path: Path) -> str:
    return "" if path.steps is None else ".".join(map(str, path.steps))

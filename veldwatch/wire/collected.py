"""What one message says of one device, put together part by part: a part that is wrong is rejected, the rest stands."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Event, Position, Quality, Reading, Rejection
from veldwatch.wire.codec_objects import Place, places_in
from veldwatch.wire.sentinels import doubt
from veldwatch.wire.values import (
    MOST_SENTENCES,
    MOST_VALUES,
    JsonObject,
    attributes,
    checked_name,
    fix,
    foreign_number,
    shown,
)

When = tuple[datetime, int]
"""A time in UTC and the quality that follows from it, as `veldwatch.wire.times` gives them."""


class Collected:
    """The parts of a message so far; all of them of one device.

    Args:
        when: of every part that names no other time.
    """

    __slots__ = ("_device", "_events", "_is_full", "_positions", "_readings", "_rejections", "_told", "_when")

    def __init__(self, device: str, when: When) -> None:
        self._device = device
        self._when = when
        self._is_full = False
        self._readings: dict[tuple[str, datetime], Reading] = {}
        self._positions: list[Position] = []
        self._events: list[Event] = []
        self._rejections: list[Rejection] = []
        self._told: Counter[Reason] = Counter()

    def reading(self, metric: str, value: object, unit: str | None = None, *, when: When | None = None) -> None:
        """Add a number, a numeric string or a boolean; what is no value at all (null, text) is left out.

        Of two values of one metric at one time the first stays; of more than a thousand the rest is rejected.
        """
        try:
            amount = foreign_number(value)
            if amount is None:
                return
            name = checked_name(metric, "field")
        except MessageRejected as error:
            self.reject(shown(metric), error)
            return
        moment, quality = when or self._when
        quality |= doubt(name, unit, amount)
        if len(self._readings) >= MOST_VALUES:
            if not self._is_full:
                self._is_full = True
                too_many = f"more than {MOST_VALUES} numbers: the rest is not stored"
                self.reject("", MessageRejected(Reason.MALFORMED_PAYLOAD, too_many))
            return
        self._readings.setdefault((name, moment), Reading(self._device, name, moment, amount, unit, quality))

    def place(self, place: Place, *, when: When | None = None) -> None:
        """Add a fix; one that its receiver did not find now is doubtful."""
        moment, quality = when or self._when
        try:
            self._positions.append(
                fix(
                    self._device,
                    (moment, quality if place.found else quality | Quality.IMPLAUSIBLE),
                    place.longitude,
                    place.latitude,
                    altitude=place.altitude,
                    accuracy=place.accuracy,
                    speed=place.speed,
                    heading=place.heading,
                )
            )
        except MessageRejected as error:
            self.reject("", error)

    def places(self, content: JsonObject) -> None:
        """Add the fix that an object holds, if any; of several of one moment, the first."""
        places = places_in(content)
        if places:
            self.place(places[0])
        untold = sum(place.listed for place in places[1:])
        if untold:
            several = f"{untold} more places in a list, of moments that nothing tells (a mapping can read them)"
            self.reject("", MessageRejected(Reason.BAD_POSITION, several))

    def event(self, kind: str, details: JsonObject, *, when: When | None = None) -> None:
        """Add an event."""
        try:
            name = checked_name(kind, "kind of event")
        except MessageRejected as error:
            self.reject("event", error)
            return
        self._events.append(Event(self._device, (when or self._when)[0], name, attributes(details)))

    def reject(self, what: str, error: MessageRejected) -> None:
        """Note a part that cannot be stored; of very many with one reason, the first."""
        self._told[error.reason] += 1
        if self._told[error.reason] > MOST_SENTENCES:
            return
        self._rejections.append(Rejection(error.reason, f"{what}: {error.detail}" if what else error.detail))

    def decoded(self, *, online: bool | None = None, heard: bool = True) -> Decoded:
        """Give what was collected.

        Args:
            heard: the message proves that the device is alive, even where nothing was collected.
        """
        return Decoded(
            None,
            readings=tuple(self._readings.values()),
            positions=tuple(self._positions),
            events=tuple(self._events),
            rejections=tuple(self._rejections),
            heard=(self._device,) if heard else (),
            online=online,
        )


def together(parts: Iterable[Decoded]) -> Decoded:
    """Put what one message says of several devices into one."""
    listed = list(parts)
    return Decoded(
        None,
        readings=tuple(row for part in listed for row in part.readings),
        positions=tuple(row for part in listed for row in part.positions),
        events=tuple(row for part in listed for row in part.events),
        rejections=tuple(row for part in listed for row in part.rejections),
        heard=tuple(dict.fromkeys(device for part in listed for device in part.heard)),
    )


def read_each(items: Iterable[object], read: Callable[[object], Decoded]) -> Decoded:
    """Read a message of many items, where one that is wrong costs only itself.

    Raises:
        MessageRejected: not one of them can be read.
    """
    found: list[Decoded] = []
    rejections: list[Rejection] = []
    for item in items:
        try:
            found.append(read(item))
        except MessageRejected as error:
            rejections.append(Rejection(error.reason, error.detail))
    if rejections and not found:
        raise MessageRejected(rejections[0].reason, rejections[0].detail)
    decoded = together(found)
    return decoded._replace(rejections=(*decoded.rejections, *rejections))

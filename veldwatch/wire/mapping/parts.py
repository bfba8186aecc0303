"""The parts of an item that are stored: metrics, a position, events; each compiled once from its options."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import NamedTuple, NoReturn

from msgspec import UNSET

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Event, Position, Reading
from veldwatch.wire.mapping.numbers import Numbers, spelling, spellings
from veldwatch.wire.mapping.options import EventOptions, Metric, PositionOptions, When
from veldwatch.wire.mapping.paths import Here, Path, compile_path
from veldwatch.wire.mapping.templates import compile_template
from veldwatch.wire.sentinels import doubt
from veldwatch.wire.units import canonical, conversion, spoken
from veldwatch.wire.values import attributes, checked_name, fix, number_or_text, shown


class Absent(Enum):
    """Why an item has no such part."""

    MISSING = "nothing is at its path"
    IGNORED = "what is there means that there is none"


Forbids = Callable[[Here], Absent | None]
"""None: the condition holds."""


class Item(NamedTuple):
    """One item of a message: whose it is, when, and where its values are looked up."""

    here: Here
    device: str
    observed_at: datetime
    quality: int


class MetricPart:
    """Reads one metric.

    Raises:
        ConfigurationInvalid: an option is wrong.
    """

    def __init__(self, told: Metric, where: str) -> None:
        self._name = compile_template(told.name, f"{where}.name")
        self._named = f"name of the metric, {self._name.source}"
        self.path = compile_path(told.value, f"{where}.value")
        self._numbers = Numbers(told, where)
        self._unit, self._unit_path = _unit(told.unit, f"{where}.unit")
        self._required = told.required
        self._usual = told.implausible is UNSET
        self._forbids = compile_when(told.when, f"{where}.when")

    def read(self, item: Item) -> Reading | Absent:
        """Give the reading.

        Raises:
            MessageRejected: what it has cannot be stored; the sentence names metric and path.
        """
        if self._forbids is not None and (absent := self._forbids(item.here)) is not None:
            return absent
        sent = self.path.first(item.here)
        if sent is None and not self._required:
            return Absent.MISSING
        name = self._name.fill(item.here)
        try:
            metric = checked_name(name, self._named)
            taken = self._numbers.take(sent) if sent is not None else _refuse_absence()
            if taken is None:
                return Absent.IGNORED
            unit = self._unit if self._unit_path is None else _unit_said(self._unit_path, item.here)
        except MessageRejected as error:
            said = self._name.source if name is None else name
            raise MessageRejected(error.reason, f"{shown(said)} at {self.path.text}: {error.detail}") from error
        quality = item.quality | (doubt(metric, unit, taken.value) if self._usual else taken.quality)
        return Reading(item.device, metric, item.observed_at, taken.value, unit, quality)


class PositionPart:
    """Reads the position.

    Raises:
        ConfigurationInvalid: an option is wrong.
    """

    def __init__(self, told: PositionOptions) -> None:
        self.longitude = compile_path(told.longitude, "position.longitude")
        self.latitude = compile_path(told.latitude, "position.latitude")
        self._altitude = _measured(told.altitude, "position.altitude", told.altitude_unit, "m")
        self._accuracy = _measured(told.accuracy, "position.accuracy", "m", "m")
        self._speed = _measured(told.speed, "position.speed", told.speed_unit, "m/s")
        self._heading = _measured(told.heading, "position.heading", "deg", "deg")
        self._forbids = compile_when(told.when, "position.when")

    def read(self, item: Item) -> Position | Absent:
        """Give the position.

        Raises:
            MessageRejected: it has one that cannot be.
        """
        here = item.here
        if self._forbids is not None and (absent := self._forbids(here)) is not None:
            return absent
        longitude, latitude = self.longitude.first(here), self.latitude.first(here)
        if longitude is None and latitude is None:
            return Absent.MISSING
        try:
            return fix(
                item.device,
                (item.observed_at, item.quality),
                longitude,
                latitude,
                altitude=self._altitude(here),
                accuracy=self._accuracy(here),
                speed=self._speed(here),
                heading=self._heading(here),
            )
        except MessageRejected as error:
            raise MessageRejected(
                error.reason, f"position at {self.longitude.text}, {self.latitude.text}: {error.detail}"
            ) from error


class EventPart:
    """Reads one kind of event.

    Raises:
        ConfigurationInvalid: an option is wrong.
    """

    def __init__(self, told: EventOptions, where: str) -> None:
        self._kind = compile_template(told.kind, f"{where}.kind")
        self._named = f"kind of event, {self._kind.source}"
        self._forbids = compile_when(told.when, f"{where}.when")
        self._attributes = {
            name: compile_path(path, f"{where}.attributes.{name}") for name, path in told.attributes.items()
        }

    def read(self, item: Item) -> Event | Absent:
        """Give the event."""
        if self._forbids is not None and (absent := self._forbids(item.here)) is not None:
            return absent
        kind = self._kind.fill(item.here)
        if kind is None:
            return Absent.MISSING
        found = {name: path.first(item.here) for name, path in self._attributes.items()}
        said = {name: value for name, value in found.items() if value is not None}
        checked_name(kind, self._named)
        return Event(item.device, item.observed_at, kind, attributes(said))


def compile_when(told: When | None, where: str) -> Forbids | None:
    """Compile a condition; None: it always holds."""
    if told is None:
        return None
    path = compile_path(told.path, f"{where}.path")
    wanted = None if told.equals is UNSET else spellings(told.equals)

    def forbids(here: Here) -> Absent | None:
        found = path.first(here)
        if found is None:
            return Absent.MISSING
        return None if wanted is None or spelling(found) in wanted else Absent.IGNORED

    return forbids


def _refuse_absence() -> NoReturn:
    raise MessageRejected(Reason.BAD_VALUE, "absent, and it is required")


def _unit(told: str | None, where: str) -> tuple[str | None, Path | None]:
    if told is None:
        return None, None
    if told.startswith(("$", "@")):
        return None, compile_path(told, where)
    return _known(told, where), None


def _known(told: str, where: str) -> str:
    unit = canonical(told)
    if unit is None:
        raise ConfigurationInvalid(f"{where}: unknown unit {told!r} (expected a UCUM code)")
    return unit


def _unit_said(path: Path, here: Here) -> str | None:
    said = path.first(here)
    if said is None or said == "":
        return None
    unit = spoken(said) if isinstance(said, str) else None
    if unit is None:
        raise MessageRejected(Reason.UNIT_MISMATCH, f"unknown unit {shown(said)} at {path.text} (expected a UCUM code)")
    return unit


def _measured(told: str | None, where: str, unit: str, wanted: str) -> Callable[[Here], object]:
    """Give what reads a part of a position in the unit that is stored; what is no number there is left out."""
    if told is None:
        return lambda _: None
    path = compile_path(told, where)
    try:
        convert = conversion(_known(unit, f"{where}_unit"), wanted)
    except MessageRejected as error:
        raise ConfigurationInvalid(f"{where}_unit: {error.detail}") from error

    def give(here: Here) -> object:
        found = path.first(here)
        if found is None:
            return None
        try:
            return convert.apply(number_or_text(found))
        except MessageRejected:
            return None

    return give

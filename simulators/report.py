"""What a simulated device says at one moment, before it becomes bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from simulators.chance import Floats


class Name(NamedTuple):
    """Which device: slug of its organisation, its own identifier."""

    organisation: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a fault is: a device by its own identifier, or a site by its slug; exactly one of the two."""

    organisation: str
    device: str | None = None
    site: str | None = None

    def __str__(self) -> str:
        return f"{self.organisation}/{self.device or self.site}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is measured.

    Attributes:
        unit: UCUM, or RFC 8428 where UCUM has none.
        decimals: how finely the device tells it; may be negative.
    """

    name: str
    unit: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A place as a receiver gives it: degrees of WGS 84, accuracy in metres, speed in m/s, heading from north."""

    longitude: float
    latitude: float
    accuracy: float
    speed: float
    heading: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixes:
    """Fixes of n trackers: arrays of `Fix`; a longitude that is not a number means that there was no fix."""

    longitude: Floats
    latitude: Floats
    accuracy: Floats
    speed: Floats
    heading: Floats

    def row(self, index: int) -> Fix | None:
        """Return the fix of one tracker, at the resolution of a receiver's protocol."""
        if np.isnan(self.longitude[index]):
            return None
        return Fix(
            longitude=round(float(self.longitude[index]), 6),
            latitude=round(float(self.latitude[index]), 6),
            accuracy=round(float(self.accuracy[index]), 1),
            speed=round(float(self.speed[index]), 2),
            heading=round(float(self.heading[index]) % 360.0, 1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A discrete thing at a device: an event's kind and attributes."""

    row: int
    kind: str
    attributes: Mapping[str, Any]


def _no_readings() -> Mapping[str, float]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Values by metric, in the units of the bank's metrics, and a fix from a tracker.

    Attributes:
        alive: a gateway's sign of life, without a value.
        events: pairs of kind and attributes.
    """

    readings: Mapping[str, float] = field(default_factory=_no_readings)
    fix: Fix | None = None
    alive: bool = False
    events: tuple[tuple[str, Mapping[str, Any]], ...] = ()


HELD = 1 << 60
"""`due` of a message that waits until whatever holds it lets go."""


class Message(NamedTuple):
    """A message to publish.

    Attributes:
        due: when it is sent, in milliseconds since 1970; later than what it tells of where something held it up.
    """

    due: int
    topic: str
    payload: bytes

"""What a simulated device says at one moment, before it becomes bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

State = dict[str, float]
"""What a device or a fault must remember over a restart; booleans as 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A place as a receiver gives it: degrees of WGS 84, accuracy in metres, speed in m/s, heading from north."""

    longitude: float
    latitude: float
    accuracy: float
    speed: float
    heading: float


def _no_readings() -> Mapping[str, float]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Values by metric, in the units of `UNITS`, and a fix from a tracker.

    Attributes:
        alive: a gateway's sign of life, without a value.
    """

    readings: Mapping[str, float] = field(default_factory=_no_readings)
    fix: Fix | None = None
    alive: bool = False


UNITS: Mapping[str, str] = MappingProxyType(
    {
        "volume": "m3",
        "flow_rate": "L/h",
        "energy": "kWh",
        "power": "W",
        "voltage": "V",
        "level": "m",
        "inflow": "L/s",
        "outflow": "L/s",
        "temperature": "Cel",
        "humidity": "%RH",
        "rain": "mm",
        "wind_speed": "m/s",
        "battery": "%",
    }
)
"""Unit of every metric that simulators publish: UCUM, or RFC 8428 where UCUM has none."""

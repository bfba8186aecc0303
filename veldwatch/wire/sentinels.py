"""Sentinels: numbers that a sensor gives in place of a value, told by the kind of quantity.

Such a number is stored, for it was said, with `Quality.IMPLAUSIBLE`, which keeps it out of rollups and rules. A number
is one only where no honest value of that kind can be exactly it: 85 % humidity is honest, 85 degrees of a boiler too,
and 65535 litres as well.
"""

import re
from enum import Enum, auto
from functools import lru_cache

from veldwatch.model.telemetry import Quality

_IMPLAUSIBLE = int(Quality.IMPLAUSIBLE)
_ABSOLUTE_ZERO_CELSIUS = -273.15


class _Kind(Enum):
    ONE_WIRE_TEMPERATURE = auto()
    TEMPERATURE = auto()
    HUMIDITY = auto()
    BATTERY = auto()
    ELECTRIC = auto()
    AIR_PRESSURE = auto()
    AMOUNT = auto()
    """What cannot be negative and never fills sixteen bits: a distance, a concentration, light, a moisture."""


# 0x7FFF, 0x8000 and 0xFFFF as devices scale them. 0x8000 and 0xFFFF are "invalid" for each measuring cluster.
# Source: Zigbee Cluster Library, revision 8, sections 4.2 to 4.9. Dragino's LoRaWAN sensors say 327.67 and 3276.7 for a
# probe that is not there; source: Dragino LHT65N and LSN50v2 user manuals.
_SIXTEEN_BITS = (32767.0, -32768.0, 65535.0, 3276.7, -3276.8, 6553.5)
_HUNDREDTHS = (327.67, -327.68, 655.35)
# Source: LoRaWAN 1.0.4, section 5.5 (DevStatusAns: 255, the battery could not be measured); Zigbee Cluster Library,
# section 3.3 (0xFF half percents: unknown); Meshtastic, telemetry.proto (101: on external power).
_NO_BATTERY_LEVEL = (255.0, 127.5, 101.0, -1.0)
# Source: DallasTemperature, DEVICE_DISCONNECTED_C and _F.
_DISCONNECTED = (-127.0, -196.6)
# What the scratch pad holds after power-on, before the first conversion; source: DS18B20 data sheet, "Memory".
_POWER_ON = (85.0, 185.0)
# Source: WMO and logger conventions for "no data", as Campbell Scientific's and Davis' loggers write it.
_NO_DATA = (-9999.0, -999.0, -999.9)

_SENTINELS: dict[_Kind, frozenset[float]] = {
    _Kind.TEMPERATURE: frozenset({*_SIXTEEN_BITS, *_HUNDREDTHS, *_DISCONNECTED, *_NO_DATA}),
    _Kind.ONE_WIRE_TEMPERATURE: frozenset({*_SIXTEEN_BITS, *_HUNDREDTHS, *_DISCONNECTED, *_NO_DATA, *_POWER_ON}),
    _Kind.HUMIDITY: frozenset({*_SIXTEEN_BITS, *_HUNDREDTHS, *_NO_DATA, 255.0, -1.0}),
    _Kind.BATTERY: frozenset({*_SIXTEEN_BITS, *_NO_BATTERY_LEVEL}),
    _Kind.ELECTRIC: frozenset({-32768.0, 65535.0, -3276.8, 6553.5}),
    _Kind.AIR_PRESSURE: frozenset({*_SIXTEEN_BITS, *_NO_DATA, -1.0}),
    _Kind.AMOUNT: frozenset({*_SIXTEEN_BITS, *_NO_DATA, -1.0}),
}
_ALL = frozenset[float]().union(*_SENTINELS.values())

_UNITS = {
    "Cel": _Kind.TEMPERATURE, "[degF]": _Kind.TEMPERATURE, "%RH": _Kind.HUMIDITY, "V": _Kind.ELECTRIC,
    "A": _Kind.ELECTRIC, "W": _Kind.ELECTRIC, "hPa": _Kind.AIR_PRESSURE, "lx": _Kind.AMOUNT, "[ppm]": _Kind.AMOUNT,
    "[ppb]": _Kind.AMOUNT, "ug/m3": _Kind.AMOUNT,
}  # fmt: skip
_SAYS_LITTLE = frozenset({None, "%", "1", "m", "cm", "mm"})
_ONE_WIRE = re.compile(r"ds18[bs]?20", re.IGNORECASE)
_NAMES = (
    (re.compile(r"humid|(?:^|[._])rh$", re.IGNORECASE), _Kind.HUMIDITY),
    (re.compile(r"batt(?!.*(?:v$|volt|mv$|temp|current))", re.IGNORECASE), _Kind.BATTERY),
    (re.compile(r"temp|dew_?point", re.IGNORECASE), _Kind.TEMPERATURE),
    (re.compile(r"distance|depth|level|moist|illumin|lux|co2|voc|pm_?(?:1|25|10)(?:$|_)", re.IGNORECASE), _Kind.AMOUNT),
    (re.compile(r"volt|(?:current|power)$", re.IGNORECASE), _Kind.ELECTRIC),
)  # fmt: skip


def doubt(metric: str, unit: str | None, value: float) -> int:
    """Give `Quality.IMPLAUSIBLE` for a sensor's way to say that it has no value, else 0."""
    if value not in _ALL and value >= _ABSOLUTE_ZERO_CELSIUS:
        return 0
    kind = _kind(metric, unit)
    if kind is None:
        return 0
    cold = value < _ABSOLUTE_ZERO_CELSIUS and unit == "Cel"
    return _IMPLAUSIBLE if cold or value in _SENTINELS[kind] else 0


@lru_cache(maxsize=8192)
def _kind(metric: str, unit: str | None) -> _Kind | None:
    """Tell the kind of a quantity by its unit, else by its name."""
    named = next((kind for pattern, kind in _NAMES if pattern.search(metric)), None)
    kind = named if unit in _SAYS_LITTLE else _UNITS.get(unit or "")
    if kind is _Kind.TEMPERATURE and _ONE_WIRE.search(metric):
        return _Kind.ONE_WIRE_TEMPERATURE
    return kind

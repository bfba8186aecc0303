"""How Grafana writes values: numbers by their unit, times, durations. In a picture all times are UTC."""

import math
from datetime import UTC, datetime

NO_VALUE = ""
_SUFFIXES = {
    "percent": "%", "m3": " m³", "litreh": " L/h", "pressurebar": " bar", "volt": " V", "celsius": " °C",
    "velocityms": " m/s", "conμgm3": " µg/m³", "dBm": " dBm", "mps": " msg/s", "ops": " ops/s",
    "lengthkm": " km", "lengthm": " m", "lengthmm": " mm", "s": " s",
}  # fmt: skip  # one line each would be long to read past
_SCALES = {
    "bytes": (1024.0, (" B", " KiB", " MiB", " GiB", " TiB")),
    "short": (1000.0, ("", " K", " Mil", " Bil")),
    "kwatt": (1000.0, (" kW", " MW", " GW")),
    "kwatth": (1000.0, (" kWh", " MWh", " GWh")),
}
_MINUTE = 60
_DURATIONS = (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def value(number: float | None, unit: str, decimals: int | None = None) -> str:
    """Write a number with its unit."""
    if number is None or math.isnan(number):
        return NO_VALUE
    if unit == "dtdurations" or (unit == "s" and number >= _MINUTE):
        return duration(number)
    if unit in _SCALES:
        return _scaled(number, *_SCALES[unit], decimals)
    if unit == "percentunit":
        return plain(100 * number, 1 if decimals is None else decimals) + "%"
    suffix = f" {unit.removeprefix('suffix: ')}" if unit.startswith("suffix: ") else _SUFFIXES.get(unit, "")
    return plain(number, decimals) + suffix


def plain(number: float, decimals: int | None = None) -> str:
    """Write a number alone, by default with three figures or more."""
    if decimals is None:
        size = abs(number)
        decimals = 0 if number == int(number) or size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    text = f"{number:,.{decimals}f}".replace(",", "")
    return text.replace("-", "\N{MINUS SIGN}") if float(text) != 0 else text.removeprefix("-")


def duration(seconds: float) -> str:
    """Write seconds as a duration: its two largest units."""
    if seconds < 0:
        return "\N{MINUS SIGN}" + duration(-seconds)
    rest, parts = round(seconds), list[str]()
    for name, size in _DURATIONS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return ", ".join(parts[:2]) or "0 s"


def moment(at: datetime, unit: str, now: datetime) -> str:
    """Write a time, as such or as how long ago it was."""
    if unit == "dateTimeFromNow":
        seconds = (now - at).total_seconds()
        return f"{duration(seconds).split(', ')[0]} ago" if seconds >= 1 else "just now"
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _scaled(number: float, base: float, names: tuple[str, ...], decimals: int | None) -> str:
    place = 0
    while abs(number) >= base and place < len(names) - 1:
        number, place = number / base, place + 1
    return plain(number, decimals) + names[place]

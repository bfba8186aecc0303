"""Units, durations and metrics as people read them: `m³/h`, `1 h 30 min`, `Flow rate`.

The console shows the same: `units.js` has these units and writes numbers so, and tests compare them; Grafana has these
units.
"""

import math
from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

UNITS = {
    "m3": "m³", "m3/h": "m³/h", "m3/s": "m³/s", "Cel": "°C", "[degF]": "°F", "%RH": "% RH", "kW.h": "kWh",
    "MW.h": "MWh", "W.h": "Wh", "V.A": "VA", "kV.A": "kVA", "deg": "°", "m/s2": "m/s²", "W/m2": "W/m²",
    "umol/mol": "ppm", "[ppm]": "ppm", "uS/cm": "µS/cm", "ug/L": "µg/L", "ug/m3": "µg/m³",
    "[NTU]": "NTU", "[FNU]": "FNU", "[psi]": "psi", "m[H2O]": "m of water", "1": "", "{count}": "", "[pH]": "pH",
    "dB[mW]": "dBm",
}  # fmt: skip
"""UCUM code to what people write, where that is something else."""


# Beyond these a number is written with its power of ten.
_LARGE, _SMALL = 1e15, 1e-9
_DIGITS, _MANY = 6, 1000


def unit_text(code: str) -> str:
    """Write a unit: `m³/h` for the UCUM code `m3/h`; nothing where a number stands alone."""
    return UNITS.get(code, code.replace("{", "").replace("}", ""))


def quantity_text(value: float, code: str, limits: Sequence[float] = ()) -> str:
    """Write a value with its unit, as `number_text` does: `21.3 m³/h`."""
    return f"{number_text(value, limits)} {unit_text(code)}".strip()


def number_text(value: float, limits: Sequence[float] = ()) -> str:
    """Write a number: six digits that count, from 1000 on all whole ones and two decimals: `0.0054`, `1234567.8`.

    More than that is what a difference of doubles leaves, and no meter knows it.

    Args:
        limits: that it is told beside, as `limit_text` writes them: more digits show on which side of them it is.
    """
    size = abs(value)
    if not math.isfinite(value):
        return f"{value}"
    if size >= _LARGE or 0 < size < _SMALL:
        mantissa, power = f"{value:.{_DIGITS - 1}e}".split("e")
        return f"{_plain(Decimal(mantissa))}e{int(power):+d}"
    exact = _exact(value)
    digits = 2 if size >= _MANY else _DIGITS - 1 - exact.adjusted()
    sides = [(limit, exact.compare(limit)) for limit in map(_exact, limits)]
    rounded = _rounded(exact, digits)
    while any(rounded.compare(limit) != side for limit, side in sides):
        digits += 1
        rounded = _rounded(exact, digits)
    return _plain(rounded)


def limit_text(value: float) -> str:
    """Write a number that somebody entered, with all its digits: `0.3333333`."""
    size = abs(value)
    return f"{value}" if not math.isfinite(value) or size >= _LARGE or 0 < size < _SMALL else _plain(_exact(value))


def _exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _rounded(number: Decimal, digits: int) -> Decimal:
    # As people round, and browsers: 1.005 becomes 1.01.
    return number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def duration_parts(duration: timedelta) -> list[tuple[int, str]]:
    """Divide a duration into `d`, `h`, `m` and `s`, in the largest units that leave nothing over: [(1, h), (30, m)]."""
    seconds = int(duration.total_seconds())
    if seconds < 120:
        return [(seconds, "s")]
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24) if hours > 48 else (0, hours)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return [(count, unit) for count, unit in parts if count]


def duration_text(duration: timedelta) -> str:
    """Write a duration: `90 s`, `15 min`, `1 h 30 min`, `7 days`."""
    names = {"d": "days", "m": "min"}
    return " ".join(f"{count} {names.get(unit, unit)}" for count, unit in duration_parts(duration))


def metric_text(metric: str) -> str:
    """Write a metric's name within a sentence: `line voltage` for `line_voltage`."""
    return metric.replace("_", " ")

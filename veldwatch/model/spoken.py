"""Units, durations and metrics as people read them: `m³/h`, `1 h 30 min`, `Flow rate`.

Grafana and the console show the same: `units.js` has these units too, and a test compares them.
"""

from datetime import timedelta

UNITS = {
    "m3": "m³", "m3/h": "m³/h", "m3/s": "m³/s", "Cel": "°C", "[degF]": "°F", "%RH": "% RH", "kW.h": "kWh",
    "MW.h": "MWh", "W.h": "Wh", "V.A": "VA", "kV.A": "kVA", "deg": "°", "m/s2": "m/s²", "W/m2": "W/m²",
    "umol/mol": "ppm", "[ppm]": "ppm", "uS/cm": "µS/cm", "ug/L": "µg/L", "ug/m3": "µg/m³",
    "[NTU]": "NTU", "[FNU]": "FNU", "[psi]": "psi", "m[H2O]": "m of water", "1": "", "{count}": "", "[pH]": "pH",
    "dB[mW]": "dBm",
}  # fmt: skip
"""UCUM code to what people write, where that is something else."""


def unit_text(code: str) -> str:
    """Write a unit: `m³/h` for the UCUM code `m3/h`; nothing where a number stands alone."""
    return UNITS.get(code, code.replace("{", "").replace("}", ""))


def quantity_text(value: float, code: str) -> str:
    """Write a value with its unit, six digits at most: `21.3 m³/h`."""
    return f"{value:.6g} {unit_text(code)}".strip()


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

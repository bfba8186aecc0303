"""Durations as people and documents write them: `90s`, `15m`, `24h`, `1h30m`, `7d`, or ISO 8601 `PT24H`, `P1D`."""

import re
from datetime import timedelta

from veldwatch.model.spoken import duration_parts

_SHORT = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)
_LONGEST = timedelta(days=3660)


def parse_duration(text: str) -> timedelta:
    """Read a duration in whole seconds.

    Raises:
        ValueError: it is in neither form, or longer than ten years.
    """
    match = _SHORT.fullmatch(text) or _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} (expected a duration such as 90s, 15m, 24h, 1h30m, 7d or PT24H)")
    # Ten digits of days are more than any rule means, and more than timedelta holds.
    parts = [int(part[:10]) if part else 0 for part in match.groups()]
    seconds = parts[0] * 86400 + parts[1] * 3600 + parts[2] * 60 + parts[3]
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"{text!r} (expected at most ten years)")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Write a duration in the short form, in the largest units that leave nothing over: `24h`, `1h30m`, `90s`."""
    return "".join(f"{count}{unit}" for count, unit in duration_parts(duration))

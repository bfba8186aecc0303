"""A rule's `schedule`: a time zone, and hours on weekdays."""

import re
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from veldwatch.errors import RuleInvalid
from veldwatch.model.schedule import WEEKDAYS, Hours, Schedule
from veldwatch.wire.conditions.shapes import TEXT, object_of
from veldwatch.wire.document_part import DocumentPart

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def read_schedule(part: DocumentPart) -> Schedule:
    """Read a schedule.

    Raises:
        RuleInvalid: saying what is wrong.
    """
    schedule = Schedule(
        time_zone=part.text("time_zone", _check_zone), hours=tuple(_hours(item) for item in part.parts("hours"))
    )
    if not schedule.hours:
        raise RuleInvalid(f"missing {part.at('hours')} (expected a list of days and times)")
    part.done()
    return schedule


def write_schedule(schedule: Schedule) -> dict[str, Any]:
    """Write a schedule in its canonical form."""
    hours = [{"days": list(one.days), "from": f"{one.begin:%H:%M}", "to": f"{one.end:%H:%M}"} for one in schedule.hours]
    return {"time_zone": schedule.time_zone, "hours": hours}


def schedule_schema() -> dict[str, Any]:
    """Describe a schedule."""
    clock = {"type": "string", "pattern": rf"^{_CLOCK.pattern}$"}
    days = {"type": "array", "minItems": 1, "items": {"enum": list(WEEKDAYS)}}
    hours = object_of(
        {
            "days": {**days, "description": "left out: every day"},
            "from": clock,
            "to": {**clock, "description": "not after from: on the next day; 00:00 ends with the day"},
        },
        ["from", "to"],
    )
    return object_of(
        {
            "time_zone": {**TEXT, "description": "such as Africa/Lusaka"},
            "hours": {"type": "array", "minItems": 1, "items": hours},
        },
        ["time_zone", "hours"],
    )


def _hours(part: DocumentPart) -> Hours:
    days = part.texts("days") or WEEKDAYS
    for day in days:
        if day not in WEEKDAYS:
            raise part.wrong("days", day, f"expected some of {', '.join(WEEKDAYS)}")
    hours = Hours(
        days=tuple(day for day in WEEKDAYS if day in days),
        begin=time.fromisoformat(part.text("from", _check_clock)),
        end=time.fromisoformat(part.text("to", _check_clock)),
    )
    part.done()
    return hours


def _check_clock(text: str) -> str | None:
    return None if _CLOCK.fullmatch(text) else 'expected a time such as "07:30", in quotes'


def _check_zone(text: str) -> str | None:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "expected the name of a time zone, such as Africa/Lusaka"
    return None

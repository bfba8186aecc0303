"""A rule's `schedule`: a time zone, and hours on weekdays."""

from datetime import time
from typing import Any

from veldwatch.errors import RuleInvalid
from veldwatch.model.schedule import WEEKDAYS, Hours, Schedule
from veldwatch.wire.conditions.shapes import (
    DAYS,
    TEXT,
    TIME_OF_DAY,
    check_time_of_day,
    check_zone,
    object_of,
    read_days,
)
from veldwatch.wire.document_part import DocumentPart


def read_schedule(part: DocumentPart) -> Schedule:
    """Read a schedule.

    Raises:
        RuleInvalid: saying what is wrong.
    """
    schedule = Schedule(
        time_zone=part.text("time_zone", check_zone), hours=tuple(_hours(item) for item in part.parts("hours"))
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
    hours = object_of(
        {
            "days": {**DAYS, "minItems": 1, "description": "left out: every day"},
            "from": TIME_OF_DAY,
            "to": {**TIME_OF_DAY, "description": "not after from: on the next day; 00:00 ends with the day"},
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
    hours = Hours(
        days=read_days(part, "days") or WEEKDAYS,
        begin=time.fromisoformat(part.text("from", check_time_of_day)),
        end=time.fromisoformat(part.text("to", check_time_of_day)),
    )
    part.done()
    return hours

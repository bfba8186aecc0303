"""What documents of several kinds of conditions have in common: parts of their JSON Schemas, checks of their texts."""

import re
from typing import Any

from veldwatch.model.local_buckets import find_zone
from veldwatch.model.schedule import WEEKDAYS
from veldwatch.wire.document_part import DocumentPart

DURATION: dict[str, Any] = {
    "type": "string",
    "pattern": r"^(?=.*\d)((\d+d)?(\d+h)?(\d+m)?(\d+s)?|P(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)$",
    "description": "90s, 15m, 24h, 1h30m, 7d, or ISO 8601: PT24H",
}
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
TIME_OF_DAY: dict[str, Any] = {
    "type": "string",
    "pattern": f"^{_TIME}$",
    "description": "by the clock on the wall: 02:00",
}
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
DAYS: dict[str, Any] = {"type": "array", "items": {"enum": list(WEEKDAYS)}}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}


def object_of(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    """Describe an object with these properties and no others."""
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": required} if required else schema


def kind_of(kind: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """Describe a condition of a kind."""
    return object_of({"kind": {"const": kind}, **properties}, ["kind", *required])


def check_time_of_day(text: str) -> str | None:
    """Say what is wrong with a time of day; None: nothing."""
    return None if re.fullmatch(_TIME, text) else "expected a time of day such as 02:00, in quotes"


def check_zone(name: str) -> str | None:
    """Say what is wrong with the name of a time zone; None: nothing."""
    try:
        find_zone(name)
    except ValueError:
        return "expected a name like Africa/Nairobi"
    return None


def read_days(part: DocumentPart, key: str) -> tuple[str, ...]:
    """Take days of the week that may be absent, in the order of the week."""
    named = part.texts(key)
    for name in named:
        if name not in WEEKDAYS:
            raise part.wrong(key, name, f"expected some of {', '.join(WEEKDAYS)}")
    return tuple(day for day in WEEKDAYS if day in named)

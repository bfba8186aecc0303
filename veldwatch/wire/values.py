"""What every format's numbers, names and places are checked against, so that no format is laxer than another.

JSON is read strictly (RFC 8259): no NaN, no leading plus, no bytes after the document; of a repeated key the last
counts, as most readers do. A part that fails raises `MessageRejected`; the decoder decides whether the rest stands.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import LARGEST_VALUE, Position

JsonObject = Mapping[str, object]

LONGEST_NAME = 256
"""Of a device or a metric, in characters; the register's tables have the same bound."""

MOST_VALUES = 1000
"""Of one device at once: what holds more numbers is no telemetry, and each would be a series."""
MOST_SENTENCES = 100
"""Of one reason in one message: more are not told apart."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_ESCAPE = re.compile(r"\\(?:u0000|.)")
_REPLACED = {"\\u0000": "\\ufffd"}
LARGEST_ALTITUDE_METRES = 1e6
LARGEST_ACCURACY_METRES = 1e7
LARGEST_SPEED = 1e4
_SWITCHED = {"on": True, "off": False, "true": True, "false": False}
_TRUTH = {"true": 1.0, "false": 0.0}
_document = msgspec.json.Decoder()


def read_json(payload: bytes) -> object:
    """Read one JSON document; every way in which bytes can fail to be one is a rejection."""
    try:
        return _document.decode(payload)
    except msgspec.ValidationError as error:
        raise MessageRejected(Reason.BAD_VALUE, f"{error}") from error
    except msgspec.DecodeError as error:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"{error}") from error
    except UnicodeDecodeError as error:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"not UTF-8: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, "JSON is nested too deep") from error


def read_object(payload: bytes) -> JsonObject:
    """Read one JSON document that must be an object."""
    return as_object(read_json(payload), "the payload")


def as_object(value: object, what: str) -> JsonObject:
    """Take a JSON object, or say what stands in its place."""
    if isinstance(value, dict):
        return cast("JsonObject", value)
    raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"{what} is {shown(value)} (expected a JSON object)")


def members_of(value: object) -> JsonObject:
    """Take a JSON object; of anything else, no members."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def items_of(value: object) -> Sequence[object]:
    """Take a JSON list; of anything else, no items."""
    return cast("list[object]", value) if isinstance(value, list) else ()


def number(value: object) -> float:
    """Take a JSON number of plausible size; a string or a boolean is not one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise MessageRejected(Reason.BAD_VALUE, f"{shown(value)} is not a number")
    return plausible(float(value) if abs(value) <= LARGEST_VALUE else math.inf)


def plausible(value: float) -> float:
    """Let a finite value pass that a double can count up to exactly."""
    if not abs(value) <= LARGEST_VALUE:
        raise MessageRejected(Reason.BAD_VALUE, f"{value!r} is not a finite number of at most 2**53")
    return value


def number_or_text(value: object) -> float:
    """Take a number, or a string in the grammar of JSON numbers (`"12.5"`, not `" 12.5"`, `"+1"` or `"1e999"`)."""
    return plausible(float(value)) if isinstance(value, str) and is_numeric_text(value) else number(value)


def is_numeric_text(value: object) -> bool:
    """Tell whether a string is one JSON number; 400 characters are more than any double needs."""
    return isinstance(value, str) and len(value) <= 400 and _NUMBER.fullmatch(value) is not None


def foreign_number(value: object) -> float | None:
    """Take what a codec of somebody else means as a value: a number, a numeric string, a boolean or its word as 0 or 1.

    Returns:
        None for what is no value at all: null, other text, a list, an object.
    """
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and len(value) <= 5 and value.lower() in _TRUTH:
        return _TRUTH[value.lower()]
    if isinstance(value, (int, float)) or is_numeric_text(value):
        return number_or_text(value)
    return None


def switched(value: object) -> object:
    """Make the word of a switch a boolean (`ON`, `off`, `true`), and leave everything else as it is."""
    return _SWITCHED.get(value.lower(), value) if isinstance(value, str) and len(value) <= 5 else value


def is_name(text: str) -> bool:
    """Tell whether the database can hold text as the name of a device or a metric."""
    return 1 <= len(text) <= LONGEST_NAME and "\0" not in text


def checked_name(value: object, what: str, reason: Reason = Reason.MALFORMED_PAYLOAD) -> str:
    """Take the name of a device or a metric that the database can hold."""
    if not isinstance(value, str) or not is_name(value):
        raise MessageRejected(
            reason, f"bad {what}: {shown(value)} (expected 1 to {LONGEST_NAME} characters, none of them U+0000)"
        )
    return value


def fix(
    device: str,
    when: tuple[datetime, int],
    longitude: object,
    latitude: object,
    *,
    altitude: object = None,
    accuracy: object = None,
    speed: object = None,
    heading: object = None,
) -> Position:
    """Make a fix of degrees, metres, m/s and degrees from north.

    A part out of its range becomes None: receivers say -1 for a speed or a heading that they do not know.

    Args:
        when: the time of the fix and the quality that follows from it, as `veldwatch.wire.times.observed` gives them.
    """
    return Position(
        device,
        when[0],
        *coordinates(longitude, latitude),
        altitude=_part(altitude, -LARGEST_ALTITUDE_METRES, LARGEST_ALTITUDE_METRES),
        accuracy=_part(accuracy, 0, LARGEST_ACCURACY_METRES),
        speed=_part(speed, 0, LARGEST_SPEED),
        heading=_part(heading, 0, 360),
        quality=when[1],
    )


def coordinates(longitude: object, latitude: object) -> tuple[float, float]:
    """Take a pair of degrees; 0,0 is what a receiver without a fix says."""
    try:
        east, north = number_or_text(longitude), number_or_text(latitude)
    except MessageRejected as error:
        raise MessageRejected(Reason.BAD_POSITION, error.detail) from error
    if not (abs(east) <= 180 and abs(north) <= 90):
        raise MessageRejected(
            Reason.BAD_POSITION, f"longitude {east!r}, latitude {north!r} (expected -180..180 and -90..90 degrees)"
        )
    if east == 0 and north == 0:
        raise MessageRejected(Reason.BAD_POSITION, "0,0 is a receiver without a fix")
    return east, north


def attributes(values: JsonObject) -> str:
    """Write an event's attributes as the database can hold them: keys sorted, no U+0000."""
    text = msgspec.json.encode(values, order="sorted").decode()
    return _ESCAPE.sub(lambda found: _REPLACED.get(found[0], found[0]), text) if "\\u0000" in text else text


def shown(value: object) -> str:
    """Say a value in at most some 60 characters, for a sentence to a person."""
    if isinstance(value, (dict, list)):
        return "a JSON object" if isinstance(value, dict) else "a JSON list"
    if isinstance(value, str) and len(value) > 60:
        return f"{value[:40]!r}... ({len(value)} characters)"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"


def _part(value: object, low: float, high: float) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        found = number_or_text(value)
    except MessageRejected:
        return None
    return found if low <= found <= high else None

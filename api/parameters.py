"""Query parameters that many routes take, and how they are read.

A name that a route does not know is refused: a mistyped filter must not answer with everything.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, WithJsonSchema

from api.pages import SpanKey, decode_cursor
from veldwatch.errors import RequestInvalid
from veldwatch.model.local_buckets import find_zone
from veldwatch.storage.devices import SeriesFilter
from veldwatch.storage.timespan import Timespan

DatabaseId = Annotated[int, Field(ge=1, le=2**31 - 1)]
DatabaseLongId = Annotated[int, Field(ge=1, le=2**63 - 1)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
"""PostgreSQL text cannot hold U+0000."""

_EPOCH = re.compile(r"-?\d{1,14}(\.\d{1,6})?", re.ASCII)
# A plus sign that nobody encoded arrives as a space: 2026-11-22T10:00:00 02:00
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$")
_MILLISECONDS_FROM = 1e11
"""Seconds up to the year 5138, milliseconds from March 1973 on: no observation is ambiguous."""
_YEARS = range(1900, 2200)
"""Beyond them arithmetic with time zones and buckets leaves the calendar; nothing was or will be measured there."""


def parse_instant(value: object) -> datetime:
    """Read a time: ISO 8601 (UTC where it names no offset), or seconds or milliseconds since 1970.

    Raises:
        ValueError: it is none of these, or lies outside the years 1900 to 2199.
    """
    moment = value if isinstance(value, datetime) else _read_instant(str(value).strip())
    if moment.year not in _YEARS:
        raise ValueError(f"a time of the year {moment.year} (expected ISO 8601 of the years 1900 to 2199)")
    return moment


def _read_instant(text: str) -> datetime:
    try:
        if _EPOCH.fullmatch(text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number, UTC)
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", text))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError("not a time (expected ISO 8601, or seconds since 1970)") from error


Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    WithJsonSchema({"type": "string", "examples": ["2026-11-22T10:00:00Z", "1795341600"]}),
]


def split_commas(value: object) -> object:
    """Read `a,b` as `a` and `b`, for clients that cannot repeat a parameter."""
    if not isinstance(value, list):
        return value
    return [part for item in cast("list[Any]", value) for part in str(item).split(",")]


def check_zone(name: str) -> str:
    """Refuse a name of no time zone.

    Raises:
        ValueError: saying so.
    """
    find_zone(name)
    return name


TimeZone = Annotated[Text, AfterValidator(check_zone)]

Choice = TypeVar("Choice")
Several = Annotated[list[Choice], BeforeValidator(split_commas)]


class Strict(BaseModel):
    """Parameters of which no others are taken."""

    model_config = {"extra": "forbid", "populate_by_name": True}


class Paging(Strict):
    """Which page of a list."""

    limit: int = Field(100, ge=1, le=1000, description="rows at most")
    cursor: str | None = Field(None, max_length=512, description="`next` of the page before")


class DeviceNaming(Paging):
    """Which devices."""

    organisation: Text | None = Field(None, description="slug")
    device: Text | None = Field(None, description="the device's own identifier (`external_id`)")
    device_id: DatabaseId | None = None

    def which(self) -> SeriesFilter:
        """Give the filter that storage understands."""
        return SeriesFilter(organisation=self.organisation, device=self.device, device_id=self.device_id)


class Spanning(DeviceNaming):
    """Which part of a history; pages of up to 10,000 rows."""

    since: Instant | None = Field(None, alias="from", description="first time that counts")
    until: Instant | None = Field(None, alias="to", description="first time that does not")
    limit: int = Field(1000, ge=1, le=10_000, description="rows at most")

    def span(self, *, newest_first: bool) -> Timespan:
        """Give the page that is asked for, with a row more, which tells whether there is another page."""
        after = None if self.cursor is None else decode_cursor(self.cursor, SpanKey)
        return Timespan(
            since=self.since, until=self.until, newest_first=newest_first, after=after, limit=self.limit + 1
        )


Order = Literal["asc", "desc"]


def check_storable(document: object) -> None:
    """Refuse a JSON document that PostgreSQL cannot hold.

    Raises:
        RequestInvalid: a text in it has U+0000 or half a surrogate pair, or it is nested deeper than anything is.
    """
    try:
        json.dumps(document, ensure_ascii=False).encode()
        has_null = _holds_null(document)
    except UnicodeEncodeError as error:
        raise RequestInvalid("bad text in the body: half a surrogate pair (expected UTF-8)") from error
    except RecursionError as error:
        raise RequestInvalid("the body is nested too deeply") from error
    if has_null:
        raise RequestInvalid("bad text in the body: U+0000 (expected text without it)")


def _holds_null(node: object) -> bool:
    if isinstance(node, str):
        return "\x00" in node
    if isinstance(node, Mapping):
        return any(_holds_null(part) for item in cast("Mapping[object, object]", node).items() for part in item)
    return isinstance(node, list | tuple) and any(_holds_null(part) for part in cast("list[object]", node))

"""Read out readings, raw or rolled up, of the series that a request names.

Each series is read through its own index, as far as the page needs, and the parts are merged: the cost grows with
the page, never with the history. That holds for a bounded number of series, so more than that are refused.
"""

from dataclasses import asdict, dataclass
from typing import Literal

from veldwatch.errors import RequestInvalid
from veldwatch.storage.connection import Connection
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.storage.timespan import Timespan

MOST_SERIES = 500
"""With a page of 10,000 rows of each, that is what one query can sort in a second or two."""

Bucket = Literal["raw", "hour", "day"]
_QUERIES = load_queries("readings")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFilter:
    """Which series: None is any; `device` is the device's own identifier, `device_id` ours."""

    organisation: str | None = None
    device: str | None = None
    device_id: int | None = None
    series_id: int | None = None
    metric: str | None = None


def list_readings(
    connection: Connection, scope: int | None, which: ReadingFilter, bucket: Bucket, span: Timespan
) -> list[Row]:
    """List readings, or their hours or days (UTC), with device, metric and unit.

    Args:
        scope: the one organisation that the asker may see; None: all.

    Raises:
        RequestInvalid: more series match than one page can be made of.
    """
    series = {row["id"]: row for row in _matching(connection, scope, which)}
    if not series:
        return []
    rows = fetch_rows(connection, _QUERIES[f"{bucket}_{span.order}"], {**span.parameters(), "series": sorted(series)})
    return [{**row, **_named(series[row["series_id"]])} for row in rows]


def _matching(connection: Connection, scope: int | None, which: ReadingFilter) -> list[Row]:
    rows = fetch_rows(connection, _QUERIES["matching"], {**asdict(which), "scope": scope, "limit": MOST_SERIES + 1})
    if len(rows) > MOST_SERIES:
        raise RequestInvalid(f"more than {MOST_SERIES} series match (name a device, a series or a rarer metric)")
    return rows


def _named(series: Row) -> Row:
    return {name: series[name] for name in ("device", "device_id", "metric", "unit")}

"""GET /v1/readings/window: some series over a stretch of time, as finely as a picture has room for."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.access import Viewer
from api.csv_table import CSV_ANSWER, csv_response
from api.models.windows import ReadingsWindow
from api.parameters import DatabaseId, Instant, Several, Strict, Text, TimeZone
from api.parts import Shared
from api.windows import CSV_NAMES, build_window, table_rows
from veldwatch.errors import RequestInvalid
from veldwatch.storage.windows import Window, WindowFilter, named_series

router = APIRouter(prefix="/v1/readings/window", tags=["telemetry"])

_STRETCH = timedelta(days=1)


class WindowQuery(Strict):
    """Which series, over which stretch, and how much room there is."""

    series_id: Several[DatabaseId] | None = Field(None, description="several: repeated, or with commas")
    organisation: Text | None = Field(None, description="slug")
    device: Text | None = Field(None, description="the device's own identifier (`external_id`)")
    device_id: DatabaseId | None = None
    metric: Text | None = None
    since: Instant | None = Field(None, alias="from", description="first time that counts; none: a day before `to`")
    until: Instant | None = Field(None, alias="to", description="first time that does not; none: now")
    points: int = Field(600, ge=1, le=5000, description="buckets that the picture has room for, as its pixels")
    time_zone: TimeZone = Field("UTC", description="whose days", examples=["Africa/Lusaka"])
    shape: Literal["band", "lttb"] = Field(
        "band", description="lttb: single readings that keep the shape, where there are not too many; not of counters"
    )
    format: Literal["json", "csv"] = "json"

    def window(self, now: datetime) -> Window:
        """Give the stretch as storage understands it.

        Raises:
            RequestInvalid: it ends before it begins.
        """
        until = self.until or now
        since = self.since or until - _STRETCH
        if since >= until:
            raise RequestInvalid("bad from: not before to (expected a stretch of time)")
        return Window(since=since, until=until, points=self.points, zone=self.time_zone, singles=self.shape == "lttb")


@router.get("", response_model=ReadingsWindow, responses={200: CSV_ANSWER})
def read_window(parts: Shared, bearer: Viewer, ask: Annotated[WindowQuery, Query()]) -> ReadingsWindow | Response:
    """Draw readings: mean and extremes of each bucket, what registers counted, gaps as gaps, up to the newest reading.

    The answer says what was chosen: raw readings, hours or days, and how wide a bucket is.
    """
    which = WindowFilter(
        series_ids=ask.series_id,
        organisation=ask.organisation,
        device=ask.device,
        device_id=ask.device_id,
        metric=ask.metric,
    )
    window = ask.window(datetime.now(UTC))
    with parts.pool.lend() as connection:
        drawn = build_window(connection, named_series(connection, bearer.scope, which), window)
    if ask.format == "csv":
        return csv_response("readings", CSV_NAMES, list(table_rows(drawn)), None)
    return ReadingsWindow.model_validate(drawn)

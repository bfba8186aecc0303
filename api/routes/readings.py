"""GET /v1/readings: values, raw or rolled up to hours and days, as JSON or CSV."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.access import Viewer
from api.csv_table import CSV_ANSWER, csv_response
from api.models.telemetry import Reading, Rollup
from api.pages import Page, build_page
from api.parameters import DatabaseId, Order, Spanning, Text
from api.parts import Shared
from veldwatch.storage.readings import Bucket, ReadingFilter, list_readings

router = APIRouter(prefix="/v1/readings", tags=["telemetry"])


class ReadingQuery(Spanning):
    """Which readings, and in which form."""

    series_id: DatabaseId | None = None
    metric: Text | None = None
    bucket: Bucket = Field("raw", description="hour, day: in UTC; a bucket counts when it begins in the time range")
    order: Order = "asc"
    format: Literal["json", "csv"] = Field("json", description="csv: the cursor is in the header `Veldwatch-Next`")


@router.get("", response_model=Page[Reading] | Page[Rollup], responses={200: CSV_ANSWER})
def read_readings(
    parts: Shared, bearer: Viewer, ask: Annotated[ReadingQuery, Query()]
) -> Page[Reading] | Page[Rollup] | Response:
    """List readings, oldest first unless asked otherwise; without a time range, all of them."""
    which = ReadingFilter(
        organisation=ask.organisation,
        device=ask.device,
        device_id=ask.device_id,
        series_id=ask.series_id,
        metric=ask.metric,
    )
    span = ask.span(newest_first=ask.order == "desc")
    with parts.pool.lend() as connection:
        rows = list_readings(connection, bearer.scope, which, ask.bucket, span)
    if ask.bucket == "raw":
        page = build_page(Reading, rows, ask.limit, lambda row: (row["observed_at"], row["series_id"]))
        names = list(Reading.model_fields)
    else:
        page = build_page(Rollup, rows, ask.limit, lambda row: (row["bucket"], row["series_id"]))
        names = list(Rollup.model_fields)
    return page if ask.format == "json" else csv_response("readings", names, rows[: ask.limit], page.next)

"""GET /v1/consumption: what registers counted by hour, day or month of a time zone, as JSON or CSV."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.access import Viewer
from api.csv_table import CSV_ANSWER, csv_response
from api.models.consumption import Consumption
from api.pages import Page, SpanKey, build_page, decode_cursor
from api.parameters import DatabaseId, Spanning, Text, TimeZone
from api.parts import Shared
from veldwatch.errors import RequestInvalid
from veldwatch.model.consumption import code_names
from veldwatch.model.local_buckets import Interval, find_zone
from veldwatch.storage.consumption import MOST_SERIES, Asked, list_consumption, list_subject_consumption
from veldwatch.storage.pool import Row
from veldwatch.storage.readings import ReadingFilter

router = APIRouter(prefix="/v1/consumption", tags=["telemetry"])


class ConsumptionQuery(Spanning):
    """Which registers, and how their time is cut."""

    series_id: DatabaseId | None = None
    metric: Text | None = Field(None, description="required with `subject`; unset: every counter")
    subject: Text | None = Field(None, description="slug: a service point, whichever meter was on it")
    interval: Literal["reading", "hour", "day", "month"] = Field(
        "hour", description="reading: from reading to reading, not for a subject"
    )
    time_zone: TimeZone = Field("UTC", description="whose hours, days and months", examples=["Africa/Lusaka"])
    register_modulus: float | None = Field(
        None,
        gt=0,
        le=1e12,
        description="where the register begins again from zero; unset: as the device's profile says",
    )
    format: Literal["json", "csv"] = Field("json", description="csv: the cursor is in the header `Veldwatch-Next`")

    def asked(self) -> Asked:
        """Give what storage understands; a page begins with the bucket at which the one before ended."""
        after = self.after()
        return Asked(
            since=self.since if after is None else after[0],
            until=self.until,
            interval=None if self.interval == "reading" else Interval(self.interval),
            zone=find_zone(self.time_zone),
            register_modulus=self.register_modulus,
            # One more tells that there is another page; those of the cursor's bucket were told on the page before.
            most=self.limit + 1 + (0 if after is None else MOST_SERIES),
        )

    def after(self) -> SpanKey | None:
        """Give the last row of the page before."""
        return None if self.cursor is None else decode_cursor(self.cursor, SpanKey)


@router.get("", response_model=Page[Consumption], responses={200: CSV_ANSWER})
def read_consumption(
    parts: Shared, bearer: Viewer, ask: Annotated[ConsumptionQuery, Query()]
) -> Page[Consumption] | Response:
    """List what registers counted, oldest first; without a time range, all of it.

    A time range cuts: `from` and `to` within a bucket make it shorter, and the amounts add up to what was counted
    between the two.
    """
    asked = ask.asked()
    with parts.pool.lend() as connection:
        if ask.subject is not None:
            rows = list_subject_consumption(
                connection, bearer.scope, ask.subject, ask.organisation, _metric_of(ask), asked
            )
        else:
            which = ReadingFilter(
                organisation=ask.organisation,
                device=ask.device,
                device_id=ask.device_id,
                series_id=ask.series_id,
                metric=ask.metric,
            )
            rows = list_consumption(connection, bearer.scope, which, asked)
    after = ask.after()
    listed = [{**row, "codes": code_names(row["codes"])} for row in rows if after is None or _key(row) > after]
    page = build_page(Consumption, listed[: ask.limit + 1], ask.limit, _key)
    if ask.format == "json":
        return page
    shown = [{**row, "codes": " ".join(row["codes"])} for row in listed[: ask.limit]]
    return csv_response("consumption", list(Consumption.model_fields), shown, page.next)


def _metric_of(ask: ConsumptionQuery) -> str:
    if ask.metric is None:
        raise RequestInvalid("no metric is named (expected `metric` beside `subject`)")
    if (ask.device, ask.device_id, ask.series_id) != (None, None, None):
        raise RequestInvalid("both a subject and a device are named (expected one of them)")
    return ask.metric


def _key(row: Row) -> SpanKey:
    return row["bucket"], row["series_id"] or 0

"""Pictures of readings, as the API shows them: columns, as those who draw want them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Source = Literal["raw", "hour", "day"]


class WindowAmounts(BaseModel):
    """What a register counted, in buckets; one of which nothing is known is left out."""

    step_seconds: float | None = Field(description="width of a bucket; null: from reading to reading", examples=[3600])
    begin: list[datetime] = Field(examples=[["2026-11-22T10:00:00Z"]])
    until: list[datetime] = Field(examples=[["2026-11-22T11:00:00Z"]])
    amount: list[float] = Field(description="never negative", examples=[[0.42]])
    excess: list[float] = Field(description="beyond what can be counted; never part of `amount`", examples=[[0.0]])
    codes: list[list[str]] = Field(
        description="what was done to each, as in `GET /v1/consumption`", examples=[[["gap"]]]
    )


class WindowCorrections(BaseModel):
    """What was validated: it counts in place of what was measured, and estimates where nothing was."""

    at: list[datetime] = Field(examples=[["2026-11-22T10:15:00Z"]])
    value: list[float] = Field(examples=[[1204.5]])
    raw_value: list[float | None] = Field(description="as measured; null: an estimate", examples=[[9999.0]])
    method: list[str] = Field(examples=[["interpolated"]])
    author: list[str] = Field(examples=[["data desk"]])


class SeriesWindow(BaseModel):
    """One series: a column for each figure, one place in all of them for each bucket, oldest first.

    Nulls with 0 readings are a gap. Buckets without readings are not there.
    """

    series_id: int = Field(examples=[41])
    device: str = Field(examples=["meter-0017"])
    device_id: int = Field(examples=[17])
    device_name: str = Field(examples=["Mulenga Road 4"])
    metric: str = Field(examples=["flow_rate"])
    unit: str = Field(examples=["L/h"])
    kind: Literal["gauge", "counter"]
    sources: list[Source] = Field(
        description="what the points are made of; hours too where raw readings were dropped", examples=[["raw"]]
    )
    at: list[datetime] = Field(
        description="where to draw it: the time of a single raw reading, else when the bucket begins",
        examples=[["2026-11-22T10:00:00Z", "2026-11-22T10:10:00Z"]],
    )
    average: list[float | None] = Field(description="with `shape=lttb`: the reading", examples=[[12.5, None]])
    minimum: list[float | None] = Field(examples=[[10.0, None]])
    maximum: list[float | None] = Field(examples=[[15.0, None]])
    readings: list[int] = Field(description="how many each is made of", examples=[[4, 0]])
    last: list[float | None] | None = Field(description="what the register showed at the end; null: no counter")
    implausible: int | None = Field(
        description="readings that are in no value; null: not known, rollups are without them", examples=[0]
    )
    consumption: WindowAmounts | None = Field(description="null: no counter")
    corrections: WindowCorrections


class ReadingsWindow(BaseModel):
    """Some series over a stretch of time, and how finely they are shown."""

    since: datetime
    until: datetime
    source: Source = Field(description="what was chosen: raw readings, or the rollup of hours or days")
    step_seconds: float = Field(description="width of a bucket", examples=[600])
    time_zone: str = Field(description="whose days; UTC where those of another zone would take too long")
    shape: Literal["band", "lttb"] = Field(description="lttb only where `source` is raw")
    series: list[SeriesWindow]

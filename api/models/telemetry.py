"""Readings, positions, events and contacts, as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class Reading(BaseModel):
    """One value of one metric of one device."""

    observed_at: datetime = Field(description="when the device says it happened")
    received_at: datetime = Field(description="when it arrived; whole seconds after `observed_at`")
    device: str = Field(examples=["meter-0017"])
    device_id: int = Field(examples=[17])
    series_id: int = Field(examples=[41])
    metric: str = Field(examples=["volume"])
    unit: str = Field(examples=["m3"])
    value: float = Field(examples=[1204.5])
    quality: int = Field(description="0: good; else a sum of 1 clock ahead, 2 time of arrival, 4 implausible")


class Rollup(BaseModel):
    """The readings of one series in one hour or day (UTC)."""

    bucket: datetime = Field(description="when it begins")
    device: str = Field(examples=["meter-0017"])
    device_id: int = Field(examples=[17])
    series_id: int = Field(examples=[41])
    metric: str = Field(examples=["volume"])
    unit: str = Field(examples=["m3"])
    count: int = Field(examples=[4])
    minimum: float = Field(examples=[1203.9])
    maximum: float = Field(examples=[1204.5])
    average: float = Field(examples=[1204.2])
    first: float = Field(examples=[1203.9])
    last: float = Field(examples=[1204.5])


class Fix(BaseModel):
    """What is known of one position besides its coordinates."""

    device: str = Field(examples=["collar-03"])
    device_id: int = Field(examples=[23])
    organisation: str = Field(examples=["demo-wildlife"])
    observed_at: datetime
    received_at: datetime
    altitude: float | None = Field(description="metres")
    accuracy: float | None = Field(description="metres")
    speed: float | None = Field(description="metres per second")
    heading: float | None = Field(description="degrees from north")
    quality: int


class Track(BaseModel):
    """What is known of a line of positions."""

    device: str = Field(examples=["collar-03"])
    device_id: int = Field(examples=[23])
    organisation: str = Field(examples=["demo-wildlife"])
    first_observed_at: datetime
    last_observed_at: datetime
    positions: int = Field(examples=[48])


class Point(BaseModel):
    """A place: longitude, latitude."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float] = Field(examples=[[31.18, -10.21]])


class LineString(BaseModel):
    """A line of places, oldest first; a device with a single fix is a line from there to there."""

    type: Literal["LineString"] = "LineString"
    coordinates: list[tuple[float, float]] = Field(examples=[[[31.18, -10.21], [31.19, -10.2]]])


class Feature(BaseModel):
    """A fix or a track (RFC 7946)."""

    type: Literal["Feature"] = "Feature"
    geometry: Point | LineString
    properties: Fix | Track


class FeatureCollection(BaseModel):
    """Fixes or tracks (RFC 7946); `next` is a foreign member."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]
    next: str | None = Field(description="cursor of the next page; null: this is the last")


class Event(BaseModel):
    """A discrete thing that happened at a device."""

    observed_at: datetime
    received_at: datetime
    device: str = Field(examples=["collar-03"])
    device_id: int = Field(examples=[23])
    organisation: str = Field(examples=["demo-wildlife"])
    kind: str = Field(examples=["tamper"])
    attributes: dict[str, Any] = Field(description="as the device sent them", examples=[{"cover": "open"}])


class Contact(BaseModel):
    """When a device was heard."""

    device: str = Field(examples=["meter-0017"])
    device_id: int = Field(examples=[17])
    organisation: str = Field(examples=["demo-water"])
    received_at: datetime
    messages: int = Field(examples=[1])
    first_observed_at: datetime | None
    last_observed_at: datetime | None
    online: bool = Field(description="false: the broker published the device's last will")

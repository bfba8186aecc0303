"""Organisations, sites, devices and series, as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class Organisation(BaseModel):
    """A utility, municipality or agency."""

    id: int = Field(examples=[1])
    slug: str = Field(examples=["demo-water"])
    name: str = Field(examples=["Kasama Hills water & power"])
    kind: Literal["utility", "municipality", "agency"]
    created_at: datetime


class Site(BaseModel):
    """A place with an outline: a district metered area, a zone, a feeder, a reserve."""

    id: int = Field(examples=[3])
    slug: str = Field(examples=["upper-zone"])
    organisation: str = Field(examples=["demo-water"])
    parent: str | None = Field(description="slug of the site that this one lies in")
    name: str = Field(examples=["Upper zone"])
    kind: str = Field(examples=["district_metered_area"])
    geometry: dict[str, Any] | None = Field(
        description="GeoJSON geometry, WGS 84", examples=[{"type": "Point", "coordinates": [31.18, -10.21]}]
    )


class LastPosition(BaseModel):
    """Where a device last was, in degrees."""

    longitude: float = Field(examples=[31.18])
    latitude: float = Field(examples=[-10.21])
    observed_at: datetime


class Device(BaseModel):
    """A meter, sensor, gateway or tracker."""

    id: int = Field(examples=[17])
    external_id: str = Field(description="the device's own identifier", examples=["meter-0017"])
    organisation: str = Field(examples=["demo-water"])
    name: str = Field(description="text from outside: show it, never trust it", examples=["Mulenga Road 4"])
    profile: str | None = Field(examples=["water-meter"])
    kind: Literal["meter", "sensor", "gateway", "tracker"] | None = Field(description="the profile's")
    site: str | None = Field(examples=["upper-zone"])
    source: str = Field(examples=["veldwatch"])
    status: Literal["pending", "active", "retired", "refused"]
    longitude: float | None = Field(description="where it is installed", examples=[31.18])
    latitude: float | None = Field(description="where it is installed", examples=[-10.21])
    tags: list[str] = Field(examples=[["pilot"]])
    gateway: str | None = Field(description="external id of the device through which it is heard")
    last_contact_at: datetime | None = Field(description="when it was last heard, by our clock")
    online: bool = Field(
        description="heard within three of its profile's intervals (at least 10 minutes; a day where no interval is"
        " known), and no last will since"
    )
    last_position: LastPosition | None


class Latest(BaseModel):
    """The newest reading of a series."""

    observed_at: datetime
    value: float = Field(examples=[1204.5])
    quality: int = Field(description="0: good; else a sum of 1 clock ahead, 2 time of arrival, 4 implausible")


class Series(BaseModel):
    """One metric of one device."""

    id: int = Field(examples=[41])
    device_id: int = Field(examples=[17])
    device: str = Field(examples=["meter-0017"])
    organisation: str = Field(examples=["demo-water"])
    metric: str = Field(examples=["volume"])
    unit: str = Field(description="UCUM code, or one of RFC 8428 where UCUM has none", examples=["m3"])
    kind: Literal["gauge", "counter"]
    latest: Latest | None

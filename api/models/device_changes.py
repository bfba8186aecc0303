"""Bodies that register and change devices, and what comes of them."""

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from api.models.impact import Count
from api.parameters import DatabaseId, Instant, Text

Tags = list[Text]
Longitude = Field(None, ge=-180, le=180, description="where it is installed; with latitude")
Latitude = Field(None, ge=-90, le=90, description="where it is installed; with longitude")


class NewDevice(BaseModel, extra="forbid"):
    """A device to be registered, or brought to what is said; what is not said stays."""

    external_id: Text = Field(examples=["meter-0017"])
    organisation: Text | None = Field(None, description="slug; none: your token's", examples=["demo-water"])
    name: Text | None = None
    profile: Text | None = Field(None, description="slug", examples=["water-meter-domestic"])
    site: Text | None = Field(None, description="slug")
    source: Text | None = None
    status: Literal["pending", "active", "retired", "refused"] | None = None
    longitude: float | None = Longitude
    latitude: float | None = Latitude
    tags: Tags | None = Field(None, max_length=100)
    gateway: Text | None = Field(None, description="external id of the device through which it is heard")
    people: Count | None = Field(None, description="who depend on it", examples=[5])
    customers: Count | None = Field(None, description="connections that are billed", examples=[1])
    supplies_site: bool | None = Field(None, description="an inlet, a feeder, a pump: all of its site depends on it")
    subject: Text | None = Field(None, description="slug of what it is on; made where it is missing")
    subject_kind: Text | None = None
    species: Text | None = None
    deployed_since: Instant | None = None
    deployed_until: Instant | None = None

    @model_validator(mode="after")
    def check_place(self) -> "NewDevice":
        """Refuse half a place.

        Raises:
            ValueError: one of longitude and latitude is missing.
        """
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("half a place (expected longitude and latitude)")
        return self


class Bulk(BaseModel, extra="forbid"):
    """Body of a bulk register; as many devices as fit into a body of 1 MB."""

    devices: list[NewDevice] = Field(min_length=1, examples=[[{"external_id": "meter-0017", "organisation": "demo"}]])
    dry_run: bool = Field(False, description="say what would come of it, and write nothing")


class BulkLine(BaseModel):
    """What is wrong with one device of the list."""

    number: int = Field(description="of the device in the list, from 0", examples=[3])
    detail: str


class BulkReport(BaseModel):
    """What came of a list, or would have."""

    created: int
    changed: int
    unchanged: int
    written: bool
    errors: list[BulkLine] = Field(description="only of a dry run; else they are a problem, and nothing is written")


class DeviceChange(BaseModel, extra="forbid"):
    """What is to change of a device; what is not said stays, null takes it away."""

    name: Text | None = None
    external_id: Text | None = Field(None, description="its new name on the wire; history stays")
    profile: Text | None = Field(None, description="slug")
    site: Text | None = Field(None, description="slug")
    source: Text | None = None
    status: Literal["active", "retired"] | None = Field(None, description="retired: its messages go to quarantine")
    longitude: float | None = Longitude
    latitude: float | None = Latitude
    tags: Tags | None = Field(None, max_length=100)
    gateway: Text | None = Field(None, description="external id of the device through which it is heard")


class Decided(BaseModel, extra="forbid"):
    """Body of a decision on devices that registered themselves."""

    decision: Literal["confirm", "refuse"]
    device_ids: list[DatabaseId] | None = Field(None, max_length=10_000, examples=[[17]])
    organisation: Text | None = Field(None, description="slug: all of it that wait")
    source: Text | None = Field(None, description="all by this source that wait")


class Decisions(BaseModel):
    """The devices that changed."""

    device_ids: list[int] = Field(examples=[[17]])

"""Profiles and species, as the API shows them; a profile's body is `ProfileDocument` of `veldwatch.wire`."""

from typing import Literal

from pydantic import BaseModel, Field

from api.parameters import Text


class Metric(BaseModel):
    """One metric of a kind of device."""

    metric: str = Field(examples=["volume"])
    unit: str = Field(examples=["m3"])
    kind: Literal["gauge", "counter"]
    register_modulus: float | None = Field(description="where a counter starts again, in the unit", examples=[100000])
    minimum: float | None = Field(description="readings below are stored and marked implausible", examples=[0])
    maximum: float | None = Field(description="readings above are stored and marked implausible")
    range_source: str = Field(description="where the plausible range comes from")


class Profile(BaseModel):
    """A kind of device."""

    slug: str = Field(examples=["water-meter-domestic"])
    name: str = Field(examples=["Domestic water meter"])
    kind: Literal["meter", "sensor", "gateway", "tracker"]
    description: str
    expected_interval: float | None = Field(description="seconds", examples=[3600])
    maximum_speed: float | None = Field(description="m/s, of a device that is on no subject with a limit of its own")
    metrics: list[Metric]
    devices: int = Field(description="that have it, of those that the token may see", examples=[120])


class Assignment(BaseModel, extra="forbid"):
    """Which devices get a profile; every part that is given must fit."""

    devices: list[Text] | None = Field(None, max_length=10_000, description="external ids", examples=[["m-1", "m-2"]])
    organisation: Text | None = None
    source: Text | None = None
    tag: Text | None = None
    without_profile: bool = Field(False, description="only devices that have none yet")


class Assigned(BaseModel):
    """How many devices have the profile now."""

    devices: int = Field(examples=[2])


class Species(BaseModel):
    """A kind of animal, and how fast it can be."""

    name: str = Field(description="scientific", examples=["Loxodonta africana"])
    common_name: str = Field(examples=["African savanna elephant"])
    maximum_speed: float | None = Field(description="m/s: nothing of this species moves faster", examples=[12])
    source: str = Field(description="of the speed")


class SpeciesBody(BaseModel, extra="forbid"):
    """Body of a species."""

    common_name: Text | None = None
    maximum_speed: float | None = Field(None, gt=0, le=10_000)
    source: Text = Field(description="where the speed comes from", examples=["own observation"])

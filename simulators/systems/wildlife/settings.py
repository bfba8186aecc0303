"""What a scenario may say of a collar."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.scenario import DevicePlan
from veldwatch.errors import ConfigurationInvalid


class CollarSettings(BaseModel):
    """Settings of a device of model `collar`.

    Attributes:
        species: sets range, way, rhythm and speeds; a vulture flies over fences.
        home_radius_metres: of the circle in which it spends 95 % of its time; none: its species'.
        herd: animals of one herd follow a centre of their own, around the middle of their places.
        daily_kilometres: mean way of a day; none: its species'.
        restless: walks all day at its species' usual gait, without rhythm and rest: for a demonstration in which
            minutes stand for hours.
        temperature: the collar tells it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    species: Literal["elephant", "rhino", "lion", "wild_dog", "vulture"]
    home_radius_metres: float | None = Field(default=None, ge=50.0, le=500_000.0)
    herd: str | None = None
    daily_kilometres: float | None = Field(default=None, gt=0.0, le=500.0)
    restless: bool = False
    temperature: bool = False


def settings_of(device: DevicePlan) -> CollarSettings:
    """Read a collar's settings.

    Raises:
        ConfigurationInvalid: naming the device, and what is wrong.
    """
    given: Mapping[str, Any] = device.settings
    try:
        return CollarSettings.model_validate(dict(given))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['input']!r} ({e['msg']})" for e in error.errors())
        raise ConfigurationInvalid(f"bad settings of {device.organisation}/{device.id}: {wrong}") from error

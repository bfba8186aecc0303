"""Which class says what the settings of each model's devices, and of each kind of site, may be."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.scenario import DevicePlan, FleetPlan, Scenario
from simulators.systems.electricity import settings as electricity
from simulators.systems.water import settings as waters
from simulators.systems.wildlife import settings as wildlife


class NoSettings(BaseModel):
    """A device of any other model."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlaceSettings(BaseModel):
    """A site of any other kind; what it says of its water concerns the zone that it is, or the root site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    water: waters.ZoneSettings = Field(default_factory=waters.ZoneSettings)


DEVICE_SETTINGS: Mapping[str, type[BaseModel]] = {
    "water_meter": waters.MeterSettings,
    "bulk_meter": waters.BulkMeterSettings,
    "pressure_logger": waters.LoggerSettings,
    "reservoir": waters.ReservoirSettings,
    "electricity_meter": electricity.MeterSettings,
    "transformer": electricity.DeviceSettings,
    "feeder": electricity.DeviceSettings,
    "collar": wildlife.CollarSettings,
}
"""By model; those that are not here have none."""

SITE_SETTINGS: Mapping[str, type[BaseModel]] = {
    "feeder": electricity.FeederSettings,
    "transformer": electricity.TransformerSettings,
}
"""By kind of site."""


def settings_complaints(scenario: Scenario) -> Iterator[str]:
    """Tell what is wrong with settings, each by its path."""
    for number, site in enumerate(scenario.sites):
        yield from _wrong(SITE_SETTINGS.get(site.kind, PlaceSettings), site.settings, f"sites.{number}.settings")
    for part in ("devices", "fleets"):
        plans: tuple[DevicePlan | FleetPlan, ...] = getattr(scenario, part)
        for number, plan in enumerate(plans):
            yield from _wrong(DEVICE_SETTINGS.get(plan.model, NoSettings), plan.settings, f"{part}.{number}.settings")


def _wrong(kind: type[BaseModel], given: Mapping[str, Any], path: str) -> Iterator[str]:
    try:
        kind.model_validate(given)
    except ValidationError as error:
        for each in error.errors():
            where = ".".join(str(step) for step in (path, *each["loc"]))
            said = each["msg"]
            shown = "nothing" if each["type"] == "missing" else repr(each["input"])
            yield f"{where}: {shown} ({said[0].lower()}{said[1:]})"

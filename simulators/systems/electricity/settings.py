"""What a scenario may say about the devices and sites of an electricity network."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.scenario import DevicePlan, Duration, SitePlan
from veldwatch.errors import ConfigurationInvalid

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Kind = TypeVar("Kind", bound=_Settings)


class DeviceSettings(_Settings):
    """Of a device that has nothing of its own to set.

    Attributes:
        battery: it reports through an outage; none: a feeder's does, from the substation's battery, others do not.
        last_gasp: it sends `power_fail` when its supply goes, and `power_restore` when it comes back.
    """

    battery: bool | None = None
    last_gasp: bool = False


class MeterSettings(DeviceSettings):
    """Of an electricity meter.

    Attributes:
        use: whose load it is, a household's or a shop's.
        annual_kwh: what the customer uses in a year; none: drawn.
        solar_peak_watts: of the customer's own panels; the meter then also tells `energy_export`.
        prepaid: the meter tells `credit`, and switches off when there is none.
    """

    use: Literal["residential", "commercial"] = "residential"
    prepaid: bool = False
    solar_peak_watts: float = Field(default=0.0, ge=0, le=1e6)
    annual_kwh: float | None = Field(default=None, gt=0, le=1e7)


class Interruption(_Settings):
    """A slot of a load-shedding calendar, in local time."""

    weekday: Weekday
    begins: str = Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    lasts: Duration


class FeederSettings(_Settings):
    """Of a site of kind `feeder`.

    Attributes:
        rated_kva: none: sized for what hangs on it.
        nominal_volts: between phases.
        load_shedding: when, each week, it is switched off as planned.
    """

    rated_kva: float | None = Field(default=None, gt=0)
    nominal_volts: float = Field(default=11_000.0, ge=1_000, le=66_000)
    load_shedding: tuple[Interruption, ...] = ()


class TransformerSettings(_Settings):
    """Of a site of kind `transformer`.

    Attributes:
        rated_kva: none: sized for what hangs on it.
        ambient_celsius: yearly mean around it.
        load_shedding: as of a feeder.
    """

    rated_kva: float | None = Field(default=None, gt=0)
    ambient_celsius: float = Field(default=20.0, ge=-20, le=45)
    load_shedding: tuple[Interruption, ...] = ()


def meter_settings(plan: DevicePlan) -> MeterSettings:
    """Read a meter's settings.

    Raises:
        ConfigurationInvalid: naming the device and what is wrong.
    """
    return _read(MeterSettings, plan.settings, f"device {plan.id!r}")


def device_settings(plan: DevicePlan) -> DeviceSettings:
    """Read the settings of a transformer's or feeder's device; raises as `meter_settings`."""
    return _read(DeviceSettings, plan.settings, f"device {plan.id!r}")


def feeder_settings(site: SitePlan) -> FeederSettings:
    """Read a feeder's settings; raises as `meter_settings`."""
    return _read(FeederSettings, site.settings, f"site {site.slug!r}")


def transformer_settings(site: SitePlan) -> TransformerSettings:
    """Read a transformer's settings; raises as `meter_settings`."""
    return _read(TransformerSettings, site.settings, f"site {site.slug!r}")


def _read(kind: type[Kind], settings: Mapping[str, Any], whose: str) -> Kind:
    try:
        return kind.model_validate(dict(settings))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))} {e['input']!r} ({e['msg']})" for e in error.errors())
        raise ConfigurationInvalid(f"bad settings of {whose}: {wrong}") from error

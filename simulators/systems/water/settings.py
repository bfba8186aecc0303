"""What scenarios may say of water devices and of the areas that they are in."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.scenario import DevicePlan, SitePlan
from veldwatch.errors import ConfigurationInvalid

SITE_KEY = "water"
"""Under which a site's settings hold what concerns its water: other systems have keys of their own."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MeterSettings(_Settings):
    """A `water_meter`: a home.

    Attributes:
        persons: none: 1 to 5, drawn.
        litres_per_person_day: mean over the year; none: what the published end uses add up to.
        weeks_away: weeks of a year, from Saturday to Saturday, in which nobody is at home; assumed.
        longest_draw_seconds: draws are cut to this, and a rest of 15 s follows each: for demonstrations in which
            minutes stand for hours.
        litres_per_pulse: the register's resolution. Source: OIML R 49-1:2013, 6.7.3: at most 0.5 % of what passes in
            90 minutes at Q1; for Q3 = 2.5 m³/h and R = 160 that is 0.12 L.
    """

    persons: float | None = Field(default=None, gt=0, le=50)
    litres_per_person_day: float | None = Field(default=None, gt=0, le=2000)
    weeks_away: float = Field(default=2.0, ge=0, le=40)
    longest_draw_seconds: float | None = Field(default=None, ge=5)
    litres_per_pulse: float = Field(default=0.1, ge=0.1, le=1000)


class BulkMeterSettings(_Settings):
    """A `bulk_meter`: the inlet of its area, or a customer.

    Attributes:
        role: `inlet` counts all that flows into its area; a `customer` draws.
        litres_per_day: of a customer, on a working day.
        opens, closes: local hour; the same twice is all day.
        weekend: use on Saturdays and Sundays as a share of a working day's; assumed.
        night_litres_per_hour: mean use while closed. Source: McKenzie 1999, SANFLOW, WRC TT 109/99: 50 L/h for a small
            non-domestic customer.
        pressure: it measures pressure as well.
        litres_per_pulse: the register's resolution. Source: usual pulse of meters from DN 50 on, makers' data sheets.
    """

    role: Literal["inlet", "customer"] = "customer"
    litres_per_day: float = Field(default=5000.0, ge=0, le=1e8)
    opens: float = Field(default=8.0, ge=0, lt=24)
    closes: float = Field(default=17.0, gt=0, le=24)
    weekend: float = Field(default=0.2, ge=0, le=2)
    night_litres_per_hour: float = Field(default=50.0, ge=0)
    pressure: bool = False
    litres_per_pulse: float = Field(default=1.0, ge=0.1, le=10_000)


class LoggerSettings(_Settings):
    """A `pressure_logger`.

    Attributes:
        elevation_metres: none: its area's.
        distance: share of the area's head loss before it, 0 at the inlet, 1 at the far end; none: drawn.
        noise_bar: standard deviation. Source: 0.1 % of a 10 bar sensor's range, as in loggers' data sheets.
    """

    elevation_metres: float | None = None
    distance: float | None = Field(default=None, ge=0, le=1)
    noise_bar: float = Field(default=0.01, ge=0, le=1)


class ReservoirSettings(_Settings):
    """A `reservoir` with its pump.

    Attributes:
        area_square_metres: none: so that the water between the pump's two levels lasts six hours, or the pump two;
            assumed.
        pump_litres_per_second: none: twice what is drawn on the mean, and 8 L/s for a fire; assumed.
        on_metres: level below which the pump starts.
        off_metres: level above which it stops.
        height_metres: level at which it overflows.
    """

    area_square_metres: float | None = Field(default=None, gt=0)
    pump_litres_per_second: float | None = Field(default=None, gt=0)
    on_metres: float = Field(default=2.4, ge=0)
    off_metres: float = Field(default=3.8, gt=0)
    height_metres: float = Field(default=5.0, gt=0)


class ZoneSettings(_Settings):
    """An area: `settings: {water: {...}}` of a site of kind `district_metered_area` or `zone`, or of a root site.

    Attributes:
        unmetered_customers: homes that no device of the scenario measures.
        persons, litres_per_person_day: of these homes, as of a `water_meter`.
        mains_kilometres: none: 50 connections a kilometre. Source: Lambert et al. 1999: usual densities are 20 to 100.
        condition: factor on background leakage. Source: infrastructure condition factor, 1 for pipes in good
            condition; Thornton, Sturm, Kunkel 2008, "Water loss control".
        leakage_exponent: N1 of background leakage. Source: May 1994 (FAVAD), Lambert 2001: 1.5 for small leaks.
        head_metres: at the inlet when nothing flows, above the same zero as `elevation_metres`. Source: 50 m is the
            pressure to which leakage figures are referred, Lambert et al. 1999.
        elevation_metres: of its ground.
        head_loss_metres: from inlet to far end, at peak flow with a fire's on top; assumed. Source: it leaves more than
            the 24 m that CSIR 2000, "Guidelines for human settlement planning and design", asks for at peak.
        seasonal_amplitude: of demand; assumed.
        warmest_day: of the year, on which demand is highest; none: by hemisphere.
    """

    unmetered_customers: int = Field(default=0, ge=0, le=10_000_000)
    persons: float = Field(default=2.3, gt=0, le=50)
    litres_per_person_day: float | None = Field(default=None, gt=0, le=2000)
    mains_kilometres: float | None = Field(default=None, ge=0)
    condition: float = Field(default=1.0, ge=0, le=100)
    leakage_exponent: float = Field(default=1.5, ge=0.5, le=2.5)
    head_metres: float = Field(default=50.0, gt=0, le=3000)
    elevation_metres: float = Field(default=0.0, ge=-500, le=3000)
    head_loss_metres: float = Field(default=20.0, ge=0)
    seasonal_amplitude: float = Field(default=0.1, ge=0, lt=1)
    warmest_day: float | None = Field(default=None, ge=0, le=366)


_Any = TypeVar("_Any", bound=_Settings)


def of_device(plan: DevicePlan, kind: type[_Any]) -> _Any:
    """Validate a device's settings.

    Raises:
        ConfigurationInvalid: naming device, setting and what was expected.
    """
    return _parsed(kind, plan.settings, f"device {plan.id!r}") if plan.settings else kind()


def of_site(plan: SitePlan) -> ZoneSettings:
    """Validate what a site's settings say of its water.

    Raises:
        ConfigurationInvalid: as `of_device`.
    """
    return _parsed(ZoneSettings, plan.settings.get(SITE_KEY, {}), f"site {plan.slug!r}")


def _parsed(kind: type[_Any], settings: Mapping[str, Any], whose: str) -> _Any:
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        raise ConfigurationInvalid(f"bad settings of {whose}: {name}: {first['input']!r} ({first['msg']})") from error

"""What alerts and incidents are about, and the settings by which that is estimated, as the API shows them."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, model_validator

from veldwatch.model.impact import spoken_impact
from veldwatch.storage.impacts import estimate_of
from veldwatch.storage.pool import Row

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class Impact(BaseModel):
    """About how much something concerns, each hour; null where that is not known."""

    water: float | None = Field(description="litres per hour", examples=[1200.0])
    energy: float | None = Field(description="kilowatt hours per hour", examples=[40.0])
    money: float | None = Field(description="per hour, in `currency`", examples=[24.0])
    currency: str | None = Field(description="ISO 4217", examples=["USD"])
    people: int | None = Field(description="who depend on its place", examples=[300])
    customers: int | None = Field(description="connections that are billed", examples=[60])
    missing: list[str] = Field(description="what it would take to know the rest", examples=[["a tariff for water"]])
    text: str | None = Field(description="in a few words", examples=["about 1,200 L/h, 300 people, 24 USD/h"])


def impact_of(row: Row) -> Impact:
    """Show what is kept of a row's impact."""
    estimate = estimate_of(row)
    return Impact(
        water=estimate.water,
        energy=estimate.energy,
        money=estimate.money,
        currency=estimate.currency,
        people=estimate.people,
        customers=estimate.customers,
        missing=list(estimate.missing),
        text=spoken_impact(estimate),
    )


class WithImpact(BaseModel):
    """What has an impact, made of a row that has its parts in columns."""

    impact: Impact

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, row: Row) -> Row:
        return row if "impact" in row else {**row, "impact": impact_of(row)}


class NewTariffs(BaseModel, extra="forbid"):
    """What water and energy cost; null: not said."""

    currency: Currency | None = Field(None, description="ISO 4217", examples=["USD"])
    water_tariff: Money | None = Field(None, description="for a cubic metre", examples=[1.2])
    energy_tariff: Money | None = Field(None, description="for a kilowatt hour", examples=[0.15])


class Tariffs(NewTariffs):
    """What water and energy cost in an organisation."""

    organisation: str = Field(examples=["demo-water"])


class NewSiteDependants(BaseModel, extra="forbid"):
    """Who depends on a site with all below it, and tariffs that differ there; null: not said."""

    people: Count | None = Field(None, examples=[3000])
    customers: Count | None = Field(None, examples=[600])
    water_tariff: Money | None = Field(None, description="for a cubic metre, in the organisation's currency")
    energy_tariff: Money | None = Field(None, description="for a kilowatt hour, in the organisation's currency")


class SiteDependants(NewSiteDependants):
    """Who depends on a site."""

    total_people: int | None = Field(description="as was said, else added up from below", examples=[3000])
    total_customers: int | None = Field(description="as was said, else added up from below", examples=[600])


class NewDeviceDependants(BaseModel, extra="forbid"):
    """Who depends on a device; null: not said."""

    people: Count | None = Field(None, examples=[5])
    customers: Count | None = Field(None, examples=[1])
    supplies_site: bool = Field(
        False, description="an inlet, a feeder, a pump: who depends on it is among those of its site and below"
    )


class DeviceDependants(NewDeviceDependants):
    """Who depends on a device."""

    total_people: int | None = Field(description="as was said, else its site's where it supplies that", examples=[5])
    total_customers: int | None = Field(description="as was said, else its site's where it supplies that", examples=[1])

"""What one alert is about: by its value, what is usual, a fixed rate; and what it takes where it is not known."""

from datetime import timedelta

import pytest

from veldwatch.metering.impact import Circumstances, Quantity, estimate
from veldwatch.model.impact import NOTHING, Estimate, Flow, Impact, Source, Tariffs

LEAK = Impact(water=Flow(of=Source.VALUE))
BURST = Impact(water=Flow(of=Source.VALUE, above_usual=True))
TARIFFS = Tariffs(currency="USD", water=2.0, energy=0.25)


def test_a_rule_without_a_block_says_nothing_and_lacks_nothing() -> None:
    assert estimate(None, Circumstances(people=5)) == NOTHING


@pytest.mark.parametrize(
    ("value", "unit", "hours", "litres"),
    [
        (1.2, "m3/h", None, 1200),
        (30, "L/min", None, 1800),
        (2, "L/s", None, 7200),
        (3.0, "m3", 24, 125),
        (600, "L", 0.5, 1200),
    ],
)
def test_a_rate_is_converted_and_an_amount_is_divided_by_its_time(
    value: float, unit: str, hours: float | None, litres: float
) -> None:
    counted_in = None if hours is None else timedelta(hours=hours)
    found = estimate(LEAK, Circumstances(value=Quantity(value=value, unit=unit), counted_in=counted_in))
    assert found.water == pytest.approx(litres)


def test_energy_is_a_rate_too() -> None:
    impact = Impact(energy=Flow(of=Source.VALUE))
    assert estimate(impact, Circumstances(value=Quantity(value=2500, unit="W"))).energy == 2.5
    known = Circumstances(value=Quantity(value=48, unit="kWh"), counted_in=timedelta(hours=24), tariffs=TARIFFS)
    assert estimate(impact, known) == Estimate(energy=2, money=0.5, currency="USD")


def test_of_a_burst_only_what_is_above_the_usual_counts() -> None:
    usual = {"": Quantity(value=300, unit="L/h")}.get
    assert estimate(BURST, Circumstances(value=Quantity(value=1.5, unit="m3/h"), usual=usual)).water == 1200
    low = estimate(BURST, Circumstances(value=Quantity(value=200, unit="L/h"), usual=usual))
    assert (low.water, low.missing) == (None, ("a value above the usual",))


def test_what_a_cut_does_not_supply_is_the_usual_of_another_metric() -> None:
    cut = Impact(energy=Flow(of=Source.USUAL, metric="power"), people=True)
    usual = {"power": Quantity(value=400, unit="kW")}.get
    assert estimate(cut, Circumstances(usual=usual, people=1500, tariffs=TARIFFS)) == Estimate(
        energy=400, money=100, currency="USD", people=1500
    )
    unknown = estimate(cut, Circumstances())
    assert unknown.missing == (
        "people or customers of the device or site",
        "readings of three days before, at this time of day, of power",
    )


def test_a_fixed_rate_and_fixed_money() -> None:
    impact = Impact(water=Flow(of=Source.RATE, rate=0.5, unit="m3/h"), money_per_hour=10)
    assert estimate(impact, Circumstances(tariffs=TARIFFS)) == Estimate(water=500, money=11, currency="USD")
    assert estimate(impact, Circumstances()).missing == ("a currency of the organisation", "a tariff for water")


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        (Circumstances(), "a value of the alert"),
        (Circumstances(value=Quantity(value=1, unit="m3")), "the time in which the value was counted"),
        (Circumstances(value=Quantity(value=1, unit="bar")), "a unit that measures L or L/h (not 'bar')"),
        (Circumstances(value=Quantity(value=1, unit="")), "a unit that measures L or L/h (not '')"),
    ],
)
def test_what_is_not_known_is_not_invented(known: Circumstances, missing: str) -> None:
    assert estimate(LEAK, known) == Estimate(missing=(missing,))

"""What one alert is about, by its rule's `impact` block and what is known of it and of its place. Pure.

Units are converted by `veldwatch.wire.units` (pint); an amount (m3, kWh) is divided by the time in which it was
counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from veldwatch.errors import MessageRejected
from veldwatch.model.impact import MISSING_VALUE, NO_TARIFFS, NOTHING, Estimate, Flow, Impact, Source, Tariffs
from veldwatch.wire.units import conversion

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number with its unit, a UCUM code; '': nobody said."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known of an alert and of its place.

    Attributes:
        value: None: it has none.
        counted_in: the time in which its value was counted, if it is an amount.
        usual: by metric, '' for the condition's own; what is not there is not known.
        people: who depend on its device or site.
    """

    value: Quantity | None = None
    counted_in: timedelta | None = None
    usual: Callable[[str], Quantity | None] = lambda _: None
    people: int | None = None
    customers: int | None = None
    tariffs: Tariffs = NO_TARIFFS


class _Unknown(Exception):  # no error: the answer "not known", and what it would take
    """Says what is missing."""


def estimate(impact: Impact | None, known: Circumstances) -> Estimate:
    """Estimate what an alert is about; a rule without a block says nothing, and nothing is missing."""
    if impact is None:
        return NOTHING
    missing: list[str] = []
    water = None if impact.water is None else _attempt(impact.water, known, "L/h", "L", missing)
    energy = None if impact.energy is None else _attempt(impact.energy, known, "kW", "kWh", missing)
    people, customers = (known.people, known.customers) if impact.people else (None, None)
    if impact.people and people is None and customers is None:
        missing.append("people or customers of the device or site")
    money = _money(impact, water, energy, known.tariffs, missing)
    return Estimate(
        water=water,
        energy=energy,
        money=money,
        currency=None if money is None else known.tariffs.currency,
        people=people,
        customers=customers,
        missing=tuple(sorted(set(missing))),
    )


def _attempt(flow: Flow, known: Circumstances, rate: str, amount: str, missing: list[str]) -> float | None:
    try:
        return _flow(flow, known, rate, amount)
    except _Unknown as unknown:
        missing.append(str(unknown))
        return None


def _flow(flow: Flow, known: Circumstances, rate: str, amount: str) -> float:
    match flow.of:
        case Source.RATE:
            return _converted(Quantity(value=flow.rate or 0.0, unit=flow.unit or rate), None, rate, amount)
        case Source.USUAL:
            return max(0.0, _usual(flow, known, rate))
        case Source.VALUE:
            return _of_value(flow, known, rate, amount)


def _of_value(flow: Flow, known: Circumstances, rate: str, amount: str) -> float:
    if known.value is None:
        raise _Unknown(MISSING_VALUE)
    quantity = known.value if flow.unit is None else Quantity(value=known.value.value, unit=flow.unit)
    found = _converted(quantity, known.counted_in, rate, amount)
    if flow.above_usual:
        found -= _usual(flow, known, rate)
        if found <= 0:
            raise _Unknown("a value above the usual")
    return max(0.0, found)


def _usual(flow: Flow, known: Circumstances, rate: str) -> float:
    quantity = known.usual(flow.metric or "")
    if quantity is None:
        raise _Unknown(f"readings of three days before, at this time of day{_of(flow.metric)}")
    return _converted(quantity, None, rate, rate)


def _of(metric: str | None) -> str:
    return "" if metric is None else f", of {metric}"


def _converted(quantity: Quantity, counted_in: timedelta | None, rate: str, amount: str) -> float:
    try:
        return conversion(quantity.unit, rate).apply(quantity.value)
    except MessageRejected:
        pass  # no rate; perhaps it is an amount
    try:
        converted = conversion(quantity.unit, amount).apply(quantity.value)
    except MessageRejected as error:
        raise _Unknown(f"a unit that measures {amount} or {rate} (not {quantity.unit!r})") from error
    if not counted_in:
        raise _Unknown("the time in which the value was counted")
    return converted / (counted_in / _HOUR)


def _money(
    impact: Impact, water: float | None, energy: float | None, tariffs: Tariffs, missing: list[str]
) -> float | None:
    parts: list[float] = []
    for quantity, tariff, name in (
        (None if water is None else water / 1000, tariffs.water, "a tariff for water"),
        (energy, tariffs.energy, "a tariff for energy"),
    ):
        if quantity is not None and tariff is None:
            missing.append(name)
        elif quantity is not None and tariff is not None:
            parts.append(quantity * tariff)
    if impact.money_per_hour is not None:
        if tariffs.currency is None:
            missing.append("a currency of the organisation")
        else:
            parts.append(impact.money_per_hour)
    return sum(parts) if parts else None

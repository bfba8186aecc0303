"""Impact: about how much water, energy and money an alert is about, and how many people.

`Impact` is what a rule says of how to estimate it, `Estimate` what came out for one alert. Nothing is invented: what is
not known is None, and `missing` says in words what it would take to know it.

What several alerts are about together (`together`) is not their sum. Places lie in a tree of sites; what is known of a
place holds all below it. So at each place counts the larger of what is known of the place itself and the sum of what
is known below it, and of several alerts about one place the largest: never more than there is, perhaps less.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

MISSING_VALUE = "a value of the alert"


class Source(StrEnum):
    """Where the rate of a flow is taken from."""

    VALUE = "value"
    """The alert's value; an amount is divided by the time in which it was counted."""
    USUAL = "usual"
    """What is usual at this time of day: what is not supplied while it is cut."""
    RATE = "rate"
    """A fixed rate, told by the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How to estimate a flow of water or energy.

    Attributes:
        unit: of the value or of the rate, a UCUM code; None: the series' or the condition's own.
        above_usual: only what is above the usual counts.
        metric: of what is usual: another metric of the same device; None: the condition's own.
        rate: with `RATE`, in `unit`.
    """

    of: Source
    unit: str | None = None
    above_usual: bool = False
    metric: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """How to estimate what an alert of a rule is about; the parts that are not said are not estimated.

    Attributes:
        people: those who depend on its device or site are concerned.
        money_per_hour: fixed, besides water and energy by tariff; in the organisation's currency.
    """

    water: Flow | None = None
    energy: Flow | None = None
    people: bool = False
    money_per_hour: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariffs:
    """What water and energy cost at a place.

    Attributes:
        currency: ISO 4217; None: nobody said.
        water: for a cubic metre.
        energy: for a kilowatt hour.
    """

    currency: str | None = None
    water: float | None = None
    energy: float | None = None


NO_TARIFFS = Tariffs()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """About how much an alert, or an incident, is about.

    Attributes:
        water: litres per hour.
        energy: kilowatt hours per hour.
        money: per hour, in `currency`.
        customers: connections that are billed.
        missing: what it would take to know the rest.
    """

    water: float | None = None
    energy: float | None = None
    money: float | None = None
    currency: str | None = None
    people: int | None = None
    customers: int | None = None
    missing: tuple[str, ...] = ()


NOTHING = Estimate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an alert is, for adding up.

    Attributes:
        path: its site and all above, outermost first; empty: it stands nowhere.
        device: None: it is about the whole of its site.
        supplies: its device supplies the site: what it tells holds all of the site.
    """

    path: tuple[int, ...] = ()
    device: int | None = None
    supplies: bool = False


def spoken_impact(estimate: Estimate) -> str | None:
    """Say an estimate in a few words: `about 1,200 L/h, 300 people, 24 USD/h`; None: nothing is known."""
    said = [
        f"{_rounded(estimate.water)} L/h" if estimate.water else None,
        f"{_rounded(estimate.energy)} kWh/h" if estimate.energy else None,
        f"{estimate.people:,} {'person' if estimate.people == 1 else 'people'}" if estimate.people else None,
        f"{estimate.customers:,} {'customer' if estimate.customers == 1 else 'customers'}"
        if estimate.customers and not estimate.people
        else None,
        f"{_rounded(estimate.money)} {estimate.currency}/h" if estimate.money and estimate.currency else None,
    ]
    known = [text for text in said if text is not None]
    return "about " + ", ".join(known) if known else None


def together(alerts: Iterable[tuple[Place, Estimate]]) -> Estimate:
    """Say what several alerts are about together.

    Money is known only where it is of one currency.
    """
    listed = list(alerts)
    places = [place for place, _ in listed]
    currencies = {estimate.currency for _, estimate in listed if estimate.money is not None}
    missing = dict.fromkeys(text for _, estimate in listed for text in estimate.missing)
    if len(currencies) > 1:
        missing["one currency"] = None
    return Estimate(
        water=_union(places, [estimate.water for _, estimate in listed]),
        energy=_union(places, [estimate.energy for _, estimate in listed]),
        money=_union(places, [estimate.money for _, estimate in listed]) if len(currencies) == 1 else None,
        currency=next(iter(currencies)) if len(currencies) == 1 else None,
        people=_whole(_union(places, [estimate.people for _, estimate in listed])),
        customers=_whole(_union(places, [estimate.customers for _, estimate in listed])),
        missing=tuple(sorted(missing)),
    )


def _union(places: list[Place], values: Iterable[float | None]) -> float | None:
    devices: dict[tuple[int, ...], dict[int, float]] = {}
    whole: dict[tuple[int, ...], float] = {}
    known = False
    for place, value in zip(places, values, strict=True):
        if value is None:
            continue
        known = True
        if place.device is None or (place.supplies and place.path):
            whole[place.path] = max(whole.get(place.path, 0.0), value)
        else:
            at = devices.setdefault(place.path, {})
            at[place.device] = max(at.get(place.device, 0.0), value)
    if not known:
        return None
    return _within((), whole, _below(whole, devices))


def _below(
    whole: Mapping[tuple[int, ...], float], devices: Mapping[tuple[int, ...], Mapping[int, float]]
) -> dict[tuple[int, ...], float]:
    """Sum up from the leaves: path to what is known below it, the devices at it counted."""
    # Sorted sums, so that the order in which alerts came does not show in the last digit.
    below = {path: sum(sorted(known.values())) for path, known in devices.items()}
    paths = {path[:depth] for path in (*whole, *devices) for depth in range(len(path) + 1)}
    for path in sorted(paths, key=lambda path: (-len(path), path)):
        if path:
            below[path[:-1]] = below.get(path[:-1], 0.0) + _within(path, whole, below)
    return below


def _within(
    path: tuple[int, ...], whole: Mapping[tuple[int, ...], float], below: Mapping[tuple[int, ...], float]
) -> float:
    return max(whole.get(path, 0.0), below.get(path, 0.0))


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _rounded(value: float) -> str:
    """Write a number to two figures: it is an estimate."""
    if value >= 100:
        digits = len(str(int(value))) - 2
        return f"{round(value, -digits):,.0f}"
    return f"{value:.2g}"

"""What is compared: faults that are known to have been, and alerts that fired, each with its place and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from veldwatch.model.faults import FAULTS

PlaceKey = tuple[str | None, str | None, str | None]
"""Organisation, device and site of a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a fault is: at a device, at a site with all that is below it, or (neither) anywhere.

    Attributes:
        organisation: slug; None: any.
    """

    organisation: str | None = None
    device: str | None = None
    site: str | None = None

    @property
    def key(self) -> PlaceKey:
        """Give it as a tuple, of which many are compared faster."""
        return self.organisation, self.device, self.site

    def __str__(self) -> str:
        """Give the most telling name."""
        return self.device or self.site or self.organisation or "anywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One fault that was.

    Attributes:
        kind: of `veldwatch.model.faults`, or a label's own word.
        ends_at: None: it lasts.
        felt_at: where else it shows, so that an alert there can be for it; None: nowhere.
        size: in `unit`; None: the kind has none, or nobody said.
    """

    kind: str
    place: Place
    begins_at: datetime
    ends_at: datetime | None = None
    size: float | None = None
    unit: str | None = None
    felt_at: Place | None = None


class Spot(NamedTuple):
    """Where an alert is: its device (None: it is about a site), and the sites that hold it, outermost first."""

    organisation: str
    device: str | None
    sites: tuple[str, ...] = ()


class Firing(NamedTuple):
    """An alert that fired, at the time to which the observations put it.

    Attributes:
        fired_at: of one that was explained at first: when it was to be told all the same.
        explained: something explains it as long as it lasts, so nobody is told.
    """

    rule: str
    fired_at: datetime
    spot: Spot
    explained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A rule as it is judged.

    Attributes:
        detects: as in `veldwatch.model.rule.Rule`.
        watched: the devices that it looks at.
    """

    name: str
    detects: tuple[str, ...] | None
    watched: Sequence[Spot] = ()

    def devices(self) -> frozenset[tuple[str, str | None]]:
        """Give the devices that it looks at: organisation and external id."""
        return frozenset((spot.organisation, spot.device) for spot in self.watched)

    def places(self) -> frozenset[PlaceKey]:
        """Give the keys of all places at which it would see a fault, with and without the organisation."""
        sites = {(spot.organisation, spot.sites) for spot in self.watched}
        exact = {(organisation, device, None) for organisation, device in self.devices()}
        exact |= {(organisation, None, site) for organisation, path in sites for site in (None, *path)}
        return frozenset(exact | {(None, device, site) for _, device, site in exact})

    @property
    def is_scored(self) -> bool:
        """Say whether it is there to find any fault at all."""
        return self.detects is None or bool(self.detects)

    def finds(self, kind: str) -> bool:
        """Say whether it is there to find faults of a kind; a label's own word fits every rule."""
        if not self.is_scored:
            return False
        if kind not in FAULTS:
            return True
        return FAULTS[kind].observable if self.detects is None else kind in self.detects


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The time that is judged: faults that began in it, alerts that fired in it.

    Attributes:
        grace: how long after a fault's end an alert still counts as its.
    """

    since: datetime
    until: datetime
    grace: timedelta

    @property
    def days(self) -> float:
        """Give its length."""
        return (self.until - self.since) / timedelta(days=1)

"""Faults, alerts and rules in a line each; times in hours after the start."""

from datetime import UTC, datetime, timedelta

from rules.scorecard.occurrences import Detector, Firing, Occurrence, Place, Spot, Stretch

START = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = 168.0


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def fault(
    kind: str = "leak",
    begins: float = 10,
    ends: float | None = 20,
    *,
    device: str | None = "m1",
    site: str | None = None,
) -> Occurrence:
    place = Place(organisation="town", device=None if site else device, site=site)
    return Occurrence(kind=kind, place=place, begins_at=hour(begins), ends_at=None if ends is None else hour(ends))


def spot(device: str | None = "m1", *sites: str) -> Spot:
    return Spot("town", device, sites)


def alert(at: float, rule: str = "leak", device: str | None = "m1", *sites: str) -> Firing:
    return Firing(rule, hour(at), spot(device, *sites))


def rule(name: str = "leak", detects: tuple[str, ...] | None = ("leak",), *watched: Spot) -> Detector:
    return Detector(name=name, detects=detects, watched=watched or (spot(), spot("m2")))


def stretch(since: float = 0, until: float = WEEK, grace: float = 24) -> Stretch:
    return Stretch(since=hour(since), until=hour(until), grace=timedelta(hours=grace))

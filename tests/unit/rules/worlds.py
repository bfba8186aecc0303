"""Small worlds for tests: one organisation, devices with series, rules made in a line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rules.conditions.span import Instant
from rules.instants import to_instant
from rules.store import ActiveRule
from veldwatch.model.conditions.kinds import Condition
from veldwatch.model.identifiers import DeviceId, OrganisationId, SeriesId, SiteId
from veldwatch.model.rule import Escalation, Rule, Severity
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries, WatchedSite
from veldwatch.wire.rule_document import version_id

START = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)
SQUARE = '{"coordinates":[[[30.0,-10.0],[30.01,-10.0],[30.01,-9.99],[30.0,-9.99],[30.0,-10.0]]],"type":"Polygon"}'
"""About 1.1 km a side."""
LINE = '{"coordinates":[[30.003,-10.0],[30.003,-9.99]],"type":"LineString"}'
"""Through it, northward."""


def minute(number: float) -> Instant:
    """Give the instant so many minutes after the start."""
    return to_instant(START + timedelta(minutes=number))


def rule_for(
    condition: Condition,
    *,
    hold_for: float = 0,
    keep_firing_for: float = 0,
    name: str = "tested",
    escalate: tuple[Escalation, ...] = (),
) -> Rule:
    """Make a rule; times in minutes."""
    return Rule(
        id=name,
        title="Tested",
        severity=Severity.MINOR if escalate else Severity.MAJOR,
        escalate=escalate,
        condition=condition,
        hold_for=timedelta(minutes=hold_for),
        keep_firing_for=timedelta(minutes=keep_firing_for),
    )


def active(rule: Rule) -> ActiveRule:
    """Make a rule active."""
    return ActiveRule(version_id(rule), rule, activated=True)


def watched(count: int = 2, metrics: tuple[str, ...] = ("value",)) -> Watched:
    """Make devices 1 to n; with one metric, series have their device's number."""
    organisation = OrganisationId(1)
    devices = tuple(
        WatchedDevice(
            id=DeviceId(number),
            organisation_id=organisation,
            organisation="town",
            external_id=f"d{number}",
            name=f"Device {number}",
        )
        for number in range(1, count + 1)
    )
    series = tuple(
        WatchedSeries(id=SeriesId((device.id - 1) * len(metrics) + index), device_id=device.id, metric=metric)
        for device in devices
        for index, metric in enumerate(metrics, start=1)
    )
    return Watched(devices=devices, series=series, shapes={})


def neighbourhood() -> Watched:
    """Make a feeder with two transformers: devices 1 to 3 at the first, 4 and 5 at the second; 1 is an inlet."""
    organisation = OrganisationId(1)
    sites = tuple(
        WatchedSite(
            id=SiteId(number),
            organisation_id=organisation,
            organisation="town",
            slug=path[-1],
            name=path[-1].title(),
            kind=kind,
            path=path,
        )
        for number, (kind, path) in enumerate(
            [("feeder", ("f",)), ("transformer", ("f", "t1")), ("transformer", ("f", "t2"))], start=1
        )
    )
    places = {number: sites[1] if number <= 3 else sites[2] for number in range(1, 6)}
    picture = watched(5)
    devices = tuple(
        replace(
            device,
            site_id=places[device.id].id,
            site=places[device.id].slug,
            site_path=places[device.id].path,
            profile="inlet" if device.id == 1 else "meter",
        )
        for device in picture.devices
    )
    return replace(picture, devices=devices, sites=sites)

"""Plans: which groups of devices a rule on areas or groups is about, and the grid of each.

A plan follows from the register as it is now: a device that joins a site counts from then on, and in history that is
folded anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rules.conditions.area_outage import GRACE
from rules.grids.company import CompanyGrid
from rules.grids.flows import NO_FLOW, Flow, FlowsGrid
from rules.grids.grid import Grid
from rules.grids.group import GroupGrid
from rules.grids.heard import HeardGrid
from rules.instants import to_span
from rules.subjects import Subjects
from veldwatch.errors import MessageRejected
from veldwatch.model.conditions.area import Balance, Neighbours, Proximity, Side
from veldwatch.model.conditions.flow import FlowKind
from veldwatch.model.conditions.silence import AreaOutage
from veldwatch.model.identifiers import OrganisationId
from veldwatch.model.rule import Rule
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries, WatchedSite
from veldwatch.wire.units import conversion


class Planned(NamedTuple):
    """One subject of such a rule: the name of its fold, its number in the grid, and what it is about."""

    subject: str
    id: int
    grid: Grid
    organisation_id: OrganisationId
    device: WatchedDevice | None = None
    series: WatchedSeries | None = None
    site: WatchedSite | None = None


def plan(rule: Rule, devices: Sequence[WatchedDevice], subjects: Subjects) -> Iterator[Planned]:
    """List the subjects of a rule on areas or groups.

    Args:
        devices: those that the rule selects.
        subjects: the register that they are of.
    """
    match rule.condition:
        case AreaOutage() as outage:
            yield from _areas(outage, devices, subjects.watched)
        case Balance() as balance:
            yield from _balances(balance, devices, subjects)
        case Neighbours() as neighbours:
            yield from _groups(neighbours, devices, subjects)
        case Proximity() as proximity:
            yield from _companies(proximity, devices, subjects.watched)
        case _:
            raise AssertionError(f"no condition on areas or groups: {rule.condition!r}")


def _by_site(
    devices: Iterable[WatchedDevice], sites: Iterable[WatchedSite], *, below: bool
) -> dict[int, list[WatchedDevice]]:
    """Bring devices together by site, each where it is, or with `below` also at all sites above that."""
    places = {(site.organisation_id, site.slug): site.id for site in sites}
    found: dict[int, list[WatchedDevice]] = {}
    for device in devices:
        for slug in device.site_path if below else device.site_path[-1:]:
            found.setdefault(places[(device.organisation_id, slug)], []).append(device)
    return found


def _groups_by_site(
    devices: Iterable[WatchedDevice], sites: Sequence[WatchedSite], kind: str | None
) -> Iterator[tuple[WatchedSite, list[WatchedDevice]]]:
    """Give the sites of a kind with the devices at them and below them; None: every site with those at it."""
    found = _by_site(devices, sites, below=kind is not None)
    yield from ((site, found[site.id]) for site in sites if site.id in found and kind in (None, site.kind))


def _areas(outage: AreaOutage, devices: Sequence[WatchedDevice], watched: Watched) -> Iterator[Planned]:
    for site, members in _groups_by_site(devices, watched.sites, outage.sites):
        if len(members) >= outage.at_least:
            grid = HeardGrid(devices=tuple(device.id for device in members), every=to_span(outage.every), wait=GRACE)
            yield Planned(f"site:{site.id}", site.id, grid, site.organisation_id, site=site)


def _balances(balance: Balance, devices: Sequence[WatchedDevice], subjects: Subjects) -> Iterator[Planned]:
    sites = subjects.watched.sites
    at_sites, within = _by_site(devices, sites, below=False), _by_site(devices, sites, below=True)
    for site in sites:
        if balance.sites not in (None, site.kind):
            continue
        inlets = _flow(balance.inlets, at_sites.get(site.id, ()), subjects, balance.unit)
        meters = _flow(balance.meters, within.get(site.id, ()), subjects, balance.unit, but=inlets.series)
        if not inlets.series or not meters.series:
            continue
        outlets = NO_FLOW
        if balance.outlets is not None:
            outlets = _flow(balance.outlets, at_sites.get(site.id, ()), subjects, balance.unit, but=inlets.series)
        grid = FlowsGrid(
            inlets=inlets,
            outlets=outlets,
            meters=meters,
            every=to_span(balance.every),
            wait=to_span(balance.wait),
            within=to_span(balance.within),
        )
        yield Planned(f"site:{site.id}", site.id, grid, site.organisation_id, site=site)


def _flow(
    side: Side,
    devices: Iterable[WatchedDevice],
    subjects: Subjects,
    unit: str,
    but: Sequence[int] = (),
) -> Flow:
    """Gather the series of a side; one whose unit measures something else is none of them."""
    wanted = unit if side.of is FlowKind.REGISTER else f"{unit}/h"
    found: list[tuple[int, float]] = []
    for device in devices:
        if side.profile not in (None, device.profile) or not set(side.tags) <= set(device.tags):
            continue
        for one in subjects.series(device, side.metric):
            factor = _factor(one.unit, wanted) if one.id not in but else None
            if factor is not None:
                found.append((one.id, factor))
    return Flow(series=tuple(number for number, _ in found), factors=tuple(factor for _, factor in found), of=side.of)


def _factor(unit: str, wanted: str) -> float | None:
    if not unit:
        # Nobody said: it is taken at its word.
        return 1.0
    try:
        return conversion(unit, wanted).apply(1.0)
    except MessageRejected:
        return None


def _groups(neighbours: Neighbours, devices: Sequence[WatchedDevice], subjects: Subjects) -> Iterator[Planned]:
    for _, members in _groups_by_site(devices, subjects.watched.sites, neighbours.sites):
        compared = [(device, one) for device in members for one in subjects.series(device, neighbours.metric)]
        if len(compared) < neighbours.at_least:
            continue
        grid = GroupGrid(
            series=tuple(one.id for _, one in compared),
            of=neighbours.of,
            every=to_span(neighbours.every),
            wait=to_span(neighbours.wait),
            within=to_span(neighbours.within),
        )
        for device, one in compared:
            yield Planned(f"series:{one.id}", one.id, grid, device.organisation_id, device=device, series=one)


def _companies(proximity: Proximity, devices: Sequence[WatchedDevice], watched: Watched) -> Iterator[Planned]:
    for organisation in sorted({device.organisation_id for device in devices}):
        own = sorted((d for d in devices if d.organisation_id == organisation), key=lambda device: device.id)
        others = _others(proximity, own, [d for d in watched.devices if d.organisation_id == organisation])
        if not any(others.values()):
            continue
        grid = CompanyGrid(
            others=others,
            names={device.id: device.name for device in watched.devices if device.organisation_id == organisation},
            every=to_span(proximity.every),
            wait=to_span(proximity.wait),
            within=to_span(proximity.within),
        )
        for device in own:
            if others[device.id]:
                yield Planned(f"device:{device.id}", device.id, grid, organisation, device=device)


def _others(
    proximity: Proximity, own: Sequence[WatchedDevice], all_devices: Sequence[WatchedDevice]
) -> dict[int, tuple[int, ...]]:
    """Say with whom each is compared; within one group each pair once, from the device that was registered first."""
    if proximity.to_profile is None and not proximity.to_tags:
        return {device.id: tuple(other.id for other in own if other.id > device.id) for device in own}
    wanted = [
        other.id
        for other in all_devices
        if proximity.to_profile in (None, other.profile) and set(proximity.to_tags) <= set(other.tags)
    ]
    return {device.id: tuple(other for other in wanted if other != device.id) for device in own}

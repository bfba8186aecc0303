"""Plans: which groups of devices a rule on areas or groups is about, and the grid of each.

A plan follows from the register as it is now: a device that joins a site counts from then on, and in history that is
folded anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rules.conditions.area_outage import GRACE
from rules.grids.grid import Grid
from rules.grids.heard import HeardGrid
from rules.instants import to_span
from veldwatch.model.conditions.silence import AreaOutage
from veldwatch.model.identifiers import OrganisationId
from veldwatch.model.rule import Rule
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries, WatchedSite


class Planned(NamedTuple):
    """One subject of such a rule: the name of its fold, its number in the grid, and what it is about."""

    subject: str
    id: int
    grid: Grid
    organisation_id: OrganisationId
    device: WatchedDevice | None = None
    series: WatchedSeries | None = None
    site: WatchedSite | None = None


def plan(rule: Rule, devices: Sequence[WatchedDevice], watched: Watched) -> Iterator[Planned]:
    """List the subjects of a rule on areas or groups.

    Args:
        devices: those that the rule selects.
    """
    match rule.condition:
        case AreaOutage() as outage:
            for site, members in by_site(devices, watched.sites, outage.sites):
                if len(members) >= outage.at_least:
                    grid = HeardGrid(
                        devices=tuple(device.id for device in members), every=to_span(outage.every), wait=GRACE
                    )
                    yield Planned(f"site:{site.id}", site.id, grid, site.organisation_id, site=site)
        case _:
            return


def by_site(
    devices: Iterable[WatchedDevice], sites: Iterable[WatchedSite], kind: str | None
) -> Iterator[tuple[WatchedSite, list[WatchedDevice]]]:
    """Bring devices together by site.

    Args:
        kind: the sites of this kind, each with the devices at it and below it; None: every site with those at it.
    """
    listed = list(sites)
    places = {(site.organisation_id, site.slug): site for site in listed}
    found: dict[int, list[WatchedDevice]] = {}
    for device in devices:
        slugs = device.site_path if kind is not None else device.site_path[-1:]
        for slug in slugs:
            site = places[(device.organisation_id, slug)]
            if kind in (None, site.kind):
                found.setdefault(site.id, []).append(device)
    yield from ((site, found[site.id]) for site in listed if site.id in found)

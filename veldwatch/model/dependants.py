"""Dependants: how many people or customers hang on a device or a site, and their totals up the tree of sites.

A site's total is what was said of it. Where nothing was, it is the larger of two: the sum of the sites right below it
and of the devices right at it that supply only their own (meters); and the largest of its devices that supply all of it
(inlets, feeders, pumps). Two inlets of one site may supply the same people, so they are not added up. A total
is thus never more than there are, perhaps less; None where nobody said anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDependants:
    """What was said at one site, of one kind (people, or customers).

    Attributes:
        said: of the site as a whole.
        own: sum over the devices right at it that supply only their own.
        supplied: the largest of the devices that supply all of it.
    """

    id: int
    parent: int | None = None
    said: int | None = None
    own: int | None = None
    supplied: int | None = None


def totals(sites: Iterable[SiteDependants]) -> dict[int, int | None]:
    """Give each site's total."""
    known = {site.id: site for site in sites}
    children: dict[int | None, list[int]] = {}
    for site in known.values():
        children.setdefault(site.parent if site.parent in known else None, []).append(site.id)
    found: dict[int, int | None] = {}
    for number in reversed(_top_down(children)):
        found[number] = _total(known[number], children.get(number, ()), found)
    return found


def of_device(people: int | None, site_total: int | None, *, supplies: bool) -> int | None:
    """Say how many depend on a device: as was said of it, or all of its site if it supplies that; None: nobody said."""
    if people is not None:
        return people
    return site_total if supplies else None


def _total(site: SiteDependants, children: Iterable[int], found: Mapping[int, int | None]) -> int | None:
    if site.said is not None:
        return site.said
    below = [value for child in children if (value := found[child]) is not None]
    parts = below if site.own is None else [*below, site.own]
    sums = [sum(parts)] if parts else []
    return max([*sums, *([] if site.supplied is None else [site.supplied])], default=None)


def _top_down(children: Mapping[int | None, list[int]]) -> list[int]:
    order: list[int] = []
    waiting = list(children.get(None, ()))
    while waiting:
        number = waiting.pop()
        order.append(number)
        waiting += children.get(number, ())
    return order

"""Members of a rule test: the devices of an area or group, with what each said, as buckets of one subject.

Selectors are not looked at, as in all rule tests: every member is selected. Sides of a balance and the others of a
proximity are told apart by profile and tags.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from rules.conditions.span import Bucket, Contact, Fix, Instant, Observation, Reading
from rules.grids.grid import Seen, seen_of
from rules.grids.pages import bucket_pages
from rules.grids.plan import Planned, plan
from rules.sources import Source
from rules.subjects import Subjects
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.identifiers import DeviceId, OrganisationId, SeriesId, SiteId
from veldwatch.model.rule import Rule
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries, WatchedSite
from veldwatch.wire.document_part import DocumentPart

_NOWHERE = OrganisationId(0)
Reader = Callable[[DocumentPart], Iterable[Observation]]


class _Member(NamedTuple):
    device: WatchedDevice
    series: tuple[WatchedSeries, ...]
    said: tuple[tuple[Input, int, Observation], ...]


class _Said:
    """What the members said, as a store would hold it."""

    def __init__(self, members: Iterable[_Member]) -> None:
        self._said = [one for member in members for one in member.said]

    def first(self, kind: Input, members: Sequence[int]) -> Instant | None:
        """Tell when the first of them was observed."""
        return min((seen.at for own, source, seen in self._said if own is kind and source in members), default=None)

    def seen(self, kind: Input, members: Sequence[int], since: Instant, until: Instant) -> Seen:
        """Give their observations within (since, until], oldest first."""
        rows = [
            (source, *_row(seen))
            for own, source, seen in self._said
            if own is kind and source in members and since < seen.at <= until
        ]
        return seen_of(sorted(rows, key=lambda row: row[1]))


def buckets_of(part: DocumentPart, rule: Rule, readers: Mapping[Input, Reader], until: Instant) -> list[Observation]:
    """Read the members of a test, and give the buckets of the subject that it is about.

    Args:
        readers: how observations of a kind are read.
        until: the moment at which the outcome is looked at.

    Raises:
        RuleInvalid: naming the member and what is wrong, or that the subject is not one of the rule.
    """
    sites = _sites(part)
    members = [_member(item, numbers, sites, readers) for item, numbers in _numbered(part)]
    watched = Watched(
        devices=tuple(member.device for member in members),
        series=tuple(series for member in members for series in member.series),
        sites=tuple(sites.values()),
        shapes={},
    )
    planned = _chosen(part, list(plan(rule, watched.devices, Subjects(watched))))
    source = Source(input=Input.BUCKETS, id=planned.id, grid=planned.grid)
    found: list[Bucket] = []
    position: Instant | None = None
    more = True
    while more:
        (page,) = bucket_pages(_Said(members), [(source, position)], until)
        found += page.buckets
        position, more = (found[-1].at if found else position), page.more
    return [*found]


def _numbered(part: DocumentPart) -> Iterator[tuple[DocumentPart, Iterator[int]]]:
    numbers = count(1)
    for item in part.parts("members"):
        yield item, numbers


def _sites(part: DocumentPart) -> dict[str, WatchedSite]:
    sites: dict[str, WatchedSite] = {}
    for number, item in enumerate(part.parts("sites"), start=1):
        slug, parent = item.text("slug"), item.text_or_none("parent")
        if parent is not None and parent not in sites:
            raise item.wrong("parent", parent, "expected a site that is listed before")
        sites[slug] = WatchedSite(
            id=SiteId(number),
            organisation_id=_NOWHERE,
            organisation="test",
            slug=slug,
            name=slug,
            kind=item.text_or_none("kind") or "zone",
            path=(*(sites[parent].path if parent else ()), slug),
        )
        item.done()
    return sites


def _member(
    item: DocumentPart, numbers: Iterator[int], sites: Mapping[str, WatchedSite], readers: Mapping[Input, Reader]
) -> _Member:
    site = item.text_or_none("site")
    if site is not None and site not in sites:
        raise item.wrong("site", site, f"expected one of {', '.join(sites) or 'sites, which are not given'}")
    place = sites[site] if site else None
    device = WatchedDevice(
        id=DeviceId(next(numbers)),
        organisation_id=_NOWHERE,
        organisation="test",
        external_id=item.text("device"),
        name=item.text("device"),
        profile=item.text_or_none("profile"),
        site_id=place.id if place else None,
        site=site,
        site_path=place.path if place else (),
        tags=item.texts("tags"),
    )
    series: list[WatchedSeries] = []
    said: list[tuple[Input, int, Observation]] = []
    for metric, readings in _by_metric(item, readers[Input.READINGS]):
        one = WatchedSeries(id=SeriesId(next(numbers)), device_id=device.id, metric=metric)
        series.append(one)
        said += [(Input.READINGS, one.id, seen) for seen in readings]
    for kind in (Input.POSITIONS, Input.CONTACTS):
        if item.has(kind.value):
            said += [(kind, device.id, seen) for seen in readers[kind](item)]
    item.done()
    return _Member(device, tuple(series), tuple(said))


def _by_metric(item: DocumentPart, reader: Reader) -> Iterator[tuple[str, list[Observation]]]:
    """Read `readings`: a mapping of metric to what a test of one series has as its list."""
    if not item.has("readings"):
        return
    metrics = item.part("readings")
    for metric in metrics.names():
        yield metric, list(reader(DocumentPart({"readings": metrics.raw(metric)}, metrics.at(metric))))


def _chosen(part: DocumentPart, planned: Sequence[Planned]) -> Planned:
    wanted = part.text_or_none("subject")
    named = {_name(one): one for one in planned}
    if wanted is None and len(named) == 1:
        return next(iter(named.values()))
    if wanted not in named:
        raise part.wrong(
            "subject", wanted, f"expected one of {', '.join(named) or 'none: the rule is about none of them'}"
        )
    return named[wanted]


def _name(planned: Planned) -> str:
    if planned.site is not None:
        return planned.site.slug
    return planned.device.external_id if planned.device else planned.subject


def _row(seen: Observation) -> tuple[Any, ...]:
    match seen:
        case Fix():
            return seen.at, seen.longitude, seen.latitude
        case Reading() | Contact():
            return tuple(seen)
        case _:
            raise AssertionError(f"no observation of one device: {seen!r}")

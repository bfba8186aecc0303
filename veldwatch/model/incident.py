"""Incidents: which alerts are one thing to work on, as a function of the alerts.

Pure. An alert that another explains belongs where that one belongs, however far and late: it is not looked at here.
The others, the *heads*, are taken in the order of their beginnings (of two at once by id). Each joins the incident of
a head before it that it is linked to, the one that was founded first; where there is none it founds one. Two are
*linked* when

- they are about the same device, and the later begins while the earlier holds or within `window` after its end; or
- they begin within `window` of each other, and are at the same site, or one's site lies below the other's (but for a
  site at the top of its tree, which is a whole town: there only what is about the site itself), or less than
  `near_metres` apart.

Links make chains, and a chain of small things could swallow a town over a week. So a head joins only what was founded
at most `longest` before, by a head on whose branch of the tree it is (the same site, above or below) or that is at most
`far_metres` away, or by one of the same device. Nothing later changes where an earlier head belongs: late data
concerns only what came after it. What a head that is linked to several shows to be one is another matter
(`veldwatch/model/incident_merging.py`).

Source: links in time and space with a bound on their extent, as in the linking of fire detections into events (Andela
et al. 2019, "The Global Fire Atlas"); the numbers are assumptions, and settings.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

# Fixed for ever: another value would make every incident a new incident.
_NAMESPACE = UUID("5d0c1b1e-93c4-5f0e-8f64-1c9c9a7f0b42")
_EARTH_METRES = 6371008.8
"""Mean radius. Source: IUGG."""
_CELL_SPREAD = 1.5
"""Two within a cell's side over this are surely near: its diagonal is 1.42 sides."""
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """How near alerts must be to be one thing.

    Attributes:
        window: between beginnings.
        near_metres: between places, where no site ties them.
        longest: from the first alert to the beginning of the last.
        far_metres: from the first alert to any that no site ties to it.
    """

    window: timedelta = timedelta(minutes=15)
    near_metres: float = 300.0
    longest: timedelta = timedelta(hours=12)
    far_metres: float = 2000.0


DEFAULT_NEARNESS = Nearness()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """An alert that none explains.

    Attributes:
        resolved_at: None: it holds.
        path: its site and all above, outermost first; empty: none.
        device: None: it is about its site.
        place: longitude and latitude, degrees, WGS 84; None: not known.
    """

    id: UUID
    opened_at: datetime
    resolved_at: datetime | None = None
    path: tuple[int, ...] = ()
    device: int | None = None
    place: tuple[float, float] | None = None

    @property
    def order(self) -> tuple[datetime, UUID]:
        """Give its place in the order in which heads are taken."""
        return self.opened_at, self.id


def incident_of_head(founder: UUID) -> UUID:
    """Derive an incident's id from its first alert."""
    return uuid5(_NAMESPACE, str(founder))


def incident_of_interruption(interruption: int) -> UUID:
    """Derive the id of the incident of a planned interruption."""
    return uuid5(_NAMESPACE, f"interruption:{interruption}")


def incident_of_apart(alert: UUID) -> UUID:
    """Derive the id of the incident of an alert that a person took out of another."""
    return uuid5(_NAMESPACE, f"apart:{alert}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Which heads belong together.

    Attributes:
        founders: head to the one that founded its incident.
        near: heads that are linked to incidents of others too, to the founders of all of them, its own among them.
    """

    founders: dict[UUID, UUID]
    near: dict[UUID, frozenset[UUID]]


def gather(
    heads: Iterable[Head], nearness: Nearness = DEFAULT_NEARNESS, settled: Mapping[UUID, Head] | None = None
) -> dict[UUID, UUID]:
    """Say which head founded the incident that each head belongs to; arguments as of `gather_near`."""
    return gather_near(heads, nearness, settled).founders


def gather_near(
    heads: Iterable[Head], nearness: Nearness = DEFAULT_NEARNESS, settled: Mapping[UUID, Head] | None = None
) -> Gathered:
    """Say which head founded the incident that each head belongs to, and which others are near.

    Args:
        settled: heads that are known to belong where they are, with their founders; only others are decided.
    """
    known = settled or {}
    index = _Index(nearness)
    found: dict[UUID, UUID] = {}
    near: dict[UUID, frozenset[UUID]] = {}
    for head in sorted(heads, key=lambda head: head.order):
        founder = known.get(head.id)
        if founder is None:
            linked = index.founders_for(head)
            founder = linked[0] if linked else head
            also = [other.id for other in linked[1:] if may_join(other, founder, nearness)]
            if also:
                near[head.id] = frozenset((founder.id, *also))
        found[head.id] = founder.id
        index.add(head, founder)
    return Gathered(founders=found, near=near)


def may_join(head: Head, founder: Head, nearness: Nearness) -> bool:
    """Say whether a head is within the bounds of what another founded before."""
    if head.opened_at - founder.opened_at > nearness.longest:
        return False
    if (head.device is not None and head.device == founder.device) or _on_one_branch(head, founder):
        return True
    return (
        head.place is not None
        and founder.place is not None
        and metres_between(head.place, founder.place) <= nearness.far_metres
    )


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Measure along a great circle. Source: the haversine formula."""
    (longitude_a, latitude_a), (longitude_b, latitude_b) = one, other
    phi_a, phi_b = math.radians(latitude_a), math.radians(latitude_b)
    across = math.sin(math.radians(longitude_b - longitude_a) / 2) ** 2
    chord = math.sin((phi_b - phi_a) / 2) ** 2 + math.cos(phi_a) * math.cos(phi_b) * across
    return 2 * _EARTH_METRES * math.asin(min(1.0, math.sqrt(chord)))


@dataclass(slots=True)
class _Nearby:
    """What lies in one cell of the grid, by founder, oldest first."""

    heads: dict[UUID, list[Head]] = field(default_factory=dict[UUID, list[Head]])


class _Index:
    """Heads that were taken, found again by device, site and place. By founder, since one link to each is enough."""

    def __init__(self, nearness: Nearness) -> None:
        self._nearness = nearness
        self._founders: dict[UUID, Head] = {}
        # (device, founder) ends; (site, founder) begins: the latest of each
        self._devices: dict[int, dict[UUID, datetime]] = {}
        self._at: dict[int, dict[UUID, datetime]] = {}
        self._below: dict[int, dict[UUID, datetime]] = {}
        self._cells: dict[tuple[int, int], _Nearby] = {}

    def add(self, head: Head, founder: Head) -> None:
        """Keep a head where it belongs."""
        self._founders[founder.id] = founder
        if head.device is not None:
            ends = self._devices.setdefault(head.device, {})
            ends[founder.id] = max(ends.get(founder.id, head.opened_at), head.resolved_at or _NEVER)
        if head.path:
            self._at.setdefault(head.path[-1], {})[founder.id] = head.opened_at
            for site in head.path:
                self._below.setdefault(site, {})[founder.id] = head.opened_at
        if head.place is not None:
            cell = self._cells.setdefault(self._cell(head.place), _Nearby())
            cell.heads.setdefault(founder.id, []).append(head)

    def founders_for(self, head: Head) -> list[Head]:
        """Give the founders of the incidents that a head may join, the one that was first before the others."""
        since = head.opened_at - self._nearness.window
        linked = self._by_device(head, since) | self._by_site(head, since) | self._by_place(head, since)
        founders = (self._founders[number] for number in linked)
        open_to_it = [founder for founder in founders if may_join(head, founder, self._nearness)]
        return sorted(open_to_it, key=lambda founder: founder.order)

    def _by_device(self, head: Head, since: datetime) -> set[UUID]:
        return set() if head.device is None else _lasting(self._devices.get(head.device), since)

    def _by_site(self, head: Head, since: datetime) -> set[UUID]:
        if not head.path:
            return set()
        site, *above = reversed(head.path)
        found = _lasting(self._at.get(site), since)
        if above:
            found |= _lasting(self._below.get(site), since)
        for each in above[:-1]:
            found |= _lasting(self._at.get(each), since)
        return found

    def _by_place(self, head: Head, since: datetime) -> set[UUID]:
        if head.place is None:
            return set()
        row, column = self._cell(head.place)
        columns = math.ceil(_CELL_SPREAD / max(0.01, math.cos(math.radians(head.place[1]))))
        found: set[UUID] = set()
        for near_row in range(row - 2, row + 3):
            for near_column in range(column - columns - 1, column + columns + 2):
                found |= self._of_cell(head.place, (near_row, near_column), since, found)
        return found

    def _of_cell(
        self, place: tuple[float, float], cell: tuple[int, int], since: datetime, known: set[UUID]
    ) -> set[UUID]:
        nearby = self._cells.get(cell)
        if nearby is None:
            return set()
        return {
            number
            for number, heads in nearby.heads.items()
            if number not in known and heads[-1].opened_at >= since and self._has_near(place, heads, since)
        }

    def _has_near(self, place: tuple[float, float], heads: list[Head], since: datetime) -> bool:
        for head in reversed(heads):
            if head.opened_at < since:
                return False
            if head.place is not None and metres_between(place, head.place) <= self._nearness.near_metres:
                return True
        return False

    def _cell(self, place: tuple[float, float]) -> tuple[int, int]:
        side = math.degrees(self._nearness.near_metres / _CELL_SPREAD / _EARTH_METRES)
        return math.floor(place[1] / side), math.floor(place[0] / side)


def _lasting(known: Mapping[UUID, datetime] | None, since: datetime) -> set[UUID]:
    return {number for number, at in (known or {}).items() if at >= since}


def _on_one_branch(head: Head, founder: Head) -> bool:
    shorter, longer = sorted((head.path, founder.path), key=len)
    if not shorter or longer[: len(shorter)] != shorter:
        return False
    # Of a site at the top of its tree, only what is right at it.
    return len(shorter) > 1 or len(longer) == 1

"""Which fixes of a track cannot be true, because nothing moves like that: the outliers of a receiver.

A fix is implausible when most of its neighbours, the two before it and the two after it in time, cannot be reached at
the highest speed, one before it among them. One outlier contradicts all of its neighbours, a fix beside it only the
outlier. Each judgement depends on four neighbours and on nothing else: not on the order of arrival, nor on what was
judged before. A device that was really carried off is doubted at first, and believed when it is heard from there again.

Sprints say little of an hour: what no charge could reach is far away when fixes are rare. So a fix is implausible too
when it lies out and back: it is reached, and left again, faster than the species travels, and the two neighbours
around it, one before and one after, are nearer to each other than a quarter of the way to it.

At the end of a track only fixes before are known, so the newest fix is judged anew when others follow. The first fix of
a track is doubted when both that follow contradict it. The view `position` is this module's equal in SQL.

Source: the neighbours are those of the speed filter of McConnell, Chambers and Fedak (1992), Antarctic Science 4,
393-394, as in R's `trip::speedfilter`; the majority in place of their mean is ours, for it needs no iteration. Out and
back: Bjorneraas, Van Moorter, Rolandsen and Herfindal (2010), Journal of Wildlife Management 74, 1361-1366: speeds to
and from the fix, and a turn with a cosine below -0.97. At 14 degrees off a full turn, the ends of two equal ways are a
quarter of the way apart.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

NEIGHBOURS = 2
"""On each side."""

UNTOLD_ERROR_METRES = 30.0
"""The error of a fix that tells none.

Source: Frair et al. (2010), Philosophical Transactions of the Royal Society B 365, 2187: within 30 m of the truth.
"""

_APART = 0.25
"""Of the shorter of the ways out and back: how far apart their ends may be."""

EARTH_RADIUS_METRES = 6_371_008.8
"""Mean radius. Source: IUGG."""


class Place(NamedTuple):
    """A fix: microseconds since 1970, degrees of WGS 84, metres of error or None."""

    at: int
    longitude: float
    latitude: float
    accuracy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which a device moves under one limit: a deployment, or the time between two.

    Attributes:
        since: microseconds since 1970; None: ever since.
        until: first moment that does not belong to it; None: still.
        maximum_speed: metres per second; None: unknown.
        travel_speed: metres per second that it does not keep up from one fix to the next to come straight back; None:
            unknown, and what lies out and back is believed.
    """

    since: int | None
    until: int | None
    maximum_speed: float | None
    travel_speed: float | None = None


@dataclass(frozen=True, slots=True)
class SpeedLimits:
    """The stretches of a device, oldest first, not overlapping."""

    stretches: tuple[Stretch, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is any limit."""
        return any(stretch.maximum_speed is not None for stretch in self.stretches)

    def at(self, moment: int) -> Stretch | None:
        """Give the stretch that a moment lies in."""
        place = bisect_right(self.stretches, moment, key=lambda stretch: _first(stretch.since))
        found = self.stretches[place - 1] if place else None
        return found if found is not None and (found.until is None or moment < found.until) else None


NO_LIMITS = SpeedLimits()


def is_implausible(place: Place, before: Sequence[Place], after: Sequence[Place], limits: SpeedLimits) -> bool:
    """Judge a fix by its neighbours.

    Args:
        before: fixes next to it, at most two count: the last; fixes that are marked implausible already are not theirs.
        after: as `before`: the first.
    """
    stretch = limits.at(place.at)
    if stretch is None or stretch.maximum_speed is None:
        return False
    earlier = [other for other in before[-NEIGHBOURS:] if limits.at(other.at) == stretch]
    later = [other for other in after[:NEIGHBOURS] if limits.at(other.at) == stretch]
    from_earlier, to_later = (
        sum(_is_out_of_reach(place, other, stretch.maximum_speed) for other in side) for side in (earlier, later)
    )
    doubted = from_earlier > 0 if earlier else to_later > 1
    if doubted and 2 * (from_earlier + to_later) > len(earlier) + len(later):
        return True
    return stretch.travel_speed is not None and _is_out_and_back(place, earlier, later, stretch.travel_speed)


def is_hasty(place: Place, before: Place, limits: SpeedLimits) -> bool:
    """Tell whether a fix may yet turn out to lie out and back: it was reached faster than the species travels."""
    stretch = limits.at(place.at)
    if stretch is None or stretch.travel_speed is None or limits.at(before.at) != stretch:
        return False
    return _is_out_of_reach(place, before, stretch.travel_speed)


def metres_between(one: Place, other: Place) -> float:
    """Measure along the great circle (haversine)."""
    half = math.sin(math.radians(other.latitude - one.latitude) / 2) ** 2
    across = math.sin(math.radians(other.longitude - one.longitude) / 2) ** 2
    chord = half + math.cos(math.radians(one.latitude)) * math.cos(math.radians(other.latitude)) * across
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(chord)))


def _is_out_and_back(place: Place, earlier: Sequence[Place], later: Sequence[Place], travel_speed: float) -> bool:
    there = [other for other in earlier if _is_out_of_reach(place, other, travel_speed)]
    back = [other for other in later if _is_out_of_reach(place, other, travel_speed)]
    return any(
        metres_between(one, other) < _APART * min(_way(one, place), _way(place, other))
        for one in there
        for other in back
    )


def _is_out_of_reach(one: Place, other: Place, speed: float) -> bool:
    return _way(one, other) > speed * abs(other.at - one.at) / 1_000_000


def _way(one: Place, other: Place) -> float:
    """Measure a way that is there for certain, in metres; below 0: there may be none."""
    return metres_between(one, other) - _error(one) - _error(other)


def _error(place: Place) -> float:
    return UNTOLD_ERROR_METRES if place.accuracy is None else place.accuracy


def _first(since: int | None) -> int:
    return -(2**62) if since is None else since

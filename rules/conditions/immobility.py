"""Immobility: an animal that stays in one place.

At each fix, those of the window before it are looked at: it is immobile when they reach back over half the window, the
fold over all of it, and at least `share` of them (three or more) lie within `radius_metres` of their median place,
which one wild fix cannot move. The alert begins at the oldest fix in that circle and ends at the first fix at which
the share is lower; then a whole new window is needed.

Source: EarthRanger's immobility analyser (13 m, 18,000 s, 0.8); the median in place of its last fix is our choice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from rules.conditions.places import Plane
from rules.conditions.span import Fix, Instant, Span, span_from_json
from rules.instants import to_span
from veldwatch.model.conditions.movement import Immobility

_SLOTS = 60
"""Of a window at most one fix per slot is kept, so that a collar that reports each second needs no more room."""
FEWEST = 3
"""Fixes that can be judged."""


class ImmobilityState(NamedTuple):
    """The fixes of the window, oldest first, since when the device was followed, and the span that holds."""

    fixes: tuple[Fix, ...] = ()
    since: Instant | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImmobilityCondition:
    """Holds while most of the window's fixes lie in one small circle."""

    radius_metres: float
    window: Instant
    share: float

    def initial(self, *, truncated: bool) -> ImmobilityState:  # noqa: ARG002  # a window fills from what is seen
        """Know no fix."""
        return ImmobilityState()

    def step(self, state: ImmobilityState, seen: Fix) -> tuple[ImmobilityState, Span | None]:
        """Move the window to this fix, and judge it."""
        slot = max(self.window // _SLOTS, 1)
        if state.fixes and state.fixes[-1].at // slot == seen.at // slot:
            return state, None
        since = seen.at if state.since is None else state.since
        place = Fix(seen.at, seen.longitude, seen.latitude)
        fixes = (*(fix for fix in state.fixes if seen.at - fix.at <= self.window), place)
        moved = ImmobilityState(fixes, since, state.span)
        if len(fixes) < FEWEST or 2 * (seen.at - fixes[0].at) < self.window:
            return moved, None
        return self._judged(moved, seen)

    def open_span(self, state: ImmobilityState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a fix
        """Give the span that holds."""
        return state.span

    def wake_at(self, state: ImmobilityState, now: Instant) -> Instant | None:  # noqa: ARG002  # only fixes change it
        """Never wake."""
        return None

    def load(self, document: Sequence[Any]) -> ImmobilityState:
        """Read back a state."""
        fixes, since, span = document
        return ImmobilityState(tuple(Fix(*fix) for fix in fixes), since, span_from_json(span))

    def share_near(self, state: ImmobilityState) -> float:
        """Tell which share of the window's fixes lies in one circle, 0 to 1."""
        return len(self._cluster(state.fixes)[0]) / len(state.fixes) if state.fixes else 0.0

    def _judged(self, state: ImmobilityState, seen: Fix) -> tuple[ImmobilityState, Span | None]:
        near, farthest = self._cluster(state.fixes)
        immobile = len(near) >= self.share * len(state.fixes)
        if state.span is not None and not immobile:
            ended = state.span._replace(ended_at=seen.at)
            return ImmobilityState(state.fixes[-1:], seen.at), ended
        followed = state.since is not None and seen.at - state.since >= self.window
        if state.span is None and immobile and followed:
            evidence = tuple(tuple(fix) for fix in near)
            return state._replace(span=Span(near[0].at, seen.at, None, round(farthest, 1), evidence)), None
        return state, None

    def _cluster(self, fixes: Sequence[Fix]) -> tuple[list[Fix], float]:
        """Give the fixes within the radius of the median place, and how far the farthest of them is from it."""
        plane = Plane(longitude=fixes[-1].longitude, latitude=fixes[-1].latitude)
        places = [plane.metres(fix.longitude, fix.latitude) for fix in fixes]
        centre = (median(x for x, _ in places), median(y for _, y in places))
        distances = [math.dist(centre, place) for place in places]
        near = [fix for fix, distance in zip(fixes, distances, strict=True) if distance <= self.radius_metres]
        return near, max((d for d in distances if d <= self.radius_metres), default=0.0)


def compile_immobility(immobility: Immobility) -> ImmobilityCondition:
    """Make the condition of a definition."""
    return ImmobilityCondition(
        radius_metres=immobility.radius_metres, window=to_span(immobility.window), share=immobility.share
    )

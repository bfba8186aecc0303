"""Speed: how fast a device was, on the mean, over a window of fixes.

A move counts only once it is longer than the errors of both its fixes together, so that a receiver which wavers does
not walk. A window is judged when its fixes reach back over three quarters of it and no two are further apart than
`max_gap`.

An alert begins at the first fix of the window that shows it and ends at the first fix whose window does not; then a
whole new window is needed. A window is never longer than `window`: with fixes an hour apart, it must be several hours.

`below_percentile` compares with the subject's own speeds over windows that did not overlap, of which a histogram is
kept, ten bins to a power of ten. It says nothing before a hundred of them, nor of who often rests altogether.

Source: EarthRanger's low-speed analyser compares with a quantile of the subject's own speeds (0.01); bins are ours, so
that the state is small.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from rules.conditions.places import Plane
from rules.conditions.sides import error_of
from rules.conditions.span import Fix, Instant, Span, span_from_json
from rules.instants import to_span
from veldwatch.model.conditions.movement import Speed, Way

_SLOTS = 60
"""Of a window at most one fix per slot is kept, so that a tracker that reports each second needs no more room."""
COVERED = 0.75
PER_HOUR = 3_600_000_000 / 1000.0
"""Metres per microsecond in km/h."""
_BINS = 41
_SLOWEST = 0.01
"""km/h: of the first bin; the last is for 100 and more."""
_PER_DECADE = 10
_ENOUGH = 100
"""Windows before a percentile is told."""


class SpeedState(NamedTuple):
    """The fixes of the window, oldest first, the span that holds, and how often which speed was seen.

    Attributes:
        counts: by bin; empty: not needed.
        counted_at: end of the last window that was counted.
    """

    fixes: tuple[Fix, ...] = ()
    span: Span | None = None
    counts: tuple[int, ...] = ()
    counted_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedCondition:
    """Holds while the window's speed is beyond the limit."""

    above: float | None
    below: float | None
    percentile: float | None
    dead_band: float
    of: Way
    window: Instant
    max_gap: Instant

    def initial(self, *, truncated: bool) -> SpeedState:  # noqa: ARG002  # a window fills from what is seen
        """Know no fix."""
        return SpeedState(counts=() if self.percentile is None else (0,) * _BINS)

    def step(self, state: SpeedState, seen: Fix) -> tuple[SpeedState, Span | None]:
        """Move the window to this fix, and judge it."""
        slot = max(self.window // _SLOTS, 1)
        if state.fixes and state.fixes[-1].at // slot == seen.at // slot:
            return state, None
        fixes = (*(fix for fix in state.fixes if seen.at - fix.at <= self.window), seen)
        moved = state._replace(fixes=fixes)
        speed = self.speed(fixes)
        if speed is None:
            return moved, None
        if state.span is not None:
            if self._holds(state, speed, self.dead_band):
                return moved, None
            ended = state.span._replace(ended_at=seen.at, evidence=(*state.span.evidence, tuple(seen)))
            return moved._replace(fixes=(seen,), span=None), ended
        if self._holds(state, speed, 0.0):
            evidence = tuple(tuple(fix) for fix in fixes)
            return moved._replace(span=Span(fixes[0].at, seen.at, None, round(speed, 3), evidence)), None
        return self._counted(moved, speed), None

    def open_span(self, state: SpeedState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a fix
        """Give the span that holds."""
        return state.span

    def wake_at(self, state: SpeedState, now: Instant) -> Instant | None:  # noqa: ARG002  # only fixes change it
        """Never wake."""
        return None

    def load(self, document: Sequence[Any]) -> SpeedState:
        """Read back a state."""
        fixes, span, counts, counted_at = document
        return SpeedState(tuple(Fix(*fix) for fix in fixes), span_from_json(span), tuple(counts), counted_at)

    def speed(self, fixes: Sequence[Fix]) -> float | None:
        """Measure over a window's fixes, in km/h; None: they do not tell."""
        took = fixes[-1].at - fixes[0].at
        if took < COVERED * self.window or any(b.at - a.at > self.max_gap for a, b in pairwise(fixes)):
            return None
        plane = Plane(longitude=fixes[-1].longitude, latitude=fixes[-1].latitude)
        metres = _path(plane, fixes) if self.of is Way.PATH else _path(plane, (fixes[0], fixes[-1]))
        return metres * PER_HOUR / took

    def limit(self, state: SpeedState) -> float | None:
        """Tell which speed is compared with, in km/h; None: not known yet, or so low that nothing is below it.

        A percentile is told by the lower edge of its bin: what is as usual as the bin itself is not below it.
        """
        if self.percentile is None:
            return self.above if self.below is None else self.below
        seen = sum(state.counts)
        if seen < _ENOUGH:
            return None
        wanted, below = seen * self.percentile / 100.0, 0
        for place, count in enumerate(state.counts):
            below += count
            if below > wanted:
                return _SLOWEST * 10.0 ** ((place - 1) / _PER_DECADE) if place else None
        return None

    def _holds(self, state: SpeedState, speed: float, dead_band: float) -> bool:
        limit = self.limit(state)
        if limit is None:
            return False
        return speed > limit - dead_band if self.above is not None else speed < limit + dead_band

    def _counted(self, state: SpeedState, speed: float) -> SpeedState:
        """Remember a speed of its own, unless its window overlaps with one that was counted."""
        if self.percentile is None or (state.counted_at is not None and state.fixes[0].at < state.counted_at):
            return state
        place = _bin_of(speed)
        counts = (*state.counts[:place], state.counts[place] + 1, *state.counts[place + 1 :])
        return state._replace(counts=counts, counted_at=state.fixes[-1].at)


def _path(plane: Plane, fixes: Sequence[Fix]) -> float:
    """Measure a way in metres; what errors may have made is passed over until it is left behind."""
    metres, begin = 0.0, fixes[0]
    for fix in fixes[1:]:
        step = math.dist(plane.metres(begin.longitude, begin.latitude), plane.metres(fix.longitude, fix.latitude))
        if step > math.hypot(error_of(begin), error_of(fix)):
            metres, begin = metres + step, fix
    return metres


def _bin_of(speed: float) -> int:
    if speed <= _SLOWEST:
        return 0
    return min(math.ceil(math.log10(speed / _SLOWEST) * _PER_DECADE), _BINS - 1)


def compile_speed(speed: Speed) -> SpeedCondition:
    """Make the condition of a definition."""
    return SpeedCondition(
        above=speed.above,
        below=speed.below,
        percentile=speed.below_percentile,
        dead_band=speed.dead_band,
        of=speed.of,
        window=to_span(speed.window),
        max_gap=to_span(speed.max_gap),
    )

"""Geofence, outside when due: cattle that are not in the kraal at night, rangers that are not at their post.

A fix outside within the due time opens the alert, from the begin of that time where the device was outside before (and
known to be: not longer than `max_gap` ago). It ends at the first fix back inside, or with the due time. Who was not
heard of within the due time is not accused: that is what a rule of absence is for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.due import DueTimes, due_times
from rules.conditions.ground import lay_out
from rules.conditions.sides import Boundary, Look, Sides, boundary, sides_from_json
from rules.conditions.span import Fix, Instant, Span, span_from_json
from rules.instants import to_span
from veldwatch.model.conditions.movement import Geofence
from veldwatch.wire.geometries import AREAS


class DueState(NamedTuple):
    """Which side the device is on, where it was last, the span that holds, and when it is over by time alone."""

    sides: Sides = Sides()
    last: Fix | None = None
    span: Span | None = None
    until: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCondition:
    """Holds while the device is outside at a time at which it has to be inside."""

    boundary: Boundary
    due: DueTimes
    max_gap: Instant
    hold_for: Instant

    def initial(self, *, truncated: bool) -> DueState:  # noqa: ARG002  # a side is not guessed from what was cut off
        """Know no side."""
        return DueState()

    def step(self, state: DueState, seen: Fix) -> tuple[DueState, Span | None]:
        """Take the side that the fix shows, and look whether anything is due."""
        look = self.boundary.look(seen)
        sides, first = self.boundary.follow(state.sides, seen, look)
        span, ended = state.span, self._over_by_time(state, seen.at)
        if ended is not None:
            span = None
        elif span is not None and sides.inside:
            since = seen if first is None else first
            ended = span._replace(ended_at=max(since.at, span.opened_at), evidence=(*span.evidence, tuple(seen)))
            span = None
        window = self.due.window(seen.at)
        if span is None and sides.inside is False and window is not None:
            span = self._opened(state, seen, look, max(window.begin, self._outside_since(state, seen, first)))
            return DueState(sides, seen, span, window.end), ended
        return DueState(sides, seen, span, None if span is None else state.until), ended

    def open_span(self, state: DueState, now: Instant) -> Span | None:
        """Give the span that holds; with the due time it is over."""
        return self._over_by_time(state, now) or state.span

    def wake_at(self, state: DueState, now: Instant) -> Instant | None:
        """Wake when `hold_for` is over, and when nothing is due any more."""
        if state.span is None:
            return None
        moments = (state.span.reached_at, state.until)
        return min((moment for moment in moments if moment is not None and moment > now), default=None)

    def load(self, document: Sequence[Any]) -> DueState:
        """Read back a state."""
        sides, last, span, until = document
        return DueState(sides_from_json(sides), None if last is None else Fix(*last), span_from_json(span), until)

    def _outside_since(self, state: DueState, seen: Fix, first: Fix | None) -> Instant:
        """Tell since when it is known to be outside; no earlier than it was last said to be."""
        if first is not None:
            return first.at
        if state.last is None or seen.at - state.last.at > self.max_gap:
            return seen.at
        return state.last.at

    def _opened(self, state: DueState, seen: Fix, look: Look, opened_at: Instant) -> Span:
        evidence = (tuple(seen),) if state.last is None else (tuple(state.last), tuple(seen))
        return Span(opened_at, max(seen.at, opened_at + self.hold_for), None, look.metres, evidence)

    def _over_by_time(self, state: DueState, now: Instant) -> Span | None:
        if state.span is None or state.until is None or now < state.until:
            return None
        return state.span._replace(ended_at=state.until)


def compile_due(geofence: Geofence, shapes: Sequence[str], hold_for: Instant) -> DueCondition:
    """Make the condition of a definition.

    Raises:
        ValueError: there is no area among the shapes.
    """
    ground = lay_out(shapes, AREAS)
    return DueCondition(
        boundary=boundary(ground.plane, ground.geometry, geofence.margin_metres, geofence.confirm),  # pyright: ignore[reportArgumentType]  # areas only
        due=due_times(geofence),
        max_gap=to_span(geofence.max_gap),
        hold_for=hold_for,
    )

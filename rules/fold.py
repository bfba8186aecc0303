"""The fold: observations of one subject in the order of their times -> spans.

Contract: the state is a function of the observations alone; what the passing of time makes of it (`hold_for` over, a
reading overdue) is told by `spans_at` and never stored. So it does not matter when, or how often, anybody looked. A
span is *settled* when an observation decided its end: nothing later in order can change it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from rules.conditions.compile import AnyCondition
from rules.conditions.composite import CompositeCondition
from rules.conditions.span import Fix, Instant, Observation, Span, span_from_json
from rules.escalation import Step, next_step, raised
from rules.track import Tail, believed_at, extend, undecided
from veldwatch.model.track import NO_LIMITS, SpeedLimits


class FoldState(NamedTuple):
    """A condition's own state, and a span that is over but may be taken up again within `keep_firing_for`.

    Attributes:
        tail: the last fixes of a track that is judged by speed; `condition` does not hold the undecided ones.
    """

    condition: Any
    lingering: Span | None = None
    tail: Tail = ()


class Settled(NamedTuple):
    """A span whose end is decided, and the observation that decided it."""

    span: Span
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A rule's condition and what is wrapped around it.

    Attributes:
        keep_firing_for: two spans not further apart than this are one; 0: never.
        shows_pending: a span that does not count yet is shown.
        steps: what raises the severity.
        speed_limits: fixes that nothing can reach at these speeds are left out; none: all count.
    """

    condition: AnyCondition
    keep_firing_for: Instant = 0
    shows_pending: bool = False
    steps: tuple[Step, ...] = ()
    speed_limits: SpeedLimits = NO_LIMITS

    def initial(self, *, truncated: bool = False) -> FoldState:
        """Give the state before the first observation.

        Args:
            truncated: there were observations before it, which nobody looks at any more.
        """
        return FoldState(self.condition.initial(truncated=truncated))

    def advance(self, state: FoldState, observations: Iterable[Observation]) -> tuple[FoldState, list[Settled]]:
        """Take observations, each later than all before it; give the spans that they settled, in order."""
        if self.speed_limits or state.tail:
            return self._advance_track(state, observations)
        settled: list[Settled] = []
        take = self._take_as_time_passes if isinstance(self.condition, CompositeCondition) else self._take
        inner, lingering = take(state.condition, state.lingering, observations, settled)
        return FoldState(inner, lingering), settled

    def spans_at(self, state: FoldState, now: Instant) -> list[Span]:
        """Tell which spans are not settled, as they look at `now` if nothing else was observed, oldest first.

        Those that are over by time alone have `ended_at`; pending ones have no `reached_at`, and are left out unless
        `shows_pending`.
        """
        state, over = self.believed(state, now)
        spans = [] if state.lingering is None else [state.lingering]
        current = self.condition.open_span(state.condition, now)
        if current is not None and spans and self._continues(spans[0], current):
            spans = [_joined(spans[0], current)]
        elif current is not None:
            spans.append(current)
        # Before an end is hidden that may still be taken back: it is not raised while it is away.
        spans = [raised(span, self.steps, now) for span in spans] if self.steps else spans
        shown = [self._kept(span, now) for span in (*over, *spans)]
        return [span for span in shown if self._is_shown(span)]

    def wake_at(self, state: FoldState, now: Instant) -> Instant | None:
        """Tell when, after `now`, time alone next changes what `spans_at` says; None: never."""
        held_until = believed_at(state.tail, self.speed_limits)
        state, _ = self.believed(state, now)
        wishes: list[Instant | None] = [self.condition.wake_at(state.condition, now), held_until]
        current = self.condition.open_span(state.condition, now)
        if self.steps and current is not None:
            joined = state.lingering is not None and self._continues(state.lingering, current)
            open_now = _joined(state.lingering, current) if joined and state.lingering else current
            wishes.append(next_step(open_now, self.steps, now))
        for span in (state.lingering, current):
            if span is not None:
                # Also for conditions without timers: a device's clock may be ahead of ours.
                wishes.append(span.reached_at)
                wishes.append(None if span.ended_at is None else span.ended_at + self.keep_firing_for)
        return min((wish for wish in wishes if wish is not None and wish > now), default=None)

    def dump(self, state: FoldState) -> str:
        """Write a state as JSON."""
        return json.dumps(state if state.tail else state[:2], separators=(",", ":"))

    def load(self, document: Any) -> FoldState:  # noqa: ANN401  # a JSON value
        """Read back what `dump` wrote, parsed."""
        inner, lingering, *tail = document
        fixes = tuple(Fix(*fix) for fix in tail[0]) if tail else ()
        return FoldState(self.condition.load(inner), span_from_json(lingering), fixes)

    def believed(self, state: FoldState, now: Instant) -> tuple[FoldState, list[Span]]:
        """Take in what time does, and fixes that are not decided as they look now; give the spans that this settles."""
        if isinstance(self.condition, CompositeCondition):
            passed: list[Settled] = []
            inner, lingering = self._pass(state.condition, state.lingering, now, passed)
            return FoldState(inner, lingering), [span for span, _ in passed]
        if not state.tail:
            return state, []
        would: list[Settled] = []
        fixes = undecided(state.tail, self.speed_limits, now)
        inner, lingering = self._take(state.condition, state.lingering, fixes, would)
        return FoldState(inner, lingering), [span for span, _ in would]

    def _take(
        self, inner: object, lingering: Span | None, observations: Iterable[Observation], settled: list[Settled]
    ) -> tuple[object, Span | None]:
        step = self.condition.step
        for seen in observations:
            inner, ended = step(inner, seen)  # pyright: ignore[reportArgumentType]  # a condition's own state and kind
            if ended is not None or lingering is not None:
                lingering = self._lingering(inner, lingering, ended, seen.at, settled)
        return inner, lingering

    def _take_as_time_passes(
        self, inner: object, lingering: Span | None, observations: Iterable[Observation], settled: list[Settled]
    ) -> tuple[object, Span | None]:
        """Take samples, and before each the moments at which time alone changed something: it settles what they do."""
        for seen in observations:
            found: list[Settled] = []
            inner, lingering = self._pass(inner, lingering, seen.at - 1, found)
            inner, lingering = self._take(inner, lingering, (seen,), found)
            settled += [Settled(span, seen.at) for span, _ in found]
        return inner, lingering

    def _pass(
        self,
        inner: Any,  # noqa: ANN401  # a condition's own
        lingering: Span | None,
        until: Instant,
        settled: list[Settled],
    ) -> tuple[Any, Span | None]:
        """Let time pass up to a moment, nothing else being observed."""
        if isinstance(self.condition, CompositeCondition):
            while (moment := self.condition.passing(inner, until)) is not None:
                inner, lingering = self._take(inner, lingering, (moment,), settled)
        return inner, lingering

    def _advance_track(self, state: FoldState, observations: Iterable[Observation]) -> tuple[FoldState, list[Settled]]:
        """Take fixes; what one of them settles is what the fix does that it decided."""
        settled: list[Settled] = []
        inner, lingering, tail = state
        for seen in observations:
            assert isinstance(seen, Fix)  # noqa: S101  # only targets that fold positions have limits
            tail, decided = extend(tail, seen, self.speed_limits)
            if decided is not None:
                found: list[Settled] = []
                inner, lingering = self._take(inner, lingering, (decided,), found)
                settled += [Settled(span, seen.at) for span, _ in found]
        return FoldState(inner, lingering, tail), settled

    def _lingering(
        self, inner: object, lingering: Span | None, ended: Span | None, at: Instant, settled: list[Settled]
    ) -> Span | None:
        if ended is not None:
            if lingering is not None and self._continues(lingering, ended):
                lingering = _joined(lingering, ended)
            else:
                if lingering is not None:
                    settled.append(self._settled(lingering, at))
                lingering = ended if ended.counts else None
        if lingering is None or lingering.ended_at is None or at - lingering.ended_at < self.keep_firing_for:
            return lingering
        current = self.condition.open_span(inner, at)
        if current is not None and self._continues(lingering, current):
            return lingering
        settled.append(self._settled(lingering, at))
        return None

    def _settled(self, span: Span, at: Instant) -> Settled:
        return Settled(raised(span, self.steps, None) if self.steps else span, at)

    def _continues(self, before: Span, after: Span) -> bool:
        return (
            self.keep_firing_for > 0
            and before.ended_at is not None
            and after.opened_at - before.ended_at <= self.keep_firing_for
        )

    def _kept(self, span: Span, now: Instant) -> Span:
        """Show a span as pending before its time, and as holding while it may be taken up again."""
        if span.reached_at is not None and span.reached_at > now:
            return span._replace(reached_at=None)
        if span.ended_at is not None and now < span.ended_at + self.keep_firing_for:
            return span._replace(ended_at=None)
        return span

    def _is_shown(self, span: Span) -> bool:
        return span.counts or (self.shows_pending and span.ended_at is None)


def _joined(before: Span, after: Span) -> Span:
    levels = tuple(
        was if was is not None else now for was, now in zip_longest(before.levels, after.levels, fillvalue=None)
    )
    return before._replace(
        ended_at=after.ended_at,
        evidence=(*before.evidence[:2], *after.evidence[-2:]),
        levels=levels,
        known_until=after.known_until,
    )

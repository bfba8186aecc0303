"""Stretches: conditions that judge one stretch of a grid at a time, by a number and a limit.

A stretch of which nothing is known changes nothing. What holds began with the first stretch that showed it, and ended
where the first one begins that does not; it fires once that stretch is complete and `hold_for` is over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.levels import Judged, Level, worsened
from rules.conditions.span import Bucket, Instant, Span, reached_after, span_from_json


class Verdict(NamedTuple):
    """What a stretch shows.

    Attributes:
        holds: None: it cannot be told.
        value: the number that tells how bad it is.
    """

    holds: bool | None
    value: float | None = None


UNKNOWN = Verdict(None)


class StretchState(NamedTuple):
    """The span that holds, if one does."""

    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchCondition:
    """Holds while stretch after stretch shows it.

    Attributes:
        judge: takes a bucket's values, and whether it holds already (so that it may end elsewhere than it begins).
        every: length of a stretch.
        wait: how long after its end it is complete.
    """

    judge: Callable[[tuple[Any, ...], bool], Verdict]
    every: Instant
    wait: Instant
    hold_for: Instant
    levels: tuple[Level, ...] = ()

    def initial(self, *, truncated: bool) -> StretchState:  # noqa: ARG002  # each stretch is judged by itself
        """Hold nothing."""
        return StretchState()

    def step(self, state: StretchState, seen: Bucket) -> tuple[StretchState, Span | None]:
        """Judge the next stretch."""
        verdict = self.judge(seen.values, state.span is not None)
        if verdict.holds is None:
            return state, None
        if state.span is not None:
            if verdict.holds:
                return StretchState(self._gone_on(state.span, seen, verdict)), None
            ended_at = max(seen.at - self.every, state.span.opened_at)
            evidence = (*state.span.evidence, tuple(seen))
            return StretchState(), state.span._replace(ended_at=self._ended(state.span, ended_at), evidence=evidence)
        if not verdict.holds:
            return state, None
        opened_at = seen.at - self.every
        reached_at = max(seen.at + self.wait, opened_at + self.hold_for)
        span = Span(opened_at, reached_at, None, verdict.value, (tuple(seen),))
        return StretchState(self._gone_on(span, seen, verdict)), None

    def open_span(self, state: StretchState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a stretch
        """Give the span that holds: pending until it may fire."""
        return state.span

    def wake_at(self, state: StretchState, now: Instant) -> Instant | None:
        """Wake when it may fire."""
        return reached_after(state.span, now)

    def load(self, document: Sequence[Any]) -> StretchState:
        """Read back a state."""
        return StretchState(span_from_json(document[0]))

    def _gone_on(self, span: Span, seen: Bucket, verdict: Verdict) -> Span:
        """Note that it held until the end of a stretch, and how bad it was there."""
        known = span._replace(known_until=seen.at)
        if verdict.value is None:
            return known
        return worsened(known, self.levels, Judged(seen.at, verdict.value, verdict.value), (tuple(seen),))

    def _ended(self, span: Span, ended_at: Instant) -> Instant:
        """Let what was told be over after it was told, not before: a single stretch is complete only after its end."""
        if span.reached_at is None or self.hold_for > ended_at - span.opened_at:
            return ended_at
        return max(ended_at, span.reached_at)

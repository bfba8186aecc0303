"""Repeat: a value that goes beyond a limit so many times within a window.

The alert begins at the first of those times, fires at the one that completes the count, and ends at the last one, once
the next one would not complete it again: by the passing of time alone, until a reading that comes late takes it up.

Source: Zabbix' trigger function `count` and ThingsBoard's repeating alarm conditions count readings; that one long
excursion is one time, and not as many as it has readings, is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.limits import Limits, limits_of
from rules.conditions.span import Evidence, Instant, Reading, Span
from rules.instants import to_span
from veldwatch.model.conditions.values import Occurrence, Repeat


class RepeatState(NamedTuple):
    """The last times.

    Attributes:
        times: the readings that counted, oldest first, as many as are to be counted at most.
        inside: the last reading is not yet back from beyond the limit.
        first: where the alert began; None: there is none.
        reached_at: when it fired.
        total: how many times it has been since it began.
        evidence: the times that made it.
    """

    times: tuple[Reading, ...] = ()
    inside: bool = False
    first: Instant | None = None
    reached_at: Instant | None = None
    total: int = 0
    evidence: Evidence = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatCondition:
    """Holds while a window has so many times in it."""

    limits: Limits
    count: int
    window: Instant
    of: Occurrence

    def initial(self, *, truncated: bool) -> RepeatState:  # noqa: ARG002  # what was cut off is not counted
        """Count nothing."""
        return RepeatState()

    def step(self, state: RepeatState, seen: Reading) -> tuple[RepeatState, Span | None]:
        """Count the reading, if it counts; end the alert if it was over before."""
        ended: Span | None = None
        if state.first is not None and seen.at > self._until(state):
            ended = self._span(state, state.times[-1].at)
            # The alert's last time may begin another, which then does not overlap it.
            state = RepeatState(state.times[-1:], state.inside)
        beyond = self.limits.beyond(seen.value)
        counts = beyond and (self.of is Occurrence.READINGS or not state.inside)
        inside = beyond or (state.inside and not self.limits.back(seen.value))
        if not counts:
            return (state if inside is state.inside else state._replace(inside=inside)), ended
        return self._counted(state._replace(inside=inside), seen), ended

    def open_span(self, state: RepeatState, now: Instant) -> Span | None:
        """Give the alert; over once the next time cannot complete the count again."""
        if state.first is None:
            return None
        span = self._span(state, state.times[-1].at if now > self._until(state) else None)
        return span._replace(known_until=state.times[-1].at)

    def wake_at(self, state: RepeatState, now: Instant) -> Instant | None:
        """Wake when the next time comes too late."""
        if state.first is None:
            return None
        over = self._until(state) + 1
        return over if over > now else None

    def load(self, document: Sequence[Any]) -> RepeatState:
        """Read back a state."""
        times, inside, first, reached_at, total, evidence = document
        return RepeatState(
            tuple(Reading(*time) for time in times),
            inside,
            first,
            reached_at,
            total,
            tuple(tuple(item) for item in evidence),
        )

    def _until(self, state: RepeatState) -> Instant:
        """Tell until when the next time would complete the count once more."""
        return state.times[1].at + self.window

    def _counted(self, state: RepeatState, seen: Reading) -> RepeatState:
        times = (*state.times, seen)[-self.count :]
        if state.first is not None:
            return state._replace(times=times, total=state.total + 1)
        if len(times) < self.count or seen.at - times[0].at > self.window:
            return state._replace(times=times)
        evidence = tuple(tuple(time) for time in times)
        return RepeatState(times, state.inside, times[0].at, seen.at, self.count, evidence)

    def _span(self, state: RepeatState, ended_at: Instant | None) -> Span:
        first = state.times[0].at if state.first is None else state.first
        return Span(first, state.reached_at, ended_at, float(state.total), state.evidence)


def compile_repeat(repeat: Repeat) -> RepeatCondition:
    """Make the condition of a definition."""
    return RepeatCondition(limits=limits_of(repeat), count=repeat.count, window=to_span(repeat.window), of=repeat.of)

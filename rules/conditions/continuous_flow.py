"""Continuous flow: water that never stops.

A run begins at the first reading that shows flow, goes on while every next reading does and comes within `max_gap`,
and ends at the last such reading; it counts when end minus beginning is `duration` or more. A register shows flow when
it is above the reading before; a reading that falls shows none.

Whether a run that is under way at the first reading ever began there or before nobody knows: `beginning`
says whether such runs are reported. When readings stop, a run is over `max_gap` after its last reading; a reading that
comes late takes it up again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.span import Evidence, Instant, Reading, Span
from rules.instants import to_span
from veldwatch.model.conditions.flow import Beginning, ContinuousFlow, FlowKind


class FlowState(NamedTuple):
    """The last reading, and the run that it belongs to.

    Attributes:
        before: the reading before the run's first; its value is where the run's consumption starts to count.
        first: the reading at which the run began; None: no run.
        reached_at: the reading at which the run had lasted long enough.
        seen: the run's beginning lies in the readings.
        judged: it is known whether the last reading shows flow.
    """

    last: Reading | None = None
    before: Reading | None = None
    first: Reading | None = None
    reached_at: Instant | None = None
    seen: bool = True
    judged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCondition:
    """Holds while flow never stops."""

    duration: Instant
    max_gap: Instant
    minimum: float
    of: FlowKind
    beginning: Beginning

    def initial(self, *, truncated: bool) -> FlowState:
        """Know nothing; of a longer history that is cut here, runs count from the cut."""
        return FlowState(judged=truncated)

    def step(self, state: FlowState, seen: Reading) -> tuple[FlowState, Span | None]:
        """Begin, continue or end a run."""
        near = state.last is not None and seen.at - state.last.at <= self.max_gap
        shows = self._shows_flow(state.last if near else None, seen)
        if shows and near and state.first is not None:
            return self._continued(state, state.first, seen), None
        ended = self._ended(state)
        if not shows:
            known = self.of is FlowKind.RATE or state.last is not None or state.judged
            return FlowState(last=seen, judged=known), ended
        begins_unseen = not state.judged and (self.of is FlowKind.REGISTER or state.last is None)
        begun = FlowState(last=seen, before=state.last, first=seen, seen=not begins_unseen, judged=True)
        return self._continued(begun, seen, seen), ended

    def open_span(self, state: FlowState, now: Instant) -> Span | None:
        """Give the run once it has lasted long enough; over when the next reading is overdue."""
        if state.reached_at is None or state.last is None:
            return None
        span = self._span(state, state.last.at if now - state.last.at > self.max_gap else None)
        return span._replace(known_until=state.last.at)

    def wake_at(self, state: FlowState, now: Instant) -> Instant | None:
        """Wake when the next reading of a run that counts is overdue."""
        if state.reached_at is None or state.last is None:
            return None
        overdue = state.last.at + self.max_gap + 1
        return overdue if overdue > now else None

    def load(self, document: Sequence[Any]) -> FlowState:
        """Read back a state."""
        last, before, first, reached_at, seen, judged = document
        return FlowState(_reading(last), _reading(before), _reading(first), reached_at, seen, judged)

    def _shows_flow(self, last: Reading | None, seen: Reading) -> bool:
        if self.of is FlowKind.RATE:
            return seen.value > self.minimum
        return last is not None and seen.value - last.value > self.minimum

    def _continued(self, state: FlowState, first: Reading, seen: Reading) -> FlowState:
        reached_at = state.reached_at
        if reached_at is None and seen.at - first.at >= self.duration and self._reports(state):
            reached_at = seen.at
        return state._replace(last=seen, reached_at=reached_at)

    def _reports(self, state: FlowState) -> bool:
        match self.beginning:
            case Beginning.ANY:
                return True
            case Beginning.SEEN:
                return state.seen
            case Beginning.UNSEEN:
                return not state.seen

    def _ended(self, state: FlowState) -> Span | None:
        if state.reached_at is None or state.last is None:
            return None
        return self._span(state, state.last.at)

    def _span(self, state: FlowState, ended_at: Instant | None) -> Span:
        first, last = state.first, state.last
        if first is None or last is None:
            raise AssertionError(f"a run that counts has a first and a last reading: {state!r}")
        return Span(first.at, state.reached_at, ended_at, self._consumption(state, last), _evidence(state))

    def _consumption(self, state: FlowState, last: Reading) -> float | None:
        """Give what a register counted since the run began; of a rate, its last value."""
        if self.of is FlowKind.RATE:
            return last.value
        return None if state.before is None else last.value - state.before.value


def compile_continuous_flow(flow: ContinuousFlow) -> FlowCondition:
    """Make the condition of a definition."""
    return FlowCondition(
        duration=to_span(flow.duration),
        max_gap=to_span(flow.max_gap),
        minimum=flow.minimum,
        of=flow.of,
        beginning=flow.beginning,
    )


def _evidence(state: FlowState) -> Evidence:
    readings = (state.before, state.first, state.last)
    return tuple(tuple(reading) for reading in readings if reading is not None)


def _reading(document: Sequence[Any] | None) -> Reading | None:
    return None if document is None else Reading(*document)

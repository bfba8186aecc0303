"""Event: something happened at a device, or happened so many times within a window.

The alert begins at the first event that counts, fires at the one that completes the count (and `hold_for` later), and
ends at an event that clears it, or when no other came for `quiet_for`: by the passing of time alone. What is told of
one instant has no order in it: what counts is taken before what clears, so that a cover that was opened and closed
within a second is an alert all the same, which is over when it begins.

Source: ThingsBoard's alarm rules (create and clear conditions, repeating ones); IEC 61968-9 names events of meters.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from rules.conditions.span import Evidence, Happening, Instant, Span
from rules.instants import to_span
from veldwatch.model.conditions.event import EventCondition as Definition
from veldwatch.model.conditions.event import EventPattern

_BETWEEN_WORDS = re.compile(r"[\s,;|]+")
_SHOWN = 500
"""Letters of an event's attributes that evidence holds; of more, only what the rule asks for."""


class EventState(NamedTuple):
    """What was counted.

    Attributes:
        times: when events that count came, oldest first, as many as are to be counted at most.
        first: where the alert began; None: there is none.
        reached_at: when it fires.
        total: how many have come since it began.
        evidence: the events that made it.
    """

    times: tuple[Instant, ...] = ()
    shown: Evidence = ()
    first: Instant | None = None
    reached_at: Instant | None = None
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HappeningCondition:
    """Holds from events that count until one clears it, or none comes any more.

    Attributes:
        window: 0 where one event is enough.
        quiet_for: None: only an event ends it.
    """

    events: tuple[EventPattern, ...]
    cleared_by: tuple[EventPattern, ...]
    count: int
    window: Instant
    quiet_for: Instant | None
    hold_for: Instant

    def initial(self, *, truncated: bool) -> EventState:  # noqa: ARG002  # what was cut off is not counted
        """Count nothing."""
        return EventState()

    def step(self, state: EventState, seen: Happening) -> tuple[EventState, Span | None]:
        """Take what happened: end the alert if it was over before, count, and clear."""
        ended = self._over(state, seen.at)
        if ended is not None:
            state = EventState()
        told = [(kind, _attributes(text), text) for kind, text in seen.events]
        counting = [one for one in told if _is_any(self.events, one[0], one[1])]
        for kind, attributes, text in counting:
            state = self._counted(state, seen.at, (seen.at, kind, self._shown(kind, attributes, text)))
        clearing = next((one for one in told if _is_any(self.cleared_by, one[0], one[1])), None)
        if clearing is None or state.first is None:
            return state, ended
        kind, attributes, text = clearing
        cleared = self._span(state, seen.at)
        evidence = (*cleared.evidence, (seen.at, kind, self._shown(kind, attributes, text)))
        # One that began in this instant, after another had ended, cannot be told beside it.
        return EventState(), ended if ended is not None else cleared._replace(evidence=evidence)

    def open_span(self, state: EventState, now: Instant) -> Span | None:
        """Give the alert; over once it has been quiet for long enough."""
        if state.first is None:
            return None
        return self._over(state, now) or self._span(state, None)

    def wake_at(self, state: EventState, now: Instant) -> Instant | None:
        """Wake when it fires, and when it is quiet for long enough."""
        if state.first is None:
            return None
        over = None if self.quiet_for is None else state.times[-1] + self.quiet_for
        return min((at for at in (state.reached_at, over) if at is not None and at > now), default=None)

    def load(self, document: Sequence[Any]) -> EventState:
        """Read back a state."""
        times, shown, first, reached_at, total = document
        return EventState(tuple(times), tuple(tuple(one) for one in shown), first, reached_at, total)

    def _over(self, state: EventState, at: Instant) -> Span | None:
        if state.first is None or self.quiet_for is None or at - state.times[-1] < self.quiet_for:
            return None
        return self._span(state, state.times[-1] + self.quiet_for)

    def _counted(self, state: EventState, at: Instant, shown: tuple[Any, ...]) -> EventState:
        times = (*state.times, at)[-self.count :]
        if state.first is not None:
            return state._replace(times=times, total=state.total + 1)
        evidence = (*state.shown, shown)[-self.count :]
        if len(times) < self.count or times[-1] - times[0] > self.window:
            return EventState(times, evidence)
        return EventState(times, evidence, times[0], at + self.hold_for, self.count)

    def _span(self, state: EventState, ended_at: Instant | None) -> Span:
        first = state.times[0] if state.first is None else state.first
        return Span(first, state.reached_at, ended_at, float(state.total), state.shown)

    def _shown(self, kind: str, attributes: Mapping[str, Any], text: str) -> str:
        if len(text) <= _SHOWN:
            return text
        patterns = (*self.events, *self.cleared_by)
        asked = {name for one in patterns if one.kind == kind for name in (*one.attributes, *one.words)}
        kept = {name: str(attributes[name])[:_SHOWN] for name in sorted(asked) if name in attributes}
        return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def compile_event(event: Definition, hold_for: Instant) -> HappeningCondition:
    """Make the condition of a definition; several within a window end, if nothing else is said, as the window does."""
    quiet_for = event.quiet_for or (None if event.cleared_by else event.window)
    return HappeningCondition(
        events=event.events,
        cleared_by=event.cleared_by,
        count=event.count,
        window=0 if event.window is None else to_span(event.window),
        quiet_for=None if quiet_for is None else to_span(quiet_for),
        hold_for=hold_for,
    )


def is_meant(patterns: Sequence[EventPattern], event: tuple[str, str]) -> bool:
    """Tell whether one of some patterns means an event: kind, attributes as JSON text."""
    return _is_any(patterns, event[0], _attributes(event[1]))


def matches(pattern: EventPattern, kind: str, attributes: Mapping[str, Any]) -> bool:
    """Tell whether an event is meant."""
    return (
        kind == pattern.kind
        and all(_has(attributes.get(name), values) for name, values in pattern.attributes.items())
        and all(_says(attributes.get(name), words) for name, words in pattern.words.items())
    )


def _is_any(patterns: Sequence[EventPattern], kind: str, attributes: Mapping[str, Any]) -> bool:
    return any(matches(pattern, kind, attributes) for pattern in patterns)


def _has(said: object, values: Sequence[object]) -> bool:
    listed = cast("list[object]", said) if isinstance(said, list) else [said]
    # True is no 1 here, as it is none in JSON.
    return any(one == value and isinstance(one, bool) is isinstance(value, bool) for one in listed for value in values)


def _says(said: object, words: Sequence[str]) -> bool:
    return isinstance(said, str) and not set(words).isdisjoint(_BETWEEN_WORDS.split(said))


def _attributes(text: str) -> Mapping[str, Any]:
    found: object = json.loads(text)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}

"""Minimum night flow: what still flows when nearly nobody draws.

A night's flow is the lowest mean over an hour (of what a register counted: per hour) between two times of day; it is
known at the first reading after them. A night without readings is left out. A span begins with the first reading of the
first night that is too much, counts from the reading that completes the `for_nights`-th such night, and ends with that
of the first night that is back within `CLEAR` of what was too much. What is too much is not learnt.

Source: Farley & Trow 2003, Losses in water distribution networks, IWA, chapter 4 (flow between 02:00 and 04:00, when
legitimate use is least); UK Water Industry Research 1994, Managing leakage, report E (night flow of a district against
its own level, means over an hour).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rules.conditions.baseline import CLEAR, ended_at
from rules.conditions.span import Instant, Reading, Span, span_from_json
from rules.instants import to_span
from veldwatch.model.conditions.flow import FlowKind, NightFlow

HOUR = 3_600_000_000
DAY = 24 * HOUR
LONGEST = 2 * HOUR
"""Two readings of a register further apart say nothing of the hour that they lie in."""


class Night(NamedTuple):
    """The night that goes on.

    Attributes:
        first: its first reading.
        hours: number of the hour in it, what flowed, over how much (readings of a rate, hours of a register).
    """

    number: int
    first: tuple[Instant, float]
    hours: tuple[tuple[int, float, float], ...]


class NightFlowState(NamedTuple):
    """What is known.

    Attributes:
        flows: of the usual nights before, oldest first.
        nights: how many were too much, of the span.
    """

    last: Reading | None = None
    night: Night | None = None
    flows: tuple[float, ...] = ()
    span: Span | None = None
    nights: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NightFlowCondition:
    """Holds while nights have too much flow."""

    flow: NightFlow
    zone: ZoneInfo
    since: Instant
    length: Instant

    def initial(self, *, truncated: bool) -> NightFlowState:  # noqa: ARG002  # nights before are not known
        """Know nothing."""
        return NightFlowState()

    def step(self, state: NightFlowState, seen: Reading) -> tuple[NightFlowState, Span | None]:
        """Take a reading into its night, or close the night before it."""
        number, within = divmod(self._local(seen.at) - self.since, DAY)
        ended: Span | None = None
        inside = within < self.length
        if state.night is not None and not (inside and state.night.number == number):
            state, ended = self._closed(state, state.night, seen)
        if inside:
            state = state._replace(night=self._put(state, number, within // HOUR, seen))
        return state._replace(last=seen), ended

    def open_span(self, state: NightFlowState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a reading
        """Give the span that lasts, once it counts."""
        return state.span if state.span is not None and state.span.reached_at is not None else None

    def wake_at(self, state: NightFlowState, now: Instant) -> Instant | None:  # noqa: ARG002  # only readings change it
        """Never."""
        return None

    def load(self, document: Sequence[Any]) -> NightFlowState:
        """Read back a state."""
        last, night, flows, span, count = document
        return NightFlowState(
            None if last is None else Reading(*last),
            None if night is None else Night(night[0], tuple(night[1]), tuple(tuple(hour) for hour in night[2])),
            tuple(flows),
            span_from_json(span),
            count,
        )

    def _closed(self, state: NightFlowState, night: Night, seen: Reading) -> tuple[NightFlowState, Span | None]:
        """Judge a night, at the first reading after it."""
        flows = [flowed / over for _, flowed, over in night.hours if over]
        state = state._replace(night=None)
        if not flows:
            return state, None
        flow = min(flows)
        excess = self._excess(state, flow, 1.0 if state.span is None else CLEAR)
        if excess is None:
            ended = None if state.span is None else ended_at(state.span, seen.at, tuple(seen))
            return self._learnt(state._replace(span=None, nights=0), flow), ended
        count = state.nights + 1
        span = state.span or Span(night.first[0], None, None, excess, (night.first,))
        if span.reached_at is None and count >= self.flow.for_nights:
            span = span._replace(reached_at=seen.at)
        span = span._replace(value=excess, evidence=(span.evidence[0], tuple(seen)))
        if count >= self.flow.relearn_nights:
            return NightFlowState(last=state.last), ended_at(span, seen.at, tuple(seen))
        return state._replace(span=span, nights=count), None

    def _excess(self, state: NightFlowState, flow: float, share: float) -> float | None:
        """Give how much a night is too much, of the limits given the largest; None: it is not.

        Args:
            share: of what is too much; the level from which it is so lies that much nearer.
        """
        found: list[float] = []
        rule = self.flow
        if rule.above is not None and flow > rule.above:
            found.append(flow - rule.above)
        if rule.share is not None and len(state.flows) >= rule.learn_nights:
            usual = median(state.flows)
            over = flow - usual
            if over > share * max(rule.share * usual, rule.at_least):
                found.append(over)
        return max(found, default=None)

    def _learnt(self, state: NightFlowState, flow: float) -> NightFlowState:
        return state._replace(flows=(*state.flows, flow)[-self.flow.nights :])

    def _put(self, state: NightFlowState, number: int, hour: int, seen: Reading) -> Night:
        night = state.night or Night(number, (seen.at, seen.value), ())
        flowed, over = self._flow(state.last, seen)
        hours = night.hours
        if hours and hours[-1][0] == hour:
            hours, (_, before, before_over) = hours[:-1], hours[-1]
            flowed, over = flowed + before, over + before_over
        return night._replace(hours=(*hours, (hour, flowed, over)))

    def _flow(self, last: Reading | None, seen: Reading) -> tuple[float, float]:
        """Give what flowed, over how much; over nothing: not known."""
        if self.flow.of is FlowKind.RATE:
            return seen.value, 1.0
        if last is None or seen.at - last.at > LONGEST or seen.value < last.value:
            return 0.0, 0.0
        return seen.value - last.value, (seen.at - last.at) / HOUR

    def _local(self, at: Instant) -> int:
        offset = datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(self.zone).utcoffset()
        return at + (to_span(offset) if offset else 0)


def compile_night_flow(flow: NightFlow) -> NightFlowCondition:
    """Make the condition of a definition."""
    since, until = _of_day(flow.since), _of_day(flow.until)
    return NightFlowCondition(
        flow=flow, zone=ZoneInfo(flow.time_zone), since=since, length=(until - since) % DAY or DAY
    )


def _of_day(text: str) -> Instant:
    hours, _, minutes = text.partition(":")
    return (int(hours) * 60 + int(minutes)) * 60_000_000

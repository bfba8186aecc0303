"""Own baseline: a series that is not as it usually is.

A span begins at the reading whose score is beyond the limit, and ends at the first one whose score is back within
`CLEAR` of it. It counts from the reading at which it had lasted `hold_for`. While a span lasts nothing is learnt, or
with a season only what is pulled in, so an anomaly does not become usual, unless it lasts `relearn_after`: then the
span ends, and all is learnt again. Time alone changes nothing: without readings a span goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.span import Instant, Reading, Span, span_from_json
from rules.conditions.usual import Learner, Score, Usual, load_usual, make_learner
from rules.instants import to_span
from veldwatch.model.conditions.usual import Baseline, Side

CLEAR = 0.6
"""Of the limit: a score below this is back. Assumed: far enough in that noise on the limit is one alert."""


class BaselineState(NamedTuple):
    """What is usual, what is not now, and the last reading's time."""

    usual: Usual
    span: Span | None = None
    last_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineCondition:
    """Holds while a series is further from its level than `limit` times its usual spread."""

    learner: Learner
    limit: float
    side: Side
    min_deviation: float
    hold_for: Instant
    max_gap: Instant
    relearn_after: Instant

    def initial(self, *, truncated: bool) -> BaselineState:  # noqa: ARG002  # what was usual before is not known
        """Know nothing."""
        return BaselineState(self.learner.initial())

    def step(self, state: BaselineState, seen: Reading) -> tuple[BaselineState, Span | None]:
        """Judge a reading; learn from it if it is usual."""
        usual, score = self.learner.look(state.usual, seen.at, seen.value)
        span = unbroken(state.span, state.last_at, seen.at, self.max_gap)
        ended: Span | None = None
        if span is None:
            if self._is_beyond(score, 1.0):
                span = begun(seen.at, score.deviation, tuple(seen), self.hold_for)
        elif not self._is_beyond(score, CLEAR) or (score.deviation > 0) != ((span.value or 0.0) > 0):
            ended, span = ended_at(span, seen.at, tuple(seen)), None
        elif seen.at - span.opened_at >= self.relearn_after:
            ended, span = ended_at(span, seen.at, tuple(seen)), None
            usual = self.learner.initial()
        else:
            span = continued(span, seen.at, score.deviation, tuple(seen), self.hold_for)
        if span is None or self.learner.pulls_in:
            usual = self.learner.learn(usual, seen.at, seen.value, score.deviation)
        return BaselineState(usual, span, seen.at), ended

    def open_span(self, state: BaselineState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a reading
        """Give the span that lasts, once it counts: without another reading it never may."""
        return counting(state.span)

    def wake_at(self, state: BaselineState, now: Instant) -> Instant | None:  # noqa: ARG002  # only readings change it
        """Never."""
        return None

    def load(self, document: Sequence[Any]) -> BaselineState:
        """Read back a state."""
        usual, span, last_at = document
        return BaselineState(load_usual(usual), span_from_json(span), last_at)

    def _is_beyond(self, score: Score, share: float) -> bool:
        if (score.deviation < 0 and self.side is Side.ABOVE) or (score.deviation > 0 and self.side is Side.BELOW):
            return False
        return abs(score.times) >= share * self.limit and abs(score.deviation) >= share * self.min_deviation


def unbroken(span: Span | None, last_at: Instant | None, at: Instant, max_gap: Instant) -> Span | None:
    """Forget a span that does not count yet where nothing was observed for too long."""
    is_broken = span is not None and span.reached_at is None and last_at is not None and at - last_at > max_gap
    return None if is_broken else span


def counting(span: Span | None) -> Span | None:
    """Give a span once it counts."""
    return span if span is not None and span.reached_at is not None else None


def begun(at: Instant, value: float, evidence: tuple[Any, ...], hold_for: Instant) -> Span:
    """Begin a span, which counts at once if it need not last."""
    return Span(at, None if hold_for else at, None, value, (evidence,))


def continued(span: Span, at: Instant, value: float, evidence: tuple[Any, ...], hold_for: Instant) -> Span:
    """Go on with a span; it counts from the reading at which it had lasted; its value is the furthest."""
    if abs(value) > abs(span.value or 0.0):
        span = span._replace(value=value, evidence=(span.evidence[0], evidence))
    if span.reached_at is None and at - span.opened_at >= hold_for:
        span = span._replace(reached_at=at)
    return span


def ended_at(span: Span, at: Instant, evidence: tuple[Any, ...]) -> Span:
    """End a span."""
    return span._replace(ended_at=at, evidence=(*span.evidence[:2], evidence))


def compile_baseline(baseline: Baseline, hold_for: Instant) -> BaselineCondition:
    """Make the condition of a definition."""
    return BaselineCondition(
        learner=make_learner(baseline),
        limit=baseline.limit,
        side=baseline.side,
        min_deviation=baseline.min_deviation,
        hold_for=hold_for,
        max_gap=to_span(baseline.max_gap),
        relearn_after=to_span(baseline.relearn_after or baseline.spans().window),
    )

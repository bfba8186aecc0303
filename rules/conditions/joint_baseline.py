"""Joint baseline: several series of a device that, together, are not as they usually are.

Each series is judged by itself; the joint score is the mean of the `strongest` scores, none of which counts for more
than `MOST`. So one series that goes its own way does not tell, however far, and several that leave together do. A
series whose own score is beyond the limit is not learnt, until that lasts `relearn_after`: then it is learnt again.

Source: combining scores instead of raw values needs no covariance, which cannot be learnt robustly from a short past;
a mean of the largest is Aggarwal & Sathe 2015, Theoretical foundations and algorithms for outlier ensembles, SIGKDD
Explorations 17:24 (average of maxima). The cap keeps any one of three from deciding alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.baseline import CLEAR, begun, continued, counting, ended_at, unbroken
from rules.conditions.span import Instant, Sample, Span, span_from_json
from rules.conditions.usual import Learner, Usual, load_usual, make_learner
from rules.instants import to_span
from veldwatch.model.conditions.usual import JointBaseline

MOST = 5.0
"""Of one series' score."""


class Part(NamedTuple):
    """One series.

    Attributes:
        score: of its last reading, without its sign.
        at: of that reading.
        beyond_since: since when its own score is beyond the limit.
    """

    usual: Usual
    score: float = 0.0
    at: Instant | None = None
    beyond_since: Instant | None = None


class JointState(NamedTuple):
    """All series, by slot, and what holds."""

    parts: tuple[Part, ...]
    span: Span | None = None
    last_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JointCondition:
    """Holds while the strongest scores of several series are beyond the limit on average."""

    learner: Learner
    slots: int
    strongest: int
    limit: float
    hold_for: Instant
    max_gap: Instant
    relearn_after: Instant

    def initial(self, *, truncated: bool) -> JointState:  # noqa: ARG002  # what was usual before is not known
        """Know nothing."""
        return JointState((Part(self.learner.initial()),) * self.slots)

    def step(self, state: JointState, seen: Sample) -> tuple[JointState, Span | None]:
        """Judge every series that says something, and all of them together."""
        parts = tuple(
            part if value is None else self._judged(part, seen.at, value)
            for part, value in zip(state.parts, seen.values, strict=True)
        )
        score = self._together(parts, seen.at)
        span = unbroken(state.span, state.last_at, seen.at, self.max_gap)
        evidence = tuple(seen)
        ended: Span | None = None
        if span is None:
            span = begun(seen.at, score, evidence, self.hold_for) if score >= self.limit else None
        elif score < CLEAR * self.limit:
            ended, span = ended_at(span, seen.at, evidence), None
        else:
            span = continued(span, seen.at, score, evidence, self.hold_for)
        return JointState(parts, span, seen.at), ended

    def open_span(self, state: JointState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a sample
        """Give the span that lasts, once it counts: without another reading it never may."""
        return counting(state.span)

    def wake_at(self, state: JointState, now: Instant) -> Instant | None:  # noqa: ARG002  # only samples change it
        """Never."""
        return None

    def load(self, document: Sequence[Any]) -> JointState:
        """Read back a state."""
        parts, span, last_at = document
        loaded = tuple(Part(load_usual(usual), score, at, since) for usual, score, at, since in parts)
        return JointState(loaded, span_from_json(span), last_at)

    def _judged(self, part: Part, at: Instant, value: float) -> Part:
        usual, (deviation, times) = self.learner.look(part.usual, at, value)
        score, since = abs(times), part.beyond_since
        if score < (self.limit if since is None else CLEAR * self.limit):
            return Part(self.learner.learn(usual, at, value, deviation), score, at)
        if since is not None and at - since >= self.relearn_after:
            return Part(self.learner.learn(self.learner.initial(), at, value, 0.0), 0.0, at)
        return Part(usual, score, at, at if since is None else since)

    def _together(self, parts: Sequence[Part], at: Instant) -> float:
        fresh = (min(part.score, MOST) for part in parts if part.at is not None and at - part.at <= self.learner.over)
        return sum(sorted(fresh, reverse=True)[: self.strongest]) / self.strongest


def compile_joint_baseline(joint: JointBaseline, hold_for: Instant) -> JointCondition:
    """Make the condition of a definition."""
    return JointCondition(
        learner=make_learner(joint),
        slots=len(joint.metrics),
        strongest=joint.strongest,
        limit=joint.limit,
        hold_for=hold_for,
        max_gap=to_span(joint.max_gap),
        relearn_after=to_span(joint.relearn_after or joint.spans().window),
    )

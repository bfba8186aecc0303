"""Severities that rise: when an alert's span reached the steps of its rule.

Pure, in event time. A step is reached once the alert has fired, so long after that, and the value was so bad: at the
latest of what it asks for. That is a function of the span alone, so any order of arrival ends in the same raises.
A span is raised only as far as observations tell that it held.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rules.conditions.span import Instant, Raise, Span
from rules.instants import to_span
from veldwatch.model.notifications import SEVERITIES
from veldwatch.model.rule import Rule

RECHECK = 60_000_000
"""A step whose time is over, but of which no observation tells yet that the alert still held, is looked at again."""


class Step(NamedTuple):
    """What raises a severity.

    Attributes:
        rank: the severity, by its place in `SEVERITIES`.
        after: how long it has fired.
        level: which of the condition's levels must have been reached; None: none.
    """

    rank: int
    after: Instant
    level: int | None


def steps_of(rule: Rule) -> tuple[Step, ...]:
    """Compile a rule's steps; levels are numbered in the order of those that name one."""
    steps: list[Step] = []
    levels = 0
    for step in rule.escalate:
        is_level = step.above is not None or step.below is not None
        after = 0 if step.after is None else to_span(step.after)
        steps.append(Step(SEVERITIES.index(step.severity.value), after, levels if is_level else None))
        levels += is_level
    return tuple(steps)


def raised(span: Span, steps: Sequence[Step], now: Instant | None) -> Span:
    """Give a span with its raises.

    Args:
        now: no step counts that lies ahead; None: its end decides.
    """
    bounds = [bound for bound in (span.ended_at, span.known_until, now) if bound is not None]
    until = min(bounds, default=None)
    reached = [(at, step.rank) for step in steps if (at := _reached_at(span, step)) is not None]
    raises: list[Raise] = []
    for at, rank in sorted(reached, key=lambda one: (one[0], -one[1])):
        if (until is None or at <= until) and (not raises or rank > raises[-1].rank):
            raises.append(Raise(at, rank))
    return span._replace(raises=tuple(raises))


def next_step(span: Span, steps: Sequence[Step], now: Instant) -> Instant | None:
    """Tell when, after `now`, time alone may raise it; None: never."""
    if span.ended_at is not None:
        return None
    times = [at for step in steps if step.after and (at := _reached_at(span, step)) is not None]
    ahead = [at for at in times if at > now]
    unconfirmed = span.known_until is not None and any(span.known_until < at <= now for at in times)
    return min([*ahead, now + RECHECK] if unconfirmed else ahead, default=None)


def _reached_at(span: Span, step: Step) -> Instant | None:
    if span.reached_at is None:
        return None
    at = span.reached_at + step.after
    if step.level is None:
        return at
    level = span.levels[step.level] if span.levels else None
    return None if level is None else max(at, level)

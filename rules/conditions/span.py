"""What conditions take and give: observations in, spans out.

A span is one stretch of time over which a condition held. It *counts* when it lasted long enough: `reached_at` is when
it did or will do, if nothing ends it before; spans that never count are forgotten.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

Instant = int
"""Microseconds since 1970-01-01 UTC."""


class Reading(NamedTuple):
    """One value of the series that is folded."""

    at: Instant
    value: float


class Fix(NamedTuple):
    """One place of the device that is folded, in degrees of WGS 84; accuracy in metres."""

    at: Instant
    longitude: float
    latitude: float
    accuracy: float | None = None


class Contact(NamedTuple):
    """A moment at which the device was heard (`received_at`)."""

    at: Instant


class Happening(NamedTuple):
    """What the device told besides readings at one instant: (kind, attributes as canonical JSON text), sorted."""

    at: Instant
    events: tuple[tuple[str, str], ...]


class Sample(NamedTuple):
    """What was observed of one device at one instant, by slot; None: nothing then.

    Numbers of several series; after them, for conditions that combine more, True (it was heard), a place (longitude,
    latitude, accuracy) and events as in `Happening`.
    """

    at: Instant
    values: tuple[Any, ...]


class Bucket(NamedTuple):
    """What many devices did in the stretch of time that ends at `at`; what the values are depends on the grid."""

    at: Instant
    values: tuple[Any, ...]


class Touch(NamedTuple):
    """News of a member of a grid, observed at this time: the bucket that holds it is to be made anew."""

    at: Instant


Observation = Reading | Fix | Contact | Happening | Sample | Bucket | Touch
Evidence = tuple[tuple[Any, ...], ...]
"""The observations that made it so, as plain tuples, oldest first."""


class Raise(NamedTuple):
    """A severity that rose, by its place in `veldwatch.model.notifications.SEVERITIES`."""

    at: Instant
    rank: int


class Span(NamedTuple):
    """A stretch over which a condition held.

    Attributes:
        reached_at: when it had lasted long enough to fire, possibly in the future; None: it has not.
        ended_at: None: it holds still.
        value: the number that tells how bad it was; what it is depends on the condition.
        levels: when each level of the rule's escalation was reached first; empty: none was.
        known_until: observations tell that it held so far; None: it holds until one tells otherwise.
        raises: how its severity rose; a fold tells it, no state holds it.
    """

    opened_at: Instant
    reached_at: Instant | None
    ended_at: Instant | None
    value: float | None
    evidence: Evidence
    levels: tuple[Instant | None, ...] = ()
    known_until: Instant | None = None
    raises: tuple[Raise, ...] = ()

    @property
    def counts(self) -> bool:
        """Tell whether an ended span lasted long enough."""
        return self.reached_at is not None and (self.ended_at is None or self.reached_at <= self.ended_at)


def reached_after(span: Span | None, now: Instant) -> Instant | None:
    """Tell when what is pending at a time will have lasted long enough; None: nothing is."""
    if span is None or span.reached_at is None or span.reached_at <= now:
        return None
    return span.reached_at


def span_from_json(document: Sequence[Any] | None) -> Span | None:
    """Read back what JSON made of a span: lists in place of tuples."""
    if document is None:
        return None
    opened_at, reached_at, ended_at, value, evidence, levels, known_until, _ = document
    observations = tuple(tuple(item) for item in evidence)
    return Span(opened_at, reached_at, ended_at, value, observations, tuple(levels), known_until)


State = TypeVar("State")
Seen_contra = TypeVar("Seen_contra", bound=Observation, contravariant=True)


class Condition(Protocol[State, Seen_contra]):
    """A pure fold over the observations of one subject, oldest first.

    A state holds all that the past means for the future, is bounded in size, and is made of JSON's own types (tuples
    standing for lists).
    """

    def initial(self, *, truncated: bool) -> State:
        """Give the state before the first observation.

        Args:
            truncated: there were observations before it, which nobody looks at any more.
        """
        ...

    def step(self, state: State, seen: Seen_contra) -> tuple[State, Span | None]:
        """Take the next observation, later than all before; give the span that it ended, counting or not."""
        ...

    def open_span(self, state: State, now: Instant) -> Span | None:
        """Tell what holds at `now` if nothing else was observed.

        A span whose `reached_at` lies ahead is pending; one with `ended_at` is over by the passing of time alone.
        """
        ...

    def wake_at(self, state: State, now: Instant) -> Instant | None:
        """Tell when, after `now`, the passing of time alone changes what `open_span` says; None: never."""
        ...

    def load(self, document: Any) -> State:  # noqa: ANN401  # a JSON value
        """Read back what JSON made of a state."""
        ...

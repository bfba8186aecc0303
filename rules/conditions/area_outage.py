"""Area outage: many devices of one site silent at once.

It folds buckets of contacts: which members were heard in each, and when last. The share is that of members heard within
`forget_after` that were not heard for `silent_for`. From `share` on it is an outage; it is over when the share is below
half of that, so that devices which come back one by one make one outage and not many. While it holds nobody is
forgotten: those who are silent are what it is about, however long it lasts. It opened when those that are silent were
heard last (the median of them), and fires at the end of the bucket that shows it.

While nobody listened, nothing is known: a bucket that was not watched from `silent_for` before its end on is passed
over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any, NamedTuple

from rules.conditions.span import Bucket, Instant, Span, span_from_json
from rules.conditions.watch import ALWAYS, Watch
from rules.instants import to_span
from veldwatch.model.conditions.silence import AreaOutage

GRACE = 5_000_000
"""Contacts are stored within seconds after they are received."""
_OVER = 0.5
"""Of the share that makes an outage: below this part of it, it is over."""


class AreaOutageState(NamedTuple):
    """When each member was heard last, by its number as text, and the outage that holds."""

    last: Mapping[str, Instant] = {}  # never changed: each step makes another
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaOutageCondition:
    """Holds while enough of the members are silent.

    Attributes:
        watch: what is known of who listened when.
    """

    silent_for: Instant
    share: float
    at_least: int
    forget_after: Instant
    watch: Watch = ALWAYS

    def initial(self, *, truncated: bool) -> AreaOutageState:  # noqa: ARG002  # the last contacts come soon enough
        """Know of no contact."""
        return AreaOutageState()

    def step(self, state: AreaOutageState, seen: Bucket) -> tuple[AreaOutageState, Span | None]:
        """Take in who was heard, and judge the share."""
        last = state.last if state.span is not None else self._not_forgotten(state.last, seen.at)
        if seen.values:
            last = {**last, **{str(member): at for member, at in seen.values}}
        if not self._is_watched(seen.at):
            return AreaOutageState(last, state.span), None
        silent, known = self.silence(AreaOutageState(last), seen.at)
        share = len(silent) / known if known >= self.at_least else 0.0
        if state.span is None:
            if share < self.share or not silent:
                return AreaOutageState(last), None
            opened_at = min(median_low(silent), seen.at)
            evidence = ((seen.at, (len(silent), len(last))),)
            opened = Span(opened_at, seen.at, None, round(share, 4), evidence, known_until=seen.at)
            return AreaOutageState(last, opened), None
        if share >= self.share * _OVER:
            return AreaOutageState(last, state.span._replace(known_until=seen.at)), None
        evidence = (*state.span.evidence, (seen.at, (len(silent), len(last))))
        return AreaOutageState(last), state.span._replace(ended_at=seen.at, evidence=evidence)

    def silence(self, state: AreaOutageState, at: Instant) -> tuple[list[Instant], int]:
        """Tell when those that are silent at a time were heard last, and how many members count."""
        return [last for last in state.last.values() if last <= at - self.silent_for], len(state.last)

    def open_span(self, state: AreaOutageState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a bucket
        """Give the outage that holds."""
        return state.span

    def wake_at(self, state: AreaOutageState, now: Instant) -> Instant | None:  # noqa: ARG002  # buckets come by themselves
        """Never wake."""
        return None

    def load(self, document: Sequence[Any]) -> AreaOutageState:
        """Read back a state."""
        last, span = document
        return AreaOutageState(last, span_from_json(span))

    def _not_forgotten(self, last: Mapping[str, Instant], at: Instant) -> Mapping[str, Instant]:
        since = at - self.forget_after
        if all(heard >= since for heard in last.values()):
            return last
        return {member: heard for member, heard in last.items() if heard >= since}

    def _is_watched(self, until: Instant) -> bool:
        """Tell whether somebody listened all the time in which silence counts."""
        since = until - self.silent_for
        return self.watch.covers(until) and self.watch.after(since, self.silent_for) == until


def compile_area_outage(outage: AreaOutage) -> AreaOutageCondition:
    """Make the condition of a definition."""
    return AreaOutageCondition(
        silent_for=to_span(outage.silent_for),
        share=outage.share,
        at_least=outage.at_least,
        forget_after=to_span(outage.forget_after),
    )

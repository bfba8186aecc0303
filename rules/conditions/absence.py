"""Absence: a device that is not heard.

It folds over the contacts, by `received_at`: a message that tells of last week proves that the device is alive now. The
alert begins at the last contact, fires when `silent_for` of watched time is over, and ends at the next contact: while
nobody listened, nothing is known of a device, and no silence grows.
A device that was never heard is not silent: it has no last contact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.span import Contact, Instant, Span
from rules.conditions.watch import ALWAYS, Watch
from rules.instants import to_span
from veldwatch.model.conditions.silence import Absence

_SECOND = 1_000_000
# Who listens says so every 5 s, and with every batch.
_SOON = _SECOND
_LISTENER_AWAY = 15 * _SECOND
_LISTENER_BACK = 5 * _SECOND


class AbsenceState(NamedTuple):
    """When the device was last heard; None: never."""

    last: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceCondition:
    """Holds from the last contact on, once that is `silent_for` of watched time ago.

    Attributes:
        watch: what is known of who listened; it must hold every gap before the contacts that are folded.
    """

    silent_for: Instant
    watch: Watch = ALWAYS

    def initial(self, *, truncated: bool) -> AbsenceState:  # noqa: ARG002  # only the last contact matters
        """Know of no contact."""
        return AbsenceState()

    def step(self, state: AbsenceState, seen: Contact) -> tuple[AbsenceState, Span | None]:
        """End the silence, if it was one."""
        return AbsenceState(seen.at), self._silence(state, seen.at, seen.at)

    def open_span(self, state: AbsenceState, now: Instant) -> Span | None:
        """Give the silence once it is long enough."""
        return self._silence(state, now, None)

    def wake_at(self, state: AbsenceState, now: Instant) -> Instant | None:
        """Wake when the silence is long enough, or could be if somebody had listened till then."""
        if state.last is None:
            return None
        reached, until = self.watch.after(state.last, self.silent_for), self.watch.until
        if reached > now:
            return reached
        if until is None or reached <= until:
            return None
        # What was watched of the silence ends with `until`; of one that began after it nothing was.
        missing = reached - max(until, state.last)
        return now + (_SOON if now - until <= _LISTENER_AWAY else max(missing, _LISTENER_BACK))

    def silent_after(self, state: AbsenceState, at: Instant) -> Instant | None:
        """Tell when, after a moment, the silence is long enough, as far as is known; None: it is not."""
        if state.last is None:
            return None
        reached = self.watch.after(state.last, self.silent_for)
        return reached if reached > at and self.watch.covers(reached) else None

    def load(self, document: Sequence[Any]) -> AbsenceState:
        """Read back a state."""
        return AbsenceState(document[0])

    def _silence(self, state: AbsenceState, now: Instant, ended_at: Instant | None) -> Span | None:
        if state.last is None:
            return None
        reached = self.watch.after(state.last, self.silent_for)
        if reached > now or not self.watch.covers(reached):
            return None
        contacts = ((state.last,),) if ended_at is None else ((state.last,), (ended_at,))
        return Span(state.last, reached, ended_at, None, contacts)


def compile_absence(absence: Absence) -> AbsenceCondition:
    """Make the condition of a definition."""
    return AbsenceCondition(silent_for=to_span(absence.silent_for))

"""Absence: a device that is not heard.

It folds over the contacts, by `received_at`: a message that tells of last week proves that the device is alive now. The
alert begins at the last contact, fires when `silent_for` is over, and ends at the next contact.
A device that was never heard is not silent: it has no last contact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.span import Contact, Instant, Span
from rules.instants import to_span
from veldwatch.model.rule import Absence


class AbsenceState(NamedTuple):
    """When the device was last heard; None: never."""

    last: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceCondition:
    """Holds from the last contact on, once that is `silent_for` ago."""

    silent_for: Instant

    def initial(self, *, truncated: bool) -> AbsenceState:  # noqa: ARG002  # only the last contact matters
        """Know of no contact."""
        return AbsenceState()

    def step(self, state: AbsenceState, seen: Contact) -> tuple[AbsenceState, Span | None]:
        """End the silence, if it was one."""
        heard = AbsenceState(seen.at)
        if state.last is None or seen.at - state.last < self.silent_for:
            return heard, None
        return heard, self._silence(state.last, seen.at)

    def open_span(self, state: AbsenceState, now: Instant) -> Span | None:
        """Give the silence once it is long enough."""
        if state.last is None or now - state.last < self.silent_for:
            return None
        return self._silence(state.last, None)

    def wake_at(self, state: AbsenceState, now: Instant) -> Instant | None:
        """Wake when the silence is long enough."""
        if state.last is None or state.last + self.silent_for <= now:
            return None
        return state.last + self.silent_for

    def load(self, document: Sequence[Any]) -> AbsenceState:
        """Read back a state."""
        return AbsenceState(document[0])

    def _silence(self, last: Instant, ended_at: Instant | None) -> Span:
        contacts = ((last,),) if ended_at is None else ((last,), (ended_at,))
        return Span(last, last + self.silent_for, ended_at, None, contacts)


def compile_absence(absence: Absence) -> AbsenceCondition:
    """Make the condition of a definition."""
    return AbsenceCondition(silent_for=to_span(absence.silent_for))

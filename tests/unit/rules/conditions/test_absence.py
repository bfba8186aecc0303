"""Silence over contacts."""

from datetime import timedelta

from rules.conditions.absence import AbsenceState, compile_absence
from rules.conditions.span import Contact
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.silence import Absence

SILENT = compile_absence(Absence(silent_for=timedelta(minutes=10)))


def test_a_device_that_was_never_heard_is_not_silent() -> None:
    assert SILENT.open_span(SILENT.initial(truncated=False), minute(1000)) is None


def test_silence_begins_at_the_last_contact_and_fires_when_it_has_lasted() -> None:
    state, _ = SILENT.step(AbsenceState(), Contact(minute(5)))
    assert SILENT.open_span(state, minute(15) - 1) is None
    span = SILENT.open_span(state, minute(15))
    assert span is not None
    assert (span.opened_at, span.reached_at, span.ended_at) == (minute(5), minute(15), None)
    assert SILENT.wake_at(state, minute(5)) == minute(15)


def test_the_next_contact_ends_it() -> None:
    state, _ = SILENT.step(AbsenceState(), Contact(minute(5)))
    state, span = SILENT.step(state, Contact(minute(30)))
    assert span is not None
    assert (span.opened_at, span.reached_at, span.ended_at) == (minute(5), minute(15), minute(30))
    assert state == AbsenceState(minute(30))


def test_a_contact_in_time_is_no_silence() -> None:
    state, _ = SILENT.step(AbsenceState(), Contact(minute(5)))
    assert SILENT.step(state, Contact(minute(15) - 1))[1] is None

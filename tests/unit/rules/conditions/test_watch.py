"""Who listened when, and silence that counts only then."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.conditions.absence import AbsenceCondition, AbsenceState
from rules.conditions.span import Contact
from rules.conditions.watch import ALWAYS, Gap, Watch, watch_of
from rules.instants import to_span
from tests.unit.rules.worlds import minute

TEN = to_span(timedelta(minutes=10))
AWAY = Watch(gaps=(Gap(minute(20), minute(60)),), until=minute(100))


def silent(watch: Watch) -> AbsenceCondition:
    return AbsenceCondition(silent_for=TEN, watch=watch)


def test_without_a_watch_all_time_counts() -> None:
    assert watch_of([], 0) == ALWAYS
    assert ALWAYS.after(minute(5), TEN) == minute(15)
    assert ALWAYS.covers(minute(10**6))


def test_time_in_which_nobody_listened_does_not_count() -> None:
    assert AWAY.after(minute(5), TEN) == minute(15)
    assert AWAY.after(minute(10), TEN) == minute(20)
    assert AWAY.after(minute(15), TEN) == minute(65)
    assert AWAY.after(minute(30), TEN) == minute(70)
    assert AWAY.after(minute(60), TEN) == minute(70)


@given(
    edges=st.lists(st.integers(0, 200), max_size=12, unique=True).map(sorted),
    start=st.integers(0, 200),
    duration=st.integers(1, 60),
)
def test_watched_time_is_what_counting_each_moment_gives(edges: list[int], start: int, duration: int) -> None:
    gaps = tuple(Gap(since, until) for since, until in zip(edges[::2], edges[1::2], strict=False))
    moment, counted = start, 0
    while counted < duration:
        counted += not any(gap.since <= moment < gap.until for gap in gaps)
        moment += 1
    assert Watch(gaps=gaps).after(start, duration) == moment


def test_nothing_fires_after_the_last_moment_of_listening() -> None:
    condition, state = silent(AWAY), AbsenceState(minute(95))
    assert condition.open_span(state, minute(500)) is None
    assert condition.step(state, Contact(minute(500)))[1] is None


def test_a_silence_across_a_gap_opens_at_the_last_contact_and_fires_when_enough_was_watched() -> None:
    span = silent(AWAY).open_span(AbsenceState(minute(15)), minute(65))
    assert span is not None
    assert (span.opened_at, span.reached_at) == (minute(15), minute(65))
    assert silent(AWAY).open_span(AbsenceState(minute(15)), minute(65) - 1) is None


def test_a_contact_that_ends_a_gap_ends_no_silence() -> None:
    assert silent(AWAY).step(AbsenceState(minute(15)), Contact(minute(61)))[1] is None


def test_it_wakes_when_enough_could_have_been_watched() -> None:
    condition, state = silent(AWAY), AbsenceState(minute(95))
    assert condition.wake_at(state, minute(96)) == minute(105)
    # Five minutes are missing: the earliest is that somebody listens from now on.
    assert condition.wake_at(state, minute(300)) == minute(305)
    assert silent(AWAY).wake_at(AbsenceState(minute(80)), minute(95)) is None


def test_a_beat_that_is_only_late_is_waited_for() -> None:
    second = to_span(timedelta(seconds=1))
    condition = silent(Watch(until=minute(15) - second))
    assert condition.wake_at(AbsenceState(minute(5)), minute(15)) == minute(15) + second

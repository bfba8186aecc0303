import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from simulators.schedule import LIVE, Schedule

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SCHEDULE = Schedule(name="demo-water/wm-1", interval=timedelta(seconds=5))
spans = st.floats(min_value=0.001, max_value=3 * 86400).map(lambda seconds: timedelta(seconds=seconds))


def test_live_reports_come_at_the_interval() -> None:
    moments = list(SCHEDULE.moments(NOON, NOON + timedelta(minutes=5)))
    assert len(moments) == 60
    assert {later - earlier for earlier, later in itertools.pairwise(moments)} == {timedelta(seconds=5)}


def test_devices_report_at_different_moments() -> None:
    firsts = {
        next(Schedule(name=f"wm-{number}", interval=timedelta(seconds=5)).moments(NOON, NOON + timedelta(seconds=5)))
        for number in range(20)
    }
    assert len(firsts) > 10


def test_history_is_coarse_and_ends_in_live_reports() -> None:
    moments = list(SCHEDULE.moments(NOON - timedelta(hours=24), NOON))
    history = [moment for moment in moments if moment <= NOON - LIVE]
    assert 140 <= len(history) <= 145
    assert len(moments) - len(history) == 120


@given(st.lists(spans, min_size=1, max_size=6))
def test_no_moment_is_told_twice_however_a_run_is_cut(cuts: list[timedelta]) -> None:
    told: list[datetime] = []
    at = NOON
    for cut in cuts:
        # A run goes on after the last moment that it told of, not after the time at which it looked.
        told += SCHEDULE.moments(told[-1] if told else NOON, at := at + cut)
    assert told == sorted(set(told))


@given(spans, st.floats(min_value=0.0, max_value=1.0))
@example(timedelta(seconds=600), 0.884666203924612)  # ends less than a millisecond before a moment
def test_live_moments_do_not_depend_on_when_one_looks(span: timedelta, share: float) -> None:
    until = NOON + min(span, LIVE)
    middle = NOON + (until - NOON) * share
    whole = list(SCHEDULE.moments(NOON, until))
    assert [*SCHEDULE.moments(NOON, middle), *SCHEDULE.moments(middle, until)] == whole

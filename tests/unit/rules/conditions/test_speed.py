"""Speeds over windows: real ways, receivers that waver, gaps, and a subject's own pace."""

import json
from datetime import timedelta

import pytest

from rules.conditions.span import Fix
from rules.conditions.speed import SpeedCondition, compile_speed
from tests.unit.rules.conditions.tracks import fix, times, wavering
from veldwatch.model.conditions.movement import Speed, Way


def speed(**options: object) -> SpeedCondition:
    return compile_speed(Speed(**options))  # pyright: ignore[reportArgumentType]


def walk(*kilometres_per_hour: float, every: float = 10) -> list[Fix]:
    """Walk eastward, each stretch at its speed."""
    east, found = 0.0, [fix(0, 0)]
    for number, pace in enumerate(kilometres_per_hour, start=1):
        east += pace * 1000 * every / 60
        found.append(fix(number * every, east))
    return found


def test_a_fast_window_fires_when_it_is_full_and_ends_when_it_is_slow() -> None:
    track = walk(*[2.0] * 6, *[9.0] * 6, *[2.0] * 10)
    ((opened, reached, ended),) = times(speed(above=8, window=timedelta(minutes=30)), track)
    assert (opened, reached, ended) == (60, 90, 130)


def test_a_dead_band_lets_it_go_on() -> None:
    track = walk(*[9.0] * 3, *[7.4] * 6, *[5.0] * 3)
    wide = speed(above=8, window=timedelta(minutes=30), dead_band=1)
    assert [ended for _, _, ended in times(wide, track)] == [100]
    assert [ended for _, _, ended in times(speed(above=8, window=timedelta(minutes=30)), track)] == [50]


def test_slow_is_below() -> None:
    track = walk(*[3.0] * 7, *[0.3] * 12, *[3.0] * 6)
    assert [opened for opened, _, _ in times(speed(below=0.5), track)] == [70]


@pytest.mark.parametrize("accuracy", [None, 10.0])
def test_a_receiver_that_wavers_does_not_walk(accuracy: float | None) -> None:
    still = wavering([(0.0, 0.0)] * 2000, 7.0, accuracy, seed=3)
    often = [Fix(seen.at // 20, *seen[1:]) for seen in still]
    for track in (still, often):
        assert times(speed(above=0.5), track) == []


def test_a_way_there_and_back_is_a_path_but_no_displacement() -> None:
    there = walk(*[6.0] * 3, *[-6.0] * 3)
    assert len(times(speed(above=5), there)) == 1
    assert times(speed(above=5, of=Way.DISPLACEMENT), there) == []


def test_streaking_is_displacement() -> None:
    track = walk(*[0.5] * 6, *[7.0] * 8, *[0.5] * 6, every=30)
    ((opened, reached, _),) = times(speed(above=5, of=Way.DISPLACEMENT, window=timedelta(hours=2)), track)
    assert (opened, reached) == (150, 270)


def test_a_window_with_a_gap_or_too_short_says_nothing() -> None:
    assert times(speed(above=5, max_gap=timedelta(minutes=20)), walk(6, 6, 6, every=25)) == []
    assert times(speed(above=5), walk(9, 9, 9)) == []


def test_a_tracker_that_reports_each_second_needs_no_more_room() -> None:
    condition = speed(above=500)
    state = condition.initial(truncated=False)
    for second in range(0, 9000, 3):
        state, _ = condition.step(state, fix(second / 60, second * 2.0))
    assert len(state.fixes) <= 62


def test_slower_than_it_ever_is() -> None:
    own = speed(below_percentile=1, window=timedelta(minutes=30))
    usual = [2.0 + 0.5 * (n % 5) for n in range(3 * 4 * 120)]
    slow = [0.6] * 6
    assert times(own, walk(*usual)) == []
    assert len(times(own, walk(*usual, *slow))) == 1
    assert times(own, walk(*usual[:200], *slow)) == []


def test_who_often_rests_is_never_slower_than_usual() -> None:
    own = speed(below_percentile=5, window=timedelta(minutes=30))
    lion = ([0.0] * 60 + [4.0] * 12) * 30
    assert times(own, walk(*lion)) == []


def test_a_state_survives_being_saved() -> None:
    condition = speed(below_percentile=1, window=timedelta(minutes=30))
    state = condition.initial(truncated=False)
    for seen in walk(*[2.0] * 50):
        state, _ = condition.step(state, seen)
        assert condition.load(json.loads(json.dumps(state))) == state

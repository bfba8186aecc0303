"""A fold over fixes that are judged by speed: outliers raise nothing, whenever they come and are looked at."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rules.conditions.geofence import compile_geofence
from rules.conditions.immobility import ImmobilityCondition
from rules.conditions.span import Fix, Span
from rules.fold import Fold, FoldState
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent
from veldwatch.model.track import NO_LIMITS, Place, SpeedLimits, Stretch, is_implausible

HOUR = 3_600_000_000
LIMITS = SpeedLimits((Stretch(since=None, until=None, maximum_speed=12.0),))
RESERVE = '{"type": "Polygon", "coordinates": [[[29.5, -1], [30.5, -1], [30.5, 1], [29.5, 1], [29.5, -1]]]}'
EXIT = Fold(
    condition=compile_geofence(Geofence(event=GeofenceEvent.EXIT, polygon=RESERVE), [RESERVE], 0), speed_limits=LIMITS
)

WALKING = replace(
    EXIT, speed_limits=SpeedLimits((Stretch(since=None, until=None, maximum_speed=50.0, travel_speed=3.0),))
)


def _track(*longitudes: float) -> list[Fix]:
    return [Fix(number * HOUR, longitude, 0.0) for number, longitude in enumerate(longitudes)]


def _opened(fold: Fold, fixes: list[Fix]) -> list[tuple[int, int | None]]:
    """Tell the alerts' beginnings and ends in hours, as they look after the last fix."""
    state, settled = fold.advance(fold.initial(), fixes)
    spans = [span for span, _ in settled] + fold.spans_at(state, fixes[-1].at)
    return [(span.opened_at // HOUR, None if span.ended_at is None else span.ended_at // HOUR) for span in spans]


def test_an_outlier_beyond_the_fence_raises_nothing_neither_when_it_comes_nor_later() -> None:
    track = _track(30, 30.1, 35, 30.2, 30.3, 30.2)
    assert [_opened(EXIT, track[:length]) for length in range(1, 7)] == [[]] * 6
    assert _opened(replace(EXIT, speed_limits=NO_LIMITS), track) == [(2, 3)]


def test_a_real_exit_is_told_at_its_first_fix() -> None:
    track = _track(30, 30.3, 30.6, 30.7, 30.4, 30.3, 30.2)
    told = [_opened(EXIT, track[:length]) for length in range(3, 8)]
    assert told == [[(2, None)], [(2, None)], [(2, 4)], [(2, 4)], [(2, 4)]]


def test_an_animal_that_was_carried_off_is_told_when_it_is_heard_from_there_again() -> None:
    track = _track(30, 30.1, 30.2, 35, 35.1, 35.2, 35.1)
    assert [_opened(EXIT, track[:length])[:1] for length in range(4, 8)] == [[], [(4, None)], [(3, None)], [(3, None)]]


def test_a_fix_out_and_back_raises_nothing_neither_when_it_comes_nor_later() -> None:
    track = _track(30.3, 30.31, 30.6, 30.32, 30.31, 30.32)
    assert [_opened(WALKING, track[:length]) for length in range(1, 7)] == [[]] * 6
    assert _opened(EXIT, track) == [(2, 3)]


def test_a_hasty_exit_is_told_with_the_next_fix_from_outside_and_a_slow_one_at_once() -> None:
    hasty, slow = _track(30, 30.3, 30.6, 30.65, 30.7), _track(30.4, 30.46, 30.52, 30.55, 30.6)
    assert [_opened(WALKING, hasty[:length]) for length in (3, 4, 5)] == [[], [(2, None)], [(2, None)]]
    assert [_opened(WALKING, slow[:length]) for length in (3, 4, 5)] == [[(2, None)]] * 3


def test_a_hasty_exit_after_which_the_collar_is_silent_is_told_when_the_next_fix_is_overdue() -> None:
    state, _ = WALKING.advance(WALKING.initial(), _track(30, 30.3, 30.9))
    assert WALKING.spans_at(state, 4 * HOUR - 1) == []
    assert WALKING.wake_at(state, 2 * HOUR) == 4 * HOUR
    assert [span.opened_at for span in WALKING.spans_at(state, 4 * HOUR)] == [2 * HOUR]
    assert WALKING.wake_at(state, 4 * HOUR) is None


def test_what_is_not_decided_yet_survives_being_saved() -> None:
    track = _track(30, 30.1, 30.6, 30.7, 35, 30.6, 30.4)
    for cut in range(1, len(track)):
        state, _ = EXIT.advance(EXIT.initial(), track[:cut])
        loaded = EXIT.load(json.loads(EXIT.dump(state)))
        assert loaded == state


def test_limits_that_go_or_come_lose_no_fix() -> None:
    track = _track(30, 30.3, 30.6, 30.7, 30.8, 30.9)
    for cut in range(1, len(track)):
        state, _ = EXIT.advance(EXIT.initial(), track[:cut])
        free = replace(EXIT, speed_limits=NO_LIMITS)
        state, _ = free.advance(state, track[cut:])
        assert [span.opened_at for span in free.spans_at(state, track[-1].at)] == [2 * HOUR]


@given(
    st.lists(st.tuples(st.floats(-0.15, 0.15), st.sampled_from([0, 0, 0, 0, 5, -5])), min_size=1, max_size=30),
    st.integers(1, 7),
)
def test_the_fold_in_parts_is_the_fold_of_what_the_view_shows(steps: list[tuple[float, int]], part: int) -> None:
    longitude, track = 30.0, list[Fix]()
    for number, (step, jump) in enumerate(steps):
        longitude += step
        track.append(Fix(number * HOUR, longitude + jump, 0.0))
    places = [Place(*fix) for fix in track]
    plausible = [
        fix for n, fix in enumerate(track) if not is_implausible(places[n], places[:n], places[n + 1 :], LIMITS)
    ]
    immobile = Fold(
        condition=ImmobilityCondition(radius_metres=500, window=5 * HOUR, share=0.8),
        keep_firing_for=2 * HOUR,
        speed_limits=LIMITS,
    )
    for fold in (EXIT, replace(EXIT, keep_firing_for=3 * HOUR), immobile):
        state: FoldState = fold.initial()
        found: list[Span] = []
        for start in range(0, len(track), part):
            state, settled = fold.advance(state, track[start : start + part])
            found += [span for span, _ in settled]
        found += fold.spans_at(state, track[-1].at)
        free = replace(fold, speed_limits=NO_LIMITS)
        wanted_state, wanted = free.advance(free.initial(), plausible)
        assert found == [span for span, _ in wanted] + free.spans_at(wanted_state, track[-1].at)

"""Judging the fixes of a track by their neighbours."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from veldwatch.model.track import Place, SpeedLimits, Stretch, is_hasty, is_implausible, metres_between

HOUR = 3_600_000_000
ELEPHANT = SpeedLimits((Stretch(since=None, until=None, maximum_speed=12.0),))

WALKING = SpeedLimits((Stretch(since=None, until=None, maximum_speed=12.0, travel_speed=3.0),))


def _track(*longitudes: float) -> list[Place]:
    """One fix an hour on the equator, at those degrees: an elephant comes 0.39 degrees far."""
    return [Place(number * HOUR, longitude, 0.0) for number, longitude in enumerate(longitudes)]


def _judged(track: Sequence[Place], limits: SpeedLimits = ELEPHANT) -> list[bool]:
    return [is_implausible(place, track[:n], track[n + 1 :], limits) for n, place in enumerate(track)]


def test_a_degree_of_longitude_at_the_equator_is_111_kilometres() -> None:
    assert round(metres_between(Place(0, 30, 0), Place(0, 31, 0))) == 111_195
    assert round(metres_between(Place(0, 179.5, 0), Place(0, -179.5, 0))) == 111_195


def test_an_outlier_does_not_condemn_the_good_fix_after_it() -> None:
    assert _judged(_track(30, 30.1, 35, 30.2, 30.3)) == [False, False, True, False, False]


def test_the_newest_fix_is_judged_by_those_before() -> None:
    assert _judged(_track(30, 30.1, 35)) == [False, False, True]
    assert _judged(_track(30, 30.1, 35, 30.2)) == [False, False, True, False]


def test_of_two_fixes_that_contradict_each_other_the_later_is_doubted() -> None:
    assert _judged(_track(30, 35)) == [False, True]
    assert _judged(_track(35, 30, 30.1)) == [True, False, False]


def test_two_outliers_in_the_same_place_are_both_found_once_the_track_goes_on() -> None:
    assert _judged(_track(30, 30.1, 35, 35.1, 30.2, 30.3, 30.4)) == [False, False, True, True] + [False] * 3


def test_outliers_at_every_other_fix_are_found() -> None:
    assert _judged(_track(30, 35, 30.1, 25, 30.2, 36, 30.3))[1::2] == [True] * 3
    assert _judged(_track(30, 35, 30.1, 25, 30.2, 36, 30.3))[::2] == [False] * 4


def test_an_animal_that_was_carried_off_is_believed_after_three_fixes() -> None:
    assert _judged(_track(30, 30.1, 35)) == [False, False, True]
    assert _judged(_track(30, 30.1, 35, 35.1, 35.2)) == [False] * 5


def test_the_error_of_a_fix_is_granted_to_it() -> None:
    rough = [Place(0, 30, 0), Place(1_000_000, 30.01, 0, 1500.0), Place(2_000_000, 30, 0)]
    assert _judged(rough) == [False] * 3
    assert _judged([place._replace(accuracy=5.0) for place in rough]) == [False, True, False]


def test_fixes_of_another_deployment_are_no_neighbours() -> None:
    collar = SpeedLimits(
        (
            Stretch(since=None, until=2 * HOUR, maximum_speed=12.0),
            Stretch(since=2 * HOUR, until=4 * HOUR, maximum_speed=None),
            Stretch(since=4 * HOUR, until=None, maximum_speed=12.0),
        )
    )
    assert _judged(_track(30, 30.1, 40, 60, 10, 10.1), collar) == [False] * 6
    assert _judged(_track(30, 30.1, 40, 60, 10, 15), collar) == [False] * 5 + [True]


def test_without_a_limit_everything_is_plausible() -> None:
    assert not SpeedLimits()
    assert ELEPHANT
    assert _judged(_track(30, 60, 90), SpeedLimits()) == [False] * 3


@given(st.lists(st.floats(-0.19, 0.19), min_size=5, max_size=40), st.data())
def test_one_outlier_among_steps_that_an_elephant_can_walk_is_found_and_nothing_else(
    steps: list[float], data: st.DataObject
) -> None:
    longitudes = [30 + sum(steps[:n]) for n in range(len(steps))]
    wrong = data.draw(st.integers(1, len(steps) - 1))
    longitudes[wrong] += 20
    assert _judged(_track(*longitudes)) == [n == wrong for n in range(len(steps))]


def test_a_fix_out_and_back_faster_than_the_species_travels_is_implausible_though_a_charge_would_reach_it() -> None:
    assert _judged(_track(30, 30.01, 30.2, 30.02, 30.03)) == [False] * 5
    assert _judged(_track(30, 30.01, 30.2, 30.02, 30.03), WALKING) == [False, False, True, False, False]


def test_two_in_a_row_in_different_directions_are_found_by_the_good_fixes_around_them() -> None:
    assert _judged(_track(30, 30.01, 30.3, 29.7, 30.02, 30.03), WALKING) == [False, False, True, True, False, False]


def test_who_goes_on_from_there_or_comes_back_slowly_or_elsewhere_is_believed() -> None:
    assert _judged(_track(30, 30.01, 30.2, 30.21, 30.22), WALKING) == [False] * 5
    assert _judged(_track(30, 30.01, 30.09, 30.02, 30.03), WALKING) == [False] * 5
    assert _judged(_track(30, 30.01, 30.2, 30.08, 30.07), WALKING) == [False] * 5


def test_the_newest_fix_is_not_marked_by_haste_alone() -> None:
    assert _judged(_track(30, 30.01, 30.2), WALKING) == [False] * 3


def test_haste_is_of_one_stretch_and_of_a_species_that_is_known() -> None:
    one, other = _track(30, 30.2)
    assert is_hasty(other, one, WALKING)
    assert not is_hasty(one._replace(longitude=30.05), one._replace(at=-HOUR), WALKING)
    assert not is_hasty(other, one, ELEPHANT)
    halves = (
        Stretch(since=None, until=HOUR, maximum_speed=12.0, travel_speed=3.0),
        Stretch(since=HOUR, until=None, maximum_speed=12.0, travel_speed=3.0),
    )
    assert not is_hasty(other, one, SpeedLimits(halves))

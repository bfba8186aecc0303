"""Staying in an area, and being near a feature."""

import json
from datetime import timedelta

from rules.conditions.geofence import GeofenceCondition, compile_geofence, compile_near
from rules.conditions.places import METRES_PER_DEGREE
from tests.unit.rules.conditions.tracks import fix, times
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Near

FAR = 1000.0 / METRES_PER_DEGREE
VILLAGE = json.dumps(
    {"type": "Polygon", "coordinates": [[[30, -FAR], [30 + FAR, -FAR], [30 + FAR, FAR], [30, FAR], [30, -FAR]]]}
)
WELL = json.dumps({"type": "Point", "coordinates": [30, 0]})
ROAD = json.dumps({"type": "LineString", "coordinates": [[30, -FAR], [30, FAR]]})


def dwelling(**options: object) -> GeofenceCondition:
    rule = Geofence(event=GeofenceEvent.DWELL, polygon=VILLAGE, duration=timedelta(hours=1), **options)  # pyright: ignore[reportArgumentType]
    return compile_geofence(rule, [VILLAGE], 0)


def near(feature: str, metres: float = 100.0) -> GeofenceCondition:
    return compile_near(Near(distance_metres=metres, feature=feature), [feature], 0)


def test_staying_fires_at_the_fix_that_shows_it() -> None:
    track = [fix(0, -300), fix(20, 300), fix(50, 400), fix(79, 300), fix(85, 300), fix(120, -300)]
    assert times(dwelling(), track) == [(20, 85, 120)]


def test_passing_through_is_no_stay() -> None:
    assert times(dwelling(), [fix(0, -300), fix(20, 300), fix(70, -300)]) == [(20, None, 70)]


def test_who_is_first_seen_there_stays_there() -> None:
    assert times(dwelling(), [fix(0, 300), fix(61, 300)]) == [(0, 61, None)]


def test_silence_is_no_stay() -> None:
    patient = dwelling(max_gap=timedelta(minutes=45))
    assert times(patient, [fix(0, 300), fix(100, 300), fix(130, 300)]) == [(100, None, None)]
    assert times(patient, [fix(0, 300), fix(100, 300), fix(130, 300), fix(165, 300)]) == [(100, 165, None)]


def test_a_fix_on_the_edge_is_still_there() -> None:
    assert times(dwelling(), [fix(0, 300), fix(30, -5), fix(62, -5)]) == [(0, 62, None)]


def test_the_first_fix_within_the_distance_is_near() -> None:
    assert times(near(WELL), [fix(0, 99), fix(10, 130), fix(20, 140)]) == [(0, 0, 20)]
    assert times(near(WELL), [fix(0, 101)]) == []


def test_a_way_past_a_feature_between_two_fixes_was_near_it() -> None:
    assert times(near(WELL), [fix(0, -500, 50), fix(10, 500, 50)]) == [(10, 10, 10)]
    assert times(near(WELL), [fix(0, -500, 150), fix(10, 500, 150)]) == []


def test_the_value_is_the_distance() -> None:
    condition = near(ROAD)
    state, _ = condition.step(condition.initial(truncated=False), fix(0, -42))
    assert state.span is not None
    assert state.span.value == 42.0
    state, _ = condition.step(condition.initial(truncated=False), fix(0, -500, 50))
    _, passage = condition.step(state, fix(10, 500, 50))
    assert passage is not None
    assert passage.value == 0.0


def test_near_an_area_is_within_it_too() -> None:
    assert times(near(VILLAGE), [fix(0, 500)]) == [(0, 0, None)]


def test_any_of_several_features_counts() -> None:
    other = json.dumps({"type": "Point", "coordinates": [30 + FAR, 0]})
    condition = compile_near(Near(distance_metres=100, sites_of_kind="village"), [WELL, other], 0)
    assert times(condition, [fix(0, -50), fix(10, 500), fix(20, 950)]) == [(0, 0, 10), (20, 20, None)]


def test_an_area_smaller_than_the_error_of_a_fix_can_be_entered() -> None:
    little = json.dumps(
        {
            "type": "Polygon",
            "coordinates": [[[30, 0], [30 + FAR / 30, 0], [30 + FAR / 30, FAR / 30], [30, FAR / 30], [30, 0]]],
        }
    )
    entered = compile_geofence(Geofence(event=GeofenceEvent.ENTER, polygon=little), [little], 0)
    assert len(times(entered, [fix(0, -300), fix(10, 16, 16, None)])) == 1

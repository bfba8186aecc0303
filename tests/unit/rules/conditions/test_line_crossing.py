"""Lines that are crossed: which way, there and back, by time, around an end, across a gap."""

import json
from datetime import timedelta

import pytest

from rules.conditions.line_crossing import CrossingCondition, compile_crossing
from rules.conditions.places import METRES_PER_DEGREE
from tests.unit.rules.conditions.tracks import fix, times
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent

FAR = 1000.0 / METRES_PER_DEGREE
NORTHWARD = json.dumps({"type": "LineString", "coordinates": [[30, -FAR], [30, 0], [30, FAR]]})
"""West of it is left."""


def line(event: GeofenceEvent = GeofenceEvent.CROSS, hold_for: int = 0, **options: object) -> CrossingCondition:
    return compile_crossing(Geofence(event=event, line=NORTHWARD, **options), [NORTHWARD], hold_for)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("event", "eastward", "westward"),
    [(GeofenceEvent.CROSS, 1, 1), (GeofenceEvent.LEFT_TO_RIGHT, 1, 0), (GeofenceEvent.RIGHT_TO_LEFT, 0, 1)],
)
def test_only_the_way_that_is_asked_for_counts(event: GeofenceEvent, eastward: int, westward: int) -> None:
    east = [fix(0, -200), fix(10, 200)]
    west = [fix(0, 200), fix(10, -200)]
    assert len(times(line(event), east)) == eastward
    assert len(times(line(event), west)) == westward


def test_crossing_back_ends_it() -> None:
    assert times(line(), [fix(0, -200), fix(10, 200), fix(30, 300), fix(50, -200)]) == [(10, 10, 50)]


def test_who_does_not_come_back_is_forgotten_in_time() -> None:
    track = [fix(0, -200), fix(10, 200), fix(30, 300)]
    brief = line(lasts=timedelta(minutes=60))
    assert times(brief, track, until=69) == [(10, 10, None)]
    assert times(brief, track, until=70) == [(10, 10, 70)]
    assert times(brief, [*track, fix(80, 400)], until=80) == [(10, 10, 70)]
    assert times(brief, [*track, fix(80, -400)], until=81) == [(10, 10, 70), (80, 80, None)]


def test_there_and_back_between_two_fixes_is_no_crossing() -> None:
    fence = {"type": "LineString", "coordinates": [[30, -FAR], [30, FAR], [30 + FAR / 4, FAR], [30 + FAR / 4, -FAR]]}
    condition = compile_crossing(Geofence(event=GeofenceEvent.CROSS, site="fence"), [json.dumps(fence)], 0)
    assert times(condition, [fix(0, -200), fix(10, 500)]) == []
    assert len(times(condition, [fix(0, -200), fix(10, 125)])) == 1


def test_a_way_around_the_end_of_a_line_does_not_cross_it() -> None:
    assert times(line(), [fix(0, -200), fix(10, -100, 1300), fix(20, 100, 1300), fix(30, 200)]) == []


def test_a_way_through_a_vertex_crosses_once() -> None:
    assert len(times(line(), [fix(0, -200, 0), fix(10, 200, 0)])) == 1
    assert len(times(line(), [fix(0, -200, -10), fix(10, 200, 10)])) == 1


def test_fixes_on_the_line_are_passed_over() -> None:
    assert times(line(), [fix(0, -200), fix(10, 3), fix(20, -4), fix(30, 20), fix(40, 200)]) == [(40, 40, 1480)]
    assert times(line(), [fix(0, -200), fix(10, 3), fix(20, 20), fix(30, -200)]) == []


def test_nobody_knows_what_was_in_a_long_gap() -> None:
    assert times(line(max_gap=timedelta(minutes=30)), [fix(0, -200), fix(31, 200), fix(40, 300)]) == []
    assert len(times(line(max_gap=timedelta(minutes=30)), [fix(0, -200), fix(25, 5), fix(50, 200)])) == 1


def test_a_crossing_back_before_it_was_held_for_is_forgotten() -> None:
    held = line(hold_for=60_000_000 * 30)
    assert times(held, [fix(0, -200), fix(10, 200), fix(20, -200)]) == [(10, 40, 20)]
    assert times(held, [fix(0, -200), fix(10, 200)], until=30) == [(10, 40, None)]
    (unfinished,) = times(held, [fix(0, -200), fix(10, 200)], until=40)
    assert unfinished[1] == 40


def test_two_lines_are_one_fence() -> None:
    other = json.dumps({"type": "LineString", "coordinates": [[30 + FAR, -FAR], [30 + FAR, FAR]]})
    condition = compile_crossing(Geofence(event=GeofenceEvent.CROSS, sites_of_kind="road"), [NORTHWARD, other], 0)
    assert len(times(condition, [fix(0, 500), fix(10, 1500)])) == 1
    assert len(times(condition, [fix(0, 500), fix(10, -500)])) == 1


def test_a_state_survives_being_saved() -> None:
    condition = line(confirm=2)
    state = condition.initial(truncated=False)
    for seen in [fix(0, -200), fix(10, 200), fix(20, 300), fix(30, -100)]:
        state, _ = condition.step(state, seen)
        assert condition.load(json.loads(json.dumps(state))) == state

"""A device that rests on a boundary for a month does not flap, whatever its receiver says of itself."""

import json

import pytest

from rules.conditions.compile import AnyCondition
from rules.conditions.geofence import compile_geofence, compile_near
from rules.conditions.line_crossing import compile_crossing
from rules.conditions.places import METRES_PER_DEGREE
from tests.unit.rules.conditions.tracks import fix, times, wavering
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Near

FAR = 1000.0 / METRES_PER_DEGREE
SQUARE = json.dumps(
    {"type": "Polygon", "coordinates": [[[30 - FAR, -FAR], [30, -FAR], [30, FAR], [30 - FAR, FAR], [30 - FAR, -FAR]]]}
)
"""A kilometre west of 30 degrees east, which is its edge."""
LINE = json.dumps({"type": "LineString", "coordinates": [[30, -FAR], [30, FAR]]})
POINT = json.dumps({"type": "Point", "coordinates": [30 - FAR / 2, 0]})
MONTH = [(0.0, 0.0)] * (30 * 24 * 6)
CONDITIONS = {
    "exit": compile_geofence(Geofence(event=GeofenceEvent.EXIT, polygon=SQUARE), [SQUARE], 0),
    "enter": compile_geofence(Geofence(event=GeofenceEvent.ENTER, polygon=SQUARE), [SQUARE], 0),
    "cross": compile_crossing(Geofence(event=GeofenceEvent.CROSS, line=LINE), [LINE], 0),
}


@pytest.mark.parametrize("accuracy", [None, 15.0, 22.5])
@pytest.mark.parametrize("kind", CONDITIONS)
def test_a_month_on_the_boundary_is_no_crossing(kind: str, accuracy: float | None) -> None:
    # Two thirds within the 15 m that the receiver tells; 15 m on each axis where it tells more, or nothing.
    deviation = 10.0 if accuracy == 15.0 else 15.0
    for seed in range(3):
        assert times(CONDITIONS[kind], wavering(MONTH, deviation, accuracy, seed)) == []


@pytest.mark.parametrize("begins", [-500.0, 500.0])
@pytest.mark.parametrize("kind", CONDITIONS)
def test_a_month_on_the_boundary_is_one_crossing_at_most_if_it_came_from_afar(kind: str, begins: float) -> None:
    fixes = wavering([(begins, 0.0), *MONTH, (begins, 0.0)], 15.0, None, seed=5)
    assert times(CONDITIONS[kind], fixes) == []


def test_a_month_at_the_distance_of_being_near_is_one_alert() -> None:
    near = compile_near(Near(distance_metres=500, feature=POINT), [POINT], 0)
    assert len(times(near, wavering(MONTH, 15.0, None, seed=1))) == 1


@pytest.mark.parametrize("kind", ["exit", "cross"])
def test_a_receiver_that_believes_too_much_in_itself_needs_confirmation(kind: str) -> None:
    """Real ones do: 200 m off with an accuracy of 1.7 m (Tracelet #294)."""
    event = GeofenceEvent(kind)
    make = compile_crossing if event.is_of_line else compile_geofence
    shape = LINE if event.is_of_line else SQUARE
    told: dict[int, int] = {}
    for confirm in (1, 2):
        rule = Geofence(event=event, site="s", confirm=confirm)
        condition: AnyCondition = make(rule, [shape], 0)
        fixes = [fix(minutes, 200.0 if minutes % 70 == 50 else -60.0, accuracy=1.7) for minutes in range(0, 1000, 10)]
        told[confirm] = len(times(condition, fixes))
    assert told[1] > 10
    assert told[2] == 0


@pytest.mark.parametrize(("kind", "opened"), [("exit", 30.0), ("cross", 30.0)])
def test_a_crossing_that_needs_confirmation_began_at_its_first_fix(kind: str, opened: float) -> None:
    event = GeofenceEvent(kind)
    make = compile_crossing if event.is_of_line else compile_geofence
    condition: AnyCondition = make(
        Geofence(event=event, site="s", confirm=3), [LINE if event.is_of_line else SQUARE], 0
    )
    fixes = [fix(10 * n, east) for n, east in enumerate([-300, -300, -300, 200, -200, 250, 300, 300, -200, -200, -200])]
    assert times(condition, fixes, until=105) == [(opened, 60.0, 80.0)]

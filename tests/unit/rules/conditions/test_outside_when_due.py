"""Who has to be inside at certain hours, and is not."""

import json

import pytest

from rules.conditions.due import due_times
from rules.conditions.outside_when_due import DueCondition, compile_due
from rules.conditions.places import METRES_PER_DEGREE
from rules.instants import to_instant
from tests.unit.rules.conditions.tracks import fix, times
from tests.unit.rules.worlds import START
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent
from veldwatch.model.local_buckets import from_instant

FAR = 1000.0 / METRES_PER_DEGREE
KRAAL = json.dumps(
    {"type": "Polygon", "coordinates": [[[30, -FAR], [30 + FAR, -FAR], [30 + FAR, FAR], [30, FAR], [30, -FAR]]]}
)
IN, OUT = 500.0, -500.0
HOUR = 60


def due(**options: object) -> Geofence:
    times_ = {"due_from": "18:00", "due_to": "06:00"} | options
    return Geofence(event=GeofenceEvent.OUTSIDE_WHEN_DUE, polygon=KRAAL, **times_)  # pyright: ignore[reportArgumentType]


def herd(hold_for: int = 0, **options: object) -> DueCondition:
    return compile_due(due(**options), [KRAAL], hold_for * 60_000_000)


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        ([(12, OUT), (17, OUT), (20, IN)], []),
        ([(12, IN), (17, OUT), (19, OUT), (20, IN)], [(18, 19, 20)]),
        ([(12, IN), (19, OUT), (20, IN)], [(19, 19, 20)]),
        ([(17, OUT), (19, OUT), (29, OUT), (31, OUT)], [(18, 19, 30)]),
        ([(17, OUT), (19, OUT)], [(18, 19, 30)]),
        ([(1, OUT)], [(1, 1, 6)]),
        ([(10, OUT), (19, OUT)], [(19, 19, 30)]),
        ([(17, OUT), (19, OUT), (43, OUT)], [(18, 19, 30), (43, 43, 54)]),
        ([(17, IN), (18, -10.0), (19, -10.0)], []),
    ],
    ids=[
        "outside by day",
        "late home",
        "goes out at night",
        "all night",
        "heard once in the night",
        "after midnight",
        "not known before",
        "two nights",
        "on the edge",
    ],
)
def test_nights(track: list[tuple[float, float]], expected: list[tuple[float, float, float]]) -> None:
    found = times(herd(), [fix(hour * HOUR, east) for hour, east in track])
    assert found == [tuple(hours * HOUR for hours in one) for one in expected]


def test_being_late_by_less_than_what_is_allowed_is_forgotten() -> None:
    (span,) = times(herd(hold_for=90), [fix(17 * HOUR, OUT), fix(18.5 * HOUR, OUT), fix(19 * HOUR, IN)])
    assert span == (18 * HOUR, 19.5 * HOUR, 19 * HOUR)


def test_days_are_those_on_which_the_time_begins() -> None:
    assert START.strftime("%a") == "Sun"
    weekend = herd(due_days=("sat",))
    assert times(weekend, [fix(1 * HOUR, OUT)]) == [(HOUR, HOUR, 6 * HOUR)]
    assert times(weekend, [fix(19 * HOUR, OUT)]) == []


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("Africa/Lusaka", (16, 28)), ("America/New_York", (23, 34)), ("UTC", (18, 30))],
)
def test_hours_are_those_of_the_wall_clock(zone: str, hours: tuple[int, int]) -> None:
    """New York puts its clocks forward on 8 March 2026: the night before has eleven hours."""
    day = 6 if zone == "America/New_York" else 0
    begin = to_instant(START) + (day * 24 + hours[0]) * 3_600_000_000
    window = due_times(due(time_zone=zone)).window(begin)
    assert window is not None
    assert [(from_instant(edge) - START).total_seconds() / 3600 - day * 24 for edge in window] == [*hours]
    assert due_times(due(time_zone=zone)).window(begin - 1) is None
    assert due_times(due(time_zone=zone)).window(window.end) is None


def test_the_whole_day_is_from_a_time_to_the_same() -> None:
    window = due_times(due(due_from="00:00", due_to="00:00")).window(to_instant(START) + 5)
    assert window is not None
    assert window.end - window.begin == 24 * 3_600_000_000


def test_a_state_survives_being_saved() -> None:
    condition = herd(confirm=2)
    state = condition.initial(truncated=False)
    for hour in range(16, 40):
        state, _ = condition.step(state, fix(hour * HOUR, OUT if hour % 5 else IN))
        assert condition.load(json.loads(json.dumps(state))) == state

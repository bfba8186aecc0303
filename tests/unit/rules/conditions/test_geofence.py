"""Crossings: between fixes, with noise on the boundary, around the antimeridian, and fixes that prove nothing."""

from datetime import timedelta

import pytest

from rules.conditions.geofence import GeofenceCondition, compile_geofence
from rules.conditions.span import Fix, Span
from tests.unit.rules.worlds import SQUARE, minute
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent

INSIDE, OUTSIDE, FAR = 30.005, 30.02, 31.0
JUST_OUTSIDE = 30.0101  # 11 m beyond the boundary
EXACT = 2.0  # metres that an accurate fix errs


def fence(event: GeofenceEvent, polygon: str = SQUARE, **options: float) -> GeofenceCondition:
    return compile_geofence(Geofence(event=event, polygon=polygon, **options), [polygon], 0)  # pyright: ignore[reportArgumentType]  # margin_metres


def crossings(
    condition: GeofenceCondition, places: list[float | tuple[float, float]], every: float = 10
) -> list[tuple[int, int | None]]:
    """Fold longitudes (or longitude and accuracy) at one latitude; give spans as minutes."""
    state = condition.initial(truncated=False)
    spans: list[Span] = []
    for number, place in enumerate(places):
        longitude, accuracy = place if isinstance(place, tuple) else (place, None)
        state, span = condition.step(state, Fix(minute(number * every), longitude, -9.995, accuracy))
        spans += [span] if span else []
    spans += [state.span] if state.span else []
    return [(span.opened_at, span.ended_at) for span in spans]


def test_leaving_opens_and_coming_back_ends() -> None:
    assert crossings(fence(GeofenceEvent.EXIT), [INSIDE, OUTSIDE, FAR, INSIDE]) == [(minute(10), minute(30))]


def test_entering_opens_and_leaving_ends() -> None:
    assert crossings(fence(GeofenceEvent.ENTER), [OUTSIDE, INSIDE, INSIDE, FAR]) == [(minute(10), minute(30))]


@pytest.mark.parametrize("event", [GeofenceEvent.ENTER, GeofenceEvent.EXIT])
@pytest.mark.parametrize("first", [INSIDE, OUTSIDE])
def test_the_first_fix_ever_crosses_nothing(event: GeofenceEvent, first: float) -> None:
    assert crossings(fence(event), [first, first]) == []


def test_noise_on_the_boundary_is_one_crossing_at_most() -> None:
    noise: list[float | tuple[float, float]] = [INSIDE, JUST_OUTSIDE, 30.0099, JUST_OUTSIDE, 30.0098, JUST_OUTSIDE]
    assert crossings(fence(GeofenceEvent.EXIT), noise) == []
    sharp = fence(GeofenceEvent.EXIT, margin_metres=5)
    assert crossings(sharp, [INSIDE, (JUST_OUTSIDE, EXACT)]) == [(minute(10), None)]
    assert crossings(sharp, [INSIDE, JUST_OUTSIDE]) == []


def test_a_fix_that_is_less_accurate_than_its_distance_proves_nothing() -> None:
    assert crossings(fence(GeofenceEvent.EXIT), [INSIDE, (OUTSIDE, 5000.0), INSIDE]) == []
    assert crossings(fence(GeofenceEvent.EXIT), [INSIDE, (OUTSIDE, 50.0)]) == [(minute(10), None)]


def test_a_way_through_the_area_between_two_fixes_is_an_entry_and_an_exit() -> None:
    assert crossings(fence(GeofenceEvent.ENTER), [29.98, OUTSIDE]) == [(minute(10), minute(10))]
    assert crossings(fence(GeofenceEvent.EXIT), [29.98, OUTSIDE]) == []


def test_fixes_far_apart_in_time_say_nothing_of_the_way() -> None:
    condition = compile_geofence(
        Geofence(event=GeofenceEvent.ENTER, polygon=SQUARE, max_gap=timedelta(hours=1)), [SQUARE], 0
    )
    assert crossings(condition, [29.98, OUTSIDE], every=61) == []


def test_the_evidence_is_the_fix_before_and_the_one_that_shows_it() -> None:
    condition = fence(GeofenceEvent.EXIT)
    state, _ = condition.step(condition.initial(truncated=False), Fix(minute(0), INSIDE, -9.995))
    state, _ = condition.step(state, Fix(minute(1), OUTSIDE, -9.995))
    assert state.span is not None
    assert [seen[0] for seen in state.span.evidence] == [minute(0), minute(1)]
    assert state.span.value == pytest.approx(1095, abs=5)  # 0.01 degrees of longitude at 10 degrees south


def test_an_area_across_the_antimeridian_is_one_area() -> None:
    fiji = '{"coordinates":[[[179.9,-10.1],[180.1,-10.1],[180.1,-9.9],[179.9,-9.9],[179.9,-10.1]]],"type":"Polygon"}'
    condition = fence(GeofenceEvent.EXIT, fiji)
    assert crossings(condition, [179.95, -179.95, 179.95]) == []
    assert crossings(condition, [179.95, -179.8]) == [(minute(10), None)]


def test_a_ring_that_crosses_itself_is_mended() -> None:
    bow_tie = '{"coordinates":[[[30,-10],[30.01,-9.99],[30.01,-10],[30,-9.99],[30,-10]]],"type":"Polygon"}'
    assert crossings(fence(GeofenceEvent.EXIT, bow_tie), [30.009, OUTSIDE]) == [(minute(10), None)]

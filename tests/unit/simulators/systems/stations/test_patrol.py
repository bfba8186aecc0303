"""Patrols walk on foot, rest, and never leave their area."""

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon

from simulators.chance import Chance
from simulators.systems.stations.patrol import draw_round, inner

WIDE = Polygon([(-6000, -6000), (6000, -6000), (6000, 6000), (-6000, 6000)])
BENT = Polygon([(-200, -200), (3000, -200), (3000, 200), (200, 200), (200, 3000), (-200, 3000)])
NARROW = Polygon([(-30, -30), (30, -30), (30, 30), (-30, 30)])


@pytest.mark.parametrize("area", [WIDE, BENT, NARROW], ids=["wide", "bent", "narrow"])
@given(seed=st.integers(0, 10_000), day=st.integers(0, 40_000))
@settings(max_examples=40)
def test_no_way_leaves_the_area(area: Polygon, seed: int, day: int) -> None:
    way = draw_round(Chance(seed, ["team"]), day, (0.0, 0.0), inner(area))
    if len(way.east) > 1:
        assert area.covers(LineString(shapely.linestrings(way.east, way.north)))
    assert area.covers(Point(way.east[0], way.north[0]))


@given(seed=st.integers(0, 10_000), day=st.integers(0, 40_000))
@settings(max_examples=40)
def test_a_patrol_walks_at_a_walking_pace_rests_and_is_home_before_night(seed: int, day: int) -> None:
    way = draw_round(Chance(seed, ["team"]), day, (0.0, 0.0), inner(WIDE))
    paces = [sum(component**2 for component in way.at(second)[2:]) ** 0.5 for second in range(0, 86_400, 60)]
    walked = [pace for pace in paces if pace > 0.0]
    # Bohannon, Williams Andrews 2011: up to 1.43 m/s on even ground.
    assert 0.59 < min(walked) <= max(walked) < 1.31
    first, last = (round(float(way.seconds[end]) / 60.0) for end in (0, -1))
    assert 5 <= paces[first + 1 : last].count(0.0) <= 5 * 26
    assert way.seconds[0] >= 5.5 * 3600
    assert way.seconds[-1] < 19 * 3600
    assert 2000.0 < way.metres < 17_000.0
    assert way.at(0.0) == (0.0, 0.0, 0.0, 0.0)
    assert way.at(86_000.0)[:2] == (0.0, 0.0)

"""Fences keep what is inside inside, whatever their shape."""

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from simulators.systems.wildlife.fence import Fence

_SQUARE = Polygon([(0, 0), (2000, 0), (2000, 2000), (0, 2000)])
_PLACES = st.floats(-10_000, 10_000)


def test_who_is_a_little_outside_is_as_far_inside_afterwards() -> None:
    fence = Fence(_SQUARE)
    east, north, outward_east, outward_north = fence.mirrored(np.array([1950.0]), np.array([1000.0]))

    assert east[0] == 2000.0 - 60.0 - 10.0
    assert north[0] == 1000.0
    assert (outward_east[0], outward_north[0]) == (1.0, 0.0)


@given(_PLACES, _PLACES, st.booleans())
def test_every_place_is_folded_into_the_reserve(x: float, y: float, with_hole: bool) -> None:
    hole = [[(800, 800), (1200, 800), (1200, 1200), (800, 1200)]] if with_hole else []
    area = Polygon(_SQUARE.exterior.coords, hole)
    east, north, outward_east, outward_north = Fence(area).mirrored(np.array([x]), np.array([y]))

    assert area.contains(shapely.Point(east[0], north[0]))
    assert np.hypot(outward_east, outward_north)[0] <= 1.0 + 1e-9


def test_a_small_reserve_has_a_smaller_margin() -> None:
    fence = Fence(Polygon([(0, 0), (50, 0), (50, 50), (0, 50)]))

    assert not fence.is_outside(np.array([25.0]), np.array([25.0]))[0]
    assert fence.is_outside(np.array([2.0]), np.array([25.0]))[0]


def test_the_nearest_place_to_one_inside_is_itself() -> None:
    east, north = Fence(_SQUARE).nearest(np.array([1000.0]), np.array([700.0]))

    assert (east[0], north[0]) == (1000.0, 700.0)

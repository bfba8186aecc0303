"""What befalls animals shows in where they are, and is over when it ends."""

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulators.chance import Floats
from simulators.report import Place
from simulators.scenario import Area
from simulators.systems.system import PhysicalFault
from simulators.systems.wildlife.reserve import Reserve
from simulators.systems.wildlife.species import SPECIES
from tests.unit.simulators.systems.wildlife.reserves import (
    DEGREES_A_KILOMETRE,
    HOME,
    Watch,
    collar,
    metres,
    reserve,
    site,
)
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.faults import FAULTS

_FIRST = Place(organisation="agency", device="collar-1")
_FENCE_METRES = 3000.0 * np.cos(np.radians(HOME[1]))
"""How far east of HOME the fence of the usual reserve is."""


def _fault(system: Reserve, kind: str, **sizes: float) -> PhysicalFault:
    usual = {parameter.name: parameter.usual for parameter in FAULTS[kind].parameters}
    return system.fault(kind, _FIRST, usual | sizes)


def _demo() -> Watch:
    """Watch a restless elephant 500 m from the eastern fence."""
    settings = {"species": "elephant", "home_radius_metres": 180, "restless": True}
    home = (HOME[0] + 2.5 * DEGREES_A_KILOMETRE, HOME[1])
    return Watch(reserve(collar(1, settings, interval_seconds=10, place=home)))


def _wild(species: str = "elephant") -> Watch:
    return Watch(reserve(collar(1, {"species": species, "home_radius_metres": 1500, "temperature": True})))


def _distances(
    track: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the way of the first animal in each step."""
    return np.hypot(*np.diff(track[:, :, 0], axis=0).T)


def test_an_immobile_animal_lies_still_and_then_goes_on_from_there() -> None:
    watch = _demo()
    watch.track(0.1, 1)
    fault = _fault(watch.system, "immobility")

    lain = watch.track(0.2, 1, fault)
    fault.end()
    walked = watch.track(0.1, 1)

    assert _distances(lain).max() == 0.0
    assert np.hypot(*(walked[0, :, 0] - lain[-1, :, 0])) < 3.0
    assert np.ptp(walked[:, 0, 0]) + np.ptp(walked[:, 1, 0]) > 50.0


def test_fixes_of_an_immobile_animal_stay_within_what_the_rule_takes_for_one_place() -> None:
    watch = _demo()
    fixes = watch.fixes(0.5, 10, _fault(watch.system, "immobility"))

    places = np.array([metres(fix.longitude, fix.latitude)[:, 0] for fix in fixes])
    places = places[~np.isnan(places[:, 0])]
    off = np.hypot(*(places - np.median(places, axis=0)).T)
    assert (off < 13.0).mean() > 0.9
    assert off.max() > 3.0


def test_a_crossing_is_across_the_fence_within_a_minute_and_a_half_and_ends_inside() -> None:
    watch = _demo()
    watch.track(0.1, 1)
    fault = _fault(watch.system, "fence_crossing")

    away = watch.track(0.1, 1, fault)
    fault.end()
    back = watch.track(0.2, 1)

    crossed = int(np.argmax(away[:, 0, 0] > _FENCE_METRES + 15.0))
    assert 30 < crossed < 120
    assert (away[200:, 0, 0] > _FENCE_METRES + 200.0).all()
    assert _distances(np.concatenate((away, back))).max() < 9.0
    assert _distances(away)[-60:].min() > 1.0
    assert back[-1, 0, 0] < _FENCE_METRES


def test_a_crossing_takes_the_pace_and_the_distance_that_it_is_asked_for() -> None:
    watch = _demo()
    fault = _fault(watch.system, "fence_crossing", metres_per_second=3.0, beyond_metres=1000.0)

    away = watch.track(0.4, 1, fault)

    assert np.median(_distances(away)[:300]) == pytest.approx(3.0, abs=0.2)
    assert away[-1, 0, 0] == pytest.approx(_FENCE_METRES + 1000.0, abs=130.0)


def test_a_crossing_in_hour_long_steps_ends_up_at_the_same_place() -> None:
    watch = _wild()

    away = watch.track(3, 3600, _fault(watch.system, "fence_crossing"))

    assert (np.abs(away[:, :, 0]).max(axis=1) > _FENCE_METRES + 200.0).all()


def test_the_dead_lie_still_and_cool() -> None:
    watch = _wild()
    watch.track(1, 60)
    fault = _fault(watch.system, "mortality")

    track = watch.track(24, 600, fault)

    assert _distances(track).max() == 0.0
    told = [
        watch.system.banks[0].readings(np.array([0]), moment)["temperature"][0]
        for moment in watch.moments(24, 600, fault)
    ]
    # A day after death the collar is as warm as the air: 15 to 29 degrees in a day.
    assert np.nanmin(told) < 16.5
    assert np.nanmax(told) < 30.0


def test_a_dead_animals_collar_goes_to_another_when_the_fault_ends() -> None:
    watch = _wild()
    fault = _fault(watch.system, "mortality")
    watch.track(24, 600, fault)
    fault.end()

    track = watch.track(24, 600)
    told = [
        watch.system.banks[0].readings(np.array([0]), moment)["temperature"][0] for moment in watch.moments(24, 600)
    ]

    assert _distances(track).sum() > 1000.0
    assert np.nanmin(told) > 24.0


def test_a_streak_is_straight_but_for_the_fence() -> None:
    watch = _wild()
    watch.track(1, 60)

    track = watch.track(3, 60, _fault(watch.system, "streaking"))

    ways = np.diff(track[:, :, 0], axis=0)
    headings = np.unwrap(np.arctan2(ways[:, 0], ways[:, 1]))
    assert np.median(_distances(track)) == pytest.approx(120.0, abs=1.0)
    assert (np.abs(np.diff(headings)) < 0.01).mean() > 0.8
    assert np.abs(track[:, 0]).max() < _FENCE_METRES


def test_a_streak_ends_without_a_leap() -> None:
    watch = _wild()
    fault = _fault(watch.system, "streaking")
    streak = watch.track(0.5, 10, fault)
    fault.end()

    after = watch.track(0.5, 10)

    assert _distances(np.concatenate((streak, after))).max() < 30.0


@settings(max_examples=25, deadline=None)
@example([("immobility", 0, 3), ("fence_crossing", 0, 2)], 10.0, "elephant")
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["immobility", "fence_crossing", "streaking", "mortality"]),
            st.integers(0, 40),
            st.integers(1, 40),
        ),
        max_size=4,
    ),
    st.sampled_from([10.0, 300.0, 3600.0]),
    st.sampled_from(["elephant", "wild_dog"]),
)
def test_whatever_befalls_them_animals_do_not_leap_and_come_home(
    befalls: list[tuple[str, int, int]], step_seconds: float, species: str
) -> None:
    herd = [collar(n, {"species": species, "home_radius_metres": 1500, "herd": "one"}) for n in (1, 2)]
    watch = Watch(reserve(*herd, where=site(bent=True)))
    planned = [(_fault(watch.system, kind), start, start + lasts) for kind, start, lasts in befalls]
    track: list[Floats] = []
    for number in range(90):
        for fault, _, end in planned:
            if end == number:
                fault.end()
        in_force = [fault for fault, start, end in planned if start <= number < end]
        track.extend(watch.track(step_seconds / 3600, step_seconds, *in_force))
    home = watch.track(24, 3600)

    ways = np.diff(np.array(track), axis=0)
    assert np.hypot(ways[:, 0], ways[:, 1]).max() <= (SPECIES[species].running + 4.0) * step_seconds
    where = site(bent=True).geometry
    assert isinstance(where, Area)
    lasting = [kind for kind, start, lasts in befalls if start + lasts >= 90]
    longitude, latitude = watch.system.whereabouts
    assert lasting or shapely.contains_xy(shapely.Polygon(where.coordinates[0]), longitude, latitude).all()
    assert lasting or _distances(home).max() > 0.0


def test_faults_go_on_after_a_restart() -> None:
    watch, other = _wild(), _wild()
    fault = _fault(watch.system, "fence_crossing")
    watch.track(0.1, 60, fault)
    other.system.restore(watch.system.state())
    other.now = watch.now
    restored = _fault(other.system, "fence_crossing")
    restored.restore(fault.state())

    assert (watch.track(1, 60, fault) == other.track(1, 60, restored)).all()


@pytest.mark.parametrize(
    ("kind", "species", "place"),
    [
        ("leak", "elephant", _FIRST),
        ("immobility", "elephant", Place(organisation="agency", device="collar-9")),
        ("immobility", "elephant", Place(organisation="agency", site="reserve")),
        ("fence_crossing", "vulture", _FIRST),
    ],
)
def test_what_does_not_befall_the_animal_is_refused(kind: str, species: str, place: Place) -> None:
    system = reserve(collar(1, {"species": species}))

    with pytest.raises(ConfigurationInvalid, match="does not suit"):
        system.fault(kind, place, {parameter.name: parameter.usual for parameter in FAULTS[kind].parameters})

"""Receivers err, fail and tell so as published ones do."""

import numpy as np
import pytest

from simulators.chance import Floats
from simulators.report import Fixes
from tests.unit.simulators.systems.wildlife.reserves import Watch, collar, metres, reserve


def _seen(species: str, seconds: float, hours: float, count: int = 30) -> tuple[list[Fixes], Floats, Floats]:
    """Return fixes, true places and what was seen, both steps x 2 x animals."""
    watch = Watch(reserve(*[collar(n, {"species": species, "home_radius_metres": 1000}) for n in range(count)]))
    rows = np.arange(count)
    fixes: list[Fixes] = []
    places: list[Floats] = []
    for moment in watch.moments(hours, seconds):
        fix = watch.system.banks[0].fixes(rows, moment)
        assert fix is not None
        fixes.append(fix)
        places.append(watch.places)
    return fixes, np.array(places), np.array([metres(fix.longitude, fix.latitude) for fix in fixes])


def test_errors_are_as_large_as_in_stationary_trials() -> None:
    _, places, seen = _seen("elephant", 600, 48)
    error = np.hypot(*(seen - places).swapaxes(0, 1))

    assert 4.0 < np.nanmean(error) < 8.0
    assert np.nanquantile(error, 0.95) < 15.0
    assert np.nanmax(error) < 45.0


def test_errors_point_everywhere() -> None:
    _, places, seen = _seen("elephant", 600, 48)
    east, north = (seen - places).swapaxes(0, 1)

    assert np.nanmean(east) == pytest.approx(0.0, abs=0.2)
    assert np.nanmean(north) == pytest.approx(0.0, abs=0.2)
    assert np.nanstd(east) == pytest.approx(np.nanstd(north), rel=0.1)


def test_errors_last_for_minutes_but_not_for_hours() -> None:
    _, places, seen = _seen("rhino", 10, 2)
    error = (seen - places)[:, 0]

    def together(lag: int) -> float:
        product = error[lag:] * error[: len(error) - lag]
        return float(np.nanmean(product) / np.nanmean(error**2))

    assert 0.35 < together(1) < 0.6
    assert 0.1 < together(18) < 0.35
    assert abs(together(180)) < 0.15


@pytest.mark.parametrize(("species", "low", "high"), [("elephant", 0.8, 0.95), ("vulture", 0.94, 0.98)])
def test_fixes_fail_as_often_as_published_and_in_runs(species: str, low: float, high: float) -> None:
    fixes, _, _ = _seen(species, 600, 96)
    failed = np.array([np.isnan(fix.longitude) for fix in fixes])

    assert low < 1.0 - failed.mean() < high
    assert (failed[1:] & failed[:-1]).mean() > failed.mean() ** 2


def test_two_thirds_of_the_errors_are_within_the_accuracy_that_is_told() -> None:
    fixes, places, seen = _seen("lion", 600, 48)
    error = np.hypot(*(seen - places).swapaxes(0, 1))
    accuracy = np.array([fix.accuracy for fix in fixes])

    made = ~np.isnan(error)
    assert (error[made] < accuracy[made]).mean() == pytest.approx(0.67, abs=0.04)
    assert accuracy.min() > 3.0
    assert accuracy.max() < 20.0


def test_speed_and_heading_fit_the_way_to_the_next_place() -> None:
    fixes, places, _ = _seen("elephant", 10, 6, count=10)
    ways = np.diff(places, axis=0)
    speeds = np.hypot(ways[:, 0], ways[:, 1]) / 10.0
    headings = np.degrees(np.arctan2(ways[:, 0], ways[:, 1]))
    told = np.array([fix.speed for fix in fixes])[1:]
    off = (np.array([fix.heading for fix in fixes])[1:] - headings + 180.0) % 360.0 - 180.0

    assert np.corrcoef(speeds.ravel(), told.ravel())[0, 1] > 0.9
    assert np.median(np.abs(off[speeds > 0.3])) < 12.0

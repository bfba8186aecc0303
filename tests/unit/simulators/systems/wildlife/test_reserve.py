"""Healthy animals stay inside, herds together, and a run can be cut anywhere."""

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.fleet import Fleet, Grid
from simulators.scenario import Area
from tests.unit.simulators.systems.wildlife.reserves import (
    BEGINS_AT,
    DEGREES_A_KILOMETRE,
    HOME,
    Watch,
    collar,
    reserve,
    site,
    unfenced,
)
from veldwatch.errors import ConfigurationInvalid

_FENCED = ("elephant", "rhino", "lion", "wild_dog")


def _mixed(number: int = 6, **more: Any) -> list[Any]:  # noqa: ANN401  # settings of any kind
    return [
        collar(
            n, {"species": _FENCED[n % 4], "home_radius_metres": 2500, **more}, place=(HOME[0] - 0.005, HOME[1] - 0.005)
        )
        for n in range(number)
    ]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([10.0, 60.0, 300.0, 1800.0, 3600.0]), st.booleans(), st.booleans())
def test_no_fix_of_a_healthy_animal_is_outside(seed: int, step_seconds: float, bent: bool, in_herd: bool) -> None:
    where = site(bent=bent)
    assert isinstance(where.geometry, Area)
    area = shapely.Polygon(where.geometry.coordinates[0])
    watch = Watch(reserve(*_mixed(6, herd="all" if in_herd else None), where=where, seed=seed))

    for fixes in watch.fixes(step_seconds * 300 / 3600, step_seconds):
        made = ~np.isnan(fixes.longitude)
        assert shapely.contains_xy(area, fixes.longitude[made], fixes.latitude[made]).all()


def test_a_vulture_flies_over_the_fence() -> None:
    track = Watch(reserve(collar(1, {"species": "vulture"}))).track(240, 600)

    assert np.abs(track).max() > 10_000.0


def test_an_animal_without_a_fence_goes_as_far_as_its_home() -> None:
    watch = Watch(
        reserve(*[collar(n, {"species": "lion", "home_radius_metres": 3000}) for n in range(20)], where=unfenced())
    )
    away = np.hypot(*watch.track(24 * 40, 1800).swapaxes(0, 1))

    assert (away < 3000.0).mean() == pytest.approx(0.95, abs=0.03)


def test_a_herd_keeps_together_and_moves_as_its_kind() -> None:
    herd = [collar(n, {"species": "elephant", "herd": "matriarch"}) for n in range(5)]
    track = Watch(reserve(*herd, collar(9, {"species": "elephant"}), where=unfenced())).track(24 * 20, 600)

    spread = np.hypot(*(track[:, :, :5] - track[:, :, :5].mean(axis=2, keepdims=True)).swapaxes(0, 1))
    assert 20.0 < spread.mean() < 100.0
    ways = np.hypot(*np.diff(track[::6], axis=0).swapaxes(0, 1)).sum(axis=0) / 20_000
    assert (ways[:5] > 2.5).all()
    assert (ways[:5] < 9.0).all()


def test_restless_animals_never_stay_in_one_place() -> None:
    restless = [
        collar(n, {"species": name, "home_radius_metres": 180, "restless": True}) for n, name in enumerate(_FENCED)
    ]
    track = Watch(reserve(*restless)).track(2, 2)

    # In 40 seconds, less than half of a demonstration's window, more than the 26 m that its rule takes for one place.
    widest = np.max(
        [np.hypot(*(track[lag:] - track[:-lag]).swapaxes(0, 1))[: -20 + lag or None] for lag in range(1, 21)], axis=0
    )
    assert widest.min() > 26.0
    assert np.hypot(*track.swapaxes(0, 1)).max() < 400.0


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 60), st.sampled_from([1.0, 300.0, 3600.0]))
def test_a_restored_reserve_has_the_same_future(steps: int, step_seconds: float) -> None:
    collars = [*_mixed(3), *_mixed(6, herd="one")[3:], collar(7, {"species": "rhino", "restless": True})]
    watch, other = Watch(reserve(*collars)), Watch(reserve(*collars))
    watch.track(steps * step_seconds / 3600, step_seconds)

    other.system.restore({name: array.copy() for name, array in watch.system.state().items()})
    other.now = watch.now

    first, second = (w.fixes(step_seconds / 120, step_seconds) for w in (watch, other))
    for one, two in zip(first, second, strict=True):
        for part in ("longitude", "latitude", "accuracy", "speed", "heading"):
            np.testing.assert_array_equal(getattr(one, part), getattr(two, part))


def test_a_run_with_a_coarse_history_can_be_cut_anywhere() -> None:
    def fleet() -> Fleet:
        grid = Grid(
            begins_at=BEGINS_AT, live_from=BEGINS_AT + 7_200_000, step=1000, history_step=300_000, utc_offset=7_200_000
        )
        return Fleet([reserve(*_mixed(4), collar(7, {"species": "vulture"}, interval_seconds=10))], grid, seed=1)

    whole, cut = fleet(), fleet()
    until = BEGINS_AT + 7_200_000 + 120_000

    messages = list(whole.advance(until))
    pieces = [message for at in range(BEGINS_AT, until + 1, 97_000) for message in cut.advance(at)]
    pieces.extend(cut.advance(until))

    assert messages == pieces
    assert len(messages) > 40


def test_seeds_tell_runs_apart() -> None:
    first, second = (Watch(reserve(*_mixed(), seed=seed)).track(5, 600) for seed in (1, 2))

    assert not np.isclose(first, second).any()


@pytest.mark.parametrize(
    ("given_settings", "place", "complaint"),
    [
        ({"species": "unicorn"}, HOME, "species"),
        ({}, HOME, "species"),
        ({"species": "lion", "home_radius_metres": 1}, HOME, "home_radius_metres"),
        ({"species": "lion", "wings": 2}, HOME, "wings"),
        ({"species": "lion"}, None, "place"),
        ({"species": "lion"}, (HOME[0] + 10 * DEGREES_A_KILOMETRE, HOME[1]), "place"),
    ],
)
def test_wrong_settings_are_named(
    given_settings: dict[str, Any], place: tuple[float, float] | None, complaint: str
) -> None:
    with pytest.raises(ConfigurationInvalid, match=rf"agency/collar-1.*{complaint}|{complaint}.*agency/collar-1"):
        reserve(collar(1, given_settings, place=place))

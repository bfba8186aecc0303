"""Simulated animals live as the published ones do: range, way, speed and rhythm, by statistics over many of them.

Bounds are those of the sources in species.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from simulators.chance import Floats
from simulators.systems.wildlife.species import SPECIES
from tests.unit.simulators.systems.wildlife.reserves import Watch, collar, reserve, unfenced

_EACH, _DAYS = 12, 45


@dataclass(frozen=True, slots=True, kw_only=True)
class _Life:
    """Tracks of one species: steps x 2 x animals, in metres, every ten minutes from local midnight on."""

    track: Floats

    @property
    def speeds(self) -> Floats:
        """Return metres a second between fixes, steps x animals."""
        ways = np.diff(self.track, axis=0)
        return np.hypot(ways[:, 0], ways[:, 1]) / 600.0

    @property
    def daily_kilometres(self) -> float:
        """Return the mean way of a day, by hourly fixes."""
        ways = np.diff(self.track[::6], axis=0)
        return float(np.hypot(ways[:, 0], ways[:, 1]).sum(axis=0).mean()) / 1000 / _DAYS

    @property
    def range_square_kilometres(self) -> float:
        """Return the area of the ellipse that holds 95 % of a normal distribution with the animals' variances."""
        home = self.track.std(axis=0)
        return float((-2.0 * np.log(0.05) * np.pi * home[0] * home[1]).mean()) / 1e6

    def share(self, hours: Sequence[int]) -> float:
        """Return which part of the way is covered in some hours of the day."""
        at = (np.arange(len(self.speeds)) // 6) % 24
        return float(self.speeds[np.isin(at, hours)].sum() / self.speeds.sum())


@pytest.fixture(scope="module")
def lives() -> dict[str, _Life]:
    watch = Watch(
        reserve(*[collar(n, {"species": name}) for n, name in enumerate(list(SPECIES) * _EACH)], where=unfenced())
    )
    # From the first local midnight, which is at 22 h UTC.
    hours = (22 - watch.now // 3_600_000 % 24) % 24
    watch.track(hours, 600)
    track = watch.track(24 * _DAYS + 1 / 6, 600)
    return {name: _Life(track=track[:, :, row :: len(SPECIES)]) for row, name in enumerate(SPECIES)}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("elephant", 4.0, 6.5),
        ("rhino", 2.0, 5.0),
        ("lion", 6.0, 11.0),
        ("wild_dog", 6.0, 12.0),
        ("vulture", 30.0, 100.0),
    ],
)
def test_a_day_is_as_long_as_published(lives: dict[str, _Life], name: str, low: float, high: float) -> None:
    assert low < lives[name].daily_kilometres < high


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("elephant", 24.0, 1000.0),
        ("rhino", 5.0, 44.0),
        ("lion", 60.0, 592.0),
        ("wild_dog", 100.0, 739.0),
        ("vulture", 5000.0, 97_000.0),
    ],
)
def test_a_home_range_is_as_large_as_published(lives: dict[str, _Life], name: str, low: float, high: float) -> None:
    assert low < lives[name].range_square_kilometres < high


@pytest.mark.parametrize("name", SPECIES)
def test_no_animal_outruns_its_kind(lives: dict[str, _Life], name: str) -> None:
    assert lives[name].speeds.max() < SPECIES[name].running * 1.001


@pytest.mark.parametrize("name", SPECIES)
def test_most_steps_are_short_and_a_few_are_long(lives: dict[str, _Life], name: str) -> None:
    # A walk without bouts, whose steps are Rayleigh distributed, has 0.52 and 0.94.
    steps = lives[name].speeds
    assert steps.std() / steps.mean() > 0.9
    assert np.median(steps) / steps.mean() < 0.8


def test_lions_walk_at_night(lives: dict[str, _Life]) -> None:
    assert lives["lion"].share([*range(17, 24), *range(10)]) > 0.9
    assert lives["lion"].share([11, 12, 13, 14, 15]) < 0.05


def test_wild_dogs_hunt_around_dawn_and_dusk(lives: dict[str, _Life]) -> None:
    assert lives["wild_dog"].share([4, 5, 6, 7, 8, 16, 17, 18, 19, 20]) > 0.7


def test_rhinos_rest_at_midday_and_forage_at_dusk_and_dawn(lives: dict[str, _Life]) -> None:
    assert lives["rhino"].share([10, 11, 12, 13, 14]) < 0.12
    assert lives["rhino"].share([4, 5, 6, 7, 17, 18, 19, 20]) > 0.4


def test_elephants_are_busiest_in_the_morning_and_the_evening_and_rest_before_dawn(lives: dict[str, _Life]) -> None:
    life = lives["elephant"]
    assert life.share([2, 3, 4]) < 0.5 * life.share([7, 8, 9])
    assert life.share([19, 20, 21]) > 1.2 * life.share([12, 13, 14])


def test_vultures_fly_by_day_only(lives: dict[str, _Life]) -> None:
    assert lives["vulture"].share([*range(19, 24), *range(6)]) == 0.0
    assert lives["vulture"].share([9, 10, 11, 12, 13, 14, 15]) > 0.8

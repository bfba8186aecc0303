"""Animals' clocks follow the day, and lose no time however it is cut."""

import numpy as np
import pytest

from simulators.chance import Chance
from simulators.moment import Moment
from simulators.systems.wildlife.rhythm import Clock, busy_pace, daily_paces
from simulators.systems.wildlife.species import SPECIES
from tests.unit.simulators.systems.wildlife.reserves import BEGINS_AT


def _clock() -> Clock:
    return Clock(list(SPECIES.values()), Chance(3, list(SPECIES)))


@pytest.mark.parametrize("name", SPECIES)
def test_a_day_on_an_animals_clock_is_a_day(name: str) -> None:
    assert daily_paces(SPECIES[name]).mean() == pytest.approx(1.0)
    assert busy_pace(SPECIES[name]) >= 1.0


@pytest.mark.parametrize("seconds", [1, 7, 300, 420, 3600])
def test_steps_of_any_length_get_the_same_time(seconds: int) -> None:
    clock, long = _clock(), _clock()
    hours = 7
    step = seconds * 1000

    passed = sum(
        clock.advance(Moment(at=BEGINS_AT + number * step, step=step, utc_offset=5_400_000)).copy()
        for number in range(1, hours * 3600 // seconds + 1)
    )

    whole = long.advance(Moment(at=BEGINS_AT + hours * 3_600_000, step=hours * 3_600_000, utc_offset=5_400_000))
    assert passed == pytest.approx(whole)


def test_bouts_leave_the_mean_pace_as_it_is() -> None:
    clock = Clock([SPECIES["elephant"]] * 400, Chance(1, [str(number) for number in range(400)]))
    day = [clock.advance(Moment(at=BEGINS_AT + n * 3_600_000, step=3_600_000)).mean() for n in range(1, 241)]

    assert np.mean(day) == pytest.approx(3600.0, rel=0.02)

import numpy as np
import pytest

from simulators.moment import Moment
from simulators.systems.water.rhythm import (
    SLEEP_FROM,
    SLEEP_HOURS,
    WEEKDAY,
    WEEKEND,
    LocalTime,
    awake_share,
    diurnal,
    season,
    warmest_day,
)
from tests.unit.simulators.systems.water.towns import DAY, HOUR, MONDAY


def test_the_day_has_the_published_peak_and_night() -> None:
    assert WEEKDAY.mean() == pytest.approx(1.0)
    assert (WEEKDAY.argmax(), round(float(WEEKDAY.max()), 2)) == (8, 2.2)
    assert round(float(WEEKDAY[3:6].mean()), 2) == 0.11


def test_weekends_begin_an_hour_later_and_use_as_much() -> None:
    assert WEEKEND.argmax() == 9
    assert WEEKEND.mean() == pytest.approx(1.0)
    assert WEEKEND[6] < WEEKDAY[6]


@pytest.mark.parametrize(("days", "weekend"), [(0, False), (4, False), (5, True), (6, True), (7, False)])
def test_saturdays_and_sundays_are_weekend(days: int, weekend: bool) -> None:
    moment = Moment(at=MONDAY + days * DAY + 12 * HOUR, step=HOUR)

    assert LocalTime.of(moment).is_weekend is weekend


@pytest.mark.parametrize(
    ("utc_offset_hours", "step_hours", "hour"), [(0, 0, 6.0), (2, 0, 8.0), (-7, 0, 23.0), (0, 1, 5.5)]
)
def test_a_step_counts_for_the_local_hour_of_its_middle(utc_offset_hours: int, step_hours: int, hour: float) -> None:
    moment = Moment(at=MONDAY + 6 * HOUR, step=step_hours * HOUR, utc_offset=utc_offset_hours * HOUR)

    assert LocalTime.of(moment).hour == pytest.approx(hour)


def test_hourly_values_hold_in_the_middle_of_each_hour() -> None:
    assert [diurnal(LocalTime(hour + 0.5, 0)) for hour in range(24)] == pytest.approx(WEEKDAY.tolist())


def test_a_year_has_the_mean_use_and_its_peak_in_the_warm_season() -> None:
    days = [season(LocalTime(12.0, day), 0.2, warmest_day(-10.0)) for day in range(365)]

    assert np.mean(days) == pytest.approx(1.0, abs=0.001)
    assert (int(np.argmax(days)), max(days)) == (pytest.approx(16, abs=1), pytest.approx(1.2, abs=0.001))
    assert warmest_day(52.0) > 180


def test_as_many_homes_are_awake_as_do_not_sleep() -> None:
    begins = np.linspace(*SLEEP_FROM, 10_001)

    for hour in np.arange(0.0, 24.0, 0.37):
        asleep = (hour >= begins) & (hour < begins + SLEEP_HOURS)
        assert awake_share(float(hour)) == pytest.approx(1.0 - asleep.mean(), abs=0.001)

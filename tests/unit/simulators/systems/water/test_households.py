import numpy as np
import pytest

from simulators.chance import Floats
from simulators.systems.system import World
from simulators.systems.water.households import Beginning, Households
from simulators.systems.water.rhythm import WEEKDAY
from simulators.systems.water.settings import MeterSettings
from tests.unit.simulators.systems.water.towns import DAY, HOUR, MONDAY, device, homes, network, run, site, told

WEEK = 7 * DAY


def _litres(count: int, seconds: float, lasts: int, begins_at: int = MONDAY, **settings: float) -> Floats:
    """Litres by step and home."""
    devices = [device(f"m{number}", "water_meter", "north", **settings) for number in range(count)]
    played = network([site("north", "zone", seasonal_amplitude=0.0)], devices)
    before = played.meters.registers.litres.copy()
    rows: list[Floats] = []
    for _ in run(played, seconds, lasts, begins_at):
        rows.append(played.meters.registers.litres - before)
        before = played.meters.registers.litres.copy()
    return np.array(rows)


@pytest.mark.parametrize(
    ("seconds", "count", "lasts"), [(10.0, 1000, DAY), (60.0, 800, 2 * DAY), (300.0, 400, WEEK), (3600.0, 400, WEEK)]
)
def test_homes_use_the_published_120_litres_a_person_and_day_at_any_step(
    seconds: float, count: int, lasts: int
) -> None:
    litres = _litres(count, seconds, lasts, persons=2.0)

    assert litres.sum() / count / (lasts / DAY) / 2.0 == pytest.approx(120.0, rel=0.04)


def test_the_hours_of_a_working_day_follow_the_published_curve() -> None:
    litres = _litres(2000, 300.0, DAY, persons=2.3)

    hours = litres.reshape(24, 12, -1).sum(axis=(1, 2))
    assert np.corrcoef(hours, WEEKDAY)[0, 1] > 0.99
    assert hours.argmax() in {8, 9}
    assert hours.max() / hours.mean() == pytest.approx(2.1, abs=0.2)


def test_a_person_uses_six_decilitres_an_hour_in_the_small_hours() -> None:
    # Source: McKenzie 1999: 6 % of people flush 10 L an hour between midnight and 4; UK: 1.7 L an hour and home.
    litres = _litres(3000, 300.0, 6 * HOUR, persons=2.3)

    assert litres[36:].sum() / 3000 / 3.0 / 2.3 == pytest.approx(0.6, abs=0.15)


def test_nights_use_a_tenth_of_days() -> None:
    litres = _litres(1000, 900.0, DAY).sum(axis=1)

    assert litres[12:20].mean() / litres.mean() == pytest.approx(0.11, abs=0.04)


def test_every_healthy_home_rests_for_an_hour_each_night() -> None:
    hourly = _litres(500, 3600.0, 2 * WEEK)

    nights = hourly.reshape(14, 24, -1)[:, :7]
    assert (nights == 0.0).any(axis=1).all()


def test_homes_are_away_for_some_weeks_of_the_year_and_use_as_much_in_it() -> None:
    litres = _litres(300, 3600.0, 52 * WEEK, MONDAY + 5 * DAY, persons=2.0, weeks_away=4.0)

    weeks = litres.reshape(52, -1, 300).sum(axis=1)
    assert (weeks == 0.0).mean() == pytest.approx(4.0 / 52.0, rel=0.1)
    assert litres.sum() / 300 / 364 / 2.0 == pytest.approx(120.0, rel=0.02)


@pytest.mark.parametrize("expected", [0.01, 0.4, 4.0])
def test_draws_come_as_a_poisson_process(expected: float) -> None:
    luck = World(seed=1).chance([f"m{number}" for number in range(20_000)]).uniform("draws")

    rounds = Beginning(1, 300.0, np.arange(20_000), luck, np.full(20_000, expected)).rounds()

    counts = np.bincount(np.concatenate(rounds), minlength=20_000)
    assert counts.mean() == pytest.approx(expected, rel=0.1)
    assert counts.var() == pytest.approx(expected, rel=0.1)


def test_larger_homes_use_more() -> None:
    assert _litres(200, 3600.0, WEEK, persons=5.0).sum() > 4.0 * _litres(200, 3600.0, WEEK, persons=1.0).sum()


def test_homes_have_the_persons_of_dutch_homes() -> None:
    devices = [device(f"m{number}", "water_meter", "north") for number in range(4000)]

    persons = Households(devices, [MeterSettings()] * 4000, World(seed=1)).persons

    assert persons.mean() == pytest.approx(2.29, abs=0.07)
    assert (persons == 1.0).mean() == pytest.approx(0.34, abs=0.03)


def test_a_draw_runs_on_over_short_steps_with_one_flow() -> None:
    played = homes(300, persons=5.0)
    longest = 0
    for moment in run(played, 1.0, 10 * 60_000, MONDAY + 8 * HOUR):
        running = told(played.meters, moment)["flow_rate"] > 0.0
        longest = max(longest, int(running.sum()))
    assert longest > 5


def test_a_demonstration_s_taps_close_within_a_minute() -> None:
    litres = _litres(50, 5.0, 6 * HOUR, MONDAY + 6 * HOUR, longest_draw_seconds=40.0, persons=4.0)

    run_lengths = np.zeros(50)
    longest = 0.0
    for step in litres:
        run_lengths = np.where(step > 0.0, run_lengths + 5.0, 0.0)
        longest = max(longest, float(run_lengths.max()))
    assert litres.sum() > 0.0
    assert longest < 60.0


def test_the_flow_at_the_end_of_a_step_is_what_the_next_second_counts() -> None:
    played = homes(200, persons=5.0)
    moments = list(run(played, 300.0, 2 * HOUR, MONDAY + 8 * HOUR))
    flow = told(played.meters, moments[-1])["flow_rate"] / 3600.0
    before = played.meters.registers.litres.copy()

    list(run(played, 1.0, 1000, MONDAY + 10 * HOUR))

    counted = played.meters.registers.litres - before
    assert flow.sum() > 0.0
    assert (counted[flow > 0.01] > 0.0).all()

import numpy as np
import pytest

from simulators.systems.water.draws import DRAWS, END_USES, EndUse, table_of


def test_people_use_what_vewin_counted_in_dutch_homes() -> None:
    # Source: Vewin 2010, 120 L a person and day, which Blokker et al. 2010 reproduce.
    assert pytest.approx(120.0, rel=0.03) == DRAWS.litres_per_person_day


def test_a_toilet_is_used_six_times_a_day_and_takes_six_litres() -> None:
    toilets = [use for use in END_USES if use.name.startswith("toilet")]

    flushes = sum(use.per_person_day for use in toilets)
    litres = sum(use.per_person_day * use.seconds * use.low for use in toilets)

    assert flushes == pytest.approx(5.9, rel=0.01)
    assert litres / flushes == pytest.approx(6.3, abs=0.3)


@pytest.mark.parametrize(
    ("spread", "seconds", "deviation"),
    [("fixed", 60.0, 0.0), ("lognormal", 40.0, 1.3 * 40.0), ("chi-square", 528.0, 60.0 * (2 * 8.8) ** 0.5)],
)
def test_durations_have_the_published_mean_and_spread(spread: str, seconds: float, deviation: float) -> None:
    use = EndUse(name="any", per_person_day=1.0, seconds=seconds, low=0.1, high=0.1, spread=spread)

    drawn = table_of([use]).seconds

    assert drawn.mean() == pytest.approx(seconds, rel=0.02)
    assert drawn.std() == pytest.approx(deviation, rel=0.12)
    assert drawn.min() > 0.0


def test_flow_and_duration_of_taps_are_independent() -> None:
    use = EndUse(name="tap", per_person_day=1.0, seconds=30.0, low=0.0, high=0.2, spread="lognormal")

    table = table_of([use])

    assert abs(np.corrcoef(table.seconds, table.litres_per_second)[0, 1]) < 0.02
    assert table.litres_per_second.mean() == pytest.approx(0.1, rel=0.01)


def test_each_end_use_has_its_share_of_the_table() -> None:
    showers = np.sum((DRAWS.litres_per_second > 0.12) & (DRAWS.seconds > 200.0))

    assert showers / DRAWS.seconds.size == pytest.approx(0.72 / DRAWS.per_person_day, rel=0.15)

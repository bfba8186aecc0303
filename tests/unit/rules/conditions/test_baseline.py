"""Own baseline: what is learnt, what is told, and what is not."""

import json
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from rules.conditions.baseline import BaselineCondition, BaselineState, compile_baseline
from rules.conditions.span import Reading, Span
from rules.instants import to_span
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.usual import Baseline, Season, Side

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def noise(count: int, level: float = 10.0, width: float = 1.0, seed: int = 1) -> list[float]:
    draw = np.random.default_rng(seed)
    return [level + float(draw.uniform(-width, width)) for _ in range(count)]


def plain(**changes: object) -> Baseline:
    """Learn a day of readings every ten minutes."""
    fields: dict[str, object] = {"metric": "m", "window": _DAY, "learn_for": _DAY / 2, **changes}
    return Baseline(**fields)  # pyright: ignore[reportArgumentType]


def folded(
    baseline: Baseline, values: Sequence[float | None], hold_for: int = 0, every: float = 10
) -> tuple[BaselineCondition, BaselineState, list[Span]]:
    """Fold a reading every ten minutes; None: it is missing."""
    condition = compile_baseline(baseline, to_span(timedelta(minutes=hold_for)))
    state = condition.initial(truncated=False)
    spans: list[Span] = []
    for number, value in enumerate(values):
        if value is not None:
            state, span = condition.step(state, Reading(minute(number * every), value))
            spans += [span] if span and span.counts else []
    last = condition.open_span(state, minute(len(values) * every))
    return condition, state, [*spans, *([last] if last and last.reached_at else [])]


def numbers(spans: Sequence[Span]) -> list[tuple[float, float | None]]:
    """Give the numbers of the readings that opened and ended spans."""
    step, zero = minute(10) - minute(0), minute(0)
    return [
        ((span.opened_at - zero) / step, None if span.ended_at is None else (span.ended_at - zero) / step)
        for span in spans
    ]


def test_a_value_far_from_the_usual_opens_and_one_that_is_back_ends() -> None:
    _, _, spans = folded(plain(), [*noise(200), 25.0, 26.0, 24.0, *noise(20, seed=2)])
    assert numbers(spans) == [(200, 203)]
    assert spans[0].value == pytest.approx(16, abs=1)
    assert [at for at, _ in spans[0].evidence] == [minute(2000), minute(2010), minute(2030)]


def test_nothing_is_told_before_enough_is_learnt() -> None:
    assert folded(plain(), [*noise(60), 99.0, *noise(5)])[2] == []
    assert len(folded(plain(), [*noise(120), 99.0, *noise(5)])[2]) == 1


@pytest.mark.parametrize(("side", "found"), [(Side.ABOVE, [100]), (Side.BELOW, [110]), (Side.BOTH, [100, 110])])
def test_a_side_is_told_alone(side: Side, found: list[int]) -> None:
    values = [*noise(100), 20.0, *noise(9, seed=2), 0.0, *noise(9, seed=3)]
    assert [opened for opened, _ in numbers(folded(plain(side=side), values)[2])] == found


def test_a_minimum_keeps_a_flat_night_from_firing_on_nothing() -> None:
    values = [*[5.0] * 200, 5.1, *[5.0] * 10]
    assert len(folded(plain(), values)[2]) == 1
    assert folded(plain(min_deviation=0.5), values)[2] == []


def test_a_step_of_a_coarse_sensor_is_usual_where_it_steps_back_and_forth() -> None:
    draw = np.random.default_rng(3)
    values = [float(draw.random() < 0.02) for _ in range(400)]
    assert folded(plain(), values)[2] == []


def test_a_spike_that_comes_every_day_is_usual() -> None:
    values = noise(1440)
    for spike in range(20, 1440, 12):
        values[spike] = 30.0
    assert folded(plain(), values)[2] == []


def test_an_anomaly_does_not_become_usual_until_it_has_lasted_long() -> None:
    shifted = [*noise(200), *noise(1200, level=20, seed=2)]
    assert numbers(folded(plain(relearn_after=3650 * _DAY), shifted)[2]) == [(200, None)]
    relearnt = numbers(folded(plain(relearn_after=2 * _DAY), shifted)[2])
    assert relearnt == [(200, 488)]


def test_hold_for_is_reached_by_a_reading_and_short_ones_do_not_count() -> None:
    values = [*noise(200), 25.0, 25.0, 10.0, *noise(20), 25.0, 25.0, 25.0, 25.0, 10.0]
    _, _, spans = folded(plain(), values, hold_for=30)
    assert numbers(spans) == [(223, 227)]
    assert spans[0].reached_at == minute(2260)


def test_a_gap_breaks_what_has_not_lasted_yet_and_nothing_else() -> None:
    values = [*noise(200), 25.0, *[None] * 12, 25.0, 25.0]
    assert folded(plain(max_gap=_HOUR), values, hold_for=30)[2] == []
    assert numbers(folded(plain(max_gap=_HOUR), values)[2]) == [(200, None)]


def test_readings_taken_together_do_not_tell_a_single_outlier() -> None:
    values = [*noise(200), 25.0, *noise(20, seed=2), *noise(12, level=14, seed=3)]
    assert folded(plain(), [*noise(200), 25.0, *noise(5)])[2] != []
    spans = numbers(folded(plain(over=timedelta(minutes=50)), values)[2])
    assert [221 < opened < 227 for opened, _ in spans] == [True]


def by_hour(hour: int) -> float:
    return 20.0 if 6 <= hour < 22 else 5.0


def seasonal(days: int, seed: int = 4) -> list[float]:
    draw = np.random.default_rng(seed)
    return [by_hour(number // 6 % 24) + float(draw.uniform(-1, 1)) for number in range(days * 144)]


def test_by_the_hour_of_day_a_value_of_the_day_is_unusual_at_night() -> None:
    values = seasonal(10)
    night = 9 * 144 + 2 * 6
    values[night : night + 3] = [15.0] * 3
    assert folded(plain(window=timedelta(days=7), learn_for=timedelta(days=3)), values)[2] == []
    daily = Baseline(metric="m", season=Season.HOUR_OF_DAY)
    assert numbers(folded(daily, values)[2]) == [(night, night + 3)]


def test_hours_are_those_of_the_clock_on_the_wall() -> None:
    """The clock of London goes forward in the night to 29 March 2026; what is done by the clock moves with it."""
    utc = seasonal(50)
    change = 28 * 144 + 6
    wall = [*utc[:change], *utc[change + 6 :]]
    london = Baseline(metric="m", season=Season.HOUR_OF_DAY, time_zone="Europe/London")
    assert folded(london, wall)[2] == []
    assert folded(Baseline(metric="m", season=Season.HOUR_OF_DAY), wall)[2] != []


def test_by_the_hour_of_week_a_quiet_monday_is_no_sunday() -> None:
    days = [
        [2.0 + value / 100 for value in noise(144, seed=day)] if day % 7 in (5, 6) else noise(144, 20, seed=day)
        for day in range(35)
    ]
    days[30] = [2.0] * 144
    values = [value for day in days for value in day]
    weekly = Baseline(metric="m", season=Season.HOUR_OF_WEEK)
    spans = numbers(folded(weekly, values)[2])
    assert spans[0][0] == 30 * 144
    assert all(30 * 144 <= opened <= 31 * 144 for opened, _ in spans)


def test_what_is_pulled_in_keeps_a_season_through_a_bad_week() -> None:
    values = seasonal(24)
    values[14 * 144 : 16 * 144] = [80.0] * 288
    spans = numbers(folded(Baseline(metric="m", season=Season.HOUR_OF_DAY), values)[2])
    assert spans == [(14 * 144, 16 * 144)]


@pytest.mark.parametrize("season", Season)
def test_a_state_is_small_and_comes_back_from_json(season: Season) -> None:
    baseline = Baseline(metric="m", season=season, over=timedelta(minutes=30))
    condition, state, _ = folded(baseline, [*seasonal(30), 90.0])
    text = json.dumps(state)
    assert len(text) < 14_000
    assert condition.load(json.loads(text)) == state

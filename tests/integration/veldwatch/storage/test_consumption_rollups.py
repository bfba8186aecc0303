"""What registers counted, hour by hour, is kept up on every edition, whatever comes late and whatever changes."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.veldwatch.storage.telemetry import Row, make_series, write
from veldwatch.model.consumption import Code
from veldwatch.model.identifiers import SeriesId
from veldwatch.model.register import Device, Profile, ProfileMetric
from veldwatch.model.telemetry import Quality
from veldwatch.storage import corrections, maintenance, register, retention
from veldwatch.storage.connection import Connection
from veldwatch.storage.consumption_rollups import ConsumptionPass, judge_new
from veldwatch.storage.corrections import Grounds, SeriesName
from veldwatch.storage.retention import Policy, What

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_counter(connection: Connection, external_id: str = "meter", modulus: float | None = None) -> SeriesId:
    series = make_series(connection, external_id)
    connection.execute("UPDATE series SET kind = 'counter', register_modulus = %s WHERE id = %s", (modulus, series))
    connection.commit()
    return series


def hours(connection: Connection, view: str = "consumption_hourly") -> list[tuple[Any, ...]]:
    rows = connection.execute(f"SELECT bucket, amount, excess, codes FROM {view} ORDER BY bucket".encode()).fetchall()
    connection.commit()
    return [((bucket - START) / HOUR, amount, excess, codes) for bucket, amount, excess, codes in rows]


def hourly(*values: float, since: datetime = START) -> list[Row]:
    return [(since + number * HOUR, value) for number, value in enumerate(values)]


def messy(count: int, seed: int) -> list[Row]:
    """Make a register of half-hourly readings that steps back, strays, restarts and pauses."""
    chance = random.Random(seed)  # noqa: S311  # the same each time
    at, level, rows = START, 500.0, list[Row]()
    for _ in range(count):
        at += timedelta(minutes=chance.choice([30, 30, 30, 30, 7, 400]))
        level = round(level + chance.choice([0, 0.1, 0.2, 1.5]), 3)
        shown = level
        match chance.randrange(40):
            case 0:
                shown = round(level - 0.05, 3)
            case 1:
                shown = 0.0
            case 2:
                shown = round(level * 3, 3)
            case 3:
                level = shown = 0.2
            case _:
                pass
        rows.append((at, shown))
    return rows


def test_an_hour_holds_what_was_counted_in_it(connection: Connection) -> None:
    series = make_counter(connection, modulus=1e5)
    write(connection, series, hourly(99998.5, 99999.5, 0.5, 1.5))
    maintenance.run_once(connection, START)
    assert hours(connection) == [(0, 1.0, 0, 0), (1, 1.0, 0, Code.ROLLOVER), (2, 1.0, 0, 0)]
    assert hours(connection, "consumption_daily") == [(0, 3.0, 0, Code.ROLLOVER)]


def test_a_gauge_has_none(connection: Connection) -> None:
    write(connection, make_series(connection), hourly(1.0, 2.0))
    maintenance.run_once(connection, START)
    assert hours(connection) == []


def test_a_late_reading_changes_the_hours_around_it_and_not_the_total(connection: Connection) -> None:
    series = make_counter(connection)
    write(connection, series, [*hourly(10.0, 11.0), (START + 3 * HOUR, 17.0)])
    maintenance.run_once(connection, START)
    shared = Code.ESTIMATED
    assert hours(connection) == [(0, 1.0, 0, 0), (1, 3.0, 0, shared), (2, 3.0, 0, shared)]
    write(connection, series, [(START + 2 * HOUR, 11.5)])
    maintenance.run_once(connection, START)
    assert hours(connection) == [(0, 1.0, 0, 0), (1, 0.5, 0, 0), (2, 5.5, 0, 0)]


def test_an_implausible_reading_is_passed_over(connection: Connection) -> None:
    series = make_counter(connection)
    write(connection, series, hourly(10.0, 11.0))
    write(connection, series, [(START + 2 * HOUR, 65535.0)], quality=Quality.IMPLAUSIBLE)
    write(connection, series, [(START + 3 * HOUR, 13.0)])
    maintenance.run_once(connection, START)
    assert sum(amount for _, amount, *_ in hours(connection)) == 3.0


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("order", ["in order", "newest first", "at random", "one late"])
def test_any_order_of_arrival_gives_the_same_hours(connection: Connection, seed: int, order: str) -> None:
    rows = messy(300, seed)
    once = make_counter(connection, "once")
    write(connection, once, rows)
    maintenance.run_once(connection, START)
    expected = hours(connection)
    connection.execute("DELETE FROM consumption_hourly_rollup")
    series = make_counter(connection, "again")
    parts = [rows[start : start + 25] for start in range(0, len(rows), 25)]
    match order:
        case "newest first":
            parts.reverse()
        case "at random":
            random.Random(seed).shuffle(parts)  # noqa: S311  # the same each time
        case "one late":
            parts = [rows[:100] + rows[101:], rows[100:101]]
        case _:
            pass
    for part in parts:
        write(connection, series, part)
        maintenance.run_once(connection, START)
    assert hours(connection) == expected


def test_what_becomes_known_of_a_register_is_judged_into_its_whole_history(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, hourly(98.0, 99.0, 1.0, 51.0))
    maintenance.run_once(connection, START)
    assert hours(connection) == []
    metric = ProfileMetric(metric="volume", unit="m3", kind="counter", register_modulus=100.0)
    profile = Profile(slug="meter", name="Meter", kind="meter", metrics=(metric,))
    organisation = register.ensure_organisation(connection, "kasama")
    device = Device(
        organisation_id=organisation,
        external_id="meter",
        source="veldwatch",
        profile_id=register.ensure_profile(connection, profile),
    )
    register.ensure_device(connection, device)
    connection.commit()
    maintenance.run_once(connection, START)
    assert hours(connection) == [(0, 1.0, 0, 0), (1, 2.0, 0, Code.ROLLOVER), (2, 50.0, 0, 0)]
    faster = ProfileMetric(
        metric="volume", unit="m3", kind="counter", register_modulus=100.0, resolution=0.001, maximum_per_hour=5.0
    )
    register.ensure_profile(connection, Profile(slug="meter", name="Meter", kind="meter", metrics=(faster,)))
    connection.commit()
    maintenance.run_once(connection, START)
    assert hours(connection)[2] == (2, 0.0, 50.0, Code.IMPLAUSIBLE)


def test_a_pass_judges_only_what_the_log_touched_since(connection: Connection) -> None:
    first, second = make_counter(connection), make_counter(connection, "other")
    write(connection, first, hourly(1.0, 2.0))
    write(connection, second, hourly(1.0, 2.0, 3.0))
    assert judge_new(connection) == ConsumptionPass(batches=2, due=2, hours=3)
    assert judge_new(connection) == ConsumptionPass()
    write(connection, second, [(START + 3 * HOUR, 4.0)])
    assert judge_new(connection).batches == 1


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_consumption_outlives_the_readings_that_retention_dropped(connection: Connection) -> None:
    series = make_counter(connection)
    then, now = datetime(2025, 2, 10, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)
    write(connection, series, hourly(1.0, 2.0, 4.0, since=then))
    write(connection, series, hourly(*range(100, 150), since=now))
    maintenance.run_once(connection, now, retention_days=365)
    kept = hours(connection)
    assert connection.execute("SELECT min(value) FROM reading").fetchone() == (100.0,)
    assert sum(amount for _, amount, *_ in kept) == pytest.approx(148.0)
    # All is judged again, from what is left.
    connection.execute("UPDATE series SET register_modulus = 1e5")
    connection.commit()
    maintenance.run_once(connection, now)
    assert hours(connection) == kept


def test_a_reading_that_comes_late_for_dropped_time_invents_no_consumption(connection: Connection) -> None:
    series, now = make_counter(connection), START + timedelta(days=100)
    write(connection, series, hourly(*range(100, 130)))
    write(connection, series, hourly(*range(230, 260), since=START + 39 * HOUR))
    write(connection, series, hourly(*range(300, 340), since=now - 40 * HOUR))
    maintenance.run_once(connection, now, retention_days=30)
    assert connection.execute("SELECT min(value) FROM reading").fetchone() == (300.0,)
    kept = hours(connection)
    write(connection, series, [(START + 34 * HOUR, 225.0)])
    maintenance.run_once(connection, now)
    assert hours(connection) == kept
    connection.execute("UPDATE series SET register_modulus = 1e5")
    connection.commit()
    maintenance.run_once(connection, now)
    assert hours(connection) == kept


def test_a_history_that_is_loaded_for_time_that_was_dropped_of_others_is_judged(connection: Connection) -> None:
    other, now = make_series(connection, "other"), START + timedelta(days=100)
    write(connection, other, hourly(1.0))
    maintenance.run_once(connection, now, retention_days=30)
    assert connection.execute("SELECT count(*) FROM retention_mark WHERE source_id = 0").fetchone() != (0,)
    series = make_counter(connection)
    for part in range(3):
        write(connection, series, hourly(*range(part * 40, part * 40 + 40), since=START + part * 40 * HOUR))
        maintenance.run_once(connection, now)
    assert sum(amount for _, amount, *_ in hours(connection)) == 119


def _days_without_hours(connection: Connection, rows: list[Row]) -> tuple[SeriesId, datetime]:
    """Judge readings and others of 100 days later, and let retention drop the hours of the first ones."""
    series, now = make_counter(connection), START + timedelta(days=100)
    write(connection, series, rows)
    write(connection, series, hourly(*range(1000, 1040), since=now - 40 * HOUR))
    maintenance.run_once(connection, now)
    policy = Policy(what=What.HOURLY, kept_days=30)
    retention.set_policy(connection, None, policy, author="tests", reason="a test")
    connection.commit()
    maintenance.run_once(connection, now)
    assert hours(connection)[0][0] > 24 * 30
    return series, now


def test_a_correction_reaches_days_whose_hours_went_before_their_readings(connection: Connection) -> None:
    series, now = _days_without_hours(connection, hourly(*range(72)))
    before = hours(connection, "consumption_daily")
    found = corrections.find_series(connection, None, SeriesName(series_id=series))
    by = Grounds(author="eve", method="manual", reason="read from a photograph")
    corrections.add_corrections(connection, found, {START + 24 * HOUR: 24.5}, by, now)
    connection.commit()
    maintenance.run_once(connection, now)
    after = hours(connection, "consumption_daily")
    assert [amount for _, amount, *_ in after[:2]] == [24.5, 23.5]
    assert after[2:] == before[2:]
    corrections.withdraw_corrections(connection, found, [START + 24 * HOUR], by)
    connection.commit()
    maintenance.run_once(connection, now)
    assert hours(connection, "consumption_daily") == before


def test_what_comes_late_for_a_day_whose_hours_went_leaves_none_of_it_out(connection: Connection) -> None:
    day = timedelta(days=1)
    series, now = _days_without_hours(connection, [(START + 6 * HOUR + n * day, 24.0 * n) for n in range(6)])
    before = hours(connection, "consumption_daily")
    assert [amount for _, amount, *_ in before[:5]] == [18, 24, 24, 24, 24]
    write(connection, series, [(START + 2 * day + hour * HOUR, 42.0 + hour) for hour in range(12, 20)])
    maintenance.run_once(connection, now)
    assert hours(connection, "consumption_daily") == before


def test_days_of_which_hours_and_readings_went_stay(connection: Connection) -> None:
    series, now = _days_without_hours(connection, [(START + n * 6 * HOUR, 6.0 * n) for n in range(12)])
    maintenance.run_once(connection, now, retention_days=30)
    assert connection.execute("SELECT min(value) FROM reading").fetchone() == (1000.0,)
    before = hours(connection, "consumption_daily")
    write(connection, series, [(START + 26 * HOUR + n * HOUR / 4, 26.0 + n) for n in range(40)])
    write(connection, series, [(START + 90 * HOUR, 900.0)])
    maintenance.run_once(connection, now)
    assert hours(connection, "consumption_daily") == before


def test_a_day_to_which_the_step_was_dropped_keeps_its_share_of_it(connection: Connection) -> None:
    day = timedelta(days=1)
    _, now = _days_without_hours(connection, [(START + 6 * HOUR + n * day, 24.0 * n) for n in range(60)])
    put = Policy(what=What.READING, metric="volume", kept_days=60)
    retention.set_policy(connection, None, put, author="tests", reason="a test")
    connection.commit()
    maintenance.run_once(connection, now)
    [(first,)] = connection.execute("SELECT min(value) FROM reading").fetchall()
    assert 0 < first < 24 * 50
    before = hours(connection, "consumption_daily")
    # All is judged again, from what is left.
    connection.execute("UPDATE series SET register_modulus = 1e5")
    connection.commit()
    maintenance.run_once(connection, now)
    assert hours(connection, "consumption_daily") == before


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_an_hour_to_which_the_step_was_dropped_keeps_it(connection: Connection) -> None:
    series, now = make_counter(connection), START + timedelta(days=62)
    write(connection, series, hourly(*range(24 * 62), since=START + HOUR / 2))
    maintenance.run_once(connection, now)
    policy = Policy(what=What.HOURLY, kept_days=30)
    retention.set_policy(connection, None, policy, author="tests", reason="a test")
    connection.commit()
    maintenance.run_once(connection, now, retention_days=30)
    marks = connection.execute("SELECT what, dropped_before FROM retention_mark ORDER BY what").fetchall()
    assert marks == [(what, datetime(2026, 4, 1, tzinfo=UTC)) for what in ("hourly", "reading")]
    before = hours(connection), hours(connection, "consumption_daily")
    write(connection, series, [(START + timedelta(days=10), 250.0)])
    maintenance.run_once(connection, now)
    assert (hours(connection), hours(connection, "consumption_daily")) == before


def test_what_a_meter_whose_clock_was_not_set_said_makes_no_hours_until_now(connection: Connection) -> None:
    series = make_counter(connection)
    write(connection, series, [(START + HOUR / 2, 110.0), *hourly(111.0, 113.0, since=START + HOUR)])
    maintenance.run_once(connection, START)
    write(connection, series, hourly(100.0, 101.0, since=datetime(2000, 1, 1, tzinfo=UTC)))
    maintenance.run_once(connection, START)
    # 9 were counted at a time that nobody knows: kept apart, in the hour of the reading that told of it.
    [(_, *known), *rest] = hours(connection)
    assert known == [1, 0, 0]
    assert rest == [(0, 1, 9, Code.GAP | Code.ESTIMATED), (1, 2, 0, 0)]
    days = hours(connection, "consumption_daily")
    assert [(amount, excess) for _, amount, excess, _ in days] == [(1, 0), (3, 9)]
    # What says when it ran shares it out.
    write(connection, series, [(START - timedelta(days=1), 109.0)])
    maintenance.run_once(connection, START)
    assert sum(amount for at, amount, *_ in hours(connection) if at > -25) == pytest.approx(4)
    assert sum(excess for _, _, excess, _ in hours(connection)) == 8


def test_a_meter_that_is_read_once_a_year_is_shared_out(connection: Connection) -> None:
    series = make_counter(connection)
    write(connection, series, [(START, 1.0), (START + timedelta(days=365), 366.0)])
    maintenance.run_once(connection, START)
    found = hours(connection, "consumption_daily")
    assert [(round(amount, 5), excess) for _, amount, excess, _ in found] == [(1, 0)] * 365

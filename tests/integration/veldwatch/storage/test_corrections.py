"""A correction stands beside what was said, counts in its place, and reaches every figure made of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.errors import NotFound, RequestInvalid
from veldwatch.model.telemetry import Quality
from veldwatch.storage import corrections, maintenance, retention, rollups
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.corrections import BEGINNING, Grounds, SeriesName
from veldwatch.storage.retention import Policy, What

BEGIN = datetime(2025, 3, 3, 9, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BY = Grounds(author="eve", method="manual", reason="read from a photograph")

plain = pytest.mark.parametrize("server_kind", ["plain"], indirect=True)


def _series(connection: Connection, values: list[float], *, kind: str = "gauge") -> Any:  # noqa: ANN401
    number = make_series(connection)
    connection.execute("UPDATE series SET kind = %s WHERE id = %s", (kind, number))
    connection.commit()
    write(connection, number, [(BEGIN + n * HOUR, value) for n, value in enumerate(values)])
    maintenance.run_once(connection, NOW)
    return corrections.find_series(connection, None, SeriesName(series_id=number))


def _correct(connection: Connection, series: Any, values: dict[datetime, float]) -> int:  # noqa: ANN401
    count = corrections.add_corrections(connection, series, values, BY, NOW)
    connection.commit()
    maintenance.run_once(connection, NOW)
    return count


def _hours(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute("SELECT count, minimum, maximum, last FROM reading_hourly ORDER BY bucket").fetchall()


def test_hours_and_days_hold_the_corrected_value_and_the_raw_one_stays(connection: Connection) -> None:
    series = _series(connection, [1.0, 900.0, 3.0])
    assert _correct(connection, series, {BEGIN + HOUR: 2.0}) == 1
    assert _hours(connection) == [(1, 1, 1, 1), (1, 2, 2, 2), (1, 3, 3, 3)]
    assert connection.execute("SELECT count, maximum, average FROM reading_daily").fetchall() == [(3, 3, 2)]
    assert connection.execute("SELECT max(value) FROM reading").fetchone() == (900,)
    rows = connection.execute(
        "SELECT value, raw_value, is_corrected, author FROM reading_validated ORDER BY observed_at"
    ).fetchall()
    assert rows == [(1, 1, False, None), (2, 900, True, "eve"), (3, 3, False, None)]


def test_an_estimate_fills_a_gap_and_an_implausible_reading_counts_once_corrected(connection: Connection) -> None:
    series = _series(connection, [1.0, 3.0])
    write(connection, series["id"], [(BEGIN + 2 * HOUR, -32768.0)], quality=Quality.IMPLAUSIBLE)
    _correct(connection, series, {BEGIN + 2 * HOUR: 4.0, BEGIN + timedelta(days=40): 5.0})
    assert [row[3] for row in _hours(connection)] == [1, 3, 4, 5]


def test_withdrawing_lets_the_raw_value_count_again_and_an_estimate_go(connection: Connection) -> None:
    series = _series(connection, [1.0, 900.0])
    before = _hours(connection)
    times = {BEGIN + HOUR: 2.0, BEGIN + 5 * HOUR: 7.0}
    _correct(connection, series, times)
    assert len(_hours(connection)) == 3
    assert corrections.withdraw_corrections(connection, series, list(times), BY) == 2
    maintenance.run_once(connection, NOW)
    assert _hours(connection) == before
    with pytest.raises(NotFound):
        corrections.withdraw_corrections(connection, series, [BEGIN], BY)


def test_what_comes_late_into_a_corrected_hour_leaves_it_corrected(connection: Connection) -> None:
    series = _series(connection, [900.0])
    _correct(connection, series, {BEGIN: 2.0})
    write(connection, series["id"], [(BEGIN + timedelta(minutes=10), 4.0)])
    maintenance.run_once(connection, NOW)
    assert _hours(connection) == [(2, 2, 4, 4)]


def test_what_comes_late_into_a_dropped_hour_changes_no_figure_where_another_hour_is_corrected(
    connection: Connection,
) -> None:
    series = _series(connection, [10.0, 10.0])
    yesterday = NOW - timedelta(days=1)
    write(connection, series["id"], [(yesterday, 1.0)])
    _correct(connection, series, {yesterday: 2.0})
    maintenance.run_once(connection, NOW, retention_days=90)
    assert connection.execute("SELECT count(*) FROM reading").fetchone() == (1,)
    write(connection, series["id"], [(BEGIN + timedelta(minutes=10), 99.0)])
    maintenance.run_once(connection, NOW)
    assert _hours(connection) == [(1, 10, 10, 10), (1, 10, 10, 10), (1, 2, 2, 2)]
    _correct(connection, series, {BEGIN + HOUR: 11.0})
    assert _hours(connection) == [(1, 10, 10, 10), (1, 11, 11, 11), (1, 2, 2, 2)]


def test_consumption_is_judged_by_the_corrected_register(connection: Connection) -> None:
    series = _series(connection, [float(n) for n in range(20)], kind="counter")
    wrong = [float(n) for n in range(20)]
    wrong[10] = 500.0
    total = "SELECT sum(amount) FROM consumption_daily"
    assert connection.execute(total).fetchone() == (19,)
    _correct(connection, series, {BEGIN + 25 * HOUR: 30.0})
    assert connection.execute(total).fetchone() == (30,)


def _consumed(connection: Connection) -> list[list[tuple[Any, ...]]]:
    return [
        connection.execute(f"SELECT bucket, amount, readings FROM {view} ORDER BY 1".encode()).fetchall()
        for view in ("consumption_hourly", "consumption_daily")
    ]


@pytest.mark.parametrize("at", [25 * HOUR, -30 * HOUR, 19 * HOUR + timedelta(minutes=30)])
def test_an_estimate_beyond_what_the_register_said_goes_with_its_hours(connection: Connection, at: timedelta) -> None:
    series = _series(connection, [float(n) for n in range(20)], kind="counter")
    before = _consumed(connection)
    _correct(connection, series, {BEGIN + at: float(at / HOUR)})
    assert _consumed(connection) != before
    corrections.withdraw_corrections(connection, series, [BEGIN + at], BY)
    connection.commit()
    maintenance.run_once(connection, NOW)
    assert _consumed(connection) == before


def test_a_register_that_said_but_one_thing_has_no_hours_after_an_estimate_is_withdrawn(connection: Connection) -> None:
    series = _series(connection, [1.0], kind="counter")
    assert _consumed(connection) == [[], []]
    _correct(connection, series, {BEGIN + 3 * HOUR: 4.0})
    assert len(_consumed(connection)[0]) == 3
    corrections.withdraw_corrections(connection, series, [BEGIN + 3 * HOUR], BY)
    connection.commit()
    maintenance.run_once(connection, NOW)
    assert _consumed(connection) == [[], []]


def test_hours_of_readings_that_retention_dropped_outlive_a_withdrawal(connection: Connection) -> None:
    series = _series(connection, [float(n) for n in range(20)], kind="counter")
    late = NOW - timedelta(days=1)
    write(connection, series["id"], [(late + n * HOUR, 20.0 + n) for n in range(4)])
    maintenance.run_once(connection, NOW, retention_days=90)
    assert connection.execute("SELECT count(*) FROM reading").fetchone() == (4,)
    before = _consumed(connection)
    _correct(connection, series, {late + 9 * HOUR: 30.0})
    corrections.withdraw_corrections(connection, series, [late + 9 * HOUR], BY)
    connection.commit()
    maintenance.run_once(connection, NOW)
    assert _consumed(connection) == before


def test_a_withdrawal_counts_in_time_that_was_dropped_of_others(connection: Connection) -> None:
    other = make_series(connection, "other")
    write(connection, other, [(BEGIN, 1.0)])
    maintenance.run_once(connection, NOW, retention_days=90)
    assert (0,) in connection.execute("SELECT source_id FROM retention_mark").fetchall()
    connection.execute("DELETE FROM reading_hourly_rollup")
    series = _series(connection, [1.0, 900.0])
    before = _hours(connection)
    _correct(connection, series, {BEGIN + HOUR: 2.0})
    assert _hours(connection) == [(1, 1, 1, 1), (1, 2, 2, 2)]
    corrections.withdraw_corrections(connection, series, [BEGIN + HOUR], BY)
    connection.commit()
    maintenance.run_once(connection, NOW)
    assert _hours(connection) == before


def test_a_day_of_an_estimate_alone_goes_with_it_also_when_its_hours_went_before(connection: Connection) -> None:
    series = _series(connection, [1.0])
    write(connection, series["id"], [(NOW, 1.0)])
    maintenance.run_once(connection, NOW)
    days = "SELECT bucket, count FROM reading_daily ORDER BY bucket"
    before = connection.execute(days).fetchall()
    estimated = BEGIN + timedelta(days=3)
    _correct(connection, series, {estimated: 7.0})
    policy = Policy(what=What.HOURLY, kept_days=8)
    retention.set_policy(connection, None, policy, author="tests", reason="a test")
    connection.commit()
    maintenance.run_once(connection, NOW)
    assert len(_hours(connection)) == 1
    assert len(connection.execute(days).fetchall()) == 3
    corrections.withdraw_corrections(connection, series, [estimated], BY)
    connection.commit()
    maintenance.run_once(connection, NOW)
    assert connection.execute(days).fetchall() == before


@plain
def test_maintenance_between_a_correction_and_its_commit_does_not_lose_it(connection: Connection, dsn: str) -> None:
    series = _series(connection, [1.0])
    corrections.add_corrections(connection, series, {BEGIN: 5.0}, BY, NOW)
    connection.commit()
    with connect(dsn) as other, other.transaction():
        corrections.add_corrections(other, series, {BEGIN: 7.0}, BY, NOW)
        rollups.roll_up(connection)
        connection.commit()
    maintenance.run_once(connection, NOW)
    assert _hours(connection) == [(1, 7, 7, 7)]


@plain
@pytest.mark.parametrize("withdraws", [False, True])
def test_who_corrects_what_somebody_else_corrects_just_now_has_the_last_word(
    connection: Connection, dsn: str, *, withdraws: bool
) -> None:
    series = _series(connection, [1.0])
    corrections.add_corrections(connection, series, {BEGIN: 5.0}, BY, NOW)
    connection.commit()

    def say_last() -> int:
        with connect(dsn) as second:
            if withdraws:
                return corrections.withdraw_corrections(second, series, [BEGIN], BY)
            return corrections.add_corrections(second, series, {BEGIN: 8.0}, BY, NOW)

    with ThreadPoolExecutor() as threads:
        with connect(dsn) as first, first.transaction():
            corrections.add_corrections(first, series, {BEGIN: 7.0}, BY, NOW)
            last = threads.submit(say_last)
            while connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
                connection.commit()
        assert last.result() == 1
    found = corrections.list_corrections(connection, None, series["id"], BEGINNING, 10)
    assert [(row["value"], row["counts"]) for row in found] == (
        [(5, False), (7, False), (7, False)] if withdraws else [(5, False), (7, False), (8, True)]
    )


def test_every_word_is_kept_with_who_and_why_and_the_newest_counts(connection: Connection) -> None:
    series = _series(connection, [900.0])
    _correct(connection, series, {BEGIN: 2.0})
    assert _correct(connection, series, {BEGIN: 2.0}) == 0
    _correct(connection, series, {BEGIN: 3.0})
    found = corrections.list_corrections(connection, None, series["id"], BEGINNING, 10)
    told = [(row["version"], row["value"], row["raw_value"], row["counts"], row["reason"]) for row in found]
    assert told == [(1, 2, 900, False, BY.reason), (2, 3, 900, True, BY.reason)]
    assert _hours(connection) == [(1, 3, 3, 3)]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {BEGIN: float("nan")},
        {NOW + timedelta(days=9): 1.0},
        {BEGIN: 1.7e308},
        {BEGIN: -2.0 * 2**53},
        {datetime(1926, 3, 10, tzinfo=UTC): 1.0},
        {datetime(1, 1, 1, tzinfo=UTC): 1.0},
    ],
)
def test_what_makes_no_sense_is_refused(connection: Connection, values: dict[datetime, float]) -> None:
    series = _series(connection, [1.0])
    with pytest.raises(RequestInvalid):
        corrections.add_corrections(connection, series, values, BY, NOW)


def test_a_series_is_named_by_device_and_metric(connection: Connection) -> None:
    number = make_series(connection)
    found = corrections.find_series(connection, None, SeriesName(device="meter", metric="volume"))
    assert found["id"] == number
    with pytest.raises(NotFound):
        corrections.find_series(connection, None, SeriesName(device="meter", metric="pressure"))
    with pytest.raises(RequestInvalid):
        corrections.find_series(connection, None, SeriesName(device="meter"))

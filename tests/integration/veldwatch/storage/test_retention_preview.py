"""A preview counts what the next sweep drops, up to a bound, whatever goes by whole parts and whatever row by row."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.integration.veldwatch.storage.past_its_time import (
    NOW,
    OLD,
    STEP,
    begin_backtest,
    fill,
    open_alert,
    put,
)
from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.model.identifiers import SeriesId
from veldwatch.storage import maintenance, register, retention
from veldwatch.storage.connection import Connection
from veldwatch.storage.retention import TABLES, Policy, What
from veldwatch.storage.retention_preview import preview
from veldwatch.storage.retention_sweep import sweep

Change = Callable[[Connection, tuple[SeriesId, SeriesId, SeriesId]], None]


def _world(connection: Connection) -> tuple[SeriesId, SeriesId, SeriesId]:
    """Write two gauges and a register that spoke each ninth day of two years, and roll them up."""
    first, second = fill(connection)
    third = make_series(connection, "m-3")
    connection.execute("UPDATE series SET metric = 'energy', kind = 'counter' WHERE id = %s", (third,))
    connection.commit()
    for series in (first, second, third):
        days = [NOW - timedelta(days=n, minutes=n) for n in range(700, 0, -9)]
        write(connection, series, [(at, float(n)) for n, at in enumerate(days)])
    maintenance.run_once(connection, NOW)
    return first, second, third


def _rows(connection: Connection, what: What) -> int:
    total = 0
    for division in TABLES[what]:
        row = connection.execute(f"SELECT count(*) FROM {division.table}".encode()).fetchone()
        assert row is not None
        total += row[0]
    connection.commit()
    return total


def _nothing(_connection: Connection, _series: tuple[SeriesId, SeriesId, SeriesId]) -> None:
    """All by the longest time."""


def _one_metric_shorter(connection: Connection, _series: tuple[SeriesId, SeriesId, SeriesId]) -> None:
    put(connection, 30, metric="energy")
    put(connection, 40, What.HOURLY, metric="energy")


def _one_metric_for_ever(connection: Connection, _series: tuple[SeriesId, SeriesId, SeriesId]) -> None:
    put(connection, None, metric="energy")


def _an_open_alert(connection: Connection, series: tuple[SeriesId, SeriesId, SeriesId]) -> None:
    open_alert(connection, series[1], OLD + timedelta(days=30))


def _a_backtest(connection: Connection, _series: tuple[SeriesId, SeriesId, SeriesId]) -> None:
    begin_backtest(connection)


def _swept_before(connection: Connection, series: tuple[SeriesId, SeriesId, SeriesId]) -> None:
    put(connection, 60, metric="volume")
    sweep(connection, NOW, 120)
    write(connection, series[0], [(OLD, 7.0)])
    maintenance.roll_up_all(connection)
    maintenance.judge_all(connection)


@pytest.mark.parametrize(
    "change", [_nothing, _one_metric_shorter, _one_metric_for_ever, _an_open_alert, _a_backtest, _swept_before]
)
def test_what_is_counted_goes_and_nothing_else(connection: Connection, change: Change) -> None:
    series = _world(connection)
    put(connection, 300, What.HOURLY)
    put(connection, 400, What.DAILY)
    change(connection, series)
    told = {one.what: one.rows for one in preview(connection, None, NOW, 120)}
    connection.commit()
    before = {what: _rows(connection, what) for what in What}
    assert sweep(connection, NOW, 120).postponed == 0
    gone = {what: before[what] - _rows(connection, what) for what in What}
    assert told == gone
    assert change is _a_backtest or gone[What.READING] > 0
    assert change is _swept_before or min(gone[What.HOURLY], gone[What.DAILY]) > 0
    assert {one.rows for one in preview(connection, None, NOW, 120)} == {0}


def test_each_policy_that_is_not_set_yet_is_counted_as_it_will_go(connection: Connection) -> None:
    _world(connection)
    policy = Policy(what=What.READING, organisation="kasama", kept_days=50)
    (told,) = preview(connection, None, NOW, None, policy)
    connection.commit()
    assert retention.list_policies(connection, None) == []
    assert {one.rows for one in preview(connection, None, NOW, None)} == {0}
    before = _rows(connection, What.READING)
    put(connection, 50, organisation="kasama")
    sweep(connection, NOW, None)
    assert told.rows == before - _rows(connection, What.READING)


def test_a_preview_says_of_how_many_and_from_when_to_when(connection: Connection) -> None:
    fill(connection)
    wanted = Policy(what=What.READING, organisation="kasama", kept_days=90)
    (told,) = preview(connection, None, NOW, None, wanted)
    assert (told.rows, told.sources, told.began, told.ended) == (12, 2, OLD, OLD + 5 * STEP)


def test_an_organisation_counts_its_own_and_what_others_keep_decides_with(connection: Connection) -> None:
    fill(connection)
    kasama = register.ensure_organisation(connection, "kasama")
    stranger = register.ensure_organisation(connection, "stranger")
    connection.execute("UPDATE device SET organisation_id = %s WHERE external_id = 'm-2'", (stranger,))
    put(connection, 90)
    for scope in (kasama, stranger):
        (told,) = [one for one in preview(connection, int(scope), NOW, None) if one.what is What.READING]
        assert (told.rows, told.sources) == (6, 1)


def test_years_in_one_part_go_by_the_month(connection: Connection) -> None:
    series = make_series(connection, "m-1")
    for days in range(700, 0, -20):
        write(connection, series, [(NOW - timedelta(days=days), 1.0)])
    maintenance.run_once(connection, NOW)
    put(connection, 100, What.DAILY)
    put(connection, 100, What.HOURLY)
    sweep(connection, NOW, None)
    for view in ("reading_hourly", "reading_daily"):
        row = connection.execute(f"SELECT min(bucket) FROM {view}".encode()).fetchone()
        assert row is not None
        assert timedelta(days=100) <= NOW - row[0] <= timedelta(days=100 + 31 + 20)


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_a_month_that_is_not_over_goes_later(connection: Connection) -> None:
    series = make_series(connection, "m-1")
    last: datetime = NOW - timedelta(days=91)
    write(connection, series, [(last, 1.0)])
    maintenance.run_once(connection, NOW)
    assert {one.rows for one in preview(connection, None, NOW, 90)} == {0}


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_months_are_found_whichever_way_the_server_looks_for_them(connection: Connection) -> None:
    fill(connection)
    for way in ("enable_nestloop", "enable_indexscan", "enable_bitmapscan"):
        connection.execute(f"SET {way} = off".encode())
    assert next(one.rows for one in preview(connection, None, NOW, 90)) == 12


def test_of_very_many_rows_only_so_many_are_counted(connection: Connection) -> None:
    _world(connection)
    for told in preview(connection, None, NOW, 30):
        if told.rows:
            (few,) = preview(connection, None, NOW, 30, Policy(what=told.what, kept_days=30), most=told.rows - 1)
            assert (few.rows, few.more) == (told.rows - 1, True)
            (all_,) = preview(connection, None, NOW, 30, Policy(what=told.what, kept_days=30), most=told.rows)
            assert (all_.rows, all_.more) == (told.rows, False)

"""What an open alert, a back-test or a reader of the log needs stays while it does, and goes after; it is told why."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.veldwatch.storage.past_its_time import (
    NOW,
    OLD,
    STEP,
    begin_backtest,
    counts,
    end_backtest,
    fill,
    open_alert,
    put,
    resolve,
)
from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.storage import corrections, log, maintenance, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.corrections import Grounds, SeriesName
from veldwatch.storage.retention import What
from veldwatch.storage.retention_preview import preview
from veldwatch.storage.retention_sweep import Swept, sweep
from veldwatch.storage.retention_waits import held_back, waiting


def _held(connection: Connection, scope: int | None = None) -> list[tuple[Any, ...]]:
    held = held_back(connection, scope, NOW, 90)
    connection.commit()
    return [(one.organisation, one.device, one.devices, one.since, one.reason) for one in held]


def test_an_open_alert_keeps_what_its_device_said_from_eight_days_before(connection: Connection) -> None:
    first, second = fill(connection)
    write(connection, first, [(OLD - timedelta(days=40), 1.0)])
    maintenance.run_once(connection, NOW)
    alert = open_alert(connection, first, OLD + 3 * STEP)
    needed_from = OLD + 3 * STEP - timedelta(days=8)
    assert _held(connection) == [("kasama", "m-1", 1, needed_from, "an alert is open: water is lost")]
    (told,) = held_back(connection, None, NOW, 90)
    assert (told.alert_id, told.backtest_id, told.whats) == (alert, None, [What.READING])
    connection.commit()
    sweep(connection, NOW, 90)
    assert counts(connection)[first] == 12  # what is older than what the alert needs is gone
    assert counts(connection)[second] == 6
    resolve(connection, alert)
    assert _held(connection) == []
    sweep(connection, NOW, 90)
    assert counts(connection) == {first: 6, second: 6}


def test_an_open_alert_about_a_site_keeps_what_all_devices_said(connection: Connection) -> None:
    first, second = fill(connection)
    alert = open_alert(connection, None, OLD)
    assert _held(connection) == [
        ("kasama", None, 2, OLD - timedelta(days=8), "an alert is open: water is lost"),
    ]
    assert sweep(connection, NOW, 90) == Swept()
    assert counts(connection) == {first: 12, second: 12}
    resolve(connection, alert)
    assert sweep(connection, NOW, 90).parts == 1
    assert counts(connection) == {first: 6, second: 6}


def test_an_alert_that_needs_nothing_that_is_past_its_time_is_not_named(connection: Connection) -> None:
    first, _ = fill(connection)
    open_alert(connection, first, NOW - timedelta(hours=1))
    assert _held(connection) == []
    open_alert(connection, first, OLD + timedelta(days=20))  # nothing was said between then and the end of what is kept
    assert _held(connection) == []


def test_a_backtest_that_is_not_over_keeps_all(connection: Connection) -> None:
    first, second = fill(connection)
    backtest = begin_backtest(connection)
    assert _held(connection) == [("kasama", None, 2, None, "a back-test is not over")]
    assert sweep(connection, NOW, 90) == Swept()
    assert counts(connection) == {first: 12, second: 12}
    end_backtest(connection, backtest)
    assert _held(connection) == []
    assert sweep(connection, NOW, 90).parts == 1
    assert counts(connection) == {first: 6, second: 6}


@pytest.mark.parametrize("consumer", ["rules", "rollups", "consumption"])
def test_what_a_reader_of_the_log_has_not_read_stays(connection: Connection, consumer: str) -> None:
    first, _ = fill(connection)
    put(connection, 90)
    (after_all, _), *_ = log.read(connection, log.START, 100)[::-1]
    for name in ("rules", "rollups", "consumption"):
        log.save_cursor(connection, name, after_all)
    connection.commit()
    write(connection, first, [(OLD + timedelta(minutes=1), 3.0)])
    end = log.read(connection, log.START, 100)[-1][0]
    for name in {"rules", "rollups", "consumption"} - {consumer}:
        log.save_cursor(connection, name, end)
    connection.commit()
    reason = f"{consumer} has not read all that was said of that time"
    assert waiting(connection, NOW, None) == {What.READING: reason}
    assert [one.waits_for for one in preview(connection, None, NOW, None) if one.rows] == [reason]
    connection.commit()
    assert sweep(connection, NOW, None).postponed
    assert counts(connection)[first] == 13
    log.save_cursor(connection, consumer, end)
    connection.commit()
    assert waiting(connection, NOW, None) == {}
    assert not sweep(connection, NOW, None).postponed
    assert counts(connection)[first] == 6


def test_a_reader_that_has_yet_to_read_something_newer_is_not_in_the_way(connection: Connection) -> None:
    first, _ = fill(connection)
    write(connection, first, [(NOW - timedelta(minutes=1), 3.0)])
    assert waiting(connection, NOW, 90) == {}
    assert sweep(connection, NOW, 90).parts == 1


def test_a_reader_that_is_far_behind_is_named(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veldwatch.storage.retention_waits.MOST_UNREAD", 3)
    first, _ = fill(connection)
    write(connection, first, [(NOW + n * timedelta(seconds=1), 3.0) for n in range(1, 5)])
    assert "far behind in the log" in waiting(connection, NOW, 90)[What.READING]
    assert sweep(connection, NOW, 90).postponed
    maintenance.run_once(connection, NOW)
    assert counts(connection)[first] == 16
    assert sweep(connection, NOW, 90).parts == 1


def test_an_organisation_is_not_told_of_others(connection: Connection) -> None:
    first, _ = fill(connection)
    open_alert(connection, first, OLD)
    stranger = register.ensure_organisation(connection, "stranger")
    organisation = register.ensure_organisation(connection, "kasama")
    assert _held(connection, int(stranger)) == []
    assert len(_held(connection, int(organisation))) == 1


def test_roll_ups_are_held_back_by_nothing(connection: Connection) -> None:
    first, _ = fill(connection)
    open_alert(connection, first, OLD)
    begin_backtest(connection)
    put(connection, 200, What.HOURLY)
    maintenance.run_once(connection, NOW)
    assert set(counts(connection, "reading_hourly").values()) == {1}
    assert make_series(connection, "m-1") == first


def test_what_is_to_be_rolled_up_or_judged_past_the_log_is_waited_for(connection: Connection) -> None:
    first, _ = fill(connection)
    found = corrections.find_series(connection, None, SeriesName(series_id=first))
    by = Grounds(author="eve", method="manual", reason="read from a photograph")
    corrections.add_corrections(connection, found, {OLD: 9.0}, by, NOW)
    connection.commit()
    assert sweep(connection, NOW, 90).rows + sweep(connection, NOW, 90).parts == 0
    maintenance.roll_up_all(connection)
    connection.execute("SELECT judge_again(ARRAY[%s::integer])", (first,))
    connection.commit()
    assert "figures" in waiting(connection, NOW, 90)[What.READING]
    assert sweep(connection, NOW, 90).rows + sweep(connection, NOW, 90).parts == 0
    maintenance.run_once(connection, NOW, retention_days=90)
    assert counts(connection)[first] == 6
    row = connection.execute(
        "SELECT max(maximum) FROM reading_hourly WHERE series_id = %s AND bucket < %s", (first, NOW)
    )
    assert row.fetchone() == (9.0,)


def test_what_goes_waits_for_no_reader_that_has_yet_to_read_other_times_only(connection: Connection) -> None:
    first, second = fill(connection)
    for n in range(70):
        write(connection, first, [(NOW + timedelta(seconds=n + 1), 1.0)])
    assert sweep(connection, NOW, 90).postponed == 0
    assert counts(connection) == {first: 76, second: 6}

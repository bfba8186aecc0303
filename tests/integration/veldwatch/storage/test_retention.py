"""What is past its time goes, series by series where need be, and leaves what was made of it as it was."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.veldwatch.storage.past_its_time import NOW, OLD, STEP, counts, fill, put
from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.errors import NotFound, NotPermitted, RequestInvalid
from veldwatch.storage import corrections, maintenance, retention
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.corrections import Grounds, SeriesName
from veldwatch.storage.queries import load_queries
from veldwatch.storage.retention import Policy, What
from veldwatch.storage.retention_sweep import Swept, sweep


def _figures(connection: Connection) -> list[Any]:
    return [
        connection.execute(f"SELECT * FROM {view} ORDER BY 1, 2".encode()).fetchall()
        for view in ("reading_hourly", "reading_daily")
    ]


def test_the_policy_that_names_more_decides(connection: Connection) -> None:
    series = make_series(connection)
    connection.execute("INSERT INTO profile (slug, name, kind) VALUES ('meter', 'Meter', 'meter')")
    connection.execute("UPDATE device SET profile_id = (SELECT id FROM profile WHERE slug = 'meter')")
    kept: list[int | None] = []
    names: list[tuple[str | None, str | None, str | None]] = [
        (None, None, None),
        ("kasama", None, None),
        (None, "meter", None),
        (None, None, "volume"),
    ]
    for organisation, profile, metric in names:
        put(connection, 10 + len(kept), organisation=organisation, profile=profile, metric=metric)
        row = connection.execute(
            "SELECT kept_days FROM retention_of(400) WHERE what = 'reading' AND source_id = %s", (series,)
        ).fetchone()
        kept.append(None if row is None else row[0])
    assert kept == [10, 11, 12, 13]
    row = connection.execute("SELECT DISTINCT kept_days FROM retention_of(400) WHERE what = 'position'").fetchone()
    assert row == (400,)


def test_rows_of_one_series_go_and_its_figures_stay(connection: Connection) -> None:
    first, second = fill(connection)
    figures = _figures(connection)
    put(connection, 90, metric="volume", organisation="kasama")
    connection.execute("UPDATE series SET metric = 'other' WHERE id = %s", (second,))
    connection.commit()
    assert sweep(connection, NOW, None) == Swept(rows=6)
    assert counts(connection) == {first: 6, second: 12}
    assert sweep(connection, NOW, None) == Swept()
    maintenance.run_once(connection, NOW)
    assert _figures(connection) == figures


def test_a_reading_that_comes_after_its_time_takes_no_figures_place(connection: Connection) -> None:
    first, _ = fill(connection)
    figures = _figures(connection)
    put(connection, 90)
    maintenance.run_once(connection, NOW)
    write(connection, first, [(OLD + timedelta(minutes=1), 1000.0)])
    maintenance.run_once(connection, NOW)
    assert _figures(connection) == figures
    write(connection, first, [(OLD + timedelta(days=3), 1000.0)])
    maintenance.run_once(connection, NOW)
    assert len(_figures(connection)[0]) == len(figures[0]) + 1


def test_what_all_are_past_goes_by_whole_parts(connection: Connection) -> None:
    fill(connection)
    assert sweep(connection, NOW, 90).parts == 1
    assert set(counts(connection).values()) == {6}


def test_hours_and_days_have_times_of_their_own(connection: Connection) -> None:
    fill(connection)
    put(connection, 90)
    put(connection, 200, What.HOURLY)
    days = connection.execute("SELECT * FROM reading_daily ORDER BY 1, 2").fetchall()
    maintenance.run_once(connection, NOW)
    assert set(counts(connection, "reading_hourly").values()) == {1}
    assert connection.execute("SELECT * FROM reading_daily ORDER BY 1, 2").fetchall() == days
    put(connection, 200, What.DAILY)
    maintenance.run_once(connection, NOW)
    assert set(counts(connection, "reading_daily").values()) == {1}


def test_nothing_goes_that_a_consumer_of_the_log_has_not_read(connection: Connection) -> None:
    first, _ = fill(connection)
    write(connection, first, [(OLD + timedelta(minutes=1), 3.0)])
    put(connection, 90)
    assert sweep(connection, NOW, None).postponed
    assert counts(connection)[first] == 13
    assert maintenance.run_once(connection, NOW).swept.postponed == 0
    assert counts(connection)[first] == 6
    assert connection.execute("SELECT max(count) FROM reading_hourly").fetchone() == (7,)


def test_each_change_is_noted_with_who_and_why(connection: Connection) -> None:
    make_series(connection)
    put(connection, 90, organisation="kasama")
    put(connection, None, organisation="kasama")
    policy = Policy(what=What.READING, organisation="kasama")
    retention.remove_policy(connection, None, policy, author="eve", reason="not agreed")
    changes = [(c["author"], c["action"], c["kept_days_before"], c["kept_days"], c["reason"]) for c in
               retention.list_changes(connection, None)]  # fmt: skip
    assert changes == [
        ("eve", "remove", None, None, "not agreed"),
        ("tests", "set", 90, None, "a test"),
        ("tests", "set", None, 90, "a test"),
    ]
    with pytest.raises(NotFound):
        retention.remove_policy(connection, None, policy, author="eve", reason="again")


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        (Policy(what=What.READING, kept_days=7), RequestInvalid),
        (Policy(what=What.POSITION, metric="volume", kept_days=90), RequestInvalid),
        (Policy(what=What.READING, profile="nothing", kept_days=90), NotFound),
        (Policy(what=What.READING, kept_days=90), NotPermitted),
    ],
)
def test_what_makes_no_sense_or_is_not_ones_own_is_refused(
    connection: Connection, policy: Policy, error: type[Exception]
) -> None:
    make_series(connection)
    with pytest.raises(error):
        retention.set_policy(connection, 1, policy, author="tests", reason="a test")


@pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)
def test_a_series_goes_out_of_a_compressed_chunk_without_opening_it(connection: Connection) -> None:
    first, second = fill(connection)
    connection.execute("SELECT compress_chunk(show_chunks('reading_raw'))")
    connection.execute("UPDATE series SET metric = 'other' WHERE id = %s", (second,))
    put(connection, 90, metric="volume")
    assert sweep(connection, NOW, None) == Swept(rows=6)
    assert counts(connection) == {first: 6, second: 12}
    # 1: compressed, and nothing lies beside it that was taken out.
    states = "SELECT DISTINCT status FROM _timescaledb_catalog.chunk WHERE compressed_chunk_id IS NOT NULL"
    assert connection.execute(states).fetchall() == [(1,)]


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_who_reads_a_month_that_is_dropped_waits_and_is_answered(connection: Connection, dsn: str) -> None:
    fill(connection)
    queries = load_queries("retention")

    def read() -> object:
        with connect(dsn) as reader:
            return reader.execute("SELECT count(*) FROM reading WHERE observed_at < %s", (NOW,)).fetchone()

    with ThreadPoolExecutor() as threads:
        with connection.transaction():
            connection.execute(queries["limit_waiting"], {"longest": "2s"})
            connection.execute(queries["lock_part"], {"part": "reading_raw_202503"})
            answer = threads.submit(read)
            while connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
                pass
            connection.execute(queries["drop_part"], {"table": "reading_raw", "part": "reading_raw_202503"})
        assert answer.result() == (0,)


def test_a_day_whose_hours_went_before_its_readings_is_renewed_from_those(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(OLD + n * STEP, 10.0) for n in range(4)])
    write(connection, series, [(NOW, 1.0)])
    maintenance.run_once(connection, NOW)
    put(connection, 90, What.HOURLY)
    maintenance.run_once(connection, NOW)
    day = "SELECT count, maximum, total FROM reading_daily_rollup ORDER BY bucket LIMIT 1"
    write(connection, series, [(OLD + timedelta(hours=3) + n * STEP, 50.0) for n in range(5)])
    maintenance.run_once(connection, NOW)
    assert connection.execute(day).fetchone() == (9, 50, 290)
    found = corrections.find_series(connection, None, SeriesName(series_id=series))
    by = Grounds(author="eve", method="manual", reason="read from a photograph")
    corrections.add_corrections(connection, found, {OLD: 77.0}, by, NOW)
    connection.commit()
    maintenance.run_once(connection, NOW)
    assert connection.execute(day).fetchone() == (9, 77, 357)
    # Where both went the day stays as it was.
    put(connection, 90)
    maintenance.run_once(connection, NOW)
    write(connection, series, [(OLD + timedelta(hours=5) + n * STEP, 99.0) for n in range(20)])
    maintenance.run_once(connection, NOW)
    assert connection.execute(day).fetchone() == (9, 77, 357)


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_two_that_sweep_at_once_do_each_other_no_harm(connection: Connection, dsn: str) -> None:
    fill(connection)
    put(connection, 90)

    def sweep_too() -> Swept:
        with connect(dsn) as another:
            return sweep(another, NOW, None)

    with ThreadPoolExecutor() as threads:
        with connection.transaction():
            # What both would drop is being read, so that the one waits for its end and the other meets it there.
            connection.execute("SELECT FROM reading_raw_202503")
            sweeps = [threads.submit(sweep_too) for _ in range(2)]
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while sum(one.done() for one in sweeps) + (connection.execute(waiting).fetchone() or (0,))[0] < 2:
                pass
        for one in sweeps:
            assert one.result().rows == 0
    sweep(connection, NOW, None)
    assert set(counts(connection).values()) == {6}

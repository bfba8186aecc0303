"""Pictures of readings: how fine, from which table, and whether they show what was stored, on every server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.veldwatch.storage.past_its_time import put
from tests.integration.veldwatch.storage.telemetry import make_series, settle, write
from veldwatch.model.identifiers import SeriesId
from veldwatch.model.telemetry import Quality
from veldwatch.storage import corrections
from veldwatch.storage.connection import Connection
from veldwatch.storage.corrections import Grounds, SeriesName
from veldwatch.storage.retention import What
from veldwatch.storage.windows import Window, choose_resolution, list_amounts, list_points

NOW = datetime(2026, 3, 10, 12, 20, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
YEAR = timedelta(days=365)

SCHEMAS = ("public", "dashboard")
COLUMNS = "at, average, minimum, maximum, readings"

# range, room in buckets, series, readings an hour, zone: table, width, zone
RESOLUTIONS: list[tuple[timedelta, int, int, float, str, tuple[str, timedelta, str]]] = [
    # As fine as the picture has room for, on widths that a clock has.
    (HOUR, 600, 1, 60, "UTC", ("raw", timedelta(seconds=10), "UTC")),
    (DAY, 600, 1, 60, "UTC", ("raw", 5 * MINUTE, "UTC")),
    (7 * DAY, 600, 1, 4, "UTC", ("raw", 20 * MINUTE, "UTC")),
    (30 * DAY, 600, 20, 80, "UTC", ("hour", 2 * HOUR, "UTC")),
    (YEAR, 600, 20, 80, "UTC", ("day", DAY, "UTC")),
    (10 * YEAR, 600, 1, 4, "UTC", ("day", 7 * DAY, "UTC")),
    # A bucket shorter than an hour, but more readings than one picture can be made of in time.
    (7 * DAY, 600, 20, 72_000, "UTC", ("hour", HOUR, "UTC")),
    # Days of a zone are made of hours while these are few.
    (YEAR, 600, 1, 4, "Africa/Lusaka", ("hour", DAY, "Africa/Lusaka")),
    (YEAR, 600, 20, 80, "Africa/Lusaka", ("day", DAY, "UTC")),
    # What makes no sense still has an answer.
    (timedelta(0), 0, 0, 0, "UTC", ("raw", timedelta(seconds=1), "UTC")),
]


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_the_resolution_follows_range_room_and_number_of_readings(connection: Connection) -> None:
    for schema in SCHEMAS:
        query = f"SELECT source, step, zone FROM {schema}.resolution(%s, %s, %s, %s, %s, %s)".encode()
        for length, points, series, per_hour, zone, expected in RESOLUTIONS:
            row = connection.execute(query, (NOW - length, NOW, points, series, per_hour, zone)).fetchone()
            assert row == expected


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_hours_of_very_many_series_are_drawn_as_days(connection: Connection) -> None:
    query = "SELECT source, step FROM resolution(%s, %s, 600, %s, 4, 'UTC')"
    month = (NOW - timedelta(days=30), NOW)
    assert connection.execute(query, (*month, 400)).fetchone() == ("hour", timedelta(hours=2))
    assert connection.execute(query, (*month, 500)).fetchone() == ("day", timedelta(days=1))


def test_a_window_of_many_series_is_that_of_each(connection: Connection) -> None:
    """Gaps and the newest hour too, by what their profile expects or by what is usual."""
    ids = [make_series(connection, f"m{n}") for n in range(6)]
    for n, series in enumerate(ids):
        steps = [step for step in range(72) if not (n % 2 and 20 < step < 60)]
        write(connection, series, [(NOW - DAY + step * 20 * MINUTE, float(step + n)) for step in steps])
    settle(connection, NOW)
    query = "SELECT * FROM reading_window(%s, %s, %s, 'hour', '1 hour') ORDER BY series_id, bucket"
    window = (NOW - DAY, NOW)
    together = connection.execute(query, (ids, *window)).fetchall()
    alone = [row for series in ids for row in connection.execute(query, ([series], *window)).fetchall()]
    assert together == alone
    assert len({row[0] for row in together}) == len(ids)


def test_single_readings_are_looked_at_further_back(connection: Connection) -> None:
    query = "SELECT source FROM resolution(%s, %s, 600, 1, 4, 'UTC', true)"
    assert connection.execute(query, (NOW - YEAR, NOW)).fetchone() == ("raw",)
    assert connection.execute(query, (NOW - 10 * YEAR, NOW)).fetchone() == ("day",)


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_a_series_without_a_profile_is_judged_by_its_newest_day(connection: Connection) -> None:
    series = make_series(connection)
    query = "SELECT source, step FROM resolution_for(ARRAY[%s], %s, %s, 1000)"
    write(connection, series, [(NOW - n * timedelta(seconds=4), 1.0) for n in range(900)])
    assert connection.execute(query, (series, NOW - 10 * DAY, NOW)).fetchone() == ("raw", 15 * MINUTE)
    settle(connection, NOW)
    assert connection.execute(query, (series, NOW - 10 * DAY, NOW)).fetchone() == ("hour", HOUR)


def _window(
    connection: Connection,
    series: SeriesId,
    since: datetime,
    until: datetime,
    resolution: tuple[str, timedelta],
    columns: str = COLUMNS,
    *,
    zone: str = "UTC",
    schema: str = "public",
) -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM {schema}.reading_window(ARRAY[%s], %s, %s, %s, %s, %s, true)".encode()
    return connection.execute(query, (series, since, until, *resolution, zone)).fetchall()


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_an_hour_that_maintenance_saw_half_of_is_whole(connection: Connection) -> None:
    _check_right_edge(connection, NOW - 3 * HOUR)


def test_every_resolution_shows_all_readings_up_to_the_last(connection: Connection) -> None:
    _check_right_edge(connection, NOW - 3 * HOUR - 20 * MINUTE)


def _check_right_edge(connection: Connection, settled: datetime) -> None:
    series = make_series(connection)
    times = [NOW - n * 7 * MINUTE for n in range(600)]
    write(connection, series, [(at, float(n)) for n, at in enumerate(times) if at < settled])
    settle(connection, NOW)
    # Maintenance has not been at it since.
    write(connection, series, [(at, float(n)) for n, at in enumerate(times) if at >= settled])
    for schema in SCHEMAS:
        for resolution in (("raw", 10 * MINUTE), ("hour", HOUR), ("hour", 6 * HOUR), ("day", DAY)):
            rows = _window(
                connection, series, NOW - 4 * DAY, NOW + MINUTE, resolution, f"{COLUMNS}, last", schema=schema
            )
            drawn = [row for row in rows if row[4]]
            assert sum(row[4] for row in drawn) == 600
            assert (min(row[2] for row in drawn), max(row[3] for row in drawn)) == (0.0, 599.0)
            assert sum(row[1] * row[4] for row in drawn) == pytest.approx(sum(range(600)))
            assert drawn[-1][5] == 0.0


def test_equal_readings_make_a_level_line(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(NOW - n * 5 * timedelta(seconds=1), 73.7) for n in range(1000)])
    settle(connection, NOW)
    for schema in SCHEMAS:
        for resolution in (("raw", 10 * MINUTE), ("hour", HOUR), ("hour", 6 * HOUR), ("day", DAY)):
            rows = _window(connection, series, NOW - 4 * DAY, NOW + MINUTE, resolution, "average", schema=schema)
            assert {row[0] for row in rows} == {73.7}
    assert connection.execute("SELECT DISTINCT average FROM reading_hourly").fetchall() == [(73.7,)]


def test_where_raw_readings_were_dropped_the_rollups_answer(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(NOW - n * 10 * MINUTE, float(n)) for n in range(6 * 24)])
    settle(connection, NOW)
    connection.execute("DELETE FROM reading_raw WHERE observed_at < %s", (NOW - 5 * HOUR - 20 * MINUTE,))
    connection.commit()
    columns, begun = "readings, source_used, minimum, maximum", NOW - DAY - 20 * MINUTE
    for resolution in (("raw", 10 * MINUTE), ("hour", HOUR), ("day", DAY)):
        rows = _window(connection, series, begun, NOW + MINUTE, resolution, columns)
        assert sum(row[0] for row in rows) == 6 * 24
        assert max(row[3] for row in rows if row[0]) == 143.0
        ended = _window(connection, series, begun, NOW - 10 * HOUR, resolution, "readings")
        assert sum(row[0] for row in ended) >= 6 * 14 - 5
    drawn = _window(connection, series, begun, NOW + MINUTE, ("raw", 10 * MINUTE), columns)
    assert [row[1] for row in drawn if row[0]] == ["hour"] * 19 + ["raw"] * 33


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("resolution", [("raw", 10 * MINUTE), ("raw", 2 * HOUR)])
def test_what_comes_late_for_dropped_time_hides_no_other_hour(
    connection: Connection, resolution: tuple[str, timedelta], *, corrected: bool
) -> None:
    series = make_series(connection)
    since = NOW.replace(hour=0, minute=0) - DAY
    write(connection, series, [(since + n * 10 * MINUTE, float(n)) for n in range(6 * 24)])
    settle(connection, NOW)
    connection.execute("DELETE FROM reading_raw")
    connection.commit()
    late = since + 3 * HOUR + MINUTE
    if corrected:
        found = corrections.find_series(connection, None, SeriesName(series_id=series))
        by = Grounds(author="eve", method="manual", reason="read from a photograph")
        corrections.add_corrections(connection, found, {late: 7.0}, by, NOW)
        connection.commit()
    else:
        write(connection, series, [(late, 7.0)])
    rows = _window(connection, series, since, since + DAY, resolution, "bucket, source_used, readings")
    assert [row[0] for row in rows if row[1:] == ("hour", 6)] == [since + n * HOUR for n in range(24) if n != 3]
    assert [row[2] for row in rows if row[1] == "raw" and row[2]] == [1]


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_where_hours_were_dropped_the_days_answer(connection: Connection) -> None:
    series = make_series(connection)
    connection.execute("UPDATE series SET kind = 'counter'")
    begun = NOW - 100 * DAY
    write(connection, series, [(begun + n * HOUR, float(n)) for n in range(100 * 24 + 1)])
    settle(connection, NOW)
    put(connection, 30, What.HOURLY)
    settle(connection, NOW)
    for readings_too in (False, True):
        if readings_too:
            put(connection, 30)
            settle(connection, NOW)
        for since, until in ((begun, NOW), (begun, NOW - 85 * DAY), (NOW - 90 * DAY, NOW - 87 * DAY)):
            for zone in ("UTC", "Africa/Lusaka"):
                window = Window(since=since, until=until, points=500, zone=zone)
                resolution = choose_resolution(connection, [series], window)
                points = list_points(connection, [series], window, resolution, registers=True)[series]
                told = sum(row["readings"] for row in points)
                assert told >= (until - since) / HOUR - 24, (readings_too, window, resolution)
                amounts = list_amounts(connection, [series], window, resolution).buckets[series]
                assert sum(row["amount"] for row in amounts) >= (until - since) / HOUR - 48, (
                    readings_too,
                    window,
                    resolution,
                )
        for schema in SCHEMAS:
            query = f"SELECT source, step, zone FROM {schema}.resolution_for(ARRAY[%s], %s, %s, 500, %s)".encode()
            drawn = connection.execute(query, (series, begun, NOW, "Africa/Lusaka")).fetchone()
            assert drawn == ("day", DAY, "UTC")
            drawn = connection.execute(query, (series, NOW - 20 * DAY, NOW, "Africa/Lusaka")).fetchone()
            assert drawn == ("hour", HOUR, "Africa/Lusaka")


def test_an_hour_that_the_window_begins_in_stands_for_nothing_before_it(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(NOW - n * HOUR - 15 * MINUTE, float(n)) for n in range(6)])
    settle(connection, NOW)
    rows = _window(connection, series, NOW - 3 * HOUR, NOW, ("raw", 10 * MINUTE), "average, source_used")
    assert rows == [(2.0, "raw"), (1.0, "raw"), (0.0, "raw")]


def test_implausible_readings_are_counted_and_shape_nothing(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(NOW - 9 * MINUTE, 5.0), (NOW - 2 * MINUTE, 7.0)])
    strays = [(NOW - 8 * MINUTE, -32768.0), (NOW - 5 * MINUTE, -32768.0)]
    write(connection, series, strays, quality=Quality.IMPLAUSIBLE)
    rows = _window(
        connection, series, NOW - HOUR, NOW, ("raw", 5 * MINUTE), "bucket, average, minimum, readings, implausible"
    )
    assert rows == [
        (NOW - 10 * MINUTE, 5.0, 5.0, 1, 1),
        (NOW - 5 * MINUTE, 7.0, 7.0, 1, 1),
    ]
    alone = _window(connection, series, NOW - 6 * MINUTE, NOW - 4 * MINUTE, ("raw", MINUTE), "average, implausible")
    assert alone == [(None, 1)]
    assert _window(connection, series, NOW - HOUR, NOW, ("hour", HOUR), "average, implausible") == [(6.0, 0)]


def test_a_single_reading_is_drawn_at_its_own_time(connection: Connection) -> None:
    series = make_series(connection)
    at = NOW - timedelta(seconds=77)
    write(connection, series, [(at, 5.0)])
    assert _window(connection, series, NOW - HOUR, NOW, ("raw", 5 * MINUTE), "at, last") == [(at, 5.0)]


def test_a_gap_is_a_gap_by_what_is_usual_where_nothing_is_expected(connection: Connection) -> None:
    series = make_series(connection)
    hours = [1, 4, 7, 10, 13, 16, 40, 43, 46]
    write(connection, series, [(NOW - hour * HOUR, 1.0) for hour in hours])
    settle(connection, NOW)
    for resolution in (("raw", 20 * MINUTE), ("hour", HOUR)):
        rows = _window(connection, series, NOW - 3 * DAY, NOW, resolution, "readings")
        assert [row[0] for row in rows] == [1, 1, 1, 0, 1, 1, 1, 1, 1, 1]


def test_days_of_a_zone_begin_at_its_midnight(connection: Connection) -> None:
    series = make_series(connection)
    midnight = datetime(2026, 3, 8, 22, tzinfo=UTC)
    write(connection, series, [(midnight - MINUTE, 1.0), (midnight + MINUTE, 5.0), (midnight + 3 * HOUR, 7.0)])
    settle(connection, NOW)
    rows = _window(connection, series, midnight - 5 * HOUR, NOW, ("hour", DAY), "bucket, average", zone="Africa/Lusaka")
    assert rows == [(midnight - DAY, 1.0), (midnight, 6.0)]


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_a_day_of_a_clock_change_is_as_long_as_it_was(connection: Connection) -> None:
    row = connection.execute(
        "SELECT bucket_of(%(at)s, '1 day', 'Europe/Madrid'), bucket_end('2026-03-28T23:00Z', '1 day', 'Europe/Madrid')",
        {"at": datetime(2026, 3, 29, 20, tzinfo=UTC)},
    ).fetchone()
    assert row == (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin", "Europe/Dublin", "America/Havana", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe",
        "America/St_Johns",
    ],
)  # fmt: skip
def test_every_time_of_a_year_of_clock_changes_lies_in_its_bucket_and_buckets_follow_each_other(
    connection: Connection, zone: str
) -> None:
    row = connection.execute(
        "WITH b AS (SELECT s.step, t.at, bucket_of(t.at, s.step, %(zone)s) AS began"
        "   FROM unnest(%(steps)s::interval[]) AS s (step),"
        "        generate_series('2026-01-05T00:00Z'::timestamptz, '2027-01-04T00:00Z', '30 minutes') AS t (at)),"
        " e AS (SELECT step, at, began, bucket_end(began, step, %(zone)s) AS ended, lag(began) OVER w AS before FROM b"
        "   WINDOW w AS (PARTITION BY step ORDER BY at))"
        " SELECT count(*) FILTER (WHERE at < began OR at >= ended),"
        "        count(*) FILTER (WHERE began < before OR began <> before"
        "                         AND began <> bucket_end(before, step, %(zone)s)) FROM e",
        {"steps": ["2 hours", "3 hours", "6 hours", "12 hours", "1 day", "7 days"], "zone": zone},
    ).fetchone()
    assert row == (0, 0)


@pytest.mark.parametrize(
    ("zone", "since", "step", "hours"),
    [
        ("America/Havana", datetime(2025, 11, 2, 4, tzinfo=UTC), DAY, 25),
        ("Europe/Berlin", datetime(2025, 10, 26, 0, tzinfo=UTC), 2 * HOUR, 24),
    ],
)
def test_no_reading_of_an_hour_that_comes_twice_is_lost(
    connection: Connection, zone: str, since: datetime, step: timedelta, hours: int
) -> None:
    series = make_series(connection)
    write(connection, series, [(since + n * HOUR, 1.0) for n in range(hours)])
    settle(connection, NOW)
    rows = _window(connection, series, since, since + hours * HOUR, ("hour", step), "readings", zone=zone)
    assert sum(row[0] for row in rows) == hours


def _scanned(connection: Connection, statement: str, values: tuple[object, ...]) -> set[str]:
    """Name the partitions and chunks of raw readings and rollups that a query looks into."""
    count = (
        "SELECT relname, (seq_scan + coalesce(idx_scan, 0))::bigint FROM pg_stat_xact_all_tables"
        " WHERE relname ~ '^(reading_.*_[0-9]{6}|_hyper_.*_chunk|compress_hyper_.*_chunk)$'"
    )
    before = dict(connection.execute(count.encode()).fetchall())
    connection.execute(statement.encode(), values)
    return {name for name, scans in connection.execute(count.encode()).fetchall() if scans > before.get(name, 0)}


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_only_the_partitions_of_the_range_are_looked_into(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(NOW - n * DAY, float(n)) for n in range(400)])
    settle(connection, NOW)
    for schema in SCHEMAS:
        query = f"SELECT count(*) FROM {schema}.reading_window(ARRAY[%s], %s, %s, %s, %s)"
        # More often than PostgreSQL plans for the values at hand before it takes a plan for any values.
        days = [_scanned(connection, query, (series, NOW - DAY, NOW, "raw", 5 * MINUTE)) for _ in range(7)]
        assert all({name for name in day if "raw" in name} == {"reading_raw_202603"} for day in days)
        month = _scanned(connection, query, (series, NOW - 30 * DAY, NOW, "hour", HOUR))
        assert month == {"reading_hourly_rollup_202602", "reading_hourly_rollup_202603", "reading_raw_202603"}
        year = _scanned(connection, query, (series, NOW - YEAR, NOW, "day", DAY))
        assert {name for name in year if "daily" not in name} == {"reading_hourly_rollup_202603", "reading_raw_202603"}
        assert len({name for name in year if "daily" in name}) == 13


@pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)
def test_a_year_touches_none_of_its_chunks_of_raw_readings_but_the_newest(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(NOW - n * DAY, float(n)) for n in range(100)])
    settle(connection, NOW)
    rows = connection.execute(
        "SELECT chunk_name FROM timescaledb_information.chunks"
        " WHERE hypertable_name = 'reading_raw' AND range_end < %s",
        (NOW - 2 * DAY,),
    ).fetchall()
    old = {row[0] for row in rows}
    assert len(old) > 10
    query = "SELECT count(*) FROM reading_window(ARRAY[%s], %s, %s, %s, %s)"
    assert not _scanned(connection, query, (series, NOW - YEAR, NOW, "day", DAY)) & old
    assert not _scanned(connection, query, (series, NOW - 30 * DAY, NOW, "hour", HOUR)) & old
    assert not _scanned(connection, query, (series, NOW - DAY, NOW, "raw", MINUTE)) & old

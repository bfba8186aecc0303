"""What `dashboard.readings` and `dashboard.consumption` make of readings: gaps, bands, registers that turn over."""

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest

from tests.integration.dashboards import world
from veldwatch.model.identifiers import SeriesId
from veldwatch.model.register import Device, Profile
from veldwatch.storage import partitions, register
from veldwatch.storage.connection import Connection

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


@pytest.fixture
def series(connection: Connection) -> SeriesId:
    organisation = register.ensure_organisation(connection, "kasama")
    device = register.ensure_device(
        connection, Device(organisation_id=organisation, external_id="m", source="veldwatch")
    )
    found = register.ensure_series(connection, [(device, "volume", "m3")])[device, "volume"].series_id
    connection.execute("UPDATE series SET kind = 'counter'")
    connection.commit()
    return found


def _write(connection: Connection, series: SeriesId, values: dict[timedelta, float]) -> None:
    world.write(connection, series, [(START + after, value) for after, value in values.items()])
    world.roll_up_all(connection)


def _readings(
    connection: Connection, series: SeriesId, length: timedelta, bucket_ms: int
) -> list[tuple[timedelta, float | None, float | None, float | None]]:
    rows = connection.execute(
        "SELECT bucket, average, minimum, maximum FROM dashboard.readings(ARRAY[%s], %s, %s, %s) ORDER BY 1",
        (series, START, START + length, bucket_ms),
    ).fetchall()
    return [(bucket - START, average, minimum, maximum) for bucket, average, minimum, maximum in rows]


def _consumption(
    connection: Connection, series: SeriesId, length: timedelta, bucket_ms: int
) -> list[tuple[timedelta, float | None]]:
    rows = connection.execute(
        "SELECT bucket, consumption FROM dashboard.consumption(ARRAY[%s], %s, %s, %s)",
        (series, START, START + length, bucket_ms),
    ).fetchall()
    return [(bucket - START, value) for bucket, value in rows]


def test_a_bucket_has_average_smallest_and_largest(connection: Connection, series: SeriesId) -> None:
    _write(connection, series, {timedelta(seconds=1): 1.0, timedelta(seconds=2): 5.0, timedelta(seconds=70): 7.0})
    assert _readings(connection, series, HOUR, MINUTE_MS) == [
        (timedelta(0), 3.0, 1.0, 5.0),
        (timedelta(minutes=1), 7.0, 7.0, 7.0),
    ]


def test_a_gap_longer_than_three_expected_reports_ends_the_line(connection: Connection, series: SeriesId) -> None:
    _write(connection, series, {timedelta(0): 1.0, HOUR: 2.0, 5 * HOUR: 3.0})
    drawn = _readings(connection, series, 6 * HOUR, 10 * MINUTE_MS)
    assert [(after, average) for after, average, _, _ in drawn] == [
        (timedelta(0), 1.0),
        (HOUR, 2.0),
        (HOUR + timedelta(minutes=10), None),
        (5 * HOUR, 3.0),
    ]


@pytest.mark.parametrize("bucket_ms", [MINUTE_MS, HOUR_MS, DAY_MS])
def test_raw_hourly_and_daily_agree(connection: Connection, series: SeriesId, bucket_ms: int) -> None:
    _write(connection, series, {n * timedelta(minutes=20): float(n) for n in range(72 * 2)})
    drawn = [row for row in _readings(connection, series, timedelta(days=3), bucket_ms) if row[1] is not None]
    assert min(row[2] for row in drawn if row[2] is not None) == 0.0
    assert max(row[3] for row in drawn if row[3] is not None) == 143.0
    averages = [row[1] for row in drawn if row[1] is not None]
    assert sum(averages) / len(averages) == pytest.approx(71.5)


def test_consumption_is_what_the_register_counted(connection: Connection, series: SeriesId) -> None:
    _write(connection, series, {-HOUR: 10.0, timedelta(0): 11.0, HOUR: 13.0, 2 * HOUR: 16.0})
    assert _consumption(connection, series, 3 * HOUR, HOUR_MS) == [(timedelta(0), 2.0), (HOUR, 3.0)]


def test_a_register_that_turns_over_goes_on_counting(connection: Connection, series: SeriesId) -> None:
    connection.execute("UPDATE series SET register_modulus = 100")
    _write(connection, series, {timedelta(0): 98.0, HOUR: 99.0, 2 * HOUR: 3.0})
    assert _consumption(connection, series, 3 * HOUR, HOUR_MS) == [(timedelta(0), 1.0), (HOUR, 4.0)]


@pytest.mark.parametrize("modulus", [None, 100.0])
def test_a_register_that_was_reset_counts_from_zero_and_never_back(
    connection: Connection, series: SeriesId, modulus: float | None
) -> None:
    connection.execute("UPDATE series SET register_modulus = %s", (modulus,))
    _write(connection, series, {timedelta(0): 48.0, HOUR: 49.0, 2 * HOUR: 0.5, 3 * HOUR: 1.5})
    assert _consumption(connection, series, 4 * HOUR, HOUR_MS) == [(timedelta(0), 1.0), (HOUR, 0.5), (2 * HOUR, 1.0)]


def test_days_begin_at_midnight_of_the_zone(connection: Connection, series: SeriesId) -> None:
    _write(connection, series, {n * HOUR: float(n) for n in range(49)})
    rows = connection.execute(
        "SELECT bucket, consumption FROM dashboard.consumption(ARRAY[%s], %s, %s, %s, 'Africa/Lusaka')",
        (series, START - timedelta(days=1), START + timedelta(days=2), DAY_MS),
    ).fetchall()
    assert [((bucket - START) / HOUR, value) for bucket, value in rows] == [(-2, 22.0), (22, 24.0), (46, 2.0)]


@pytest.mark.parametrize(("view", "expected"), [("consumption_hourly", 49), ("consumption_daily", 3)])
def test_hours_and_days_have_views(connection: Connection, series: SeriesId, view: str, expected: int) -> None:
    _write(connection, series, {n * HOUR + timedelta(minutes=9): float(n) for n in range(49)})
    rows = connection.execute(f"SELECT amount, excess, codes, readings FROM dashboard.{view}".encode()).fetchall()
    assert len(rows) == expected
    assert sum(row[0] for row in rows) == pytest.approx(48.0)
    assert sum(row[3] for row in rows) == 48


def test_days_of_consumption_are_the_hours_of_the_window(connection: Connection, series: SeriesId) -> None:
    """Whole days come from the days that are kept, and what is before the first and after the last from hours."""
    _write(connection, series, {n * HOUR: float(n * n) for n in range(24 * 6)})
    for since, length in ((5, 90), (5, 12), (0, 72), (24, 24), (30, 1), (0, 143)):
        window = (series, START + since * HOUR, START + (since + length) * HOUR)
        rows = connection.execute(
            "SELECT sum(consumption), count(*) FROM dashboard.consumption(ARRAY[%s], %s, %s, %s)", (*window, DAY_MS)
        ).fetchone()
        hours = connection.execute(
            "SELECT sum(consumption), count(DISTINCT date_trunc('day', bucket, 'UTC'))"
            " FROM dashboard.consumption(ARRAY[%s], %s, %s, %s)",
            (*window, HOUR_MS),
        ).fetchone()
        assert rows == hours, (since, length)


def test_the_newest_reading_of_a_series_is_the_last_plausible_one_until_then(
    connection: Connection, series: SeriesId
) -> None:
    _write(connection, series, {timedelta(0): 1.0, 40 * HOUR: 2.0, 41 * HOUR: 3.0})
    connection.execute("UPDATE reading_raw SET quality = 4 WHERE observed_at = %s", (START + 41 * HOUR,))
    query = "SELECT observed_at, value FROM dashboard.newest(ARRAY[%s, 4711], %s, %s::interval)"

    def found(until: timedelta, within: timedelta | None = None) -> list[tuple[timedelta, float]]:
        rows = connection.execute(query, (series, START + until, within)).fetchall()
        return [(at - START, value) for at, value in rows]

    assert found(50 * HOUR) == [(40 * HOUR, 2.0)]
    assert found(39 * HOUR) == [(timedelta(0), 1.0)]
    assert found(39 * HOUR, within=timedelta(days=1)) == []
    assert found(-HOUR) == []


def test_of_a_long_history_the_newest_reading_alone_is_read(connection: Connection, series: SeriesId) -> None:
    _write(connection, series, {n * timedelta(minutes=15): float(n) for n in range(96 * 40)})
    connection.execute("ANALYZE reading_raw")
    connection.commit()
    read = (
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_all_tables"
        " WHERE relname LIKE 'reading\\_raw%%' OR relname LIKE '\\_hyper\\_1\\_%%'"
    )
    before = connection.execute(read).fetchone()
    row = connection.execute("SELECT value FROM dashboard.newest(ARRAY[%s], now())", (series,)).fetchone()
    after = connection.execute(read).fetchone()
    assert row == (96 * 40 - 1,)
    assert before is not None
    assert after is not None
    assert after[0] - before[0] == 1


def _heard(connection: Connection, devices: int, expected: timedelta, every: timedelta, length: timedelta) -> None:
    """Register devices and let each be heard so often, three messages at a time."""
    organisation = register.ensure_organisation(connection, "kasama")
    profile = register.ensure_profile(connection, Profile(slug="p", name="p", kind="meter", expected_interval=expected))
    connection.execute(
        "INSERT INTO device (organisation_id, external_id, name, source, profile_id)"
        " SELECT %s, n::text, n::text, 'veldwatch', %s FROM generate_series(1, %s) AS g (n)",
        (organisation, profile, devices),
    )
    partitions.ensure(connection, "contact", START, START + length)
    connection.execute(
        "INSERT INTO contact (received_at, device_id, messages)"
        " SELECT at, id, 3 FROM device, generate_series(%s, %s - interval '1 microsecond', %s) AS g (at)",
        (START, START + length, every),
    )


def _contacts(connection: Connection, length: timedelta) -> tuple[int, int, int, int]:
    """Give the rows, the messages and devices that they stand for, and the devices that were looked at."""
    row = connection.execute(
        "SELECT sum(rows)::bigint, sum(messages)::bigint, sum(stands_for_devices), count(*) FROM ("
        " SELECT device_id, count(*) AS rows, sum(messages * stands_for) AS messages, stands_for_devices"
        " FROM dashboard.contacts(ARRAY(SELECT id FROM device ORDER BY id), %s, %s)"
        " GROUP BY device_id, stands_for_devices) d",
        (START, START + length),
    ).fetchone()
    assert row is not None
    return row


def test_contacts_of_many_devices_are_told_by_every_nth_of_them(connection: Connection) -> None:
    _heard(connection, 1009, expected=HOUR, every=timedelta(days=1), length=timedelta(days=1))
    assert _contacts(connection, timedelta(days=20)) == (1009, 3 * 1009, 1009, 1009)
    # a thousand devices' reports of an hour each in 5,000 hours: five million; one in eleven is looked at
    assert _contacts(connection, 5000 * HOUR) == (92, 3 * 1009, 1009, 92)


def test_contacts_of_a_few_busy_devices_are_told_by_stretches_of_time(connection: Connection) -> None:
    """Three that are expected each 10 s over 60 days are 1.5 million contacts; here they report less, to be quick."""
    length = timedelta(days=60)
    _heard(connection, 3, expected=timedelta(seconds=10), every=timedelta(minutes=10), length=length)
    rows, messages, devices, looked_at = _contacts(connection, length)
    assert (devices, looked_at) == (3, 3)
    assert rows == pytest.approx(3 * 8640 / 4, rel=0.05)
    assert messages == pytest.approx(3 * 3 * 8640, rel=0.05)


def test_contacts_of_many_busy_devices_are_told_by_some_devices_in_stretches_of_time(connection: Connection) -> None:
    length = timedelta(days=1)
    _heard(connection, 149, expected=timedelta(seconds=1), every=timedelta(minutes=5), length=length)
    rows, messages, devices, looked_at = _contacts(connection, length)
    assert (devices, looked_at) == (149, 50)
    assert rows == pytest.approx(50 * 288 / 9, rel=0.05)
    assert messages == pytest.approx(3 * 149 * 288, rel=0.05)


def test_no_devices_have_no_contacts(connection: Connection) -> None:
    assert connection.execute("SELECT * FROM dashboard.contacts('{}', %s, %s)", (START, START + HOUR)).fetchall() == []


def test_a_way_holds_the_fixes_that_the_view_of_positions_finds_plausible(connection: Connection) -> None:
    device = _collar(connection)
    _walk(connection, device)
    plausible = connection.execute(
        "SELECT observed_at FROM dashboard.position WHERE device_id = %s AND quality & 4 = 0 ORDER BY observed_at",
        (device,),
    ).fetchall()
    way = connection.execute(
        "SELECT observed_at, metres, seconds FROM dashboard.track(ARRAY[%s], %s, %s)",
        (device, START, START + 400 * HOUR),
    ).fetchall()
    (fixes,) = connection.execute("SELECT count(*) FROM position_raw").fetchone() or (0,)
    assert [row[:1] for row in way] == plausible
    assert 200 < len(way) < fixes
    assert way[0][1:] == (None, None)
    assert all(0 <= metres < 500_000 and 0 < seconds < 80_000 for _, metres, seconds in way[1:])
    last = connection.execute("SELECT observed_at FROM dashboard.last_fix WHERE device_id = %s", (device,)).fetchone()
    assert last == plausible[-1]


def _collar(connection: Connection) -> int:
    organisation = register.ensure_organisation(connection, "reserve")
    profile = register.ensure_profile(connection, Profile(slug="collar", name="Collar", kind="tracker"))
    device = register.ensure_device(
        connection,
        Device(organisation_id=organisation, external_id="c", source="veldwatch", profile_id=profile),
    )
    connection.execute(
        "INSERT INTO subject (organisation_id, slug, name, kind, species)"
        " VALUES (%s, 'amber', 'Amber', 'animal', 'Loxodonta africana')",
        (organisation,),
    )
    # taken off in between, where no limit holds
    for begin, end in (("2026-03-01", "2026-03-08"), ("2026-03-10", "2026-04-01")):
        connection.execute(
            "INSERT INTO deployment (device_id, subject_id, during) SELECT %s, id, tstzrange(%s, %s) FROM subject",
            (device, begin, end),
        )
    return device


def _walk(connection: Connection, device: int) -> None:
    """Write hourly fixes of an animal that walks, with some that are far off: alone, in pairs, out and back."""
    draw = Random(7)  # noqa: S311  # a walk, no secret
    x, y, rows = 27.6, -14.6, list[tuple[object, ...]]()
    for hour in range(300):
        x, y = x + draw.uniform(-0.003, 0.003), y + draw.uniform(-0.003, 0.003)
        off = draw.choice((0.2, 3.0)) if draw.random() < 0.12 else 0.0
        at = START + hour * HOUR + timedelta(minutes=draw.randrange(50))
        rows.append((at, device, x + off, y, draw.choice((None, 12.0)), 4 if draw.random() < 0.02 else 0))
    times = np.array([world.microseconds(START), world.microseconds(START + 300 * HOUR)], "<i8")
    partitions.ensure_for(connection, "position_raw", times)
    connection.cursor().executemany(
        "INSERT INTO position_raw (observed_at, device_id, delay_seconds, longitude, latitude, accuracy, quality)"
        " VALUES (%s, %s, 60, %s, %s, %s, %s)",
        rows,
    )
    connection.commit()

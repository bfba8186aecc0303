"""The same readings make the same figures on plain PostgreSQL and on TimescaleDB, to the last digit."""

import random
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import database_of
from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.model.telemetry import Quality
from veldwatch.storage import corrections, maintenance, retention
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.corrections import Grounds, SeriesName
from veldwatch.storage.retention import Policy, What

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LONG_AGO = datetime(2019, 7, 1, 22, 30, tzinfo=UTC)
VIEWS = ("reading_hourly", "reading_daily", "consumption_hourly", "consumption_daily", "reading_validated")


def _live(connection: Connection) -> list[list[Any]]:
    """Let a counter and a gauge live through late, wrong, years-old, corrected and forgotten readings."""
    random_numbers = random.Random(7)  # noqa: S311  # the same on both
    counter, gauge = make_series(connection, "meter"), make_series(connection, "gauge")
    connection.execute("UPDATE series SET kind = 'counter' WHERE id = %s", (counter,))
    connection.commit()
    level = 0.0
    rows: list[tuple[datetime, float]] = []
    for begin in (LONG_AGO, NOW - timedelta(days=40), NOW - timedelta(days=3)):
        for step in range(150):
            level += random_numbers.choice((0.0, 0.125, 0.5, 3.0))
            rows.append((begin + timedelta(minutes=25 * step), level))
    random_numbers.shuffle(rows)
    for first in range(0, len(rows), 90):
        write(connection, counter, rows[first : first + 90])
        write(connection, gauge, [(at, random_numbers.gauss(20, 5)) for at, _ in rows[first : first + 90]])
        maintenance.run_once(connection, NOW)
    write(connection, gauge, [(NOW, -32768.0)], quality=Quality.IMPLAUSIBLE)
    for number, values in ((counter, {rows[3][0]: rows[3][1] + 0.25}), (gauge, {NOW: 21.5, LONG_AGO: 19.0})):
        series = corrections.find_series(connection, None, SeriesName(series_id=number))
        grounds = Grounds(author="eve", method="manual", reason="a test")
        corrections.add_corrections(connection, series, values, grounds, NOW)
        connection.commit()
    maintenance.run_once(connection, NOW)
    policy = Policy(what=What.READING, metric="volume", kept_days=30)
    retention.set_policy(connection, None, policy, author="eve", reason="a test")
    connection.execute("UPDATE series SET metric = 'other' WHERE id = %s", (gauge,))
    connection.commit()
    maintenance.run_once(connection, NOW)
    write(connection, counter, [(LONG_AGO + timedelta(seconds=1), 9.0)])
    maintenance.run_once(connection, NOW)
    columns = "to_jsonb(t) - 'received_at'"  # an estimate was received when it was made
    return [connection.execute(f"SELECT {columns} FROM {view} t ORDER BY 1".encode()).fetchall() for view in VIEWS]


def test_every_row_of_every_figure_is_the_same(request: pytest.FixtureRequest) -> None:
    found: list[list[list[Any]]] = []
    for kind in ("plain", "timescaledb-community"):
        with ExitStack() as stack:
            dsn = stack.enter_context(database_of(kind, request))
            found.append(_live(stack.enter_context(connect(dsn, prepare=False))))
    plain, community = found
    assert all(plain)
    for view, here, there in zip(VIEWS, plain, community, strict=True):
        assert here == there, view

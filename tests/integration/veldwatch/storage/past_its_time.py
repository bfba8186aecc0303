"""A database with something past its time: what tests of retention begin with."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.model.identifiers import SeriesId
from veldwatch.storage import maintenance, retention
from veldwatch.storage.connection import Connection
from veldwatch.storage.retention import Policy, What

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
OLD = datetime(2025, 3, 3, 9, tzinfo=UTC)
STEP = timedelta(minutes=10)


def put(connection: Connection, days: int | None, what: What = What.READING, **named: Any) -> None:  # noqa: ANN401
    policy = Policy(what=what, kept_days=days, **named)
    retention.set_policy(connection, None, policy, author="tests", reason="a test")
    connection.commit()


def fill(connection: Connection) -> tuple[SeriesId, SeriesId]:
    """Write an hour of last year and one of today into two series, and roll them up."""
    first, second = make_series(connection, "m-1"), make_series(connection, "m-2")
    for series in (first, second):
        write(connection, series, [(begin + n * STEP, float(n)) for begin in (OLD, NOW) for n in range(6)])
    maintenance.run_once(connection, NOW)
    return first, second


def counts(connection: Connection, table: str = "reading") -> dict[int, int]:
    return dict(connection.execute(f"SELECT series_id, count(*) FROM {table} GROUP BY 1".encode()).fetchall())


def open_alert(connection: Connection, series: SeriesId | None, opened_at: datetime) -> UUID:
    """Write an open alert about the device of a series; None: about a site of the only organisation."""
    rule = connection.execute(
        "INSERT INTO rule (slug) VALUES ('leak') ON CONFLICT (slug) DO UPDATE SET enabled = true RETURNING id"
    ).fetchone()
    assert rule is not None
    version, alert = uuid4(), uuid4()
    connection.execute(
        "INSERT INTO rule_version (id, rule_id, version, definition, active)"
        " VALUES (%s, %s, (SELECT count(*) + 1 FROM rule_version), '{}', false)",
        (version, rule[0]),
    )
    connection.execute(
        "INSERT INTO alert (id, rule_version_id, organisation_id, device_id, subject, severity, state, opened_at,"
        " fired_at, recorded_at, summary)"
        " VALUES (%(id)s, %(version)s, (SELECT id FROM organisation),"
        " (SELECT device_id FROM series WHERE id = %(series)s), 'a subject', 'major', 'firing',"
        " %(at)s, %(at)s, %(at)s, 'water is lost')",
        {"id": alert, "version": version, "series": series, "at": opened_at},
    )
    connection.commit()
    return alert


def resolve(connection: Connection, alert: UUID) -> None:
    connection.execute("UPDATE alert SET state = 'resolved', resolved_at = %s WHERE id = %s", (NOW, alert))
    connection.commit()


def begin_backtest(connection: Connection) -> int:
    """Ask for a back-test of all organisations, as if somebody carried it out."""
    row = connection.execute(
        "INSERT INTO backtest (definition, since, until, time_zone, requested_by, state, started_at)"
        " VALUES ('{}', now() - interval '1 day', now(), 'UTC', 'tests', 'running', now()) RETURNING id"
    ).fetchone()
    connection.commit()
    assert row is not None
    return row[0]


def end_backtest(connection: Connection, backtest: int) -> None:
    connection.execute(
        "UPDATE backtest SET state = 'cancelled', finished_at = clock_timestamp() WHERE id = %s", (backtest,)
    )
    connection.commit()

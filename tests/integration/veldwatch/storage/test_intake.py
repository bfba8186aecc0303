"""Rows in bulk, each key once, on each kind of server."""

import gc
import secrets
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from veldwatch.errors import SchemaMismatch
from veldwatch.model.quarantine import Selection
from veldwatch.model.reasons import Reason
from veldwatch.storage import quarantine
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter, first_of_key
from veldwatch.storage.log import CONTACTS, POSITIONS, READINGS, LogEvent
from veldwatch.storage.quarantine import Quarantined

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = 3_600_000_000
MOMENT = int(NOW.timestamp()) * 1_000_000
NAN = float("nan")


@pytest.fixture
def writer(server_kind: str, dsn: str) -> Generator[IntakeWriter]:
    made = IntakeWriter(dsn, prepare=server_kind == "plain")
    yield made
    made.close()


def readings(*rows: tuple[int, int, float]) -> np.ndarray[Any, Any]:
    return np.array([(series, MOMENT + hours * HOUR, MOMENT, value, 1) for series, hours, value in rows], READINGS)


def store(writer: IntakeWriter, rows: np.ndarray[Any, Any]) -> tuple[list[int], list[int]]:
    writer.make_room("reading_raw", rows["observed_at"])
    with writer.connection.transaction():
        stored = writer.store_readings(rows)
    return sorted(stored.new.tolist()), sorted(stored.conflicting.tolist())


def test_new_readings_are_copied_as_they_are(writer: IntakeWriter) -> None:
    assert store(writer, readings((7, 0, 1.5), (8, -1000, -2e-9))) == ([0, 1], [])
    with writer.connection.transaction():
        found = writer.connection.execute(
            "SELECT series_id, observed_at, received_at, value, quality FROM reading ORDER BY series_id"
        ).fetchall()
    assert [(series, value, quality) for series, _, _, value, quality in found] == [(7, 1.5, 1), (8, -2e-9, 1)]
    assert (found[0][1], found[1][2]) == (NOW, NOW)


def test_of_one_key_the_first_stays_and_another_value_conflicts(writer: IntakeWriter) -> None:
    assert store(writer, readings((7, 0, 1), (7, 0, 2), (7, 0, 1), (9, 0, 5))) == ([0, 3], [1])
    assert store(writer, readings((7, 1, 3), (7, 0, 1), (9, 0, 6), (7, 1, 4))) == ([0], [2, 3])
    assert store(writer, readings((7, 1, 3), (7, 2, 3))) == ([1], [])


def test_fixes_keep_what_they_have(writer: IntakeWriter) -> None:
    fixes = [(4, MOMENT, MOMENT, 31.5, -24.9, NAN, 12.5, NAN, 0, 0), (4, MOMENT, MOMENT, 31.6, -24.9, 1, 1, 1, 1, 0)]
    rows = np.array(fixes, POSITIONS)
    writer.make_room("position_raw", rows["observed_at"])
    with writer.connection.transaction():
        first = writer.store_positions(rows)
        again = writer.store_positions(rows)
        found = writer.connection.execute(
            "SELECT longitude, altitude, accuracy, speed, heading FROM position"
        ).fetchall()
    assert (first.new.tolist(), first.conflicting.tolist()) == ([0], [1])
    assert (again.new.tolist(), again.conflicting.tolist()) == ([], [1])
    assert found == [(31.5, None, 12.5, None, 0)]


def test_the_same_event_twice_is_one(writer: IntakeWriter) -> None:
    event = LogEvent(4, MOMENT, MOMENT, "tamper", '{"a":1}')
    writer.make_room("event_raw", np.array([MOMENT]))
    with writer.connection.transaction():
        assert writer.store_events([event, event]) == [event]
        assert writer.store_events([event]) == []


def test_contacts_of_one_moment_are_one(writer: IntakeWriter) -> None:
    nothing = np.iinfo(np.int64).min
    rows = np.array([(4, MOMENT, 2, nothing, nothing, True), (5, MOMENT, 1, MOMENT, MOMENT, False)], CONTACTS)
    writer.make_room("contact", rows["received_at"])
    with writer.connection.transaction():
        writer.store_contacts(rows)
        writer.store_contacts(rows)
        found = writer.connection.execute(
            "SELECT device_id, messages, first_observed_at, last_observed_at, online FROM contact ORDER BY device_id"
        ).fetchall()
    assert found == [(4, 4, None, None, True), (5, 2, NOW, NOW, False)]


def test_quarantine_lists_newest_first_by_pages(writer: IntakeWriter) -> None:
    for place, reason in enumerate((Reason.BAD_TIME, Reason.BAD_VALUE, Reason.BAD_TIME)):
        row = Quarantined(NOW, "s", f"t/{place}/{secrets.token_hex(4)}", b"\0", reason, "why")
        with writer.connection.transaction():
            quarantine.add(writer.connection, [row])
    with writer.connection.transaction():
        newest = quarantine.newest(writer.connection, limit=2)
        rest = quarantine.newest(writer.connection, before=newest[-1].id)
        bad_times = quarantine.newest(writer.connection, Selection(reasons=("bad_time",)))
        counted = quarantine.summary(writer.connection)
    assert [row.reason for row in newest + rest] == ["bad_time", "bad_value", "bad_time"]
    assert len(bad_times) == 2
    assert counted == [("bad_time", 2), ("bad_value", 1)]


def test_no_connection_is_left_to_a_database_of_another_version(connection: Connection, dsn: str) -> None:
    connection.execute("INSERT INTO migration (number, name, digest, edition) VALUES (9999, 'new', 'x', 'postgresql')")
    connection.commit()
    # A connection that is left to the interpreter warns, and a warning is a failure.
    with pytest.raises(SchemaMismatch, match="9999"):
        IntakeWriter(dsn, "left-over")
    gc.collect()


def test_first_of_key_names_each_follower_and_its_leader() -> None:
    found = first_of_key(np.array([2, 1, 2, 1, 2]), np.array([5, 5, 5, 6, 5]))
    assert sorted(found.places.tolist()) == [0, 1, 3]
    assert sorted(zip(found.others.tolist(), found.leaders.tolist(), strict=True)) == [(2, 0), (4, 0)]

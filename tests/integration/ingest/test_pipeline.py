"""From messages to rows: each value once, whatever comes twice, out of order, in another unit or cannot be stored."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.decoding import Outcome
from ingest.pipeline import Pipeline
from tests.integration.ingest.conftest import make_pipeline
from veldwatch.config import Settings
from veldwatch.model.reasons import Reason
from veldwatch.model.register import Device, DeviceStatus
from veldwatch.model.telemetry import Event, Message, Position, Reading
from veldwatch.storage import log, quarantine, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import START
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_event, encode_position, encode_readings, encode_status

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def reading(
    value: float,
    *,
    at: datetime = NOW,
    device: str = "m1",
    metric: str = "x",
    unit: str = "",
    organisation: str = "demo",
) -> Message:
    payload = encode_readings(at, {metric: (value, unit) if unit else value})
    return Message(topic_for(organisation, device, "readings"), payload, NOW)


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    found = connection.execute(query.encode()).fetchall()
    connection.rollback()
    return found


def reasons(connection: Connection) -> dict[str, int]:
    found = dict(quarantine.summary(connection))
    connection.rollback()
    return found


def test_what_is_delivered_again_changes_nothing(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection
) -> None:
    messages = [
        reading(1.5),
        Message(topic_for("demo", "m1", "positions"), encode_position(Position("m1", NOW, 31.5, -24.9)), NOW),
        Message(topic_for("demo", "m1", "events"), encode_event(NOW, "tamper", {"a": 1}), NOW),
    ]
    first = pipeline.store(writer, messages)
    again = pipeline.store(writer, messages)
    assert (first.readings, first.positions, first.events, first.quarantined) == (1, 1, 1, 0)
    assert (again.readings, again.positions, again.events, again.quarantined) == (0, 0, 0, 0)
    assert rows(connection, "SELECT value FROM reading") == [(1.5,)]
    assert rows(connection, "SELECT longitude, latitude, altitude FROM position") == [(31.5, -24.9, None)]
    assert rows(connection, "SELECT kind, attributes FROM event") == [("tamper", {"a": 1})]


def test_the_log_has_only_what_was_new(pipeline: Pipeline, writer: IntakeWriter, connection: Connection) -> None:
    pipeline.store(writer, [reading(1), reading(2, at=NOW - timedelta(hours=1))])
    pipeline.store(writer, [reading(1), reading(3, at=NOW - timedelta(hours=2))])
    values = [batch.readings["value"].tolist() for _, batch in log.read(connection, START, 10)]
    assert [sorted(found) for found in values] == [[1.0, 2.0], [3.0]]


@pytest.mark.parametrize("apart", [True, False], ids=["in two batches", "in one batch"])
def test_another_value_for_a_taken_key_is_a_conflict(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection, *, apart: bool
) -> None:
    messages = [reading(1), reading(2), reading(1)]
    for batch in [[message] for message in messages] if apart else [messages]:
        pipeline.store(writer, batch)
    assert rows(connection, "SELECT value FROM reading") == [(1.0,)]
    assert reasons(connection) == {"conflicting_duplicate": 1}


def test_another_place_for_a_taken_key_is_a_conflict(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection
) -> None:
    for east in (31.5, 31.6, 31.5):
        payload = encode_position(Position("c", NOW, east, -24.9))
        pipeline.store(writer, [Message(topic_for("demo", "c", "positions"), payload, NOW)])
    assert rows(connection, "SELECT longitude FROM position") == [(31.5,)]
    assert reasons(connection) == {"conflicting_duplicate": 1}


def test_a_value_in_another_unit_is_converted(pipeline: Pipeline, writer: IntakeWriter, connection: Connection) -> None:
    pipeline.store(writer, [reading(1, unit="m3"), reading(1500, unit="L", at=NOW - timedelta(hours=1))])
    pipeline.store(
        writer, [reading(2, at=NOW - timedelta(hours=2)), reading(3, unit="kWh", at=NOW - timedelta(hours=3))]
    )
    assert rows(connection, "SELECT value FROM reading ORDER BY observed_at DESC") == [(1.0,), (1.5,), (2.0,)]
    assert reasons(connection) == {"unit_mismatch": 1}


def test_unknown_devices_are_refused_where_none_may_register(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    organisation = register.ensure_organisation(connection, "demo")
    register.ensure_device(
        connection,
        Device(organisation_id=organisation, external_id="known", source="veldwatch", status=DeviceStatus.ACTIVE),
    )
    connection.commit()
    closed = make_pipeline(settings.model_copy(update={"register_unknown_devices": False}))
    closed.store(writer, [reading(1, device="known"), reading(1), reading(1, organisation="nobody")])
    assert rows(connection, "SELECT value FROM reading") == [(1.0,)]
    assert reasons(connection) == {"unknown_device": 1, "unknown_organisation": 1}


def test_contacts_tell_when_devices_were_heard(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection
) -> None:
    later = NOW + timedelta(seconds=1)
    pipeline.store(
        writer,
        [
            reading(1),
            reading(2, at=NOW - timedelta(days=2)),
            Message(topic_for("demo", "silent", "status"), encode_status(online=True), NOW),
            Message(topic_for("demo", "gone", "status"), encode_status(online=False), later),
            reading(3, device="gone"),
            Message(topic_for("demo", "kept", "status"), encode_status(online=True), NOW, retained=True),
        ],
    )
    found = rows(
        connection,
        "SELECT external_id, received_at, messages, first_observed_at, last_observed_at, online"
        " FROM contact JOIN device ON device.id = device_id ORDER BY external_id, received_at",
    )
    assert found == [
        ("gone", NOW, 1, NOW, NOW, True),
        ("gone", later, 1, None, None, False),
        ("m1", NOW, 2, NOW - timedelta(days=2), NOW, True),
        ("silent", NOW, 1, None, None, True),
    ]


def test_quarantine_counts_what_comes_again_and_keeps_its_bytes(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection
) -> None:
    message = Message("elsewhere/\ud800\0", b"\xff\0bytes", NOW)
    pipeline.store(writer, [message, message])
    pipeline.store(writer, [message._replace(received_at=NOW + timedelta(hours=1))])
    (row,) = quarantine.newest(connection)
    assert (row.count, row.payload, row.reason) == (3, b"\xff\0bytes", "no_source")
    assert (row.received_at, row.last_received_at) == (NOW, NOW + timedelta(hours=1))
    assert quarantine.get(connection, row.id) == row


def test_a_message_that_the_database_refuses_stands_alone(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection
) -> None:
    messages = [reading(n, at=NOW - timedelta(hours=n)) for n in range(20)]
    outcome = pipeline._decoding.decode(messages)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # no decoder makes this
    bad = outcome.understood[7]
    refused = bad.decoded._replace(events=(Event("m1", NOW, "x", "this is no JSON"),))
    outcome.understood[7] = bad._replace(decoded=refused, scans=())
    pipeline.store_decoded(writer, Outcome(understood=outcome.understood, quarantined=[]))
    assert len(rows(connection, "SELECT 1 FROM reading")) == 19
    assert reasons(connection) == {"storage_rejected": 1}


def test_what_a_faulty_decoder_gives_costs_its_own_message(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection
) -> None:
    outcome = pipeline._decoding.decode([reading(n, at=NOW - timedelta(hours=n)) for n in range(5)])  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # no decoder of ours makes this
    naive = Reading("m1", "x", datetime(2026, 1, 1), "many")  # noqa: DTZ001  # pyright: ignore[reportArgumentType]  # the fault
    bad = outcome.understood[3]
    outcome.understood[3] = bad._replace(decoded=bad.decoded._replace(readings=(naive,)), scans=())
    pipeline.store_decoded(writer, outcome)
    assert len(rows(connection, "SELECT 1 FROM reading")) == 4
    assert reasons(connection) == {"decoder_failed": 1}


def test_times_far_apart_each_have_room(pipeline: Pipeline, writer: IntakeWriter, connection: Connection) -> None:
    moments = [datetime(1980, 1, 6, tzinfo=UTC), datetime(1999, 12, 31, 23, 59, tzinfo=UTC), NOW]
    pipeline.store(writer, [reading(1, at=moment) for moment in moments])
    assert [row[0] for row in rows(connection, "SELECT observed_at FROM reading ORDER BY observed_at")] == moments


def test_a_delay_longer_than_its_column_is_cut(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection
) -> None:
    message = reading(1, at=datetime(1980, 1, 6, tzinfo=UTC))._replace(received_at=datetime(2090, 1, 1, tzinfo=UTC))
    assert pipeline.store(writer, [message]).readings == 1
    assert rows(connection, "SELECT delay_seconds FROM reading_raw") == [(2**31 - 1,)]


events = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 5), st.integers(0, 2))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(events, min_size=1, max_size=30), st.lists(st.integers(1, 9), min_size=1), st.data())
def test_however_messages_are_batched_and_repeated_the_rows_are_the_same(
    pipeline: Pipeline,
    writer: IntakeWriter,
    connection: Connection,
    sent: list[tuple[str, int, int]],
    sizes: list[int],
    data: st.DataObject,
) -> None:
    connection.execute("TRUNCATE reading_raw, quarantine, contact, batch CASCADE")
    connection.commit()
    messages = [reading(value, device=device, at=NOW - timedelta(hours=hour)) for device, hour, value in sent]
    for batch in _cut(messages, sizes):
        pipeline.store(writer, batch)
        if data.draw(st.booleans()):
            pipeline.store(writer, batch)
    wanted: dict[tuple[str, int], int] = {}
    for device, hour, value in sent:
        wanted.setdefault((device, hour), value)
    conflicts = sum(wanted[device, hour] != value for device, hour, value in sent)
    stored = rows(
        connection,
        "SELECT external_id, observed_at, value FROM reading"
        " JOIN series ON series.id = series_id JOIN device ON device.id = device_id",
    )
    assert {(device, at): value for device, at, value in stored} == {
        (device, NOW - timedelta(hours=hour)): value for (device, hour), value in wanted.items()
    }
    assert len(stored) == len(wanted)
    assert bool(conflicts) == bool(reasons(connection))
    logged = sum(len(batch.readings) for _, batch in log.read(connection, START, 1000))
    connection.rollback()
    assert logged == len(wanted)


def _cut(messages: list[Message], sizes: list[int]) -> Iterable[list[Message]]:
    at = 0
    while at < len(messages):
        size = sizes[at % len(sizes)]
        yield messages[at : at + size]
        at += size


def test_reasons_are_the_closed_list(connection: Connection) -> None:
    assert set(reasons(connection)) <= {reason.value for reason in Reason}


def test_a_message_with_several_values_that_conflict_is_counted_once(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection
) -> None:
    topic = topic_for("demo", "m1", "readings")
    for value in (1, 2):
        said = Message(topic, encode_readings(NOW, dict.fromkeys(("a", "b", "c", "d", "e"), value)), NOW)
        report = pipeline.store(writer, [said])
    assert report.quarantined == 1
    assert rows(connection, "SELECT count, array_length(arrivals, 1), array_length(string_to_array(detail, '; '), 1)"
                " FROM quarantine") == [(1, 1, 5)]  # fmt: skip

"""What the register says at intake: who may speak, who may register, and which values are plausible."""

import json
import select
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

import ingest.names
from ingest.decoding import Decoding
from ingest.names import Names
from ingest.pipeline import Pipeline
from tests.integration.ingest.conftest import make_pipeline
from tests.integration.ingest.test_pipeline import NOW, reading, reasons, rows
from veldwatch.config import Settings, Source
from veldwatch.model.identifiers import OrganisationId
from veldwatch.model.register import Device, DeviceStatus, Profile, ProfileMetric
from veldwatch.model.telemetry import Message
from veldwatch.storage import register
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter
from veldwatch.wire.sources import Route, Sources, check_source
from veldwatch.wire.veldwatch_json import encode_readings

PRESSURE = Profile(
    slug="logger",
    name="Pressure logger",
    kind="sensor",
    metrics=(ProfileMetric(metric="pressure", unit="bar", minimum=0, maximum=16),),
)


def _policy(settings: Settings, **policy: object) -> Pipeline:
    source = Source(name="veldwatch", topic_filter="veldwatch/v1/#", decoder="veldwatch", **policy)  # pyright: ignore[reportArgumentType]
    return make_pipeline(settings.model_copy(update={"sources": (source,), "register_unknown_devices": False}))


def _devices(connection: Connection) -> dict[str, str]:
    return dict(rows(connection, "SELECT external_id, status FROM device ORDER BY id"))


def _details(connection: Connection) -> list[str]:
    return [detail for (detail,) in rows(connection, "SELECT detail FROM quarantine ORDER BY id")]


def _commit(connection: Connection, writer: IntakeWriter) -> None:
    """Commit a change of the register, and wait until the server has told the writer of it."""
    connection.commit()
    readable, _, _ = select.select([writer.connection.pgconn.socket], [], [], 20)
    assert readable


@pytest.fixture
def logger(connection: Connection) -> Device:
    organisation = register.ensure_organisation(connection, "demo")
    profile = register.ensure_profile(connection, PRESSURE)
    logger = Device(organisation_id=organisation, external_id="m1", source="veldwatch", profile_id=profile)
    register.ensure_device(connection, logger)
    connection.commit()
    return logger


def test_a_value_outside_the_plausible_range_is_stored_and_marked(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection, logger: Device
) -> None:
    assert logger.profile_id is not None
    # 40 kPa are plausible in a profile that counts in bar; a metric without a range always is
    values = [(-0.1, "bar"), (0, "bar"), (16, "bar"), (17, "bar"), (40, "kPa"), (1700, "kPa")]
    for number, (value, unit) in enumerate(values):
        at = NOW.replace(minute=number)
        pipeline.store(
            writer,
            [
                reading(value, at=at, metric="pressure", unit=unit),
                reading(-1e9, at=at, metric="other"),
                reading(99, at=at, device="m2", metric="pressure", unit="bar"),
            ],
        )
    found = rows(
        connection,
        "SELECT r.value, r.quality & 4 FROM reading r JOIN series s ON s.id = r.series_id"
        " JOIN device d ON d.id = s.device_id WHERE s.metric = 'pressure' AND d.external_id = 'm1'"
        " ORDER BY r.observed_at",
    )
    assert found == [(-0.1, 4), (0, 0), (16, 0), (17, 4), (0.4, 0), (17, 4)]
    others = "SELECT count(*) FILTER (WHERE quality & 4 = 4), count(*) FROM reading"
    assert rows(connection, others) == [(3, 18)]
    assert reasons(connection) == {}


def test_a_retired_device_is_quarantined_with_the_next_batch(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection, logger: Device
) -> None:
    pipeline.store(writer, [reading(1)])
    register.ensure_device(connection, replace(logger, status=DeviceStatus.RETIRED))
    _commit(connection, writer)
    pipeline.store(writer, [reading(2, at=NOW.replace(minute=1)), reading(2, device="m2")])
    assert rows(connection, "SELECT value FROM reading ORDER BY value") == [(1.0,), (2.0,)]
    assert reasons(connection) == {"device_retired": 1}
    assert "was taken out of service" in _details(connection)[0]
    register.ensure_device(connection, replace(logger, status=DeviceStatus.ACTIVE))
    _commit(connection, writer)
    pipeline.store(writer, [reading(2, at=NOW.replace(minute=1))])
    assert rows(connection, "SELECT count(*) FROM reading") == [(3,)]


def test_a_profile_that_changes_counts_from_the_next_batch_on(
    pipeline: Pipeline, writer: IntakeWriter, connection: Connection, logger: Device
) -> None:
    assert logger.external_id == "m1"
    pipeline.store(writer, [reading(17, metric="pressure", unit="bar")])
    wider = replace(PRESSURE, metrics=(replace(PRESSURE.metrics[0], maximum=25),))
    register.ensure_profile(connection, wider)
    _commit(connection, writer)
    pipeline.store(writer, [reading(17, at=NOW.replace(minute=1), metric="pressure", unit="bar")])
    assert rows(connection, "SELECT quality & 4 FROM reading ORDER BY observed_at") == [(4,), (0,)]


def test_a_source_registers_active_devices_of_its_pattern_only(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    pipeline = _policy(settings, register_unknown=True, register_as="active", device_pattern=r"m\d+")
    pipeline.store(writer, [reading(1, device="m1"), reading(1, device="m1x"), reading(1, device="xm1")])
    assert _devices(connection) == {"m1": "active"}
    assert reasons(connection) == {"unknown_device": 2}


def test_a_refused_device_stays_known_and_quarantined(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    pipeline = _policy(settings, register_unknown=True)
    pipeline.store(writer, [reading(1)])
    assert _devices(connection) == {"m1": "pending"}
    connection.execute("UPDATE device SET status = 'refused'")
    _commit(connection, writer)
    for _ in range(2):
        pipeline.store(writer, [reading(2, at=NOW.replace(minute=1))])
    assert _devices(connection) == {"m1": "refused"}
    assert reasons(connection) == {"device_refused": 1}


def test_a_flood_of_invented_devices_does_not_fill_the_register(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    register.ensure_organisation(connection, "demo")
    connection.commit()
    pipeline = _policy(settings, register_unknown=True, registrations_per_hour=5)
    for batch in range(3):
        pipeline.store(writer, [reading(1, device=f"d{batch}-{number}") for number in range(4)])
    assert len(_devices(connection)) == 5
    assert reasons(connection) == {"registration_limit": 7}
    assert "registrations_per_hour of source 'veldwatch'" in _details(connection)[0]
    # who is known goes on, and what an operator registers is not counted
    pipeline.store(writer, [reading(2, device="d0-0", at=NOW.replace(minute=1))])
    assert rows(connection, "SELECT count(*) FROM reading") == [(6,)]
    connection.execute("UPDATE device SET created_at = created_at - interval '61 minutes'")
    connection.commit()
    pipeline.store(writer, [reading(1, device="d2-3")])
    assert len(_devices(connection)) == 6


def test_a_flood_of_invented_organisations_does_not_fill_the_register_either(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    pipeline = _policy(settings, register_unknown=True, registrations_per_hour=3)
    pipeline.store(writer, [reading(1, organisation=f"invented-{number}") for number in range(10)])
    assert rows(connection, "SELECT count(*) FROM organisation") == [(3,)]
    assert reasons(connection) == {"registration_limit": 7}


def test_a_message_of_garbage_topics_registers_nothing(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    pipeline = _policy(settings, register_unknown=True)
    pipeline.store(writer, [Message("veldwatch/v1/demo/m1/readings", b"{", NOW)])
    assert _devices(connection) == {}


@pytest.mark.parametrize("general", [False, True])
def test_a_device_that_calls_its_metrics_otherwise_each_time_does_not_fill_the_register(
    settings: Settings, writer: IntakeWriter, connection: Connection, monkeypatch: pytest.MonkeyPatch, *, general: bool
) -> None:
    monkeypatch.setattr(register, "MOST_NEW_SERIES", 5)
    pipeline = _policy(settings, register_unknown=True)

    def said(first: int, device: str = "m1") -> Message:
        # Text that holds a number is no scan.
        values = {f"x{number}": f"{number}" if general else number for number in range(first, first + 3)}
        document = {"observed_at": NOW.isoformat(), "readings": values}
        return Message(f"veldwatch/v1/demo/{device}/readings", json.dumps(document).encode(), NOW)

    pipeline.store(writer, [said(0), said(3), said(0, "m2")])
    assert rows(connection, "SELECT count(*) FROM series") == [(8,)]
    assert rows(connection, "SELECT count(*) FROM reading") == [(8,)]
    assert reasons(connection) == {"registration_limit": 1}
    pipeline.store(writer, [said(3), said(6)])
    assert rows(connection, "SELECT count(*) FROM series") == [(8,)]
    assert reasons(connection) == {"registration_limit": 2}
    connection.execute("UPDATE series SET created_at = created_at - interval '2 hours'")
    connection.commit()
    pipeline.store(writer, [said(3), said(6)])
    assert rows(connection, "SELECT count(*) FROM series") == [(12,)]
    assert reasons(connection) == {"registration_limit": 2}


def test_a_device_that_says_its_metrics_in_another_order_each_time_does_not_fill_memory(
    settings: Settings, writer: IntakeWriter, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.names, "_MOST_SCANS", 5)
    known = Names(settings)
    decoding = Decoding(Sources(settings.sources), payload_limit_bytes=1000, default_organisation="demo")
    pipeline = Pipeline(decoding, known)
    for second, order in enumerate(permutations("abcd")):
        values = dict.fromkeys(order, 1.0)
        payload = encode_readings(NOW + timedelta(seconds=second), values)
        pipeline.store(writer, [Message("veldwatch/v1/demo/m1/readings", payload, NOW), reading(1, device="m2")])
        assert len(known.scans) <= 5 + 2
    assert rows(connection, "SELECT count(*) FROM reading") == [(24 * 4 + 1,)]


@pytest.mark.several_backends("two ingestors hold locks at once")
def test_two_ingestors_that_register_devices_of_the_same_organisations_never_wait_for_each_other(
    dsn: str, settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slug in ("a", "b"):
        register.ensure_organisation(connection, slug)
    connection.commit()
    registrable, both = register.registrable, threading.Barrier(2)

    def slowly(connection: Connection, organisation: OrganisationId, limit: int) -> int:
        room = registrable(connection, organisation, limit)
        with suppress(threading.BrokenBarrierError):
            both.wait(1)  # the other one has its first organisation too, or waits for ours
        return room

    monkeypatch.setattr(register, "registrable", slowly)
    source = Source(name="s", topic_filter="#", decoder="veldwatch", register_unknown=True)
    route = Route(source=source, decode=check_source(source))

    def work(order: str) -> None:
        writer = IntakeWriter(dsn)
        try:
            Names(settings).learn_devices(writer.connection, {(slug, f"d-{order}"): route for slug in order})
        finally:
            writer.close()

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(work, order) for order in ("ab", "ba")]:
            done.result()
    assert rows(connection, "SELECT count(*) FROM device") == [(4,)]

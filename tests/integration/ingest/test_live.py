"""The whole way: publisher, broker, ingest, database."""

import base64
import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from launch.embedded_broker import EmbeddedBroker
from tests.integration.ingest.conftest import eventually, publishing, running
from veldwatch.config import Settings
from veldwatch.storage import quarantine
from veldwatch.storage.connection import Connection
from veldwatch.wire.senml.names import split_name
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_readings

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


def count(connection: Connection, table: str) -> int:
    row = connection.execute(b"SELECT count(*) FROM " + table.encode()).fetchone()
    connection.rollback()
    return 0 if row is None else row[0]


def stored(connection: Connection, device: str, at: str | None = None) -> dict[str, tuple[float, str]]:
    """Give value and unit by metric; of one time, where `at` names it."""
    found = connection.execute(
        "SELECT s.metric, r.value, s.unit FROM reading r JOIN series s ON s.id = r.series_id"
        " JOIN device d ON d.id = s.device_id WHERE d.external_id = %(device)s"
        " AND (%(at)s::timestamptz IS NULL OR r.observed_at = %(at)s)",
        {"device": device, "at": at},
    ).fetchall()
    connection.rollback()
    return {metric: (value, unit) for metric, value, unit in found}


def told(connection: Connection, device: str) -> dict[str, Any]:
    """Give values that are text: attributes of events."""
    found = connection.execute(
        "SELECT e.attributes FROM event e JOIN device d ON d.id = e.device_id WHERE d.external_id = %s", (device,)
    ).fetchall()
    connection.rollback()
    return {name: value for (attributes,) in found for name, value in attributes.items()}


def coordinates(connection: Connection, device: str, seconds: float) -> set[float]:
    found = connection.execute(
        "SELECT p.longitude, p.latitude FROM position p JOIN device d ON d.id = p.device_id"
        " WHERE d.external_id = %s AND p.observed_at = to_timestamp(%s)",
        (device, seconds),
    ).fetchall()
    connection.rollback()
    return {degrees for row in found for degrees in row}


def payload_of(sample: dict[str, Any]) -> bytes:
    return base64.b64decode(sample["payload"]) if sample["encoding"] == "base64" else sample["payload"].encode()


def test_each_real_payload_is_stored_as_expected(live: Settings, connection: Connection, samples: Path) -> None:
    lines = (samples / "payloads" / "payloads.jsonl").read_text(encoding="utf-8").splitlines()
    known: list[dict[str, Any]] = [json.loads(line) for line in lines]
    with running(live) as worker, publishing(live) as publisher:
        for sample in known:
            publisher.send(sample["topic"], payload_of(sample))
        publisher.flush()
        eventually(lambda: worker.total.messages >= len(known))
    for sample in known:
        expected = sample["expected"]
        # What a gas meter says in a telegram of another meter has a time of its own.
        at = None if sample["format"] == "dsmr-p1" else expected["time"]
        found = stored(connection, expected["device"], at)
        values = {name: value for name, (value, _) in found.items()} | told(connection, expected["device"])
        wanted = {name: _as_stored(value) for name, value in expected.get("values", {}).items() if value is not None}
        assert {name: values[name] for name in wanted} == pytest.approx(wanted)
        assert {name: found[name][1] for name in expected.get("units", {})} == expected.get("units", {})
    for record in (record for s in known for record in s["expected"].get("records", ())):
        device, metric = split_name(record["n"])
        if record.get("u") in ("lat", "lon"):
            assert record["v"] in coordinates(connection, device, record["t"])
        else:
            moment = datetime.fromtimestamp(record["t"], UTC).isoformat()
            assert stored(connection, device, moment)[metric or record["u"]] == (record["v"], record["u"])
    assert quarantine.newest(connection, limit=1000) == []


def _as_stored(value: object) -> object:
    """A flag is stored as 0 or 1."""
    return float(value) if isinstance(value, bool) else value


def hostile(samples: Path) -> list[tuple[str, bytes]]:
    """Make a thousand inputs that nobody should send, and that a broker takes."""
    rng = random.Random(17)  # noqa: S311  # a seed, not a secret
    lines = (samples / "adversarial" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [base64.b64decode(json.loads(line)["bytes_base64"]) for line in lines]
    own = [
        b"",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"a\\u0000":1}',
        b'"\\ud800"',
        b'{"observed_at":1772366400,"readings":{"a":1}',
    ]
    own += [b'{"observed_at":1772366400,"readings":{"a":' + b"9" * 5000 + b"}}", b"x" * 10_000_000, b"\0" * 300]
    topics = [
        "veldwatch/v1/demo/d1/readings", "veldwatch/v1/demo/d1/positions", "veldwatch/v1/demo/d1/events",
        "veldwatch/v1/demo/d1/status", "veldwatch/v1//d1/readings", "veldwatch/v1/demo//readings", "veldwatch/v1/demo",
        "veldwatch/v1/demo/" + "x" * 10_000 + "/readings", "wmbusmeters/x", "application/a/device/b/event/up",
        "application/a/device/b/event/nothing", "owntracks/a/b", "owntracks/a/b/event", "no/such/source", "a//b", "/",
    ]  # fmt: skip
    inputs = [(topics[place % len(topics)], content) for place, content in enumerate(own * len(topics))]
    while len(inputs) < 1000:
        content = bytearray(rng.choice(cases))
        for _ in range(rng.randrange(3)):
            if content:
                content[rng.randrange(len(content))] = rng.randrange(256)
        inputs.append((rng.choice(topics), bytes(content)))
    large = [place for place, (_, content) in enumerate(inputs) if len(content) > 1_000_000]
    for place in large[1:]:  # one such is a case, sixteen are a load test
        inputs[place] = (inputs[place][0], inputs[place][1][:300_000])
    return [(topic, content) for topic, content in inputs if len(content) < 900_000 or topic]


def test_a_thousand_hostile_inputs_block_nothing(
    live: Settings, connection: Connection, samples: Path, broker: EmbeddedBroker
) -> None:
    inputs = hostile(samples)
    if broker.name == "nats":
        # Its largest payload is 1 MB: a longer one costs the publisher its connection.
        inputs = [(topic, content[:900_000]) for topic, content in inputs]
    with running(live) as worker, publishing(live) as publisher:
        for topic, content in inputs:
            publisher.send(topic, content)
        publisher.flush()
        eventually(lambda: worker.total.messages >= len(inputs), 60)
        started = time.monotonic()
        publisher.send(topic_for("demo", "good", "readings"), encode_readings(START, {"x": 1}))
        eventually(lambda: "x" in stored(connection, "good"), 2)
        assert time.monotonic() - started < 2
    rows = quarantine.newest(connection, limit=10_000)
    assert len(rows) > 100
    assert all(row.reason and row.detail for row in rows)
    assert not [row for row in rows if row.reason in {"decoder_failed", "storage_rejected"}]


def test_what_is_published_while_ingest_is_away_comes_later(live: Settings, connection: Connection) -> None:
    topic = topic_for("demo", "m1", "readings")
    with running(live):
        pass
    with publishing(live) as publisher:
        for number in range(500):
            publisher.send(topic, encode_readings(START + timedelta(seconds=number), {"x": number}))
        publisher.flush()
    with running(live):
        eventually(lambda: count(connection, "reading_raw") == 500)


def test_a_restart_of_the_broker_loses_and_doubles_nothing(
    live: Settings, connection: Connection, broker: EmbeddedBroker
) -> None:
    topic = topic_for("demo", "m1", "readings")
    with running(live) as worker:
        for part in range(3):
            with publishing(live) as publisher:
                for number in range(300):
                    moment = START + timedelta(seconds=part * 300 + number)
                    publisher.send(topic, encode_readings(moment, {"x": number}))
                publisher.flush()
            broker.stop()
            broker.start()
            assert worker.subscriber.connected.wait(30)
        eventually(lambda: count(connection, "reading_raw") == 900, 40)
    assert count(connection, "quarantine") == 0


@pytest.mark.several_backends("a database is closed to its clients, which the one that is asked to cannot be")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("away_seconds", [3, pytest.param(600, marks=pytest.mark.slow)])
def test_while_the_database_is_away_the_broker_keeps_and_then_all_comes(
    live: Settings, dsn: str, away_seconds: float
) -> None:
    name = str(conninfo_to_dict(dsn)["dbname"])
    topic = topic_for("demo", "m1", "readings")
    with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as admin, running(live) as worker:
        with publishing(live) as publisher:
            publisher.send(topic, encode_readings(START, {"x": 0}))
            publisher.flush()
            eventually(lambda: worker.total.messages == 1)
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            for number in range(1, 400):
                publisher.send(topic, encode_readings(START + timedelta(seconds=number), {"x": number}))
            publisher.flush()
            time.sleep(away_seconds)
            assert worker.total.messages == 1
            assert worker.subscriber.connected.is_set()
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
            eventually(lambda: worker.total.messages >= 400, 30)
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*), count(DISTINCT observed_at) FROM reading").fetchone()
    assert row == (400, 400)

"""Several ingestors, a slow disk, more messages than can be stored, and what `ingest status` says meanwhile."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from launch.embedded_broker import EmbeddedBroker
from tests.integration.ingest.conftest import Publisher, eventually, publishing, running
from veldwatch.config import Settings
from veldwatch.storage import ingestors
from veldwatch.storage.connection import Connection
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_readings, joined

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
_MIB = 2**20


def counted(connection: Connection) -> tuple[int, int]:
    """Count readings, and different ones among them."""
    row = connection.execute("SELECT count(*), count(DISTINCT (series_id, observed_at)) FROM reading_raw").fetchone()
    connection.rollback()
    return (0, 0) if row is None else (row[0], row[1])


def stored(connection: Connection) -> int:
    """Count readings alone: asked again and again, it must not take the server's time from intake."""
    row = connection.execute("SELECT count(*) FROM reading_raw").fetchone()
    connection.rollback()
    return 0 if row is None else int(row[0])


def send(publisher: Publisher, numbers: range, organisation: str = "demo") -> None:
    for number in numbers:
        payload = encode_readings(START + timedelta(seconds=number), {"x": number})
        publisher.send(topic_for(organisation, f"m{number % 20}", "readings"), payload)


def told(connection: Connection) -> list[ingestors.IngestorState]:
    found = ingestors.states(connection)
    connection.rollback()
    return found


def test_an_ingestor_tells_how_it_goes(live: Settings, connection: Connection) -> None:
    with running(live), publishing(live) as publisher:
        send(publisher, range(30))
        publisher.send("owntracks/u/d", b'{"_type":"location","lat":-24.9,"lon":31.5,"tst":1795000000,"tid":"AB"}')
        publisher.send("elsewhere/x", b"{}")
        publisher.flush()
        eventually(lambda: any(s.probed_at is not None and s.sources for s in told(connection)), 40)
        eventually(lambda: {"", "owntracks", "veldwatch"} <= {s.source for s in told(connection)[0].sources}, 40)
    (state,) = told(connection)
    assert state.name == live.mqtt_client_id
    assert state.queue_delay_seconds is not None
    counts = {source.source: (source.messages, source.quarantined) for source in state.sources}
    assert counts == {"veldwatch": (30, 0), "owntracks": (1, 0), "": (0, 1)}


def test_the_command_prints_it(live: Settings, connection: Connection) -> None:
    with running(live), publishing(live) as publisher:
        send(publisher, range(3))
        publisher.flush()
        eventually(lambda: bool(told(connection) and told(connection)[0].sources), 30)
        command = [sys.executable, "-m", "launch", "ingest", "status"]
        environment = {**os.environ, "VELDWATCH_DSN": live.dsn}
        table = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        one = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, check=True).stdout
    assert "ingestor veldwatch-ingest   running" in table
    assert json.loads(one)["ingestors"][0]["sources"][0]["messages"] == 3


def test_two_ingestors_share_the_load_and_store_each_message_once(
    live: Settings, broker: EmbeddedBroker, connection: Connection
) -> None:
    """On a shared subscription where the broker has it; NATS has none: there each takes topics of its own."""
    own: tuple[dict[str, object], dict[str, object]] = ({}, {})
    if broker.name == "nats":
        own = ({"subscriptions": ("veldwatch/v1/north/#",)}, {"subscriptions": ("veldwatch/v1/south/#",)})
    first, second = (
        live.model_copy(update={"mqtt_client_id": f"veldwatch-ingest-{number}", **said})
        for number, said in enumerate(own, 1)
    )
    with running(first) as one, running(second) as other:
        with publishing(live) as publisher:
            send(publisher, range(1500), "north")
            send(publisher, range(1500), "south")
            publisher.flush()
            eventually(lambda: stored(connection) >= 3000, 40)
        assert counted(connection) == (3000, 3000)
        eventually(lambda: one.total.messages + other.total.messages >= 3000)
        assert one.total.messages + other.total.messages == 3000
        assert min(one.total.messages, other.total.messages) > 300


def test_while_one_of_two_ingestors_is_away_nothing_is_lost(
    live: Settings, broker: EmbeddedBroker, connection: Connection
) -> None:
    if broker.name == "nats":
        away = live.model_copy(update={"mqtt_client_id": "b", "subscriptions": ("veldwatch/v1/south/#",)})
        stays = live.model_copy(update={"mqtt_client_id": "a", "subscriptions": ("veldwatch/v1/north/#",)})
    else:
        stays, away = (live.model_copy(update={"mqtt_client_id": name}) for name in ("a", "b"))
    with running(stays):
        with running(away):
            pass
        with publishing(live) as publisher:
            send(publisher, range(200), "north")
            send(publisher, range(200), "south")
            publisher.flush()
        with running(away):
            eventually(lambda: stored(connection) >= 400, 40)
    assert counted(connection) == (400, 400)


@contextmanager
def ingesting(settings: Settings) -> Generator["subprocess.Popen[bytes]"]:
    """Run ingest as a process of its own."""
    names = ("dsn", "mqtt_port", "mqtt_username", "mqtt_password")
    own = {f"VELDWATCH_{name.upper()}": str(getattr(settings, name)) for name in names}
    process = subprocess.Popen(
        [sys.executable, "-m", "launch", "ingest", "run"],
        env={**os.environ, **own, "VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true"},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
        process.terminate()
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()


def resident_bytes(pid: int) -> int:
    """Source: proc(5), statm: resident pages."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def slow_disk(connection: Connection) -> Generator[None]:
    """Let each commit take half a second: at most 10,000 messages a second could pass, were batches full at once."""
    connection.execute(
        "CREATE FUNCTION slow_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$"
    )
    connection.execute("CREATE TRIGGER slow_disk AFTER INSERT ON batch EXECUTE FUNCTION slow_disk()")
    connection.commit()
    try:
        yield
    finally:
        connection.execute("DROP FUNCTION slow_disk() CASCADE")
        connection.commit()


def overload(live: Settings, connection: Connection, *, seconds: float, items: int) -> None:
    """Publish far more than a slow disk takes, then let it recover.

    Args:
        items: moments in each message.
    """
    largest = sent = 0
    with ingesting(live) as process, publishing(live) as publisher:
        with slow_disk(connection):
            eventually(lambda: bool(told(connection)), 60)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                for number in range(sent, sent + 2000, items):
                    moments = [START + timedelta(milliseconds=number + item) for item in range(items)]
                    said = [encode_readings(moment, {"x": number}) for moment in moments]
                    publisher.send(topic_for("demo", f"m{number % 20}", "readings"), joined(said))
                sent += 2000
                publisher.flush()
                largest = max(largest, resident_bytes(process.pid))
        eventually(lambda: stored(connection) >= sent, 200 + seconds)
        largest = max(largest, resident_bytes(process.pid))
    assert counted(connection) == (sent, sent)
    assert largest < 300 * _MIB, f"{largest / _MIB:.0f} MiB with {sent} messages sent"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("items", [1, 200])
def test_on_a_slow_disk_memory_is_bounded_and_nothing_is_lost(
    live: Settings, connection: Connection, items: int
) -> None:
    overload(live, connection, seconds=5, items=items)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_minutes_of_overload_on_a_slow_disk(live: Settings, connection: Connection) -> None:
    overload(live, connection, seconds=600, items=1)

"""The live stream over a real server process: what is written shows within moments, and nothing is missed."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.incident_gathering import gather_alerts

_START = "import sys; from launch.commands.api import app; app(['run'])"


@dataclass(kw_only=True)
class Server:
    """A running `veldwatch api run`."""

    process: subprocess.Popen[bytes]
    address: str


@dataclass(kw_only=True)
class Listener:
    """A client of the stream that keeps what it is told."""

    told: "queue.Queue[tuple[str, Any]]" = field(default_factory=queue.Queue)
    last_id: str = ""
    ended: threading.Event = field(default_factory=threading.Event)
    ready: threading.Event = field(default_factory=threading.Event)
    comments: list[str] = field(default_factory=list)

    def expect(self, kind: str, seconds: float = 10) -> Any:  # noqa: ANN401  # JSON
        """Give the next event of a kind."""
        until = time.monotonic() + seconds
        while True:
            found, content = self.told.get(timeout=max(0.01, until - time.monotonic()))
            if found == kind:
                return content

    def read(self, lines: Generator[str]) -> None:
        """Take in lines until the stream ends. Source: HTML Living Standard, section 9.2.6."""
        kind, content = "message", ""
        for line in lines:
            name, _, value = line.partition(": ")
            if line.startswith(":"):
                self.comments.append(line)
            elif name == "event":
                kind = value
            elif name == "data":
                content = value
            elif name == "id":
                self.last_id = value
                self.ready.set()
            elif not line and content:
                self.told.put((kind, json.loads(content)))
                kind, content = "message", ""
        self.ended.set()


@pytest.fixture
def server(dsn: str) -> Generator[Server]:
    environment = {**os.environ, "VELDWATCH_DSN": dsn, "VELDWATCH_API_PORT": "0", "VELDWATCH_LOG_FORMAT": "json"}
    process = subprocess.Popen([sys.executable, "-c", _START], env=environment, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if b'"listening"' in line:
                yield Server(process=process, address=json.loads(line)["address"])
                break
        else:
            pytest.fail("the API did not start")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@contextmanager
def listening(server: Server, token: str, last_id: str | None = None) -> Generator[Listener]:
    """Follow the stream in a thread."""
    headers = {"Authorization": f"Bearer {token}"} | ({} if last_id is None else {"Last-Event-ID": last_id})
    listener = Listener()
    with (
        httpx.Client(base_url=server.address, headers=headers, timeout=httpx.Timeout(10, read=60)) as client,
        client.stream("GET", "/v1/stream") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"

        def read() -> None:
            try:
                listener.read(answer.iter_lines())  # pyright: ignore[reportArgumentType]  # an iterator is enough
            except httpx.HTTPError:
                listener.ended.set()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        assert listener.ready.wait(10)
        yield listener
        # Closing alone does not wake a thread that waits for the next line.
        connection: socket.socket = answer.extensions["network_stream"].get_extra_info("socket")
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_what_is_written_shows_at_once(server: Server, connection: Connection, made: World) -> None:
    with listening(server, made.tokens["viewer"]) as listener:
        delays: list[float] = []
        for n in range(5):
            world.add_readings(connection, made.volume, [(BEGIN + timedelta(minutes=n), n)])
            committed = time.monotonic()
            told = listener.expect("batch")
            delays.append(time.monotonic() - committed)
            assert told["readings"] == [
                {
                    "series_id": made.volume,
                    "device_id": made.meter,
                    "device": "m-1",
                    "metric": "volume",
                    "unit": "m3",
                    "observed_at": f"2026-11-01T10:0{n}:00Z",
                    "value": n,
                }
            ]
            time.sleep(0.15)
        assert max(delays) < 2, delays
        world.add_fixes(connection, made.collar, [(BEGIN, 31.1, -10.1)])
        (fix,) = listener.expect("batch")["positions"]
        assert (fix["device"], fix["longitude"], fix["latitude"]) == ("c-1", 31.1, -10.1)
        world.add_contact(connection, made.meter, BEGIN, online=False)
        (contact,) = listener.expect("batch")["contacts"]
        assert (contact["device_id"], contact["received_at"], contact["online"]) == (
            made.meter,
            "2026-11-01T10:00:00Z",
            False,
        )


def test_an_alert_and_its_acknowledgement_show(server: Server, connection: Connection, made: World) -> None:
    with listening(server, made.tokens["viewer"]) as listener:
        alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
        assert listener.expect("alert")["id"] == str(alert)
        headers = {"Authorization": f"Bearer {made.tokens['operator']}"}
        httpx.post(f"{server.address}/v1/alerts/{alert}/acknowledge", headers=headers)
        told = listener.expect("alert")
        while told["acknowledged_by"] is None:  # at least once: the first state may be told again
            told = listener.expect("alert")
        assert told["acknowledged_by"] == "control room"


def test_each_organisation_is_told_only_its_own(server: Server, connection: Connection, made: World) -> None:
    with (
        listening(server, made.tokens["wildlife viewer"]) as rangers,
        listening(server, made.tokens["viewer"]) as everyone,
    ):
        world.add_readings(connection, made.volume, [(BEGIN, 1.0)])
        world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
        everyone.expect("alert")
        world.add_fixes(connection, made.collar, [(BEGIN, 31.1, -10.1)])
        told = rangers.expect("batch")
        assert told["readings"] == []
        assert len(told["positions"]) == 1
        assert rangers.told.empty()


def test_who_comes_back_is_told_what_was_missed(server: Server, connection: Connection, made: World) -> None:
    with listening(server, made.tokens["viewer"]) as listener:
        world.add_readings(connection, made.volume, [(BEGIN, 0)])
        listener.expect("batch")
    for n in range(1, 130):
        world.add_readings(connection, made.volume, [(BEGIN + timedelta(minutes=n), n)])
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    with listening(server, made.tokens["viewer"], listener.last_id) as back:
        assert back.expect("alert")["id"] == str(alert)
        world.add_readings(connection, made.volume, [(BEGIN + timedelta(minutes=130), 130)])
        values: list[float] = []
        while 130 not in values:
            values += [reading["value"] for reading in back.expect("batch")["readings"]]
        assert values == list(range(1, 131))


def test_who_comes_back_is_told_of_incidents_and_of_alerts_whose_transaction_began_before_the_last_event(
    server: Server, connection: Connection, made: World, dsn: str
) -> None:
    first = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    with connect(dsn) as engine, engine.transaction():
        engine.execute("SELECT now()")
        with listening(server, made.tokens["viewer"]) as listener:
            world.add_readings(connection, made.volume, [(BEGIN, 0)])
            listener.expect("batch")
        alert = _copy_alert(engine, first, 1)
        gather_alerts(engine, alert, datetime.now(UTC))
    with listening(server, made.tokens["viewer"], listener.last_id) as back:
        while back.expect("alert")["id"] != str(alert[0]):
            pass
        assert back.expect("incident")["alerts"] == 1


def test_who_missed_more_alerts_than_are_told_loads_the_lists(
    server: Server, connection: Connection, made: World
) -> None:
    with listening(server, made.tokens["viewer"]) as listener:
        world.add_readings(connection, made.volume, [(BEGIN, 0)])
        listener.expect("batch")
    first = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    _copy_alert(connection, first, 500)
    connection.commit()
    with listening(server, made.tokens["viewer"], listener.last_id) as back:
        back.expect("reset")


def _copy_alert(connection: Connection, alert: UUID, copies: int) -> list[UUID]:
    rows = connection.execute(
        "INSERT INTO alert (id, rule_version_id, organisation_id, device_id, subject, severity, state, opened_at,"
        " fired_at, recorded_at, late, value, summary, evidence)"
        " SELECT gen_random_uuid(), a.rule_version_id, a.organisation_id, a.device_id, 'device:x' || n, a.severity,"
        " a.state, a.opened_at, a.fired_at, a.recorded_at, a.late, a.value, a.summary, a.evidence"
        " FROM alert a, generate_series(1, %s) n WHERE a.id = %s RETURNING id",
        (copies, alert),
    ).fetchall()
    return [number for (number,) in rows]


def test_a_place_that_the_log_no_longer_keeps_is_told_as_a_reset(
    server: Server, connection: Connection, made: World
) -> None:
    world.add_readings(connection, made.volume, [(BEGIN, 0)])
    for place in ("3-99999", "nonsense"):
        with listening(server, made.tokens["viewer"], place) as listener:
            if place != "nonsense":
                listener.expect("reset")
            world.add_readings(connection, made.volume, [(BEGIN + timedelta(minutes=len(place)), 1)])
            assert len(listener.expect("batch")["readings"]) == 1


def test_a_burst_is_joined_and_what_is_left_out_is_counted(server: Server, connection: Connection, made: World) -> None:
    with listening(server, made.tokens["viewer"]) as listener:
        world.add_readings(connection, made.volume, [(BEGIN + timedelta(seconds=n), n) for n in range(6000)])
        told = listener.expect("batch", 20)
        assert [reading["value"] for reading in told["readings"]] == [5999]
        assert told["omitted"] == 5999


@pytest.mark.several_backends("another connection closes the database to its clients and opens it again")
def test_the_stream_outlives_the_database_and_goes_on_where_it_stood(
    server: Server, connection: Connection, made: World, server_dsn: str
) -> None:
    name = connection.info.dbname
    with listening(server, made.tokens["viewer"]) as listener:
        world.add_readings(connection, made.volume, [(BEGIN, 0)])
        listener.expect("batch")
        connection.close()
        with psycopg.connect(server_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            time.sleep(1.5)
            assert httpx.get(f"{server.address}/readyz", timeout=10).status_code == 503
            assert not listener.ended.is_set()
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
        with psycopg.connect(make_conninfo(server_dsn, dbname=name), options="-c timezone=UTC") as again:
            world.add_readings(again, made.volume, [(BEGIN + timedelta(minutes=1), 1)])
            alert = world.add_alert(again, device=made.meter, organisation=made.water, opened_at=BEGIN)
        # An alert that is committed while the stream comes back may be told twice, looked up and called.
        told: dict[str, Any] = {}
        while not told.keys() >= {"batch", "alert"}:
            told |= [listener.told.get(timeout=60)]
        assert [reading["value"] for reading in told["batch"]["readings"]] == [1]
        assert told["alert"]["id"] == str(alert)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_program_ends_within_moments_though_clients_listen(
    server: Server, made: World, stop: signal.Signals
) -> None:
    with listening(server, made.tokens["viewer"]) as one, listening(server, made.tokens["water"]) as other:
        began = time.monotonic()
        server.process.send_signal(stop)
        assert server.process.wait(10) == 0
        assert time.monotonic() - began < 10
        assert one.ended.wait(2)
        assert other.ended.wait(2)


def test_a_slow_client_is_given_up_and_costs_no_memory(server: Server, connection: Connection, made: World) -> None:
    headers = {"Authorization": f"Bearer {made.tokens['viewer']}"}
    with (
        httpx.Client(base_url=server.address, headers=headers, timeout=30) as client,
        client.stream("GET", "/v1/stream") as stuck,
        listening(server, made.tokens["viewer"]) as quick,
    ):
        assert stuck.status_code == 200
        before = _memory_kilobytes(server)
        wide = _wide_writer(connection, made)
        for n in range(60):
            wide(n)
        while (told := quick.expect("batch", 30)) and told["readings"][-1]["value"] != 59:
            pass
        assert _memory_kilobytes(server) - before < 120_000


def _wide_writer(connection: Connection, made: World) -> Callable[[int], None]:
    """Make 4,000 series and give a function that writes one reading of each: frames of 600 kB that are not joined."""
    import numpy as np  # noqa: PLC0415  # only this test writes so much

    from veldwatch.storage import log  # noqa: PLC0415

    rows = connection.execute(
        "INSERT INTO series (device_id, metric) SELECT %s, 'metric-' || n FROM generate_series(1, 4000) n RETURNING id",
        (made.meter,),
    ).fetchall()
    connection.commit()

    def write(n: int) -> None:
        batch = np.array([(number, n, n, float(n), 0) for (number,) in rows], log.READINGS)
        log.append(connection, log.LogBatch(readings=batch))
        connection.commit()
        time.sleep(0.12)

    return write


def _memory_kilobytes(server: Server) -> int:
    from pathlib import Path  # noqa: PLC0415

    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

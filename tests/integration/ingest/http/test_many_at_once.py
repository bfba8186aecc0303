"""Many requests go together in few commits; through an outage nothing is lost or doubled."""

import asyncio
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingest.http import batching
from ingest.http.batching import Fate, Intake
from launch.web import create_web_app
from tests.integration.ingest.http.conftest import Senders
from veldwatch.config import Source, load_settings
from veldwatch.errors import Overloaded, StorageUnavailable
from veldwatch.model.telemetry import Message
from veldwatch.storage.connection import Connection, connect

ONE_BY_ONE = "requests are let in while others are committed: on one backend they come one by one"


def _reading(place: int) -> dict[str, object]:
    return {"device": "meter-1", "observed_at": 1_795_341_600 + place, "readings": {"flow_rate": place}}


async def _send_all(app: FastAPI, headers: dict[str, str], count: int) -> list[httpx.Response]:
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://veldwatch", headers=headers) as client,
    ):
        return await asyncio.gather(*(client.post("/v1/readings", json=_reading(place)) for place in range(count)))


@pytest.mark.usefixtures("senders")
def test_each_of_many_requests_is_told_of_its_own_row(dsn: str, senders: Senders) -> None:
    answers = asyncio.run(_send_all(create_web_app(load_settings(dsn=dsn)), senders.water, 300))
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json()["readings"]["new"] == 1 for answer in answers)


@pytest.mark.several_backends("one holds up the commit of another")
def test_requests_that_come_while_one_is_committed_go_together_in_the_next(dsn: str, connection: Connection) -> None:
    source = Source(name="t", topic_filter="tele/#", decoder="tasmota", organisation="demo", register_unknown=True)
    intake = Intake(load_settings(dsn=dsn, sources=(source,)))
    waits = b"SELECT count(*) FROM pg_locks WHERE relation = 'batch'::regclass AND NOT granted"

    async def store(place: int) -> list[Fate]:
        return await intake.store([Message(f"tele/{place}/SENSOR", b'{"x":1}', datetime.now(UTC))])

    async def store_all() -> list[list[Fate]]:
        connection.execute("LOCK TABLE batch IN SHARE MODE")
        first = asyncio.create_task(store(0))
        while connection.execute(waits).fetchone() == (0,):  # noqa: ASYNC110  # the server calls nobody
            await asyncio.sleep(0.01)
        others = [asyncio.create_task(store(place)) for place in range(1, 300)]
        await asyncio.sleep(0)  # all of them wait before the first is committed
        connection.rollback()
        return await asyncio.gather(first, *others)

    intake.start()
    fates = asyncio.run(store_all())
    intake.stop()
    assert [[fate.readings for fate in each] for each in fates] == [[(1, 0)]] * 300
    assert connection.execute("SELECT count(*) FROM batch").fetchone() == (2,)
    connection.rollback()


@pytest.mark.several_backends(ONE_BY_ONE)
def test_what_waits_is_bounded(dsn: str, senders: Senders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "_WAITING_REQUESTS", 5)
    answers = asyncio.run(_send_all(create_web_app(load_settings(dsn=dsn)), senders.water, 200))
    taken = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert taken
    assert refused
    assert len(taken) + len(refused) == 200
    assert all(answer.headers["retry-after"] for answer in refused)


def test_messages_that_wait_count_with_what_each_takes_beside_its_bytes(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "_WAITING_BYTES", 10**6)
    intake = Intake(load_settings(dsn=dsn))
    messages = [Message("t", b"{}", datetime.now(UTC))] * 1000

    async def store() -> list[list[Fate] | BaseException]:
        waiting = [asyncio.create_task(intake.store(messages)) for _ in range(100)]
        await asyncio.sleep(0)
        intake.start()
        return await asyncio.gather(*waiting, return_exceptions=True)

    fates = asyncio.run(store())
    intake.stop()
    assert [type(each) for each in fates] == [list, list, *[Overloaded] * 98]


@pytest.fixture
def outage(dsn: str) -> Generator[threading.Event]:
    """Let the database take no connection from when the event is set until it is cleared."""
    away = threading.Event()
    yield away
    away.clear()
    _allow(dsn, allowed=True)


def _allow(dsn: str, *, allowed: bool) -> None:
    name = str(conninfo_to_dict(dsn)["dbname"])
    with connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as admin:
        admin.execute(
            sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(sql.Identifier(name), sql.Literal(allowed))
        )
        if not allowed:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))


@pytest.mark.several_backends("a database is closed to its clients, which the one that is asked to cannot be")
@pytest.mark.usefixtures("outage")
def test_through_an_outage_every_sender_gets_its_rows_in_once(dsn: str, senders: Senders) -> None:
    app = create_web_app(load_settings(dsn=dsn))
    refused = asyncio.Event()

    async def insist(client: httpx.AsyncClient, place: int) -> None:
        deadline = time.monotonic() + 60
        while True:
            answer = await client.post("/v1/readings", json=_reading(place))
            if answer.status_code == 200:
                assert answer.json()["readings"] in ({"new": 1, "duplicate": 0}, {"new": 0, "duplicate": 1})
                return
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"]
            refused.set()
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)

    async def run() -> None:
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://veldwatch", headers=senders.water) as client,
        ):
            await insist(client, 0)
            await asyncio.to_thread(_allow, dsn, allowed=False)
            senders_at_work = [asyncio.create_task(insist(client, place)) for place in range(1, 40)]
            await refused.wait()
            await asyncio.to_thread(_allow, dsn, allowed=True)
            await asyncio.gather(*senders_at_work)

    asyncio.run(run())
    with connect(dsn) as again:
        assert again.execute("SELECT count(*), count(DISTINCT value) FROM reading").fetchone() == (40, 40)


def test_messages_that_came_at_one_moment_or_in_another_order_are_each_answered(
    dsn: str, connection: Connection
) -> None:
    source = Source(name="t", topic_filter="tele/#", decoder="tasmota", organisation="demo", register_unknown=True)
    intake = Intake(load_settings(dsn=dsn, sources=(source,)))
    now = datetime.now(UTC)

    async def store() -> list[list[Fate]]:
        moments = (now, now, now - timedelta(milliseconds=1))
        waiting = [
            asyncio.create_task(intake.store([Message(f"tele/{place}/SENSOR", b'{"x":1}', moment)]))
            for place, moment in enumerate(moments)
        ]
        await asyncio.sleep(0)  # all of them wait before the first is taken
        intake.start()
        return await asyncio.gather(*waiting)

    fates = asyncio.run(store())
    intake.stop()
    assert [[fate.readings for fate in each] for each in fates] == [[(1, 0)]] * 3
    assert connection.execute("SELECT count(*) FROM reading").fetchone() == (3,)
    connection.rollback()


def test_a_large_request_is_stored_in_slices_of_bounded_bytes_and_answered_after_the_last(
    dsn: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = Message("tele/m/SENSOR", b'{"x":1}', datetime.now(UTC))
    monkeypatch.setattr(batching, "_SLICE_BYTES", 10 * len(item.payload))
    source = Source(name="t", topic_filter="tele/#", decoder="tasmota", organisation="demo", register_unknown=True)
    intake = Intake(load_settings(dsn=dsn, sources=(source,)))

    async def store() -> tuple[list[list[Fate]], int]:
        waiting = [asyncio.create_task(intake.store([item] * count)) for count in (3, 95, 1)]
        await asyncio.sleep(0)
        intake.start()
        fates = await asyncio.gather(*waiting)
        row = connection.execute("SELECT count(*) FROM batch").fetchone()
        assert row is not None
        return fates, row[0]

    fates, batches = asyncio.run(store())
    intake.stop()
    assert [len(each) for each in fates] == [3, 95, 1]
    assert {fate.readings for each in fates for fate in each} == {(1, 0)}
    assert batches == 10
    connection.rollback()


def test_of_requests_that_are_stored_in_slices_those_before_a_failure_are_answered(
    dsn: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = Message("tele/m/SENSOR", b'{"x":1}', datetime.now(UTC))
    monkeypatch.setattr(batching, "_SLICE_BYTES", len(item.payload))
    source = Source(name="t", topic_filter="tele/#", decoder="tasmota", organisation="demo", register_unknown=True)
    intake = Intake(load_settings(dsn=dsn, sources=(source,)))
    # The third commit is refused, as by a server that is shut down.
    connection.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF (SELECT count(*) FROM batch) > 2 THEN RAISE EXCEPTION USING ERRCODE = 'admin_shutdown'; END IF;"
        " RETURN NULL; END $$"
    )
    connection.execute("CREATE TRIGGER refuse AFTER INSERT ON batch FOR EACH ROW EXECUTE FUNCTION refuse()")
    connection.commit()

    async def store() -> list[list[Fate] | BaseException]:
        waiting = [asyncio.create_task(intake.store([item] * count)) for count in (2, 2)]
        await asyncio.sleep(0)
        intake.start()
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, second = asyncio.run(store())
    intake.stop()
    assert isinstance(first, list)
    assert isinstance(second, StorageUnavailable)

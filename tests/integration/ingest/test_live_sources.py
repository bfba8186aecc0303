"""Sources that change while ingest runs: the next messages are read by them, and none is lost, doubled or stopped."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.ingest.conftest import eventually, publishing, running
from veldwatch.config import Settings, Source
from veldwatch.storage import quarantine
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.sources import remove_source, save_source

METERS = Source(name="meters", topic_filter="meters/+", decoder="wmbusmeters")


def telegram(number: int) -> bytes:
    moment = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number)
    return json.dumps({"_": "telegram", "id": "m1", "total_m3": number, "timestamp": moment.isoformat()}).encode()


def scalar(connection: Connection, query: str) -> Any:  # noqa: ANN401  # what the column is
    row = connection.execute(query.encode()).fetchone()
    connection.rollback()
    return None if row is None else row[0]


def reasons(connection: Connection) -> dict[str, int]:
    found = dict(quarantine.summary(connection))
    connection.rollback()
    return found


def test_a_source_that_is_added_under_load_takes_what_comes_next_and_nothing_is_lost(
    live: Settings, connection: Connection
) -> None:
    sent = threading.Event()
    with running(live) as worker, publishing(live) as publisher:

        def publish() -> None:
            number = 0
            while not sent.is_set() and number < 200_000:
                for _ in range(50):
                    publisher.send("meters/a", telegram(number))
                    number += 1
                publisher.flush()
            numbers.append(number)

        numbers: list[int] = []
        thread = threading.Thread(target=publish)
        thread.start()
        eventually(lambda: reasons(connection).get("no_source", 0) > 0)
        save_source(connection, METERS, "tests")
        connection.commit()
        eventually(lambda: scalar(connection, "SELECT count(*) FROM reading") > 0)
        sent.set()
        thread.join()
        eventually(lambda: worker.total.messages >= numbers[0])
    refused = scalar(connection, "SELECT sum(count) FROM quarantine WHERE reason = 'no_source'")
    read = scalar(connection, "SELECT count(*) FROM reading")
    assert refused + read == numbers[0]
    assert reasons(connection).keys() == {"no_source"}


def test_a_row_that_cannot_work_costs_its_own_messages_only_and_a_repaired_one_nothing(
    live: Settings, connection: Connection
) -> None:
    save_source(connection, METERS, "tests")
    connection.execute("UPDATE source SET decoder = 'uninstalled'")
    connection.commit()
    other = Source(name="other", topic_filter="other/+", decoder="wmbusmeters")
    save_source(connection, other, "tests")
    connection.commit()
    with running(live), publishing(live) as publisher:
        publisher.send("meters/a", telegram(1))
        publisher.send("other/a", telegram(2))
        publisher.flush()
        eventually(lambda: scalar(connection, "SELECT count(*) FROM reading") == 1)
        eventually(lambda: reasons(connection) == {"source_invalid": 1})
        save_source(connection, METERS, "tests")
        connection.commit()

        def is_read() -> bool:
            publisher.send("meters/a", telegram(3))
            publisher.flush()
            return scalar(connection, "SELECT count(*) FROM reading") == 2

        eventually(is_read)
        row = scalar(connection, "SELECT detail FROM quarantine WHERE reason = 'source_invalid'")
    assert "source 'meters' cannot work: decoder 'uninstalled': unknown" in row


def test_a_source_that_is_removed_takes_nothing_more(live: Settings, connection: Connection) -> None:
    save_source(connection, METERS, "tests")
    connection.commit()
    with running(live), publishing(live) as publisher:
        publisher.send("meters/a", telegram(1))
        publisher.flush()
        eventually(lambda: scalar(connection, "SELECT count(*) FROM reading") == 1)
        with connect(live.dsn) as another:
            remove_source(another, "meters")

        def is_refused() -> bool:
            publisher.send("meters/a", telegram(1))
            publisher.flush()
            return "no_source" in reasons(connection)

        eventually(is_refused)

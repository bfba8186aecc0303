"""A replay tells when devices were heard: then, not now. No alert of silence ends by it that has not ended."""

from collections.abc import Generator, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.ingest.replay.conftest import Ingestor, ask, reading, with_sources
from tests.integration.rules.feed import Engineer
from veldwatch.config import Settings
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.notifications import Channel
from veldwatch.model.rule import Rule, Severity
from veldwatch.storage import watch
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule

START = datetime(2026, 3, 1, tzinfo=UTC)
SILENT = Rule(id="silent", title="Silent", severity=Severity.MINOR, condition=Absence(silent_for=timedelta(hours=1)))


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.fixture
def settings(dsn: str) -> Settings:
    return Settings(dsn=dsn, sources=())


@pytest.fixture
def ingestor(settings: Settings) -> Iterable[Ingestor]:
    made = Ingestor(with_sources(settings))
    yield made
    made.writer.close()


@pytest.fixture
def blind(settings: Settings) -> Iterable[Ingestor]:
    """Give an ingestor that can read nothing."""
    made = Ingestor(settings)
    yield made
    made.writer.close()


@pytest.fixture
def engineer(dsn: str, connection: Connection) -> Generator[Engineer]:
    with connection.transaction():
        save_rule(connection, SILENT, "tests")
        add_receiver(connection, NewReceiver(slug="crew", channel=Channel.EMAIL, address="crew@example.org"))
        for minutes in range(601):
            watch.beat(connection, "ingest", at(minutes))
            for seconds in (10, 20, 30, 40, 50):
                watch.beat(connection, "ingest", at(minutes + seconds / 60))
    made = Engineer(dsn)
    yield made
    made.close()


def told(engineer: Engineer) -> list[str]:
    rows = engineer.connection.execute(
        b"SELECT t.kind FROM outbox o JOIN alert_transition t ON t.id = o.transition_id ORDER BY o.created_at, t.id"
    ).fetchall()
    return [kind for (kind,) in rows]


def test_messages_from_before_a_silence_do_not_end_it(
    ingestor: Ingestor, blind: Ingestor, engineer: Engineer, connection: Connection
) -> None:
    blind.receive(reading(1, at=at(5), arrived=at(5)))
    ingestor.receive(reading(2, at=at(10), arrived=at(10)))
    engineer.settle(at(10))
    engineer.settle(at(200))
    before, said = engineer.final(), told(engineer)
    assert before == {("m1", "firing", at(10), at(70), None)}
    ask(connection)
    ingestor.work()
    engineer.settle(at(201))
    assert engineer.final() == before
    assert told(engineer) == said


def test_a_device_that_was_taken_for_silent_is_corrected_and_not_said_to_be_back(
    ingestor: Ingestor, blind: Ingestor, engineer: Engineer, connection: Connection
) -> None:
    ingestor.receive(reading(1, at=at(10), arrived=at(10)))
    engineer.settle(at(10))
    blind.receive(reading(2, at=at(40), arrived=at(40)))
    engineer.settle(at(200))
    said = told(engineer)
    ask(connection)
    ingestor.work()
    engineer.settle(at(201))
    # It was heard once more, and has been silent since: one alert, of another beginning; nothing is resolved.
    assert engineer.final() == {("m1", "firing", at(40), at(100), None)}
    news = told(engineer)[len(said) :]
    assert news == ["corrected"]


def test_a_failed_replay_tells_nothing_of_the_device(
    ingestor: Ingestor, engineer: Engineer, connection: Connection
) -> None:
    ingestor.receive(reading(1, at=at(10), arrived=at(10)), reading("lots", at=at(20), arrived=at(20), device="m2"))
    engineer.settle(at(200))
    before, said = engineer.final(), told(engineer)
    ask(connection)
    ingestor.work()
    engineer.settle(at(201))
    assert (engineer.final(), told(engineer)) == (before, said)

"""An ingestor without a broker, and words for what is asked of quarantine and what came of it."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.decoding import Decoding
from ingest.live_sources import LiveSources
from ingest.names import Names
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from veldwatch.config import Settings, Source
from veldwatch.model.quarantine import QuarantineRow, Selection
from veldwatch.model.telemetry import Message
from veldwatch.storage import quarantine, replays
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter
from veldwatch.wire.topics import topic_for

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
OPEN = Selection()
ANY = Selection(states=())


@pytest.fixture
def settings(dsn: str) -> Settings:
    """Give settings of an ingest that knows no source yet, and registers nobody by itself."""
    return Settings(dsn=dsn, sources=(), payload_limit_bytes=2000)


class Ingestor:
    """Ingest without a broker: what the worker does with messages and replays."""

    def __init__(self, settings: Settings) -> None:
        self.names = Names(settings)
        live = LiveSources(settings)
        decoding = Decoding(
            live.sources,
            payload_limit_bytes=settings.payload_limit_bytes,
            default_organisation=settings.default_organisation,
        )
        self.pipeline = Pipeline(decoding, self.names)
        self.replay = Replay(settings, live, self.names)
        self.writer = IntakeWriter(settings.dsn)

    def receive(self, *messages: Message) -> None:
        self.pipeline.store(self.writer, list(messages))

    def work(self) -> None:
        """Take in what waits, portion for portion, until nothing does."""
        while replays.peek(self.writer.connection, replays.Portion(messages=1, payload_bytes=1)):
            self.replay.work(self.writer, live=False)


@pytest.fixture
def ingestor(settings: Settings) -> Iterable[Ingestor]:
    made = Ingestor(settings)
    yield made
    made.writer.close()


def with_sources(settings: Settings, **changed: object) -> Settings:
    source = Source(name="own", topic_filter="veldwatch/v1/#", decoder="veldwatch", register_unknown=True)
    return settings.model_copy(update={"sources": (source.model_copy(update=changed),)})


@pytest.fixture
def mended(settings: Settings) -> Iterable[Ingestor]:
    """Give another ingestor, which knows the source."""
    made = Ingestor(with_sources(settings))
    yield made
    made.writer.close()


def reading(value: object, *, at: datetime | None = NOW, device: str = "m1", arrived: datetime = NOW) -> Message:
    item = {"readings": {"x": value}} | ({} if at is None else {"observed_at": at.isoformat()})
    return Message(topic_for("demo", device, "readings"), as_json(item), arrived)


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    found = connection.execute(query.encode()).fetchall()
    connection.rollback()
    return found


def ask(connection: Connection, selection: Selection = OPEN) -> int:
    number = replays.ask(connection, selection, author="ana")
    connection.commit()
    return number


def counts(connection: Connection, number: int) -> tuple[int, ...]:
    row = replays.get_replay(connection, number)
    connection.rollback()
    return tuple(row[name] for name in ("asked", "stored", "failed", "cancelled", "left_out"))


def only(connection: Connection, selection: Selection = ANY) -> QuarantineRow:
    (row,) = quarantine.newest(connection, selection)
    connection.rollback()
    return row

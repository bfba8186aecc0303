"""A decoder that remembers, in the pipeline: in order, across batches, restarts, failures and other ingestors."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from ingest.decoding import Decoding
from ingest.names import Names
from ingest.pipeline import Pipeline
from veldwatch.config import Settings, Source
from veldwatch.errors import MessageRejected, StorageUnavailable
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Message, Reading, Reply
from veldwatch.storage import memories, quarantine
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import IntakeWriter
from veldwatch.wire import sources
from veldwatch.wire.sources import Sources
from veldwatch.wire.stateful import Changes, StatefulDecoder

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


class Naming(StatefulDecoder[tuple[str, ...]]):
    """`name X` calls what `value` says X, and asks for a name where it has none; `x/aside` needs no memory."""

    name = "naming"

    def memory_name(self, topic: str) -> str | None:
        return None if topic.endswith("aside") else topic

    def blank(self) -> tuple[str, ...]:
        return ()

    def decode(
        self, memory: tuple[str, ...], topic: str, payload: bytes, received_at: datetime
    ) -> tuple[tuple[str, ...], Decoded]:
        word, _, rest = payload.decode().partition(" ")
        if word == "name":
            return (*memory, rest), Decoded(None, heard=(topic,))
        if word != "value":
            raise MessageRejected(Reason.MALFORMED_PAYLOAD, word)
        if not memory:
            raise MessageRejected(Reason.UNKNOWN_ALIAS, "no name yet")
        moment = received_at + timedelta(seconds=len(memory))
        reading = Reading(topic, memory[-1], moment, float(rest))
        return memory, Decoded(None, readings=(reading,), replies=(Reply("ask", memory[-1].encode()),))

    def changes(self, before: tuple[str, ...], after: tuple[str, ...]) -> Changes:
        new = enumerate(after[len(before) :], len(before))
        return Changes(str(len(after)).encode(), {f"{n}": name.encode() for n, name in new})

    def restore(self, head: bytes, parts: Mapping[str, bytes]) -> tuple[str, ...]:
        return tuple(parts[f"{n}"].decode() for n in range(int(head)))


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sources._OWN, "naming", lambda _options: Naming())  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as an entry point would


def made(settings: Settings, replies: list[Reply] | None = None, *, learns: bool = True) -> Pipeline:
    source = Source(name="naming", topic_filter="x/#", decoder="naming")
    decoding = Decoding(Sources((source,)), payload_limit_bytes=1000, default_organisation="demo", learns=learns)
    return Pipeline(decoding, Names(settings), reply=None if replies is None else replies.extend)


def said(*words: str, topic: str = "x/d", at: datetime = NOW) -> list[Message]:
    return [Message(topic, word.encode(), at + timedelta(minutes=n)) for n, word in enumerate(words)]


def stored(connection: Connection) -> list[tuple[str, float]]:
    found = connection.execute(
        "SELECT s.metric, r.value FROM reading r JOIN series s ON s.id = r.series_id ORDER BY r.observed_at"
    ).fetchall()
    connection.rollback()
    return [(metric, value) for metric, value in found]


def test_a_message_is_read_by_those_before_it_in_the_same_batch(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    replies: list[Reply] = []
    made(settings, replies).store(writer, said("value 1", "name a", "value 2", "name b", "value 3"))
    assert stored(connection) == [("a", 2.0), ("b", 3.0)]
    assert dict(quarantine.summary(connection)) == {"unknown_alias": 1}
    assert replies == [Reply("ask", b"a"), Reply("ask", b"b")]


def test_memories_outlive_the_ingestor_and_are_apart(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    made(settings).store(writer, said("name a") + said("name b", topic="x/e"))
    made(settings).store(writer, said("value 1") + said("value 2", topic="x/e", at=NOW + timedelta(hours=1)))
    assert stored(connection) == [("a", 1.0), ("b", 2.0)]


def test_what_another_ingestor_learnt_is_seen(settings: Settings, writer: IntakeWriter, connection: Connection) -> None:
    first, second = made(settings), made(settings)
    first.store(writer, said("name a"))
    second.store(writer, said("name b", at=NOW + timedelta(hours=1)))
    # The first still remembers what it committed itself; what it makes of that is refused, and it decodes again.
    first.store(writer, said("name c", "value 1", at=NOW + timedelta(hours=2)))
    assert memories.load(connection, "naming", "x/d").parts == {"0": b"a", "1": b"b", "2": b"c"}
    connection.rollback()
    assert stored(connection) == [("c", 1.0)]


def test_a_batch_that_is_given_up_is_not_remembered(
    settings: Settings, writer: IntakeWriter, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = made(settings)

    def away(*_: object) -> None:
        raise StorageUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(memories, "save", away)
        with pytest.raises(StorageUnavailable):
            pipeline.store(writer, said("name a"))
    pipeline.store(writer, said("value 1", "name b", "value 2"))
    assert stored(connection) == [("b", 2.0)]


def test_a_batch_that_is_halved_is_remembered_whole(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    pipeline = made(settings)
    pipeline.store(writer, said("name a", "value 1", "name " + "n" * 300, "value 9", "name b", "value 2"))
    assert stored(connection) == [("a", 1.0), ("b", 2.0)]
    assert dict(quarantine.summary(connection)) == {"storage_rejected": 1}
    connection.rollback()
    made(settings).store(writer, said("value 3", at=NOW + timedelta(hours=1)))
    assert stored(connection)[-1] == ("b", 3.0)


def test_replayed_messages_are_read_by_what_is_remembered_and_change_nothing(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    replies: list[Reply] = []
    made(settings).store(writer, said("name a"))
    replaying = made(settings, replies, learns=False)
    replaying.store(writer, said("name old", "value 1"))
    assert stored(connection) == [("a", 1.0)]
    assert memories.load(connection, "naming", "x/d").version == 1
    assert replies == []


def test_what_needs_no_memory_leaves_none(settings: Settings, writer: IntakeWriter, connection: Connection) -> None:
    made(settings).store(writer, said("name a", topic="x/aside"))
    assert memories.load(connection, "naming", "x/aside").version == 0


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_writers_take_turns_and_a_turn_falls_with_its_connection(
    connection: Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memories, "_LONGEST_TURN", "50")
    with connect(dsn) as other:
        assert memories.take_turn(other)
        assert not memories.take_turn(connection)
        memories.end_turn(other)
        assert memories.take_turn(connection)
        memories.end_turn(connection)
        assert memories.take_turn(other)
    assert memories.take_turn(connection)

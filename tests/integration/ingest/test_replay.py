"""Quarantined messages are taken in again: each once, as it came, whatever goes wrong in between."""

import json
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.decoding import Decoding
from ingest.live_sources import LiveSources
from ingest.names import Names
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from veldwatch.config import Settings, Source
from veldwatch.errors import Conflict, NotFound, StorageUnavailable
from veldwatch.model.quarantine import Origin, QuarantineRow, QuarantineState, Selection
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Message
from veldwatch.storage import log, quarantine, quarantine_work, register, replays
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import START
from veldwatch.storage.maintenance import drop_settled
from veldwatch.storage.quarantine import Quarantined, Room
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
    return Message(topic_for("demo", device, "readings"), _json(item), arrived)


def _json(value: object) -> bytes:
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


def test_a_message_that_no_source_took_is_stored_as_it_came_once_there_is_one(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    arrived = NOW + timedelta(seconds=30)
    ingestor.receive(reading(7, arrived=arrived))
    assert (only(connection).reason, only(connection).organisation, only(connection).device) == (
        "no_source",
        "demo",
        "m1",
    )
    number = ask(connection)
    mended.work()
    assert rows(connection, "SELECT observed_at, received_at, value FROM reading") == [(NOW, arrived, 7.0)]
    assert rows(connection, "SELECT received_at, messages FROM contact") == [(arrived, 1)]
    assert counts(connection, number) == (1, 1, 0, 0, 0)
    row = only(connection)
    assert (row.state, row.attempts, row.why_not) == (QuarantineState.STORED, 1, "a replay took it in already")
    assert quarantine.summary(connection) == []
    (batch,) = [batch for _, batch in log.read(connection, START, 10)]
    assert batch.readings["value"].tolist() == [7.0]


def test_thousands_are_taken_in_portions_and_asking_again_changes_nothing(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(*(reading(n, at=NOW - timedelta(seconds=n), device=f"m{n % 50}") for n in range(2000)))
    number = ask(connection)
    mended.work()
    assert counts(connection, number) == (2000, 2000, 0, 0, 0)
    assert rows(connection, "SELECT count(*), count(DISTINCT (series_id, observed_at)) FROM reading_raw") == [
        (2000, 2000)
    ]
    again = ask(connection)
    row = replays.get_replay(connection, again)
    assert (row["asked"], row["finished_at"] is not None) == (0, True)
    connection.rollback()
    mended.work()
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(2000,)]


def test_what_fails_again_waits_with_the_reason_and_sentence_of_now(
    ingestor: Ingestor, settings: Settings, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading("lots"), reading(2, device="stranger"))
    first = ask(connection)
    strict = Ingestor(with_sources(settings, register_unknown=False))
    register.ensure_organisation(connection, "demo")
    connection.commit()
    strict.work()
    strict.writer.close()
    assert counts(connection, first) == (2, 0, 2, 0, 0)
    found = {row.device: row for row in quarantine.newest(connection)}
    connection.rollback()
    assert {name: row.reason for name, row in found.items()} == {"m1": "bad_value", "stranger": "unknown_device"}
    assert "stranger" in found["stranger"].detail
    assert [row.attempts for row in found.values()] == [1, 1]
    assert found["m1"].source == "own"

    second = ask(connection)
    mended.work()
    assert counts(connection, second) == (2, 1, 1, 0, 0)
    assert only(connection, OPEN).reason == "bad_value"
    (failure,) = replays.get_replay(connection, second)["failures"]
    assert (failure["reason"], failure["count"]) == ("bad_value", 1)
    history = quarantine_work.attempts(connection, found["m1"].id)
    assert [(each["replay_id"], each["outcome"], each["requested_by"]) for each in history] == [
        (second, "failed", "ana"),
        (first, "failed", "ana"),
    ]


def test_a_message_of_which_a_part_was_refused_doubles_nothing(mended: Ingestor, connection: Connection) -> None:
    payload = {"observed_at": NOW.isoformat(), "readings": {"good": 1, "bad": "NaN", "fine": 2}}
    message = Message(topic_for("demo", "m1", "readings"), _json(payload), NOW)
    mended.receive(message)
    before = rows(connection, "SELECT observed_at, series_id, value FROM reading ORDER BY series_id")
    contacts = rows(connection, "SELECT received_at, messages FROM contact")
    assert len(before) == 2
    assert only(connection).reason == "bad_value"
    for _ in range(2):
        number = ask(connection)
        mended.work()
        assert counts(connection, number) == (1, 0, 1, 0, 0)
    assert rows(connection, "SELECT observed_at, series_id, value FROM reading ORDER BY series_id") == before
    assert rows(connection, "SELECT received_at, messages FROM contact") == contacts
    assert (only(connection).count, only(connection).attempts) == (1, 2)


def test_a_value_without_a_time_of_its_own_is_stored_for_each_time_that_it_came(
    ingestor: Ingestor, settings: Settings, connection: Connection
) -> None:
    arrivals = [NOW + timedelta(minutes=15 * n) for n in range(4)]
    for arrived in arrivals:
        ingestor.receive(Message("pump/7/level", b"2.5", arrived))
    row = only(connection)
    assert (row.count, row.topic_pattern) == (4, "pump/+/level")

    timeless = Ingestor(
        with_sources(
            settings,
            topic_filter="pump/+/level",
            decoder="mapping",
            options={"device": "{topic[1]}", "metrics": [{"name": "level", "value": "$"}]},
            organisation="demo",
        )
    )
    ask(connection)
    timeless.work()
    timeless.writer.close()
    assert rows(connection, "SELECT observed_at, value FROM reading ORDER BY 1") == [(at, 2.5) for at in arrivals]
    assert rows(connection, "SELECT received_at FROM contact ORDER BY 1") == [(at,) for at in arrivals]


def test_a_message_that_comes_again_while_it_is_replayed_waits_on(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1))
    ask(connection)
    (waiting,) = replays.peek(mended.writer.connection, replays.Portion(messages=9, payload_bytes=999))
    later = NOW + timedelta(hours=1)
    ingestor.receive(reading(1, arrived=later))
    with mended.writer.connection.transaction():
        replays.claim(mended.writer.connection, [waiting])
        replays.settle(mended.writer.connection, [waiting], [])
    row = only(connection)
    assert (row.state, row.count) == (QuarantineState.OPEN, 2)
    assert rows(connection, "SELECT arrivals FROM quarantine") == [([later],)]


def test_two_ingestors_share_a_replay_and_store_each_message_once(
    ingestor: Ingestor, settings: Settings, connection: Connection
) -> None:
    ingestor.receive(*(reading(n, at=NOW - timedelta(seconds=n), device=f"m{n % 50}") for n in range(3000)))
    number = ask(connection)
    workers = [Ingestor(with_sources(settings)) for _ in range(3)]
    threads = [threading.Thread(target=_patiently, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.writer.close()
    assert counts(connection, number) == (3000, 3000, 0, 0, 0)
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(3000,)]
    assert rows(connection, "SELECT sum(messages) FROM contact") == [(3000,)]
    appended = [batch for _, batch in log.read(connection, START, 1000)]
    assert sum(len(batch.readings) for batch in appended) == 3000


def _patiently(worker: Ingestor) -> None:
    """Go on as the worker does when the database refuses for a moment."""
    while True:
        try:
            worker.work()
        except StorageUnavailable:
            worker.writer.connection.rollback()
            worker.names.forget()
        else:
            return


def test_a_failure_before_the_commit_leaves_everything_waiting(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1), reading(2, device="m2"))
    number = ask(connection)
    # The last statement of all finds the server shutting down.
    connection.execute(
        b"CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS"
        b" $$ BEGIN RAISE EXCEPTION 'shutting down' USING ERRCODE = '57P01'; END $$"
    )
    connection.execute(
        b"CREATE TRIGGER cut_off BEFORE UPDATE ON quarantine_replay FOR EACH ROW EXECUTE FUNCTION cut_off()"
    )
    connection.commit()
    with pytest.raises(StorageUnavailable):
        mended.replay.work(mended.writer, live=False)
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(0,)]
    assert counts(connection, number) == (2, 0, 0, 0, 0)
    connection.execute(b"DROP FUNCTION cut_off() CASCADE")
    connection.commit()
    mended.work()
    assert counts(connection, number) == (2, 2, 0, 0, 0)


def test_a_message_at_fault_does_not_keep_the_others_of_its_portion_away(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(*(reading(n, device=f"m{n}") for n in range(9)))
    number = ask(connection)
    connection.execute(b"ALTER TABLE reading_raw ADD CONSTRAINT not_four CHECK (value_of(divisor, scaled, value) <> 4)")
    connection.commit()
    mended.work()
    assert counts(connection, number) == (9, 8, 1, 0, 0)
    assert (only(connection, OPEN).device, only(connection, OPEN).reason) == ("m4", "storage_rejected")
    connection.execute(b"ALTER TABLE reading_raw DROP CONSTRAINT not_four")
    connection.commit()


def test_a_failure_for_a_reason_that_has_a_row_already_is_merged_into_it(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    mended.receive(reading("lots"))
    ingestor.receive(reading("lots"))
    by_reason = {row.reason: row.id for row in quarantine.newest(connection)}
    connection.rollback()
    assert by_reason.keys() == {"bad_value", "no_source"}
    number = ask(connection, Selection(reasons=("no_source",)))
    mended.work()
    assert counts(connection, number) == (1, 0, 1, 0, 0)
    merged = quarantine.get(connection, by_reason["no_source"])
    assert (merged.state, merged.merged_into) == (QuarantineState.MERGED, by_reason["bad_value"])
    assert only(connection, OPEN).id == by_reason["bad_value"]
    assert only(connection, OPEN).count == 1
    connection.rollback()
    ingestor.receive(reading("lots"))
    back = quarantine.get(connection, by_reason["no_source"])
    assert (back.state, back.payload) == (QuarantineState.OPEN, reading("lots").payload)


def bare_numbers(settings: Settings, payload: str, value: str) -> Settings:
    """Give settings with a source whose payloads are numbers without a time."""
    options = {"payload": payload, "device": "{topic[1]}", "metrics": [{"name": "x", "value": value}]}
    return with_sources(settings, topic_filter="meters/+", decoder="mapping", organisation="demo", options=options)


def test_a_row_that_is_merged_into_another_leaves_it_the_times_at_which_it_came(
    ingestor: Ingestor, settings: Settings, connection: Connection
) -> None:
    quarter = timedelta(minutes=15)
    ingestor.receive(Message("meters/m1", b"7", NOW))  # no source takes it
    ingestor.receive(Message("meters/m1", b"7", NOW + quarter))
    wrong = Ingestor(bare_numbers(settings, "json", "$.x"))
    wrong.receive(Message("meters/m1", b"7", NOW + 4 * quarter))  # one does, and finds nothing in it
    ask(connection)
    wrong.work()
    wrong.writer.close()
    assert only(connection, OPEN).reason == "nothing_to_store"
    right = Ingestor(bare_numbers(settings, "text", "$"))
    ask(connection)
    right.work()
    right.writer.close()
    stored = rows(connection, "SELECT observed_at FROM reading ORDER BY observed_at")
    assert [moment for (moment,) in stored] == [NOW, NOW + quarter, NOW + 4 * quarter]


def test_what_was_merged_into_a_stored_row_is_replayed_at_its_own_times_only(
    ingestor: Ingestor, settings: Settings, connection: Connection
) -> None:
    hour = timedelta(hours=1)
    wrong, right = (Ingestor(bare_numbers(settings, *told)) for told in (("json", "$.x"), ("text", "$")))
    wrong.receive(Message("meters/m1", b"7", NOW))
    ask(connection)
    right.work()
    ingestor.receive(Message("meters/m1", b"7", NOW + hour), Message("meters/m1", b"7", NOW + 2 * hour))
    ask(connection)
    wrong.work()
    waiting = only(connection, OPEN)
    assert waiting.reason == "nothing_to_store"
    arrivals = rows(connection, f"SELECT arrivals FROM quarantine WHERE id = {waiting.id}")
    assert arrivals == [([NOW + hour, NOW + 2 * hour],)]
    for each in (wrong, right):
        each.writer.close()


def test_a_cut_payload_and_a_line_of_a_file_cannot_be_replayed_and_say_so(
    ingestor: Ingestor, connection: Connection
) -> None:
    ingestor.receive(Message("t", b"x" * 3000, NOW))
    line = Quarantined(NOW, "csv", "file/a.csv#7", b"a,b", Reason.BAD_VALUE, "line 7")
    quarantine.add(connection, [line._replace(origin=Origin.FILE)])
    connection.commit()
    number = ask(connection)
    assert counts(connection, number) == (0, 0, 0, 0, 2)
    cut, of_file = sorted(quarantine.newest(connection), key=lambda row: row.id)
    assert cut.why_not is not None
    assert "only its beginning" in cut.why_not
    assert of_file.why_not is not None
    assert "import it again" in of_file.why_not
    with pytest.raises(Conflict, match="cannot be replayed"):
        replays.ask(connection, Selection(ids=(cut.id,)), author="ana")
    with pytest.raises(NotFound):
        replays.ask(connection, Selection(ids=(999,)), author="ana")


def test_a_replay_is_cancelled_and_what_was_done_stays(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(*(reading(n, device=f"m{n}") for n in range(600)))
    number = ask(connection)
    mended.replay.work(mended.writer, live=False)
    row = replays.cancel(connection, number, author="ben")
    connection.commit()
    assert (row["asked"], row["stored"], row["cancelled"], row["cancelled_by"]) == (600, 250, 350, "ben")
    assert row["finished_at"] is not None
    connection.rollback()
    mended.work()
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(250,)]
    assert len(quarantine.newest(connection, limit=1000)) == 350
    assert counts(connection, ask(connection))[0] == 350


def test_a_discard_is_a_state_with_author_and_reason_and_can_be_taken_back(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1), reading(2, device="m2"))
    ids = sorted(row.id for row in quarantine.newest(connection))
    made = quarantine_work.discard(connection, Selection(ids=(ids[0],)), author="ana", reason="a test rig")
    connection.commit()
    assert (made["discarded"], made["author"], made["reason"]) == (1, "ana", "a test rig")
    assert quarantine.get(connection, ids[0]).state is QuarantineState.DISCARDED
    assert counts(connection, ask(connection))[0] == 1
    ingestor.receive(reading(1, arrived=NOW + timedelta(hours=1)))
    row = quarantine.get(connection, ids[0])
    assert (row.state, row.count) == (QuarantineState.DISCARDED, 2), "who repeats what was given up does not nag"
    back = Selection(ids=(ids[0],), states=(QuarantineState.OPEN, QuarantineState.DISCARDED))
    assert counts(connection, ask(connection, back))[0] == 1
    mended.work()
    assert quarantine.get(connection, ids[0]).state is QuarantineState.STORED
    assert len(quarantine_work.discards(connection)) == 1


def test_what_waits_for_a_replay_is_neither_discarded_nor_asked_for_twice(
    ingestor: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1))
    assert counts(connection, ask(connection))[0] == 1
    assert counts(connection, ask(connection))[0] == 0
    assert quarantine_work.discard(connection, OPEN, author="ana", reason="no")["discarded"] == 0


def test_a_retained_message_is_replayed_and_proves_nobody_alive(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1)._replace(retained=True))
    ask(connection)
    mended.work()
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(1,)]
    assert rows(connection, "SELECT count(*) FROM contact") == [(0,)]


def test_what_was_stored_by_a_replay_and_cannot_be_stored_when_it_comes_again_waits_again(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1))
    ask(connection)
    mended.work()
    later = NOW + timedelta(hours=1)
    ingestor.receive(reading(1, arrived=later))
    assert (only(connection).state, only(connection).count) == (QuarantineState.OPEN, 2)
    ask(connection)
    mended.work()
    assert rows(connection, "SELECT received_at FROM contact ORDER BY 1") == [(NOW,), (later,)]
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(1,)]


def test_without_room_what_is_new_is_only_counted(connection: Connection) -> None:
    room = Room(messages=3, payload_bytes=1000)

    def add(*topics: str) -> None:
        rows = [Quarantined(NOW, "", topic, b"junk", Reason.NO_SOURCE, "why") for topic in topics]
        quarantine.add(connection, rows, room)
        connection.commit()

    add("a", "b")
    add("a", "c", "d", "e", "e")
    add("f", "b")
    kept = {row.topic: row.count for row in quarantine.newest(connection)}
    assert kept.keys() >= {"a", "b"}
    assert len(kept) == 3
    (counted,) = quarantine_work.counted(connection)
    assert (counted["reason"], counted["state"]) == ("no_source", "open")
    assert sum(kept.values()) + counted["messages"] == 9
    big = Quarantined(NOW, "", "g", b"x" * 999, Reason.BAD_TIME, "why")
    quarantine.add(connection, [big, big._replace(topic="h")], room)
    assert len(quarantine.newest(connection, Selection(reasons=("bad_time",)))) == 1


def test_groups_tell_what_messages_share(ingestor: Ingestor, connection: Connection) -> None:
    ingestor.receive(*(Message(f"meters/{n}/up", b"%d" % n, NOW) for n in range(5)), Message("x", b"y", NOW))
    found = quarantine_work.groups(connection, OPEN, ["reason", "topic_pattern"])
    assert [(each["topic_pattern"], each["messages"]) for each in found] == [("meters/+/up", 5), ("x", 1)]
    assert found[0]["replayable"] == 5
    assert found[0]["detail"] == "no source takes this topic"
    assert [each["day"] for each in quarantine_work.groups(connection, OPEN, ["day"])] == [
        NOW.replace(hour=0, minute=0)
    ]
    only_meters = Selection(topic_pattern="meters/+/up", since=NOW, until=NOW + timedelta(seconds=1))
    assert len(quarantine.newest(connection, only_meters)) == 5
    assert len(quarantine.newest(connection, Selection(until=NOW))) == 0


def test_settled_messages_are_dropped_in_time_and_counted(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1), reading(2, device="m2"), reading("x", device="m3"))
    ask(connection)
    mended.work()
    assert drop_settled(connection, datetime.now(UTC) - timedelta(days=1)) == 0
    assert drop_settled(connection, datetime.now(UTC) + timedelta(days=1)) == 2
    assert only(connection).reason == "bad_value"
    assert [(each["state"], each["messages"]) for each in quarantine_work.counted(connection)] == [("stored", 2)]

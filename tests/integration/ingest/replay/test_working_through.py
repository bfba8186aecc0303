"""Working through quarantine: what cannot be replayed, cancelled and discarded, grouped, and forgotten in time."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.ingest.replay.conftest import NOW, OPEN, Ingestor, ask, counts, only, reading, rows
from veldwatch.errors import Conflict, NotFound
from veldwatch.model.quarantine import Origin, QuarantineState, Selection
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Message
from veldwatch.storage import quarantine, quarantine_work, replays
from veldwatch.storage.connection import Connection
from veldwatch.storage.maintenance import drop_settled
from veldwatch.storage.quarantine import Quarantined, Room


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

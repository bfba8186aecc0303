"""What a replay cannot store: its reason of now, the row that it goes into, and nothing doubled beside it."""

from datetime import timedelta

from tests.integration.ingest.replay.conftest import (
    NOW,
    OPEN,
    Ingestor,
    as_json,
    ask,
    counts,
    only,
    reading,
    rows,
    with_sources,
)
from veldwatch.config import Settings
from veldwatch.model.quarantine import QuarantineState, Selection
from veldwatch.model.telemetry import Message
from veldwatch.storage import quarantine, quarantine_work, register, replays
from veldwatch.storage.connection import Connection
from veldwatch.wire.topics import topic_for


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
    message = Message(topic_for("demo", "m1", "readings"), as_json(payload), NOW)
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

"""Asking for replays, and settling messages, on each kind of server."""

from datetime import UTC, datetime, timedelta

import pytest

from veldwatch.errors import RequestInvalid
from veldwatch.model.quarantine import Outcome, QuarantineState, Selection
from veldwatch.model.reasons import Reason
from veldwatch.storage import quarantine, quarantine_work, replays
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.quarantine import Quarantined
from veldwatch.storage.replays import Overtaken, Portion

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MANY = Portion(messages=100, payload_bytes=10_000)


def junk(number: int, *, reason: Reason = Reason.NO_SOURCE, payload: bytes = b"junk") -> Quarantined:
    return Quarantined(NOW + timedelta(seconds=number), "", f"meters/{number}/up", payload, reason, "why")


def fill(connection: Connection, *rows: Quarantined) -> None:
    quarantine.add(connection, rows)
    connection.commit()


def tally(connection: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    found = connection.execute(
        "SELECT reason, state, kept, kept_bytes FROM quarantine_tally WHERE kept <> 0 OR kept_bytes <> 0"
    ).fetchall()
    return {(reason, state): (kept, size) for reason, state, kept, size in found}


def test_messages_are_settled_and_counted(connection: Connection) -> None:
    fill(connection, *(junk(number) for number in range(5)))
    number = replays.ask(connection, Selection(), author="ana")
    connection.commit()
    waiting = replays.peek(connection, MANY)
    assert [each.topic for each in waiting] == [f"meters/{n}/up" for n in range(5)]
    refused = [
        junk(0)._replace(replay_of=waiting[0].id, reason=Reason.BAD_VALUE, detail="x is 'lots'", source="s"),
        junk(1)._replace(replay_of=waiting[1].id, detail="still none"),
    ]
    with connection.transaction():
        replays.claim(connection, waiting)
        counts = replays.settle(connection, waiting, refused)
    assert counts == {Outcome.STORED: 3, Outcome.FAILED: 2}
    row = replays.get_replay(connection, number)
    assert (row["asked"], row["stored"], row["failed"], row["finished_at"] is not None) == (5, 3, 2, True)
    assert [each["reason"] for each in row["failures"]] == ["bad_value", "no_source"]
    left = {found.topic: (found.reason, found.detail, found.attempts) for found in quarantine.newest(connection)}
    assert left == {
        "meters/0/up": ("bad_value", "x is 'lots'", 1),
        "meters/1/up": ("no_source", "still none", 1),
    }
    assert tally(connection) == {
        ("no_source", "stored"): (3, 12),
        ("no_source", "open"): (1, 4),
        ("bad_value", "open"): (1, 4),
    }
    assert dict(quarantine.summary(connection)) == {"bad_value": 1, "no_source": 1}
    with pytest.raises(Overtaken), connection.transaction():
        replays.claim(connection, waiting)


def test_a_portion_is_bounded_by_bytes_and_has_one_message_at_least(connection: Connection) -> None:
    fill(connection, *(junk(number, payload=b"x" * 900) for number in range(4)))
    replays.ask(connection, Selection(), author="ana")
    connection.commit()
    assert len(replays.peek(connection, Portion(messages=100, payload_bytes=2000))) == 2
    assert len(replays.peek(connection, Portion(messages=100, payload_bytes=1))) == 1
    assert len(replays.peek(connection, Portion(messages=3, payload_bytes=10_000))) == 3


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_two_ingestors_are_shown_other_messages(connection: Connection, dsn: str) -> None:

    fill(connection, *(junk(number) for number in range(4)))
    replays.ask(connection, Selection(), author="ana")
    connection.commit()
    first = replays.peek(connection, Portion(messages=2, payload_bytes=10_000))
    with connect(dsn) as other:
        with connection.transaction():
            replays.claim(connection, first)
            second = replays.peek(other, MANY)
            assert {each.id for each in first} & {each.id for each in second} == set()
            with pytest.raises(Overtaken), other.transaction():
                replays.claim(other, first)
            replays.settle(connection, first, [])
        assert [each.id for each in replays.peek(other, MANY)] == [each.id for each in second]


def test_discards_have_a_reason_and_groups_tell_what_is_left(connection: Connection) -> None:
    fill(connection, *(junk(number) for number in range(3)), junk(9, reason=Reason.BAD_TIME))
    with pytest.raises(RequestInvalid):
        quarantine_work.discard(connection, Selection(), author="ana", reason="  ")
    made = quarantine_work.discard(connection, Selection(reasons=("bad_time",)), author="ana", reason="old clock")
    connection.commit()
    assert made["discarded"] == 1
    (group,) = quarantine_work.groups(connection, Selection(), ["reason", "topic_pattern"])
    assert (group["reason"], group["topic_pattern"], group["messages"]) == ("no_source", "meters/+/up", 3)
    (given_up,) = quarantine.newest(connection, Selection(states=(QuarantineState.DISCARDED,)))
    assert given_up.discard_id == made["id"]
    assert quarantine.newest(connection, Selection(ids=())) == []


def test_a_selection_leaves_what_it_does_not_name_unasked() -> None:
    assert Selection().document() == {"states": ["open"]}
    assert Selection(ids=(), states=(), until=NOW).document() == {"ids": [], "until": "2026-03-10T12:00:00+00:00"}

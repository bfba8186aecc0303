"""Replays: quarantined messages that somebody asks intake to take again.

Whoever asks (API, command line) only notes what is asked for; ingest finds it, decodes and stores as it does with every
message, and settles each in the transaction of its rows. So a message is taken in once, whatever is killed when, and
however many ingestors there are: `peek` shows each of them other messages, `claim` keeps them for one transaction.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.types.json import Jsonb

from veldwatch.errors import Conflict, NotFound
from veldwatch.model.quarantine import Outcome, QuarantineState, Selection
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.quarantine import MOST_ARRIVALS, Quarantined, add_again, digest, get, pattern, storable
from veldwatch.storage.quarantine_work import MOST_AT_ONCE, NEWEST
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("replays")


class Overtaken(Exception):
    """Somebody else has, or has settled, what was about to be settled: nothing of it may be written."""


class Waiting(NamedTuple):
    """A message that waits to be taken in again.

    Attributes:
        retained: the broker had kept it: no sign of life.
        heard: that its devices were heard is stored already.
        sender_organisation: slug of the one that its sender may write for; None: any.
        arrivals: when it came, oldest first, at least one.
    """

    replay_id: int
    id: int
    topic: str
    payload: bytes
    reason: str
    retained: bool
    heard: bool
    sender_organisation: str | None
    arrivals: Sequence[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """How much is taken at once."""

    messages: int
    payload_bytes: int


def ask(connection: Connection, selection: Selection, *, author: str) -> int:
    """Ask for messages to be taken in again, in the caller's transaction, and give the replay's id.

    Those that wait in another replay are left there; of many, the oldest `MOST_AT_ONCE` are taken.

    Raises:
        NotFound: one message is named by its id, and there is none.
        Conflict: one message is named by its id, and it cannot be replayed.
    """
    if selection.ids is not None and len(selection.ids) == 1:
        _check_replayable(connection, selection.ids[0], selection.organisation)
    values: dict[str, object] = {
        "requested_by": author,
        "organisation": selection.organisation,
        "selection": Jsonb(selection.document()),
        "most": MOST_AT_ONCE,
    }
    with translated_errors():
        made = fetch_row(connection, _QUERIES["ask"], values) or {}
        values["replay_id"] = made["id"]
        asked = connection.execute(_QUERIES["enqueue"], values).rowcount
        if QuarantineState.OPEN not in selection.states or len(selection.states) > 1:
            connection.execute(_QUERIES["take_back"], values)
        left_out = fetch_row(connection, _QUERIES["left_out"], values) or {}
        connection.execute(_QUERIES["begin"], {"id": made["id"], "asked": asked, "left_out": left_out.get("count", 0)})
    return int(made["id"])


def get_replay(connection: Connection, number: int, organisation: str | None = None) -> Row:
    """Give a replay with its counts, and why messages failed.

    Raises:
        NotFound: there is none of that id, or it may not be seen.
    """
    row = fetch_row(connection, _QUERIES["replay"], {"id": number, "organisation": organisation})
    if row is None:
        raise NotFound(f"no replay {number!r} (list them with GET /v1/quarantine/replays)")
    failures = fetch_rows(connection, _QUERIES["failures"], {"id": number})
    return row | {
        "failures": [{"reason": each["reason"], "count": each["count"], "example": each["max"]} for each in failures]
    }


def list_replays(
    connection: Connection, organisation: str | None = None, *, before: int = NEWEST, limit: int = 100
) -> list[Row]:
    """List replays, newest first."""
    values = {"organisation": organisation, "before": before, "limit": limit}
    return [row | {"failures": []} for row in fetch_rows(connection, _QUERIES["replays"], values)]


def cancel(connection: Connection, number: int, *, author: str, organisation: str | None = None) -> Row:
    """Let those messages wait no longer that ingest has not begun with, and give the replay; what was done stays.

    Raises:
        NotFound: there is none of that id, or it may not be seen.
    """
    get_replay(connection, number, organisation)
    with translated_errors():
        cancelled = connection.execute(_QUERIES["withdraw"], {"id": number}).rowcount
        values = {"id": number, "cancelled": cancelled, "author": author}
        connection.execute(_QUERIES["note_cancelled"], values)
    return get_replay(connection, number, organisation)


def peek(connection: Connection, portion: Portion) -> list[Waiting]:
    """Show the next messages that wait and are nobody else's, in order; none is kept for us yet."""
    values = {"most": portion.messages, "most_arrivals": portion.messages, "most_bytes": portion.payload_bytes}
    with translated_errors(), connection.transaction():
        found = connection.execute(_QUERIES["peek"], values).fetchall()
    return [Waiting(*row) for row in found]


def claim(connection: Connection, waiting: Sequence[Waiting]) -> None:
    """Keep messages for the caller's transaction.

    Raises:
        Overtaken: another ingestor has one of them, or it does not wait any more.
    """
    with translated_errors():
        row = connection.execute(_QUERIES["claim"], _keys(waiting)).fetchone()
    if row is None or row[0] != len(waiting):
        raise Overtaken


def settle(connection: Connection, waiting: Sequence[Waiting], refused: Sequence[Quarantined]) -> Counter[Outcome]:
    """Write what came of claimed messages, in the transaction of their rows, and count it.

    A message fails while any part of it is refused; its row then tells the reason and the sentence of now.

    Args:
        refused: what could not be stored, each with its `replay_of`.
    """
    by_message: dict[int, dict[str, Quarantined]] = {}
    for row in refused:
        by_message.setdefault(row.replay_of or 0, {}).setdefault(row.reason.value, row)
    failed = [(each, by_message[each.id]) for each in waiting if each.id in by_message]
    stored = [each for each in waiting if each.id not in by_message]
    with translated_errors():
        connection.execute(_QUERIES["lock"], {"ids": [each.id for each in waiting]})
        if stored:
            connection.execute(
                _QUERIES["stored"],
                {"ids": [each.id for each in stored], "taken": [len(each.arrivals) for each in stored]},
            )
        if failed:
            _keep_failed(connection, failed)
        _note(connection, stored, failed)
    return Counter({Outcome.STORED: len(stored), Outcome.FAILED: len(failed)})


def _keep_failed(connection: Connection, failed: Sequence[tuple[Waiting, dict[str, Quarantined]]]) -> None:
    """Bring rows to the reasons of now; what a message is refused for beside that has, or gets, a row of its own."""
    chosen = [(each, _main(each, reasons)) for each, reasons in failed]
    values: dict[str, object] = {
        "ids": [each.id for each, _ in chosen],
        "digest": [digest(row) for _, row in chosen],
        "reason": [row.reason.value for _, row in chosen],
        "detail": [storable(row.detail) for _, row in chosen],
        "source": [row.source for _, row in chosen],
        "organisation": [row.organisation for _, row in chosen],
        "device": [None if row.device is None else storable(row.device) for _, row in chosen],
        "topic_pattern": [pattern(row) for _, row in chosen],
        "heard": [row.heard for _, row in chosen],
        "most_arrivals": MOST_ARRIVALS,
    }
    found = connection.execute(_QUERIES["failed"], values).fetchall()
    merged = {number for number, other in found if other is not None}
    beside = [
        row
        for (each, main), (_, reasons) in zip(chosen, failed, strict=True)
        for row in reasons.values()
        if row is not main or each.id in merged
    ]
    if beside:
        add_again(connection, beside)


def _main(each: Waiting, reasons: dict[str, Quarantined]) -> Quarantined:
    return reasons.get(each.reason) or next(iter(reasons.values()))


def _note(
    connection: Connection,
    stored: Sequence[Waiting],
    failed: Sequence[tuple[Waiting, dict[str, Quarantined]]],
) -> None:
    mains = [_main(each, reasons) for each, reasons in failed]
    settled = [*stored, *(each for each, _ in failed)]
    nothing: list[str | None] = [None] * len(stored)
    values: dict[str, object] = {
        **_keys(settled),
        "outcome": [Outcome.STORED.value] * len(stored) + [Outcome.FAILED.value] * len(failed),
        "reason": nothing + [row.reason.value for row in mains],
        "detail": nothing + [storable(row.detail) for row in mains],
    }
    connection.execute(_QUERIES["note_attempts"], values)
    stored_of = Counter(each.replay_id for each in stored)
    failed_of = Counter(each.replay_id for each, _ in failed)
    ids = sorted({each.replay_id for each in settled})
    counts = {"ids": ids, "stored": [stored_of[n] for n in ids], "failed": [failed_of[n] for n in ids]}
    connection.execute(_QUERIES["progress"], counts)


def _keys(waiting: Sequence[Waiting]) -> dict[str, object]:
    return {"replay_ids": [each.replay_id for each in waiting], "ids": [each.id for each in waiting]}


def _check_replayable(connection: Connection, number: int, organisation: str | None) -> None:
    why_not = get(connection, number, organisation).why_not
    if why_not is not None:
        raise Conflict(f"message {number} cannot be replayed: {why_not}")

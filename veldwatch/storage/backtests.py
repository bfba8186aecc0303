"""Back-tests as work: asked for by API or console, carried out by the rules program, kept for a while.

Whoever carries one out holds an advisory lock of its number for as long as its connection lives; one that is not over
and whose lock is free was lost with its process, and is begun again. Cancelling is a change of the row, which the one
that carries it out notices with its next step. Each call is a transaction of its own, or part of the caller's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import IsolationLevel
from psycopg.types.json import Jsonb

from veldwatch.errors import Conflict, NotFound
from veldwatch.model.identifiers import OrganisationId
from veldwatch.model.rule import Rule
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.wire.rule_document import parse_rule, rule_to_document

CHANNEL = "veldwatch_backtests"
KEPT = timedelta(days=7)
"""What came of one can be looked at for a week."""
NEWEST = 2**63 - 1

_LOCK = 1448232044
_QUERIES = load_queries("backtests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked.

    Attributes:
        organisation_id: whose devices are looked at; None: everybody's.
        time_zone: where night is night.
    """

    rule: Rule
    since: datetime
    until: datetime
    time_zone: str
    organisation_id: OrganisationId | None = None


class Taken(NamedTuple):
    """A back-test that was taken up, and for which time."""

    question: Question
    attempts: int


class StoredReceiver(NamedTuple):
    """A receiver, as far as it decides who is told.

    Attributes:
        organisation: slug; None: alerts of every organisation.
    """

    slug: str
    organisation: str | None
    channel: str
    minimum_severity: str
    enabled: bool


class StoredSilence(NamedTuple):
    """A silence with what it matches, as in `veldwatch.model.silence.Matcher`, but by id."""

    id: int
    organisation_id: int | None
    rule: str | None
    site_id: int | None
    device_id: int | None
    tag: str | None
    profile: str | None
    severities: tuple[str, ...]
    labels: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime


class Standing(NamedTuple):
    """Where a device stands, through which other it is heard, and how often it reports; None: not known."""

    gateway: int | None
    interval: timedelta | None
    place: tuple[float, float] | None


def ask(connection: Connection, question: Question, *, author: str) -> int:
    """Ask for a back-test, and give its number.

    Raises:
        Conflict: the organisation has one that is not over.
    """
    values = {
        "organisation_id": question.organisation_id,
        "definition": Jsonb(rule_to_document(question.rule)),
        "since": question.since,
        "until": question.until,
        "time_zone": question.time_zone,
        "author": author,
    }
    with translated_errors(), connection.transaction():
        made = connection.execute(_QUERIES["ask"], values).fetchone()
        if made is None:
            other = connection.execute(_QUERIES["unfinished"], values).fetchone()
            number = "another" if other is None else f"number {other[0]}"
            raise Conflict(f"a back-test is not over: {number} (wait for it, or cancel it; one runs at a time)")
        connection.execute(_QUERIES["wake"])
    return made[0]


def get(connection: Connection, number: int, organisation_id: int | None = None) -> Row:
    """Give a back-test as it stands.

    Raises:
        NotFound: there is none of that number, or it may not be seen.
    """
    row = fetch_row(connection, _QUERIES["get"], {"id": number, "organisation_id": organisation_id})
    if row is None:
        raise NotFound(f"no back-test {number!r} (it may be forgotten: they are kept for {KEPT.days} days)")
    return row


def list_all(
    connection: Connection, organisation_id: int | None = None, *, before: int = NEWEST, limit: int = 100
) -> list[Row]:
    """List back-tests without their results, newest first."""
    values = {"organisation_id": organisation_id, "before": before, "limit": limit}
    return fetch_rows(connection, _QUERIES["list"], values)


def cancel(connection: Connection, number: int, organisation_id: int | None = None) -> Row:
    """Let a back-test end without a result, if it is not over, and give it.

    Raises:
        NotFound: there is none of that number, or it may not be seen.
    """
    get(connection, number, organisation_id)
    with translated_errors():
        connection.execute(_QUERIES["cancel"], {"id": number})
    return get(connection, number, organisation_id)


def lock_next(connection: Connection) -> int | None:
    """Become the one that carries out the oldest that nobody does, until unlocked or disconnected; None: none is."""
    with translated_errors():
        for (number,) in connection.execute(_QUERIES["waiting"]).fetchall():
            row = connection.execute(_QUERIES["lock"], {"lock": _LOCK, "number": number % 2**31}).fetchone()
            if row is not None and row[0]:
                return number
    return None


def unlock(connection: Connection, number: int) -> None:
    """Let another have it."""
    with translated_errors():
        connection.execute(_QUERIES["unlock"], {"lock": _LOCK, "number": number % 2**31})


def is_over(connection: Connection, number: int) -> bool:
    """Tell whether a back-test has come to its end, or is forgotten."""
    with translated_errors():
        row = connection.execute(_QUERIES["over"], {"id": number}).fetchone()
    return row is None or bool(row[0])


def begin(connection: Connection, number: int) -> Taken | None:
    """Take a back-test up whose lock is ours; None: it is over."""
    with translated_errors():
        row = connection.execute(_QUERIES["begin"], {"id": number}).fetchone()
    if row is None:
        return None
    organisation_id, definition, since, until, time_zone, attempts = row
    question = Question(
        rule=parse_rule(definition), since=since, until=until, time_zone=time_zone, organisation_id=organisation_id
    )
    return Taken(question, attempts)


def progress(connection: Connection, number: int, done: int, total: int, observations: int) -> bool:
    """Say how far it is; False: it was cancelled."""
    values = {"id": number, "done": done, "total": total, "observations": observations}
    with translated_errors():
        return connection.execute(_QUERIES["progress"], values).fetchone() is not None


def finish(connection: Connection, number: int, result: Mapping[str, Any], observations: int) -> None:
    """Keep what came of it, unless it was cancelled."""
    values = {"id": number, "result": Jsonb(dict(result)), "observations": observations}
    with translated_errors():
        connection.execute(_QUERIES["finish"], values)


def fail(connection: Connection, number: int, error: str) -> None:
    """Keep why nothing came of it."""
    with translated_errors():
        connection.execute(_QUERIES["fail"], {"id": number, "error": error})


def forget(connection: Connection, before: datetime) -> None:
    """Drop those that are over since before a time."""
    with translated_errors():
        connection.execute(_QUERIES["forget"], {"before": before})


def read_one_moment(connection: Connection) -> None:
    """Let everything that a connection reads from now on be of one moment, and let it change nothing."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True


def silences(connection: Connection, since: datetime, until: datetime) -> list[StoredSilence]:
    """List silences that last within a stretch."""
    with translated_errors():
        rows = connection.execute(_QUERIES["silences"], {"since": since, "until": until}).fetchall()
    return [StoredSilence(*row)._replace(severities=tuple(row[7])) for row in rows]


def standing(connection: Connection, devices: Sequence[int]) -> dict[int, Standing]:
    """Read where some devices stand."""
    with translated_errors():
        rows = connection.execute(_QUERIES["standing"], {"devices": list(devices)}).fetchall()
    return {
        number: Standing(gateway, interval, None if longitude is None else (longitude, latitude))
        for number, gateway, interval, longitude, latitude in rows
    }


def receivers(connection: Connection, organisation_id: int | None) -> list[StoredReceiver]:
    """List who may be told of an organisation's alerts, or anybody's."""
    with translated_errors():
        rows = connection.execute(_QUERIES["receivers"], {"organisation_id": organisation_id}).fetchall()
    return [StoredReceiver(*row) for row in rows]

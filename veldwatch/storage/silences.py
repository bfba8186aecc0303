"""Silences: made, extended, ended, and what they mute.

Each change is one transaction of the caller's connection, with its author. Which alerts a silence matches is said once,
by the view `silence_match`: the deliverer, the lists and the preview all ask it. `scope` is the one organisation that
the asker may see (None: all); it sees silences that are for every organisation, and changes only its own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from psycopg.types.json import Jsonb

from veldwatch.errors import NotFound, NotPermitted, RequestInvalid
from veldwatch.model.silence import Matcher, NewSilence, check_length, check_matcher, check_silence
from veldwatch.storage import outbox
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries

SilenceKey = tuple[datetime, int]
"""`ends_at` and id: a silence's place in the list."""

_QUERIES = load_queries("silences")


class Muted(NamedTuple):
    """How many alerts, and some of them."""

    total: int
    alerts: list[Row]


def make_silence(connection: Connection, new: NewSilence, *, author: str, scope: int | None, now: datetime) -> int:
    """Make a silence and give its id.

    Raises:
        RequestInvalid: it is a mistake (`veldwatch.model.silence`).
        NotFound: no such organisation, site or device.
        NotPermitted: it is for more than the asker's organisation.
    """
    check_silence(new, now)
    with connection.transaction():
        return _insert(connection, new, author=author, scope=scope, now=now)


def preview_silence(
    connection: Connection, matcher: Matcher, *, everything: bool, scope: int | None, now: datetime, limit: int
) -> Muted:
    """Say which alerts that fire now a silence would mute; nothing is written.

    Raises:
        RequestInvalid, NotFound, NotPermitted: as `make_silence`.
    """
    check_matcher(matcher, everything=everything)
    new = NewSilence(matcher=matcher, reason="preview", starts_at=now, ends_at=now, everything=everything)
    with connection.transaction(force_rollback=True):
        number = _insert(connection, new, author="preview", scope=scope, now=now)
        return _muted(fetch_rows(connection, _QUERIES["holding"], {"id": number, "scope": scope, "limit": limit}))


def list_silences(
    connection: Connection,
    scope: int | None,
    now: datetime,
    *,
    expired: bool = False,
    after: SilenceKey | None = None,
    limit: int,
) -> list[Row]:
    """List silences, those that end last first.

    Args:
        expired: those that are over too.
    """
    ends_at, number = after or (None, None)
    values = {"scope": scope, "id": None, "expired": expired, "now": now, "limit": limit}
    return fetch_rows(connection, _QUERIES["list"], {**values, "after": ends_at, "after_id": number})


def get_silence(connection: Connection, scope: int | None, number: int, now: datetime) -> Row:
    """Give a silence with its `changes`.

    Raises:
        NotFound: there is none of this id, or it is another organisation's.
    """
    values = {"scope": scope, "id": number, "expired": True, "now": now, "limit": 1, "after": None, "after_id": None}
    row = fetch_row(connection, _QUERIES["list"], values)
    if row is None:
        raise _not_found(number)
    return {**row, "changes": fetch_rows(connection, _QUERIES["changes"], {"id": number})}


def muted_alerts(connection: Connection, scope: int | None, number: int, now: datetime, limit: int) -> Muted:
    """Give the alerts that a silence mutes or muted, newest first.

    Raises:
        NotFound: as `get_silence`.
    """
    get_silence(connection, scope, number, now)
    return _muted(fetch_rows(connection, _QUERIES["muted"], {"id": number, "scope": scope, "now": now, "limit": limit}))


def end_silence(  # one change, all of it keyword-only
    connection: Connection,
    number: int,
    ends_at: datetime,
    *,
    author: str,
    scope: int | None,
    now: datetime,
    long: bool = False,
) -> None:
    """Let a silence end at another time; at `now` or before: at once. What it keeps back is looked at again.

    Raises:
        NotFound: there is none of this id that the asker may change.
        RequestInvalid: it is over already, or would become longer than anybody said.
    """
    with connection.transaction():
        standing = fetch_row(connection, _QUERIES["lock"], {"id": number, "scope": scope})
        if standing is None:
            raise _not_found(number)
        if standing["ends_at"] <= now:
            raise RequestInvalid(f"silence {number} is over since {standing['ends_at'].isoformat()} (make a new one)")
        ends_at = max(ends_at, now)
        # How long it lasts from now on counts: one that is extended again and again is looked at by somebody each time.
        check_length(max(standing["starts_at"], now), ends_at, long=long)
        kind = "expired" if ends_at == now else "extended" if ends_at > standing["ends_at"] else "shortened"
        values = {"id": number, "ends_at": ends_at, "kind": kind, "author": author, "now": now}
        with translated_errors():
            connection.execute(_QUERIES["end"], values)
            connection.execute(_QUERIES["record"], values)
        outbox.release_silenced(connection, number, now)


def _insert(connection: Connection, new: NewSilence, *, author: str, scope: int | None, now: datetime) -> int:
    matcher = new.matcher
    places = _places(connection, matcher, scope)
    values = {
        **places,
        "rule": matcher.rule,
        "tag": matcher.tag,
        "profile": matcher.profile,
        "severities": list(matcher.severities),
        "labels": Jsonb(dict(matcher.labels)),
        "everything": new.everything,
        "author": author,
        "reason": new.reason.strip(),
        "starts_at": new.starts_at,
        "ends_at": new.ends_at,
        "now": now,
    }
    (row,) = fetch_rows(connection, _QUERIES["make"], values)
    with translated_errors():
        connection.execute(_QUERIES["record"], {**values, "id": row["id"], "kind": "made"})
    return int(row["id"])


def _places(connection: Connection, matcher: Matcher, scope: int | None) -> Mapping[str, int | None]:
    if matcher.organisation is None:
        if scope is not None:
            raise NotPermitted("a silence for every organisation (expected a token for all of them)")
        return {"organisation_id": None, "site_id": None, "device_id": None}
    with translated_errors():
        row = connection.execute(
            _QUERIES["places"],
            {"organisation": matcher.organisation, "site": matcher.site, "device": matcher.device},
        ).fetchone()
    if row is None or scope not in (None, row[0]):
        raise NotFound(f"no organisation {matcher.organisation!r} (expected one that is registered)")
    for name, said, found in (("site", matcher.site, row[1]), ("device", matcher.device, row[2])):
        if said is not None and found is None:
            raise NotFound(f"no {name} {said!r} of {matcher.organisation!r} (expected one that is registered)")
    return {"organisation_id": row[0], "site_id": row[1], "device_id": row[2]}


def _muted(rows: list[Row]) -> Muted:
    return Muted(rows[0]["total"] if rows else 0, rows)


def _not_found(number: int) -> NotFound:
    return NotFound(f"no silence {number} (list them with `veldwatch silences list` or GET /v1/silences)")

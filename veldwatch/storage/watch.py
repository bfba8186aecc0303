"""When somebody listened: the spans in which an ingestor had its subscriptions and could commit.

A device's silence counts within them only. Whoever commits contacts that came by the broker beats in the same
transaction: then no contact is newer than the watch, and whoever reads the watch after the contacts knows every break
before them. Spans are few (one for each start or outage) and are never dropped.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("watch")

LONGEST_BREAK = timedelta(seconds=15)
"""Three beats: a pause that is not longer is none."""


class WatchedSpan(NamedTuple):
    """Somebody listened from one time to another."""

    began_at: datetime
    seen_at: datetime


class Newest(NamedTuple):
    """How many spans are stored, and until when somebody listened; None: nobody ever did."""

    spans: int
    seen_at: datetime | None


def beat(connection: Connection, ingestor: str, now: datetime) -> None:
    """Note, in the caller's transaction, that an ingestor listens."""
    values = {"ingestor": ingestor, "now": now, "longest_break": LONGEST_BREAK}
    with translated_errors():
        connection.execute(_QUERIES["beat"], values)


def newest(connection: Connection) -> Newest:
    """Tell what may have changed: spans grow at their ends, and new ones come."""
    with translated_errors():
        row = connection.execute(_QUERIES["newest"]).fetchone()
    return Newest(0, None) if row is None else Newest(*row)


def spans(connection: Connection, since: datetime | None = None) -> list[WatchedSpan]:
    """List when anybody listened, oldest first, short breaks left out.

    Args:
        since: only spans that reach this time; None: all.
    """
    with translated_errors():
        rows = connection.execute(_QUERIES["spans"], {"since": since}).fetchall()
    return union(WatchedSpan(*row) for row in rows)


def union(ordered: Iterable[WatchedSpan]) -> list[WatchedSpan]:
    """Join spans, given by their beginnings, that overlap or are no more than a short break apart."""
    joined: list[WatchedSpan] = []
    for span in ordered:
        if joined and span.began_at - joined[-1].seen_at <= LONGEST_BREAK:
            joined[-1] = WatchedSpan(joined[-1].began_at, max(joined[-1].seen_at, span.seen_at))
        else:
            joined.append(span)
    return joined

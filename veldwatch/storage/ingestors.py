"""What each ingestor says of itself every few seconds: queue, pace, sources. For operators, never for rules."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("ingestors")
_REMEMBERED = timedelta(days=7)


class SourceState(NamedTuple):
    """What came by one source since the ingestor started.

    Attributes:
        source: empty: topics that no source takes.
        messages: that a decoder understood.
        quarantined: messages, or parts of them, that were not stored.
        lag_seconds: of the latest message, from the newest time that it tells to its arrival; None: it tells none.
    """

    source: str
    messages: int
    quarantined: int
    messages_per_second: float
    last_received_at: datetime
    lag_seconds: float | None


class IngestorState(NamedTuple):
    """One ingestor.

    Attributes:
        name: its MQTT client id.
        in_flight: messages received and not yet acknowledged.
        probed_at: when the newest probe that was committed had been sent; None: none came back yet.
        queue_delay_seconds: how long that one took, from publication to commit.
    """

    name: str
    started_at: datetime
    seen_at: datetime
    protocol: str
    shared: bool
    in_flight: int
    oldest_unacknowledged_at: datetime | None
    probed_at: datetime | None
    queue_delay_seconds: float | None
    sources: tuple[SourceState, ...] = ()


def begin(connection: Connection, name: str, now: datetime) -> None:
    """Forget, in the caller's transaction, what an ingestor of this name said before, and who is long gone."""
    with translated_errors():
        connection.execute(_QUERIES["forget"], {"before": now - _REMEMBERED, "name": name})


def save(connection: Connection, state: IngestorState) -> None:
    """Write what an ingestor says, in the caller's transaction."""
    values = state._asdict()
    sources: Sequence[SourceState] = values.pop("sources")
    with translated_errors():
        connection.execute(_QUERIES["save"], values)
        if sources:
            columns = dict(zip(SourceState._fields, map(list, zip(*sources, strict=True)), strict=True))
            connection.execute(_QUERIES["save_sources"], {"ingestor": state.name, **columns})


def states(connection: Connection) -> list[IngestorState]:
    """List every ingestor that was seen in the last days."""
    with translated_errors():
        rows = connection.execute(_QUERIES["list"]).fetchall()
        found = connection.execute(_QUERIES["list_sources"]).fetchall()
    sources: dict[str, list[SourceState]] = {}
    for name, *values in found:
        sources.setdefault(name, []).append(SourceState(*values))
    return [IngestorState(*row, sources=tuple(sources.get(row[0], ()))) for row in rows]


def queue_delay(listed: Sequence[IngestorState], now: datetime, probe_seconds: float) -> float | None:
    """Tell for how long a message published now would wait, at least; None: no probe came back yet.

    Ingestors of a shared subscription get one another's probes, so the newest that anybody got counts. While none comes
    back, the delay is at least as long as the one that should have come first has been under way.
    """
    came = [(s.probed_at, s.queue_delay_seconds) for s in listed if s.probed_at is not None]
    if not came:
        return None
    probed_at, seconds = max(came)
    overdue = (now - probed_at).total_seconds() - probe_seconds
    return max(seconds or 0.0, overdue)

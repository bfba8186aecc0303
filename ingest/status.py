"""`veldwatch ingest status`: how intake goes, as a table or as one JSON object.

An ingestor tells every five seconds; one that is silent for longer is stopped, or waits for the database, and what it
holds unacknowledged stays with the broker.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from ingest import probe
from veldwatch.storage.ingestors import IngestorState, SourceState, queue_delay

_SILENT = timedelta(seconds=15)


def document(listed: Sequence[IngestorState], last_commit: datetime | None, now: datetime) -> dict[str, Any]:
    """Give all that is known as one object; durations in seconds."""
    return {
        "at": now,
        "last_commit": last_commit,
        "queue_delay_seconds": _present_delay(listed, now),
        "ingestors": [
            {
                **state._asdict(),
                "silent": now - state.seen_at > _SILENT,
                "oldest_unacknowledged_seconds": _age(state.oldest_unacknowledged_at, now),
                "sources": [source._asdict() for source in state.sources],
            }
            for state in listed
        ],
    }


def lines(listed: Sequence[IngestorState], last_commit: datetime | None, now: datetime) -> Iterator[str]:
    """Say it to a person."""
    yield f"last commit   {'none is in the log' if last_commit is None else _ago(last_commit, now)}"
    delay = _present_delay(listed, now)
    yield "queue delay   " + (
        "unknown: no probe came back yet (may ingest publish on veldwatch/probe/#?)"
        if delay is None
        else f"{delay:.1f} s from publication to commit"
    )
    if not listed:
        yield "no ingestor   has told of itself in the last days (is `veldwatch ingest run` running?)"
    for state in listed:
        yield ""
        yield f"ingestor {state.name}   {_seen(state, now)}"
        manner = "shared" if state.shared else "own"
        yield f"  MQTT {state.protocol}, {manner} subscription, started {_ago(state.started_at, now)}"
        yield f"  unacknowledged {state.in_flight}" + _oldest(state, now)
        if state.sources:
            yield f"  {'source':<20} {'messages':>12} {'msg/s':>10} {'quarantined':>12} {'latest':>14} {'lag':>12}"
        yield from (_source(source, now) for source in state.sources)


def _source(source: SourceState, now: datetime) -> str:
    lag = "-" if source.lag_seconds is None else _span(source.lag_seconds)
    return (
        f"  {source.source or '(no source)':<20} {source.messages:>12} {source.messages_per_second:>10.1f}"
        f" {source.quarantined:>12} {_ago(source.last_received_at, now):>14} {lag:>12}"
    )


def _present_delay(listed: Sequence[IngestorState], now: datetime) -> float | None:
    """Leave out who is silent: without a database nobody can tell, and without an ingestor nothing is under way."""
    return queue_delay([state for state in listed if now - state.seen_at <= _SILENT], now, probe.EVERY_SECONDS)


def _seen(state: IngestorState, now: datetime) -> str:
    if now - state.seen_at <= _SILENT:
        return "running"
    return f"SILENT: told of itself {_ago(state.seen_at, now)}; stopped, or waiting for the broker or the database"


def _oldest(state: IngestorState, now: datetime) -> str:
    age = _age(state.oldest_unacknowledged_at, now)
    return "" if age is None else f", the oldest received {_span(age)} ago"


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, round((now - moment).total_seconds(), 3))


def _ago(moment: datetime, now: datetime) -> str:
    return f"{_span((now - moment).total_seconds())} ago"


def _span(seconds: float) -> str:
    """Say a duration in its largest sensible unit, negative for a clock that is ahead."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"

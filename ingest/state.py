"""What an ingestor knows of itself, between two beats: counts by source, the pace, the last probe."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

from ingest.decoding import Understood
from veldwatch.storage.ingestors import SourceState
from veldwatch.storage.quarantine import Quarantined

_ROUTE = itemgetter(1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class SourceCount:
    """What came by one source in some batches.

    Attributes:
        messages: that a decoder understood.
        quarantined: messages, or parts of them, that were not stored.
    """

    messages: int = 0
    quarantined: int = 0
    last_received_at: datetime = _NEVER
    lag_seconds: float | None = None

    def add(self, other: "SourceCount") -> None:
        """Add what came later."""
        self.messages += other.messages
        self.quarantined += other.quarantined
        if other.last_received_at > self.last_received_at:
            self.last_received_at, self.lag_seconds = other.last_received_at, other.lag_seconds


class State:
    """Counts since the start; the pace is that since the last time it was asked for."""

    def __init__(self) -> None:
        self.started_at = datetime.now(UTC)
        self.probed_at: datetime | None = None
        self.queue_delay_seconds: float | None = None
        self._counts: dict[str, SourceCount] = {}
        self._told: dict[str, int] = {}
        self._told_at = time.monotonic()

    def add(self, counts: Mapping[str, SourceCount]) -> None:
        """Add what a committed batch held."""
        for source, count in counts.items():
            self._counts.setdefault(source, SourceCount()).add(count)

    def probed(self, sent: list[float]) -> None:
        """Note probes that came with a batch that is committed now."""
        if sent:
            self.probed_at = datetime.fromtimestamp(max(sent), UTC)
            self.queue_delay_seconds = max(0.0, time.time() - min(sent))

    def sources(self) -> tuple[SourceState, ...]:
        """Tell what came by each source."""
        passed = max(time.monotonic() - self._told_at, 1e-3)
        self._told_at = time.monotonic()
        told = tuple(
            SourceState(
                source=source,
                messages=count.messages,
                quarantined=count.quarantined,
                messages_per_second=round((count.messages - self._told.get(source, 0)) / passed, 3),
                last_received_at=count.last_received_at,
                lag_seconds=count.lag_seconds,
            )
            for source, count in sorted(self._counts.items())
        )
        self._told = {state.source: state.messages for state in told}
        return told


def count_by_source(stored: Sequence[Understood], quarantined: Sequence[Quarantined]) -> dict[str, SourceCount]:
    """Count a batch by the names of sources; messages that none took are under the empty name.

    Args:
        stored: a message of several scans stands there as often, one after the other.
    """
    found: dict[str, SourceCount] = {}
    stored = [item for before, item in zip((None, *stored), stored, strict=False) if item is not before]
    # By identity: a route is compared by all that its source says, and there is one object for each.
    counts = Counter(map(id, map(_ROUTE, stored)))
    latest = {id(item.route): item for item in stored}
    for key, number in counts.items():
        item = latest[key]
        found.setdefault(item.route.source.name, SourceCount()).add(
            SourceCount(messages=number, last_received_at=item.message.received_at, lag_seconds=_lag(item))
        )
    for row in quarantined:
        found.setdefault(row.source, SourceCount()).add(SourceCount(quarantined=1, last_received_at=row.received_at))
    return found


def _lag(item: Understood) -> float | None:
    decoded = item.decoded
    told = [row.observed_at for part in (decoded.readings, decoded.positions, decoded.events) for row in part]
    told += [scan.observed_at for scan in item.scans]
    return round((item.message.received_at - max(told)).total_seconds(), 3) if told else None

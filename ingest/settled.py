"""What became of each message of a committed batch, for those who have to answer a sender."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.assembly import Rows
from ingest.decoding import Understood
from veldwatch.storage.intake import Stored
from veldwatch.storage.log import LogEvent
from veldwatch.storage.quarantine import Quarantined

Counts = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a batch's rows met in the database; None: it had none of that kind."""

    readings: Stored | None = None
    positions: Stored | None = None
    events: tuple[LogEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A committed batch.

    Attributes:
        known: messages whose rows were written; the arrays count their rows, in the same order.
        readings, positions, events: n × 2: rows that were new, rows that were stored already with the same value.
        refused: what went to quarantine instead.
    """

    known: list[Understood]
    readings: Counts
    positions: Counts
    events: Counts
    refused: list[Quarantined]


def settle(known: list[Understood], rows: Rows, kept: Kept, refused: list[Quarantined]) -> Settled:
    """Count the rows of a batch by the messages that they came in."""
    return Settled(
        known=known,
        readings=_counted(len(known), rows.readings_message, kept.readings),
        positions=_counted(len(known), rows.positions_message, kept.positions),
        events=_counted_events(known, rows.events, kept.events),
        refused=refused,
    )


def _counted(count: int, message: Counts, stored: Stored | None) -> Counts:
    if stored is None:
        return np.zeros((count, 2), dtype=np.intp)
    all_of, new, conflicting = (
        np.bincount(places, minlength=count) for places in (message, message[stored.new], message[stored.conflicting])
    )
    return np.stack([new, all_of - new - conflicting], axis=1)


def _counted_events(known: list[Understood], events: list[LogEvent], new: tuple[LogEvent, ...]) -> Counts:
    """The same event twice in a batch is new in the first message that holds it."""
    counts = np.zeros((len(known), 2), dtype=np.intp)
    if not events:
        return counts
    fresh = {_key(event) for event in new}
    flat = iter(events)
    for place, item in enumerate(known):
        for _ in item.decoded.events:
            key = _key(next(flat))
            counts[place, 0 if key in fresh else 1] += 1
            fresh.discard(key)
    return counts


def _key(event: LogEvent) -> tuple[int, int, str, str]:
    return event.device_id, event.observed_at, event.kind, event.attributes

"""A run's messages in one order, and their digest: by it two runs are told to be the same, byte for byte.

The order is that of time, then topic, then payload, so it is the same however a run is shared out over processes and
however far each call went.
"""

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from simulators.fleet import Fleet
from simulators.report import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """How many messages there were, and the SHA-256 of their lines in hexadecimal."""

    messages: int
    sha256: str


def in_order(fleets: Sequence[Fleet], until: int) -> Iterator[Message]:
    """Advance the shares of one run to a moment (milliseconds since 1970), and yield what all of them say.

    Memory holds one step.
    """
    streams = [_steps(fleet, until) for fleet in fleets]
    return streams[0] if len(streams) == 1 else heapq.merge(*streams)


def line(message: Message) -> bytes:
    """Write a message as it is dumped and digested: milliseconds since 1970, topic and payload, tabs between them."""
    return b"%d\t%s\t%s\n" % (message.due, message.topic.encode(), message.payload)


def digest(messages: Iterable[Message]) -> Digest:
    """Digest messages in the order in which they come."""
    sha256, count = hashlib.sha256(), 0
    for message in messages:
        sha256.update(line(message))
        count += 1
    return Digest(messages=count, sha256=sha256.hexdigest())


def _steps(fleet: Fleet, until: int) -> Iterator[Message]:
    """Sort within each step: what a step sends is due after the step before it, and by its own end."""
    while (moment := fleet.grid.next(fleet.now).at) <= until:
        yield from sorted(fleet.advance(moment))

"""A message of our own through the broker's queue: how long whatever is published now waits until it is committed.

No broker tells in a portable way how much it holds for us. A probe is published at the quality of service that we
subscribe with, waits behind what came before it, and is timed when the batch that it comes with is committed.
"""

import hashlib
from collections.abc import Sequence

from ingest.receive import Packet

TOPIC = "veldwatch/probe"
EVERY_SECONDS = 10.0
_PREFIX = f"{TOPIC}/".encode()


def topic(client_id: str) -> str:
    """Name the topic of an ingestor's probes; its client id, which opens its session, does not stand there."""
    return f"{TOPIC}/{hashlib.sha256(client_id.encode()).hexdigest()[:16]}"


def payload(now: float) -> bytes:
    """Write a probe.

    Args:
        now: seconds since 1970.
    """
    return f"{now:.6f}".encode()


def told_apart(packets: list[Packet]) -> tuple[list[Packet], list[float]]:
    """Give what is no probe, and when each probe was sent: seconds since 1970; what is no number there is nothing."""
    rest = [packet for packet in packets if not packet.topic.startswith(_PREFIX)]
    if len(rest) == len(packets):
        return packets, []
    return rest, _times([packet.payload for packet in packets if packet.topic.startswith(_PREFIX)])


def _times(payloads: Sequence[bytes]) -> list[float]:
    times: list[float] = []
    for content in payloads:
        try:
            times.append(float(content[:32]))
        except ValueError:
            continue  # somebody else wrote there: not ours, and no reading
    return [at for at in times if 0 < at < 1e11]

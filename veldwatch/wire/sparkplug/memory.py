"""What is remembered of an edge node: its births (the names behind the numbers), and where its session stands.

The session is the head of a memory: it changes with every message. Each birth is a part of its own.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from veldwatch.wire.stateful import Changes


class Known(msgspec.Struct, frozen=True, array_like=True):
    """What a birth certificate says of one metric.

    Attributes:
        datatype: the specification's number; 0: it does not say.
        unit: a UCUM code; None: it does not say, or none that is known.
    """

    name: str
    alias: int | None = None
    datatype: int = 0
    unit: str | None = None


NOTHING_KNOWN = Known("")


class Birth:
    """The metrics of an edge node or a device, by alias and by name.

    Attributes:
        sent_at: when the birth was said, in milliseconds since 1970; 0: not known.
        since: older messages were named by another birth, which is gone; 0: none said otherwise.
        ended: a death, or a birth of the edge node, came after it.
    """

    __slots__ = ("by_alias", "by_name", "ended", "sent_at", "since")

    def __init__(self, metrics: Iterable[Known], sent_at: int = 0, since: int = 0, *, ended: bool = False) -> None:
        self.sent_at, self.since, self.ended = sent_at, since, ended
        self.by_name = {each.name: each for each in metrics}
        self.by_alias = {each.alias: each for each in self.by_name.values() if each.alias is not None}

    def at(self, moment: int | None) -> "Birth":
        """Give what held when a message was sent."""
        return UNBORN if self.ended or (moment is not None and moment < self.since) else self

    def end(self) -> "Birth":
        """Let it hold no more; what follows is held against it."""
        return Birth(self.by_name.values(), self.sent_at, self.since, ended=True)

    def replaced_by(self, other: "Birth") -> "Birth":
        """Take another birth, unless it is older: then it came late."""
        same = other.by_name == self.by_name
        if 0 < other.sent_at < self.sent_at and not self.ended:
            return self if same else Birth(self.by_name.values(), self.sent_at, self.sent_at)
        return Birth(other.by_name.values(), other.sent_at, self.since if same else other.sent_at)


UNBORN = Birth(())


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Where an edge node's session stands.

    Attributes:
        born_at: time of the edge node's birth, in milliseconds since 1970, as its payload says; None: we saw none since
            the last death.
        bd_seq: number of the session, which birth and death share.
        seq: of the newest message, 0 to 255; None: we saw none.
        sent_at: time of that message's payload.
        missing: numbers before `seq` that have not come, oldest first.
        missing_since: when the first of them was missed.
        rebirth_wanted: why the edge node is to say its births again; empty: nothing is unclear.
        asked_at: when it was asked last.
    """

    born_at: int | None = None
    bd_seq: int | None = None
    seq: int | None = None
    sent_at: int | None = None
    missing: tuple[int, ...] = ()
    missing_since: datetime | None = None
    rebirth_wanted: str = ""
    asked_at: datetime | None = None


class EdgeNode(NamedTuple):
    """All that is remembered of an edge node; births by device, the edge node's own under the empty name."""

    session: Session
    births: Mapping[str, Birth]


BLANK = EdgeNode(Session(), {})

_session = msgspec.json.Decoder(Session)
_birth = msgspec.json.Decoder(tuple[int, int, bool, list[Known]])


def changes(before: EdgeNode, after: EdgeNode) -> Changes:
    """Write the session, and the births that are not the same objects as before."""
    parts: dict[str, bytes | None] = dict.fromkeys(before.births.keys() - after.births.keys())
    for device, birth in after.births.items():
        if before.births.get(device) is not birth:
            parts[device] = msgspec.json.encode((birth.sent_at, birth.since, birth.ended, list(birth.by_name.values())))
    return Changes(msgspec.json.encode(after.session), parts)


def restore(head: bytes, parts: Mapping[str, bytes]) -> EdgeNode:
    """Read what `changes` wrote; bytes of another form are a blank memory, and the edge node is asked again."""
    try:
        read = {device: _birth.decode(content) for device, content in parts.items()}
        births = {
            device: Birth(metrics, sent_at, since, ended=ended)
            for device, (sent_at, since, ended, metrics) in read.items()
        }
        return EdgeNode(_session.decode(head), births)
    except msgspec.MsgspecError:
        return BLANK

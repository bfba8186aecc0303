"""What stateful decoders remember, between a batch's messages and between batches.

`Memories` holds what was committed. A batch works on it through a `Work`, whose changes are stored in the transaction
of its rows and taken over after the commit; a batch that is given up leaves nothing. Other ingestors may change the
same memories: the store refuses what was made from an older version, and the batch is decoded again. They take turns,
from a batch's first such message to its commit, so that this is rare and nobody is always second.
"""

from typing import Any, NamedTuple

from veldwatch.model.telemetry import Decoded, Message, Reply
from veldwatch.storage import memories
from veldwatch.storage.connection import Connection
from veldwatch.storage.memories import MemoryChange
from veldwatch.wire.stateful import StatefulDecoder

_KEPT_HERE = 10_000

_Key = tuple[str, str]


class _Kept(NamedTuple):
    version: int
    memory: Any  # what it is only its decoder knows
    kind: type[StatefulDecoder[Any]]


class _Worked(NamedTuple):
    decoder: StatefulDecoder[Any]
    kept: _Kept
    memory: Any


class Memories:
    """Memories by decoder and name, as they were committed; loaded when they are first needed."""

    def __init__(self) -> None:
        self._kept: dict[_Key, _Kept] = {}

    def forget(self) -> None:
        """Load everything anew: somebody else changed it."""
        self._kept.clear()

    def recall(self, connection: Connection, key: _Key, decoder: StatefulDecoder[Any]) -> _Kept:
        """Give one as it was committed."""
        found = self._kept.get(key)
        if found is None or found.kind is not type(decoder):
            stored = memories.load(connection, *key)
            memory = decoder.restore(stored.head, stored.parts) if stored.version else decoder.blank()
            found = self.keep(key, _Kept(stored.version, memory, type(decoder)))
        return found

    def keep(self, key: _Key, kept: _Kept) -> _Kept:
        """Hold one as it was committed."""
        if len(self._kept) >= _KEPT_HERE:
            self._kept.clear()
        self._kept[key] = kept
        return kept


class Work:
    """What the messages of one batch make of memories.

    Args:
        learns: False: decode by what is remembered, and change nothing (messages that are replayed).
    """

    def __init__(self, kept: Memories, connection: Connection, *, learns: bool = True) -> None:
        self._memories = kept
        self._connection = connection
        self._learns = learns
        self._worked: dict[_Key, _Worked] = {}
        self._began = self._has_turn = False
        self.replies: list[Reply] = []

    def decode(self, decoder: StatefulDecoder[Any], message: Message) -> Decoded:
        """Read one message; the next of the same memory finds what it left.

        Raises:
            MessageRejected: as the decoder says.
            StorageUnavailable: what is remembered cannot be loaded now.
        """
        name = decoder.memory_name(message.topic)
        if name is None:
            return decoder(message.topic, message.payload, message.received_at)
        self._begin()
        key = (decoder.name, name)
        worked = self._worked.get(key)
        if worked is None:
            kept = self._memories.recall(self._connection, key, decoder)
            worked = _Worked(decoder, kept, kept.memory)
        memory, decoded = decoder.decode(worked.memory, message.topic, message.payload, message.received_at)
        if self._learns:
            self._worked[key] = worked._replace(memory=memory)
            self.replies += decoded.replies
        return decoded

    def save(self, connection: Connection) -> None:
        """Store what changed, in the caller's transaction.

        Raises:
            MemoryChanged: the batch is to be decoded again.
        """
        changed = [_change(key, worked) for key, worked in self._changed()]
        if changed:
            memories.save(connection, changed)

    def committed(self) -> None:
        """Take the changes over: they are stored."""
        for key, worked in self._changed():
            self._memories.keep(key, worked.kept._replace(version=worked.kept.version + 1, memory=worked.memory))
        self._worked.clear()

    def end(self) -> None:
        """Let other ingestors go on; whatever came of the batch."""
        if self._has_turn:
            memories.end_turn(self._connection)
        self._has_turn = False

    def _begin(self) -> None:
        if self._learns and not self._began:
            self._began = True
            self._has_turn = memories.take_turn(self._connection)

    def _changed(self) -> list[tuple[_Key, _Worked]]:
        return [(key, worked) for key, worked in self._worked.items() if worked.memory is not worked.kept.memory]


def _change(key: _Key, worked: _Worked) -> MemoryChange:
    head, parts = worked.decoder.changes(worked.kept.memory, worked.memory)
    return MemoryChange(*key, worked.kept.version, head, parts)

"""Decoders that remember: formats whose messages refer to earlier ones.

Such a decoder is a pure function too: (memory, message) -> (memory, what the message says). Memory is an immutable
value; who calls keeps it, and commits it with the rows of the messages that made it. It is kept as bytes: a head, which
may change with every message, and named parts, which may be long and seldom change.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Generic, NamedTuple, TypeVar

from veldwatch.model.telemetry import Decoded

Memory = TypeVar("Memory")


class Changes(NamedTuple):
    """What of a memory changed, as bytes; a part that is None is gone."""

    head: bytes
    parts: Mapping[str, bytes | None]


class StatefulDecoder(ABC, Generic[Memory]):
    """Reads messages by what earlier ones said; called as a plain decoder, it remembers nothing.

    Attributes:
        name: of the decoder; its memories are kept under it, whichever source brought the messages.
    """

    name: ClassVar[str]

    @abstractmethod
    def memory_name(self, topic: str) -> str | None:
        """Name the memory that a message of this topic needs; None: it needs none.

        Raises:
            MessageRejected: not a topic of this format.
        """

    @abstractmethod
    def blank(self) -> Memory:
        """Give the memory before the first message."""

    @abstractmethod
    def decode(self, memory: Memory, topic: str, payload: bytes, received_at: datetime) -> tuple[Memory, Decoded]:
        """Read one message; the same memory object comes back if nothing is to be remembered.

        Raises:
            MessageRejected: it cannot be stored; the memory stays as it was.
        """

    @abstractmethod
    def changes(self, before: Memory, after: Memory) -> Changes:
        """Write what changed."""

    @abstractmethod
    def restore(self, head: bytes, parts: Mapping[str, bytes]) -> Memory:
        """Read a memory as it was written; one that an earlier version wrote in another form is blank."""

    def __call__(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """Read one message by nothing but itself."""
        return self.decode(self.blank(), topic, payload, received_at)[1]

"""What a fault on the wire is: a wrapper around the messages of some devices."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from simulators.report import Message


class WireFault(Protocol):
    """Changes when, whether and with which bytes messages are sent.

    It holds no messages: one that is late is returned with a later `due`, and the fleet keeps it until then.
    """

    def carry(self, message: Message, number: int) -> Iterable[Message]:
        """Pass a message on: none, one or several.

        Args:
            number: how many messages of its device came before it; what draws are numbered by.
        """
        ...

    def end(self, at: int) -> None:
        """Stop at a moment in milliseconds since 1970; what is under way stays so."""
        ...

    def state(self) -> dict[str, float]:
        """Give what a restart must know."""
        ...

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up what `state` gave."""
        ...

"""Messages that are lost, late, sent again, out of order or held back by a gateway: the bytes are right."""

from collections.abc import Iterable, Mapping

from simulators.chance import Chance
from simulators.report import HELD, Message

_AGAIN_WITHIN_SECONDS = 60.0
"""How long after a message its repetition comes. Assumed: a retransmission after a lost acknowledgement."""


class Transit:
    """What faults of transit share: parameters, draws, and nothing to remember.

    Args:
        starts: milliseconds since 1970.
    """

    def __init__(self, parameters: Mapping[str, float], chance: Chance, starts: int) -> None:
        self.parameters = parameters
        self.chance = chance
        self.starts = starts

    def drawn(self, what: str, number: int) -> float:
        """Draw a number in [0, 1) for a message."""
        return float(self.chance.uniform(what, number)[0])

    def end(self, at: int) -> None:
        """Let later messages pass."""

    def state(self) -> dict[str, float]:
        """Remember nothing."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Remember nothing."""


class Drop(Transit):
    """Loses a share of the messages."""

    def carry(self, message: Message, number: int) -> Iterable[Message]:
        """Lose it, or not."""
        return () if self.drawn("drop", number) < self.parameters["share"] else (message,)


class Delay(Transit):
    """Holds each message up for a while of its own."""

    def carry(self, message: Message, number: int) -> Iterable[Message]:
        """Send it later: exponential, as waiting in a queue is."""
        seconds = float(self.chance.exponential("delay", self.parameters["delay_seconds"], number)[0])
        yield message._replace(due=message.due + round(seconds * 1000))


class Duplicate(Transit):
    """Sends a share of the messages again."""

    def carry(self, message: Message, number: int) -> Iterable[Message]:
        """Send it, and perhaps once more."""
        yield message
        if self.drawn("duplicate", number) < self.parameters["share"]:
            later = self.drawn("again", number) * _AGAIN_WITHIN_SECONDS
            yield message._replace(due=message.due + round(later * 1000))


class Reorder(Transit):
    """Loses the order within a window."""

    def carry(self, message: Message, number: int) -> Iterable[Message]:
        """Send it at any moment of the window."""
        later = self.drawn("reorder", number) * self.parameters["window_seconds"]
        yield message._replace(due=message.due + round(later * 1000))


class GatewayBacklog(Transit):
    """Sends nothing while it lasts; the fleet lets go of it when it ends."""

    def carry(self, message: Message, number: int) -> Iterable[Message]:
        """Hold it."""
        del number
        yield message._replace(due=HELD)

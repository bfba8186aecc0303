"""Messages whose bytes are wrong: damaged, so that nothing can be read of them, or stamped by a wrong clock."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from simulators.faults.transit import Transit
from simulators.report import Message

_OBSERVED_AT = re.compile(rb'"observed_at":"([^"]+)"')


class Corrupt(Transit):
    """Damages a share of the messages: cut off, or with bytes in between that are no text.

    Neither can be read as another value: an object that is cut off is never closed, and 0xFF is in no UTF-8.
    """

    def carry(self, message: Message, number: int) -> Iterable[Message]:
        """Damage it, or not."""
        if self.drawn("corrupt", number) >= self.parameters["share"] or len(message.payload) < 2:
            return (message,)
        place = 1 + int(self.drawn("place", number) * (len(message.payload) - 1))
        if self.drawn("how", number) < 0.5:
            return (message._replace(payload=message.payload[:place]),)
        return (message._replace(payload=message.payload[:place] + b"\xff\xfe" + message.payload[place:]),)


class ClockSkew(Transit):
    """Stamps each message with a clock that is wrong by the same time."""

    def carry(self, message: Message, number: int) -> Iterable[Message]:
        """Move its time."""
        del number
        yield message._replace(payload=_OBSERVED_AT.sub(self._moved, message.payload))

    def _moved(self, found: re.Match[bytes]) -> bytes:
        moment = datetime.fromisoformat(found[1].decode()) + timedelta(seconds=self.parameters["offset_seconds"])
        return f'"observed_at":"{moment.isoformat().replace("+00:00", "Z")}"'.encode()

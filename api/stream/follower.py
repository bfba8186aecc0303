"""One client of the live stream: a bounded queue between the hub and its connection."""

import asyncio
from collections import deque
from dataclasses import dataclass

from veldwatch.storage.log import LogCursor

MOST_BYTES = 8_000_000
MOST_FRAMES = 2000
"""Two minutes of frames: a phone in a tunnel comes back in time, and a thousand stuck clients are bounded in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """An event as bytes, shared by all who see the same.

    Attributes:
        cursor: its place in the log; None: an alert.
        after: the place after which it begins: batches that follow each other are joined in one frame.
        begins: the hub follows from this place on; what was before must be read from the log.
    """

    content: bytes
    cursor: LogCursor | None
    after: LogCursor | None = None
    begins: bool = False

    def was_told_in_part(self, told: LogCursor) -> bool:
        """Tell whether some of it, and not all, was said up to this place."""
        return self.cursor is not None and self.after is not None and self.after < told < self.cursor


class Follower:
    """Frames that wait for one client. All calls but the constructor belong to the event loop.

    Attributes:
        scope: the one organisation that the client may see; None: all.
        overflowed: it read too slowly; what waited was dropped and nothing is added any more.
        closed: its stream is to end: the program stops, or something could not be told.
    """

    def __init__(self, scope: int | None) -> None:
        self.scope = scope
        self.overflowed = False
        self.closed = False
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()

    def put(self, frame: Frame) -> None:
        """Add a frame, or give the client up."""
        if self.overflowed:
            return
        self._frames.append(frame)
        self._bytes += len(frame.content)
        if self._bytes > MOST_BYTES or len(self._frames) > MOST_FRAMES:
            self.overflowed = True
            self._frames.clear()
            self._bytes = 0
        self._changed.set()

    def close(self) -> None:
        """Let the client's stream end after what waits."""
        self.closed = True
        self._changed.set()

    async def get(self, timeout_seconds: float) -> Frame | None:
        """Take the next frame; None after the time, or when there is an end to tell."""
        if not self._frames and not self.overflowed and not self.closed:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), timeout_seconds)
            except TimeoutError:
                return None
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self._bytes -= len(frame.content)
        return frame

"""When a device reports: on a grid that depends on nothing but the device and its interval.

So a run that starts again never says anything for a moment that an earlier run spoke of, and load is spread by the
devices' offsets. What lies further back than `LIVE` is told more coarsely.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LIVE = timedelta(minutes=10)
HISTORY_STEP = timedelta(minutes=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A device's moments.

    Attributes:
        interval: between live reports.
        history_offsets: within each `HISTORY_STEP`, ascending; a water meter tells one use and one rest.
    """

    name: str
    interval: timedelta
    history_offsets: Sequence[timedelta] = (timedelta(0),)

    def moments(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the moments in (after, until], oldest first."""
        live_from = until - LIVE
        if after < live_from:
            yield from self._history(after, live_from)
        yield from self._live(max(after, live_from), until)

    def _history(self, after: datetime, until: datetime) -> Iterator[datetime]:
        step = HISTORY_STEP.total_seconds()
        for number in range(math.floor(after.timestamp() / step), math.floor(until.timestamp() / step) + 1):
            for offset in self.history_offsets:
                moment = datetime.fromtimestamp(number * step, UTC) + offset
                if after < moment <= until:
                    yield moment

    def _live(self, after: datetime, until: datetime) -> Iterator[datetime]:
        step = round(self.interval.total_seconds() * 1000)
        offset = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big") % step // 100 * 100
        # Whole milliseconds, rounded down: rounded up to the next moment, that one would never be told.
        number = ((after - _EPOCH) // timedelta(milliseconds=1) - offset) // step + 1
        while (moment := datetime.fromtimestamp((number * step + offset) / 1000, UTC)) <= until:
            if moment > after:
                yield moment
            number += 1

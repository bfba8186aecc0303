"""How long to wait after a failed attempt: doubling, bounded, spread, and never sooner than the receiver asked.

Pure: the spread derives from the notification's id, so that many notifications that failed together do not return
together, and the same attempt always waits the same time.
"""

import hashlib
from datetime import timedelta
from uuid import UUID

MAXIMUM_ATTEMPTS = 16
"""About eight hours in all: longer than an alert is news (`VELDWATCH_NEWS_AGE_SECONDS`)."""

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
LONGEST_RETRY_AFTER = timedelta(hours=6)
"""A receiver that asks for more is asked again at this age, lest one bad header silences it for good."""


def delay_before_next(outbox_id: UUID, attempts: int, retry_after: timedelta | None = None) -> timedelta:
    """Return the wait after the given number of failed attempts (1 or more).

    Between half and the whole of `FIRST_DELAY` doubled with each attempt, at most `LONGEST_DELAY`; at least
    `retry_after`.
    """
    doubled = min(FIRST_DELAY * 2 ** min(attempts - 1, 32), LONGEST_DELAY)
    spread = doubled * (0.5 + 0.5 * _fraction(outbox_id, attempts))
    if retry_after is None:
        return spread
    return max(spread, min(retry_after, LONGEST_RETRY_AFTER))


def _fraction(outbox_id: UUID, attempts: int) -> float:
    digest = hashlib.sha256(outbox_id.bytes + attempts.to_bytes(4, "big")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64

"""Why rows stay though they are past their time: an open alert, a back-test that is not over, a reader of the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from veldwatch.storage.connection import Connection
from veldwatch.storage.log import LogBatch, LogCursor, read_unsettled
from veldwatch.storage.pool import fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.storage.retention import What
from veldwatch.storage.retention_plan import RAW, STEPS, plan

SHOWN = 100
"""A storm of alerts has thousands of reasons, and is seen in the list of alerts."""

MOST_UNREAD = 500_000
"""Rows of the log: to look through them after each step of a sweep takes some tenths of a second. Batches are no
measure: intake may write twenty a second, and nothing would ever go."""

_QUERIES = load_queries("retention")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """What is past its time and stays, and for whose sake.

    Attributes:
        since: from when on it is needed; None: all of it.
        organisation: slug; None: of several.
        device: external id; None: several.
        devices: how many.
        alert_id: the open alert that needs it; None: it is not an alert.
        backtest_id: the back-test that is not over; None: it is not a back-test.
        reason: a sentence.
    """

    whats: Sequence[What]
    since: datetime | None
    organisation: str | None
    device: str | None
    devices: int
    alert_id: UUID | None
    backtest_id: int | None
    reason: str


def held_back(connection: Connection, scope: int | None, now: datetime, default_days: int | None) -> list[HeldBack]:
    """List what open alerts and back-tests hold back now, the longest needed first, and not more than `SHOWN`.

    Args:
        scope: the one organisation that the asker may see; None: all.
    """
    steps = {what: STEPS[what].total_seconds() for what in What if what in RAW}
    values = {
        "whats": [what.value for what in steps],
        "steps": list(steps.values()),
        "now": now,
        "default_days": default_days,
        "scope": scope,
        "limit": SHOWN,
    }
    rows = fetch_rows(connection, _QUERIES["held_back"], values)
    return [HeldBack(whats=[What(one) for one in row.pop("whats")], **row) for row in rows]


def waiting(connection: Connection, now: datetime, default_days: int | None) -> dict[What, str]:
    """Say for each kind of which something is past its time and waits for a reader of the log, for which one."""
    found: dict[What, str] = {}
    for what in What:
        last = plan(connection, what, now, default_days).last
        reason = None if last is None else unread(connection, what, last)
        if reason is not None:
            found[what] = reason
    return found


def unread(connection: Connection, what: What, before: datetime) -> str | None:
    """Say which reader of the log has yet to read something of that time, or may have; None: none has."""
    if what not in RAW:
        return None
    if what is What.READING and any(connection.execute(_QUERIES["due"], {"before": before}).fetchone() or ()):
        return "what was corrected, loaded or learnt of a register is not in all figures yet"
    rows = connection.execute(_QUERIES["unread"]).fetchall()
    if not rows:
        return None
    consumer, xid, number = rows[0]
    instant, rows = int(before.timestamp() * 1_000_000), 0
    for batch in read_unsettled(connection, LogCursor(int(xid), number)):
        if any(len(times) and int(times.min()) < instant for times in _times(batch, what)):
            return f"{consumer} has not read all that was said of that time"
        rows += len(batch.readings) + len(batch.positions) + len(batch.contacts) + len(batch.events)
        if rows > MOST_UNREAD:
            return f"{consumer} is far behind in the log"
    return None


def _times(batch: LogBatch, what: What) -> Sequence[npt.NDArray[Any]]:
    """Give the times by which rows of a batch are old, in microseconds."""
    match what:
        case What.READING:
            return (batch.readings["observed_at"],)
        case What.POSITION:
            return (batch.positions["observed_at"],)
        case What.CONTACT:
            return (batch.contacts["received_at"],)
        case _:
            return (np.array([event.observed_at for event in batch.events], np.int64),)

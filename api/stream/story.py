"""What one client of the live stream reads, from where it stood: first what it missed, then what happens.

The follower is added before the backlog is read, and both are in the order of the log: what is in both is told once.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, TypeVar

from api.models.alerts import Alert
from api.models.incidents import Incident
from api.parts import Parts
from api.stream import frames
from api.stream.follower import Follower, Frame
from api.stream.hub import OVERLAP
from veldwatch.errors import StorageUnavailable
from veldwatch.storage import log
from veldwatch.storage.alerts import AlertFilter, list_alerts
from veldwatch.storage.incidents import IncidentFilter, list_incidents, updated_incidents
from veldwatch.storage.live import batch_time, log_tail
from veldwatch.storage.log import LogCursor
from veldwatch.storage.tokens import find_bearer

HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 15.0
"""How long a token that was revoked may be told more, however much there is to tell."""
_BATCHES_AT_ONCE = 50
_MOST_CHANGES = 500
"""Alerts, and incidents: of more the client is told to load its lists."""
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Where a client's stream begins.

    Attributes:
        missed_since: when the client was last told something; None: it was not here before.
        reset: it was here before, and what it missed cannot be told: the log no longer holds its place, or was empty.
    """

    cursor: LogCursor
    missed_since: datetime | None
    reset: bool


def find_beginning(parts: Parts, last_event_id: str | None) -> Beginning:
    """Find where a client's stream begins: after its last event, else at the end of the log as it is now."""
    asked = None if last_event_id is None else frames.parse_cursor(last_event_id)
    with parts.pool.lend() as connection:
        since = None if asked is None else batch_time(connection, asked)
        if asked is not None and (since is not None or asked == log.START):
            # An empty log has no time from which on alerts could be looked up.
            return Beginning(cursor=asked, missed_since=since, reset=since is None)
        return Beginning(cursor=log_tail(connection), missed_since=None, reset=asked is not None)


async def tell(
    parts: Parts, follower: Follower, beginning: Beginning, token: str, *, check_seconds: float = CHECK_SECONDS
) -> AsyncGenerator[bytes]:
    """Yield frames until the client goes, is too slow, loses its token, or the program stops."""
    admission = _Admission(parts, token, check_seconds)
    for content in await _greeting(parts, follower, beginning):
        yield content
    told = beginning.cursor
    follower.put(Frame(content=b"", cursor=told, begins=True))
    while (frame := await _next(follower)) is not None and await admission.holds():
        if frame.begins or frame.was_told_in_part(told):
            async for cursor, content in _backlog(parts, follower, told):
                if not await admission.holds():
                    return
                told = cursor
                yield content
        elif frame.cursor is None or frame.cursor > told:
            told = frame.cursor or told
            yield frame.content
    if follower.overflowed:
        yield frames.TOO_SLOW


async def _greeting(parts: Parts, follower: Follower, beginning: Beginning) -> list[bytes]:
    """Say where the stream begins, and which alerts and incidents changed since the client was here."""
    place = frames.place_frame(beginning.cursor)
    if beginning.reset:
        return [place, frames.RESET]
    if beginning.missed_since is None:
        return [place]
    missed = await _patiently(follower, _missed_changes, parts, follower.scope, beginning.missed_since - OVERLAP)
    return [place, *(missed or ())]


class _Admission:
    """Whether a client may stay: asked by the clock, for a client that is told something all the time too."""

    def __init__(self, parts: Parts, token: str, check_seconds: float) -> None:
        self._parts = parts
        self._token = token
        self._check_seconds = check_seconds
        self._asked = time.monotonic()

    async def holds(self) -> bool:
        if time.monotonic() - self._asked < self._check_seconds:
            return True
        self._asked = time.monotonic()
        return await asyncio.to_thread(_may_stay, self._parts, self._token)


async def _next(follower: Follower) -> Frame | None:
    """Wait for the next frame, or make a heartbeat; None at the end."""
    frame = await follower.get(HEARTBEAT_SECONDS)
    if frame is not None:
        return frame
    if follower.closed or follower.overflowed:
        return None
    return Frame(content=frames.HEARTBEAT, cursor=None)


async def _backlog(parts: Parts, follower: Follower, after: LogCursor) -> AsyncGenerator[tuple[LogCursor, bytes]]:
    """Yield what the log holds after a place, until there is nothing more."""
    while found := await _patiently(follower, _missed_batches, parts, follower.scope, after):
        after = found[0]
        yield found


async def _patiently(follower: Follower, ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Ask the database in a thread, again and again while it is away; None when the stream is to end."""
    while not follower.closed:
        try:
            return await asyncio.to_thread(ask, *args, **kwargs)
        except StorageUnavailable:
            await asyncio.sleep(1)
    return None


def _missed_batches(parts: Parts, scope: int | None, after: LogCursor) -> tuple[LogCursor, bytes] | None:
    with parts.pool.lend() as connection:
        found, _ = log.read_up_to(connection, after, _BATCHES_AT_ONCE, frames.ROWS_AT_ONCE)
        if not found:
            return None
        chapter = parts.hub.chapter(connection, found)
    return chapter.cursor, frames.batch_frame(chapter, scope)


def _missed_changes(parts: Parts, scope: int | None, since: datetime) -> list[bytes]:
    """Give alerts, then incidents; where there are too many, none, and that the lists are to be loaded."""
    with parts.pool.lend() as connection:
        alerts = list_alerts(connection, scope, AlertFilter(updated_since=since), limit=_MOST_CHANGES + 1)
        changed = updated_incidents(connection, since, limit=_MOST_CHANGES + 1)
        if max(len(alerts), len(changed)) > _MOST_CHANGES:
            return [frames.RESET]
        incidents = [
            row for number in changed for row in list_incidents(connection, scope, IncidentFilter(id=number), limit=1)
        ]
    return [
        *(frames.alert_frame(Alert.model_validate(row).model_dump_json().encode()) for row in reversed(alerts)),
        *(frames.incident_frame(Incident.model_validate(row).model_dump_json().encode()) for row in incidents),
    ]


def _may_stay(parts: Parts, token: str) -> bool:
    try:
        with parts.pool.lend() as connection:
            return find_bearer(connection, token) is not None
    except StorageUnavailable:
        return True  # the stream outlives an outage of the database

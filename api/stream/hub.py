"""The hub: one thread follows log and alerts while anybody listens, and hands each follower what it may see.

The thread holds the one listening connection; frames are written once per scope and handed to the event loop. When
the database goes away the streams stay open: the thread tries again, goes on where it stood, and looks up the alerts
that changed meanwhile. Nobody listening, no connection: the server keeps no notifications for us.
"""

import asyncio
import random
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from api.models.alerts import Alert
from api.models.incidents import Incident
from api.stream import frames
from api.stream.follower import Follower, Frame
from veldwatch.errors import StorageError, StorageUnavailable
from veldwatch.storage.alerts import AlertFilter, list_alerts
from veldwatch.storage.connection import Connection
from veldwatch.storage.incidents import IncidentFilter, list_incidents, updated_incidents
from veldwatch.storage.live import LiveFeed, log_tail
from veldwatch.storage.log import LogBatch, LogCursor
from veldwatch.storage.names import Names
from veldwatch.storage.pool import Row

_IDLE_SECONDS = 1.0
"""The longest that a batch whose notification was lost stays unseen."""
_OVERTAKEN_SECONDS = 0.03
"""How soon to look again for a batch that was called but waits for an older transaction."""
_PAUSE_SECONDS = 0.1
"""At most ten frames a second: under load, batches are joined rather than sent one by one."""
_BATCHES_AT_ONCE = 200
_PATIENCE = timedelta(seconds=30)
_LONGEST_BACK_OFF_SECONDS = 5.0
OVERLAP = timedelta(minutes=5)
"""An alert's `updated_at` is when its transaction began, which is before it could be seen: the engine's may take
minutes when it folds a history."""
_MOST_CHANGES = 500
"""Alerts, and incidents, that are looked up after an outage: of more the clients are told to load their lists."""

_log = structlog.stdlib.get_logger()


class Hub:
    """Followers, and the thread that feeds them.

    Args:
        dsn: the database, for a connection beside the pool's.
        names: shared with whoever else writes frames.
    """

    def __init__(self, dsn: str, names: Names) -> None:
        self._dsn = dsn
        self.names = names
        self._followers: set[Follower] = set()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._cursor: LogCursor | None = None
        self._seen_until = datetime.now(UTC)
        self._called: dict[int, datetime] = {}

    @property
    def subscribers(self) -> int:
        """Count the clients."""
        return len(self._followers)

    def start(self) -> None:
        """Start the thread; call it from the event loop that serves the clients."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def end_streams(self) -> None:
        """Let every stream end; may be called from any thread, before the server waits for its connections."""
        self._closing.set()
        self._wanted.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close_followers)

    async def stop(self) -> None:
        """End the streams and the thread."""
        self.end_streams()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, 5)

    def add(self, scope: int | None) -> Follower:
        """Add a client; from the event loop."""
        follower = Follower(scope)
        if self._closing.is_set():
            follower.close()
        self._followers.add(follower)
        if not self._wanted.is_set():
            # Nobody listens to the database yet: what changes until the thread does is looked up then.
            self._seen_until = datetime.now(UTC)
        self._wanted.set()
        return follower

    def remove(self, follower: Follower) -> None:
        """Forget a client; from the event loop."""
        self._followers.discard(follower)
        if not self._followers and not self._closing.is_set():
            self._wanted.clear()

    def chapter(self, connection: Connection, found: Sequence[tuple[LogCursor, LogBatch]]) -> frames.Chapter:
        """Join batches that follow each other and look up the names of what is in them."""
        readings, positions, contacts = frames.merge([batch for _, batch in found])
        devices = {*positions["device_id"].tolist(), *contacts["device_id"].tolist()}
        return frames.Chapter(
            cursor=found[-1][0],
            readings=readings,
            positions=positions,
            contacts=contacts,
            series=self.names.series(connection, set(readings["series_id"].tolist())),
            devices=self.names.devices(connection, devices),
        )

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            self._wanted.wait()
            try:
                with LiveFeed(self._dsn) as feed:
                    failures = 0
                    self._follow(feed)
            except StorageError as error:
                failures += 1
                _log.warning("live stream waits for the database", reason=str(error), failures=failures)
                self._closing.wait(_back_off(failures, permanent=not isinstance(error, StorageUnavailable)))
            except Exception:  # noqa: BLE001  # without this thread all would hear heartbeats alone, and take it for calm
                failures += 1
                _log.exception("live stream failed; its clients have to come back", failures=failures)
                self._begin_anew()
                self._closing.wait(_back_off(failures, permanent=True))

    def _begin_anew(self) -> None:
        """Go on after what could not be told; clients come back, and read from log and lists what they missed."""
        self._cursor, self._seen_until = None, datetime.now(UTC)
        self._called.clear()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close_followers)

    def _follow(self, feed: LiveFeed) -> None:
        if self._cursor is None:
            self._cursor = log_tail(feed.connection)
            self._hand_out(dict.fromkeys(self._scopes(), frames.place_frame(self._cursor)), self._cursor, begins=True)
        self._tell_changes(feed.connection, self._seen_until)
        while self._wanted.is_set() and not self._closing.is_set():
            started = datetime.now(UTC)
            wakeup = feed.wait(_OVERTAKEN_SECONDS if self._called else _IDLE_SECONDS)
            self._called |= dict.fromkeys(wakeup.batches, started)
            self._tell_alerts(_alerts(feed.connection, wakeup.alerts))
            self._tell_incidents(feed.connection, wakeup.incidents)
            self._seen_until = started - OVERLAP
            self._tell_batches(feed, started)
        if not self._wanted.is_set():
            # Nobody listens: whoever comes next begins at the end of the log as it is then.
            self._cursor = None
            self._called.clear()

    def _tell_batches(self, feed: LiveFeed, now: datetime) -> None:
        assert self._cursor is not None  # noqa: S101  # set before the loop
        found = feed.read(self._cursor, _BATCHES_AT_ONCE, frames.ROWS_AT_ONCE)
        if found:
            after, self._cursor = self._cursor, found[-1][0]
            chapter = self.chapter(feed.connection, found)
            contents = {scope: frames.batch_frame(chapter, scope) for scope in self._scopes()}
            self._hand_out(contents, chapter.cursor, after=after)
            for cursor, _ in found:
                self._called.pop(cursor.id, None)
            self._closing.wait(_PAUSE_SECONDS)
        self._called = {number: called for number, called in self._called.items() if now - called < _PATIENCE}

    def _tell_changes(self, connection: Connection, since: datetime) -> None:
        alerts = list_alerts(connection, None, AlertFilter(updated_since=since), limit=_MOST_CHANGES + 1)
        incidents = updated_incidents(connection, since, limit=_MOST_CHANGES + 1)
        if max(len(alerts), len(incidents)) > _MOST_CHANGES:
            self._hand_out(dict.fromkeys(self._scopes(), frames.RESET), None)
            return
        self._tell_alerts(alerts)
        self._tell_incidents(connection, incidents)

    def _tell_alerts(self, rows: Sequence[Row]) -> None:
        for row in rows:
            content = frames.alert_frame(Alert.model_validate(row).model_dump_json().encode())
            scopes = [scope for scope in self._scopes() if scope in (None, row["organisation_id"])]
            self._hand_out(dict.fromkeys(scopes, content), None)

    def _tell_incidents(self, connection: Connection, ids: Iterable[UUID]) -> None:
        for scope in self._scopes():
            for number in ids:
                for row in list_incidents(connection, scope, IncidentFilter(id=number), limit=1):
                    content = frames.incident_frame(Incident.model_validate(row).model_dump_json().encode())
                    self._hand_out({scope: content}, None)

    def _scopes(self) -> set[int | None]:
        # A copy in one step: the event loop adds and removes followers meanwhile.
        return {follower.scope for follower in tuple(self._followers)}

    def _hand_out(
        self,
        contents: dict[int | None, bytes],
        cursor: LogCursor | None,
        *,
        after: LogCursor | None = None,
        begins: bool = False,
    ) -> None:
        shared = {
            scope: Frame(content=text, cursor=cursor, after=after, begins=begins) for scope, text in contents.items()
        }
        if shared and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, shared)

    def _put(self, shared: dict[int | None, Frame]) -> None:
        for follower in tuple(self._followers):
            if follower.scope in shared:
                follower.put(shared[follower.scope])

    def _close_followers(self) -> None:
        for follower in self._followers:
            follower.close()


def _alerts(connection: Connection, ids: frozenset[UUID]) -> list[Row]:
    return [row for number in ids for row in list_alerts(connection, None, AlertFilter(id=number), limit=1)]


def _back_off(failures: int, *, permanent: bool) -> float:
    longest = _LONGEST_BACK_OFF_SECONDS if permanent else min(_LONGEST_BACK_OFF_SECONDS, 0.2 * 2 ** min(failures, 6))
    return longest * random.uniform(0.5, 1)  # noqa: S311  # jitter, not a secret

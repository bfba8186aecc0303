"""The engine's work on the database, one transaction at a time: refresh, activate, read the log, wake, save.

Each call that changes anything commits it together with the log's cursor, or not at all. The time is given; when
to call what is `rules.main`'s business.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise

from rules.engine import Begin, Engine, EngineSettings
from rules.postgres_store import PostgresStore
from rules.targets import Refusal
from veldwatch.model.places import EVERYTHING, Place
from veldwatch.storage import log
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.log import LogBatch, LogCursor
from veldwatch.storage.schema_hold import SchemaHold

_BATCHES_AT_ONCE = 50
# An import writes 20,000 readings in each of its batches: fifty of them would take more memory than the engine has.
_ROWS_AT_ONCE = 100_000


class Rounds:
    """Drives one engine on one connection, which must be in autocommit."""

    def __init__(self, connection: Connection, settings: EngineSettings, place: Place = EVERYTHING) -> None:
        """Take up the log where the last engine of the place left it."""
        self._connection = connection
        self._consumer = place.consumer
        self._hold = SchemaHold(connection)
        self.cursor = log.load_cursor(connection, self._consumer) or log.START
        self._again = log.load_again(connection, self._consumer)
        # From now on the log is kept for us.
        log.save_cursor(connection, self._consumer, self.cursor)
        # Of the transaction at the cursor there may be another batch.
        begin = Begin(max(self.cursor.xid - 1, 0), self._again)
        store = PostgresStore(connection=connection, patience=settings.patience, place=place)
        self.engine = Engine(store, settings, place, begin)
        self._to_replay = self._again is not None
        self.is_behind = False

    def refresh(self, now: datetime) -> list[Refusal]:
        """Read rules and register if they have changed, and end the alerts of rules that are gone.

        The first time folds are taken up where they were saved, and the log since then is read again.
        """
        with committed(self._connection):
            refusals = self.engine.refresh(now)
            if self._to_replay and self._again is not None:
                self._replay(log.after_transaction(self._again))
        self._to_replay = False
        return refusals

    def activate(self, now: datetime) -> bool:
        """Fold a part of the history of a new rule; True: there is more."""
        with committed(self._connection):
            return self.engine.activate(now)

    def read_log(self, now: datetime) -> tuple[int, list[Refusal]]:
        """Consume what the log holds after the cursor, as much as is read at once; give how many batches that was.

        `is_behind` says afterwards whether there may be more.
        """
        refusals = self.refresh(now) if self._to_replay else []
        with committed(self._connection):
            self._hold.take(self._connection)
            read, is_behind = log.read_up_to(self._connection, self.cursor, _BATCHES_AT_ONCE, _ROWS_AT_ONCE)
            for (cursor, batch), more in _with_more(read, is_behind=is_behind):
                refusals += self.engine.consume(cursor, batch, now, more=more)
            if read:
                log.save_cursor(self._connection, self._consumer, read[-1][0])
        if read:
            self.cursor = read[-1][0]
        self.is_behind = is_behind
        return len(read), refusals

    def wake(self, now: datetime) -> bool:
        """Look at what time alone changes; True: there may be more."""
        with committed(self._connection):
            return self.engine.wake(now)

    def flush(self, now: datetime, *, everything: bool = False) -> bool:
        """Save folds that changed a while ago, all or a portion; True: there are more."""
        while True:
            with committed(self._connection):
                more = self.engine.flush(now, everything=everything)
                again = self.engine.unsaved_since()
                if again != self._again:
                    log.save_again(self._connection, self._consumer, again)
            self._again = again
            if not (more and everything):
                return more

    def settle(self, now: datetime) -> list[Refusal]:
        """Do all that there is to do at a time."""
        refusals = self.refresh(now)
        while self.activate(now):
            pass
        while True:
            count, refused = self.read_log(now)
            refusals += refused
            if not self.wake(now) and count == 0:
                return refusals

    def _replay(self, since: LogCursor) -> None:
        while read := log.read_up_to(self._connection, since, _BATCHES_AT_ONCE, _ROWS_AT_ONCE)[0]:
            for cursor, batch in read:
                if cursor > self.cursor:
                    return
                self.engine.replay(cursor, batch)
            since = read[-1][0]


def _with_more(
    read: list[tuple[LogCursor, LogBatch]], *, is_behind: bool
) -> Generator[tuple[tuple[LogCursor, LogBatch], bool]]:
    """Tell of each batch whether another of its transaction follows, or may after what was read at once."""
    for one, following in pairwise(read):
        yield one, following[0].xid == one[0].xid
    if read:
        yield read[-1], is_behind


@contextmanager
def committed(connection: Connection) -> Generator[None]:
    """Commit what happens within, or nothing of it; a failing commit is translated too."""
    with translated_errors(), connection.transaction():
        yield

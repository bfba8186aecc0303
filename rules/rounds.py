"""The engine's work on the database, one transaction at a time: refresh, activate, read the log, wake, save.

Each call that changes anything commits it together with the log's cursor, or not at all. The time is given; when
to call what is `rules.main`'s business.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from rules.engine import Engine, EngineSettings
from rules.postgres_store import PostgresStore
from rules.targets import Refusal
from veldwatch.storage import log
from veldwatch.storage.connection import Connection, translated_errors

CONSUMER = "rules"
BATCHES_AT_ONCE = 50


class Rounds:
    """Drives one engine on one connection, which must be in autocommit."""

    def __init__(self, connection: Connection, settings: EngineSettings) -> None:
        """Take up the log where the last engine left it."""
        self._connection = connection
        self.engine = Engine(PostgresStore(connection=connection, patience=settings.patience), settings)
        self.cursor = log.load_cursor(connection, CONSUMER) or log.START
        # From now on the log is kept for us.
        log.save_cursor(connection, CONSUMER, self.cursor)

    def refresh(self, now: datetime) -> list[Refusal]:
        """Read rules and register again, and end the alerts of rules that are gone."""
        with committed(self._connection):
            return self.engine.refresh(now)

    def activate(self, now: datetime) -> bool:
        """Fold a part of the history of a new rule; True: there is more."""
        with committed(self._connection):
            return self.engine.activate(now)

    def read_log(self, now: datetime) -> tuple[int, list[Refusal]]:
        """Consume what the log holds after the cursor, up to `BATCHES_AT_ONCE` batches; give how many those were."""
        refusals: list[Refusal] = []
        with committed(self._connection):
            read = log.read(self._connection, self.cursor, BATCHES_AT_ONCE)
            for cursor, batch in read:
                refusals += self.engine.consume(cursor, batch, now)
            if read:
                log.save_cursor(self._connection, CONSUMER, read[-1][0])
        if read:
            self.cursor = read[-1][0]
        return len(read), refusals

    def wake(self, now: datetime) -> bool:
        """Look at what time alone changes; True: there may be more."""
        with committed(self._connection):
            return self.engine.wake(now)

    def flush(self, now: datetime, *, everything: bool = False) -> None:
        """Save folds that changed a while ago."""
        with committed(self._connection):
            self.engine.flush(now, everything=everything)

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


@contextmanager
def committed(connection: Connection) -> Generator[None]:
    """Commit what happens within, or nothing of it; a failing commit is translated too."""
    with translated_errors(), connection.transaction():
        yield

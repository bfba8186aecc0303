"""The sources as operators have them now: read again every few seconds, and put in place between two batches.

A batch is decoded by one state of the sources: no message is read by half of a change, and none before
the database has said which sources there are.
"""

import time
from collections.abc import Callable

import structlog

from veldwatch.config import Settings
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.sources import EditedSource, in_order, list_sources
from veldwatch.wire.sources import Sources

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_FRESH_SECONDS = 2.0


class LiveSources:
    """Keeps `sources` as the database and the settings say.

    Args:
        clock: seconds that only grow.

    Raises:
        ConfigurationInvalid: a source of the settings is wrong.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.sources = Sources(settings.sources)
        self._configured = settings.sources
        self._edited: list[EditedSource] = []
        self._clock = clock
        self._due = 0.0

    def refresh(self, connection: Connection, *, at_once: bool = False) -> None:
        """Read the sources, unless they were a moment ago, in a transaction of its own.

        Args:
            at_once: read them in any case.

        Raises:
            StorageUnavailable: the sources stay as they are, and are due still.
        """
        if not at_once and self._clock() < self._due:
            return
        with translated_errors(), connection.transaction():
            edited = list_sources(connection)
        self._due = self._clock() + _FRESH_SECONDS
        if edited == self._edited:
            return
        self._edited = edited
        faults = self.sources.replace(in_order(edited, self._configured))
        _log.info("sources changed", edited=[each.source.name for each in edited if each.enabled])
        for fault in faults:
            _log.error("source cannot work, its messages go to quarantine", source=fault.source, reason=fault.detail)

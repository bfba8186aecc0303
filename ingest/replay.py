"""Replays of quarantined messages: the ones that wait, in small portions, between the batches that come in live.

A message goes the way that it went when it came: same sources, same checks, same writes, with its own time of arrival.
It is settled in the transaction of its rows, so a kill at any moment leaves it either waiting or done. Live messages go
first: after each portion, while others come in, a pause four times as long as the portion took.
"""

import random
import time
from collections.abc import Sequence
from operator import attrgetter

import structlog

from ingest import measures
from ingest.decoding import Decoding, Outcome
from ingest.live_sources import LiveSources
from ingest.names import Names
from ingest.pipeline import Pipeline, blame
from veldwatch.config import Settings
from veldwatch.errors import StorageUnavailable
from veldwatch.model.telemetry import Message
from veldwatch.storage import replays
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.quarantine import Quarantined
from veldwatch.storage.replays import Overtaken, Portion, Waiting

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# Some 50 ms of work: what a live message may have to wait for, and how long readers of the log are held up.
_PORTION = Portion(messages=250, payload_bytes=8 * 2**20)
_LOOK_SECONDS = 1.0
_RECEIVED_AT = attrgetter("received_at")
_LIVE_PAUSE = 4.0


class Replay:
    """Takes in again what is asked for.

    Args:
        live: the sources of live messages. What their decoders remember of these is used, and never changed.
    """

    def __init__(self, settings: Settings, live: LiveSources, names: Names) -> None:
        self._live = live
        self._names = names
        self._decoding = Decoding(
            live.sources,
            payload_limit_bytes=settings.payload_limit_bytes,
            default_organisation=settings.default_organisation,
            learns=False,
        )
        # A contact that was stored when the message came stays as it is, and one that was not is as old as the message.
        self._pipeline = Pipeline(self._decoding, names, each_arrival=True)
        self._due = 0.0
        self._busy = False

    @property
    def due(self) -> bool:
        """Whether it is time to look, or to go on."""
        return time.monotonic() >= self._due

    @property
    def patience_seconds(self) -> float:
        """How long the worker may wait for live messages."""
        return max(0.0, self._due - time.monotonic()) if self._busy else _LOOK_SECONDS

    def work(self, writer: IntakeWriter, *, live: bool) -> None:
        """Take in one portion, if any waits.

        Args:
            live: messages are coming in.

        Raises:
            StorageUnavailable: nothing, or a part, was committed; the rest waits on.
        """
        began = time.monotonic()
        self._due = began + _LOOK_SECONDS
        waiting = replays.peek(writer.connection, _PORTION)
        if waiting and not self._busy:
            self._names.forget()
        self._busy = bool(waiting)
        if not waiting:
            return
        # What was mended or registered before this replay was asked for counts.
        self._live.refresh(writer.connection, at_once=True)
        self._decoding.forget()
        try:
            self._store(writer, _each_once(waiting))
        except Overtaken:
            self._due = time.monotonic() + random.uniform(0.05, 0.25)  # noqa: S311  # two ingestors must not stay in step
            return
        now = time.monotonic()
        self._due = now + (_LIVE_PAUSE * (now - began) if live else 0.0)

    def _store(self, writer: IntakeWriter, waiting: Sequence[Waiting]) -> None:
        messages = [
            Message(
                each.topic,
                each.payload,
                arrived_at,
                each.retained,
                replay_of=each.id,
                heard=each.heard,
                sender_organisation=each.sender_organisation,
            )
            for each in waiting
            for arrived_at in each.arrivals
        ]
        messages.sort(key=_RECEIVED_AT)
        try:
            self._commit(writer, waiting, self._decoding.decode(messages, writer.connection))
        except (StorageUnavailable, Overtaken):
            self._names.forget()
            raise
        except Exception as error:  # noqa: BLE001  # as in the pipeline: decoders are plug-ins
            self._names.forget()
            writer.forget_months()
            if len(waiting) > 1:
                middle = len(waiting) // 2
                self._store(writer, waiting[:middle])
                self._store(writer, waiting[middle:])
                return
            detail = f"{type(error).__name__}: {error}"
            _log.warning("a replayed message cannot be stored", topic=waiting[0].topic, reason=detail, exc_info=error)
            refused = [self._decoding.refused(message, blame(error), detail) for message in messages]
            self._commit(writer, waiting, Outcome(understood=[], quarantined=refused))

    def _commit(self, writer: IntakeWriter, waiting: Sequence[Waiting], outcome: Outcome) -> None:
        self._pipeline.commit(writer, outcome, _Settlement(waiting))


class _Settlement:
    """Settles messages in the transaction of their rows."""

    def __init__(self, waiting: Sequence[Waiting]) -> None:
        self._waiting = waiting

    def begin(self, connection: Connection) -> None:
        """Keep others away."""
        replays.claim(connection, self._waiting)

    def end(self, connection: Connection, refused: Sequence[Quarantined]) -> None:
        """Write what came of each."""
        counts = replays.settle(connection, self._waiting, refused)
        for outcome, count in counts.items():
            measures.REPLAYED.labels(outcome.value).inc(count)


def _each_once(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Leave for later what another row of the same message brings: one transaction settles a message once."""
    return list({(each.topic, each.payload): each for each in reversed(waiting)}.values())[::-1]

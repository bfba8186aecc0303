"""The loop of `veldwatch ingest run`: take, store, acknowledge; and outlast whatever goes away.

While the database is away nothing is acknowledged: the same batch is tried again, the broker holds the queue, and the
client's thread keeps the connection alive. With each batch, and every few seconds without one, it is stored that
somebody listens (`veldwatch.storage.watch`); not while the broker or the database is away.
"""

import random
import threading
import time
from datetime import UTC, datetime

import structlog

from ingest import measures
from ingest.decoding import Decoding
from ingest.live_sources import LiveSources
from ingest.names import Names
from ingest.pipeline import Pipeline, Report, room_for
from ingest.replay import Replay
from ingest.state import State
from ingest.subscriber import Subscriber, Taken
from veldwatch.config import Settings
from veldwatch.errors import StorageRejected, StorageUnavailable
from veldwatch.storage import ingestors, watch
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.intake import IntakeWriter

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_IDLE_SECONDS = 0.5
_LONGEST_BACK_OFF_SECONDS = 10.0
# A change in the register (a device confirmed, a unit corrected) is seen this much later at most.
_REMEMBER_SECONDS = 300.0
_BEAT_SECONDS = 5.0


class Worker:
    """Moves messages from a subscriber into the database.

    Raises:
        ConfigurationInvalid: a source or a subscription is wrong.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = Names(settings)
        self._live = LiveSources(settings)
        decoding = Decoding(
            self._live.sources,
            payload_limit_bytes=settings.payload_limit_bytes,
            default_organisation=settings.default_organisation,
        )
        self.subscriber = Subscriber(settings)
        self._pipeline = Pipeline(
            decoding, self._names, beat=self._beat, reply=self.subscriber.publish, room=room_for(settings)
        )
        self._replay = Replay(settings, self._live, self._names)
        self._writer: IntakeWriter | None = None
        self._forget_at = 0.0
        self._beat_due = self._tell_due = 0.0
        self._state = State()
        self._last_received_at = datetime.min.replace(tzinfo=UTC)
        self.total = Report()
        """What was stored since the start."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; a batch that is being stored then is finished, if the database is there."""
        self.subscriber.start()
        try:
            while not stop.is_set():
                patience = min(_IDLE_SECONDS, self._replay.patience_seconds)
                taken = self.subscriber.take(self._settings.batch_size, patience, self._settings.batch_delay_seconds)
                if taken.receipts and self._settle(taken, stop):
                    self.subscriber.acknowledge(taken)
                if self._replay.due:
                    self._replay_some(live=bool(taken.receipts))
                if time.monotonic() > self._beat_due:
                    self._beat_alone()
        finally:
            self.subscriber.stop()
            self._let_go()

    def _settle(self, taken: Taken, stop: threading.Event) -> bool:
        """Store messages however long it takes; False: told to stop before that."""
        back_off = 0.1
        if taken.messages:
            self._last_received_at = taken.messages[-1].received_at
        while True:
            try:
                started = time.monotonic()
                writer = self._connected()
                self._live.refresh(writer.connection)
                report = self._pipeline.store(writer, taken.messages)
            except (StorageUnavailable, StorageRejected) as error:
                self._let_go()
                _log.warning("database away, batch waits", reason=str(error), messages=len(taken.messages))
                measures.RETRIES.labels("storage_unavailable").inc()
                if stop.wait(back_off * random.uniform(0.5, 1.5)):  # noqa: S311  # jitter
                    return False
                back_off = min(back_off * 2, _LONGEST_BACK_OFF_SECONDS)
            else:
                measures.BATCH_SECONDS.observe(time.monotonic() - started)
                self._count(report)
                self._state.probed(taken.probes)
                return True

    def _replay_some(self, *, live: bool) -> None:
        try:
            self._replay.work(self._connected(), live=live)
        except (StorageUnavailable, StorageRejected) as error:
            self._let_go()
            _log.warning("a replay waits", reason=str(error))

    def _beat(self, connection: Connection) -> None:
        """Note, in the transaction of a batch, that we listen, or with the broker gone: that we did when it came."""
        listening = self.subscriber.connected.is_set()
        watch.beat(
            connection, self._settings.mqtt_client_id, datetime.now(UTC) if listening else self._last_received_at
        )
        if time.monotonic() > self._tell_due:
            self._tell(connection)
        self._beat_due = time.monotonic() + _BEAT_SECONDS

    def _tell(self, connection: Connection) -> None:
        """Say how it goes, for `veldwatch ingest status`."""
        if self._tell_due == 0.0:
            ingestors.begin(connection, self._settings.mqtt_client_id, datetime.now(UTC))
        self._tell_due = time.monotonic() + _BEAT_SECONDS
        backlog = self.subscriber.backlog()
        protocol, shared = self.subscriber.manner
        state = ingestors.IngestorState(
            name=self._settings.mqtt_client_id,
            started_at=self._state.started_at,
            seen_at=datetime.now(UTC),
            protocol=protocol,
            shared=shared,
            in_flight=backlog.messages,
            oldest_unacknowledged_at=backlog.oldest_received_at,
            probed_at=self._state.probed_at,
            queue_delay_seconds=self._state.queue_delay_seconds,
            sources=self._state.sources(),
        )
        ingestors.save(connection, state)

    def _beat_alone(self) -> None:
        self._beat_due = time.monotonic() + _BEAT_SECONDS
        if not self.subscriber.connected.is_set():
            return
        try:
            connection = self._connected().connection
            with translated_errors(), connection.transaction():
                self._beat(connection)
        except (StorageUnavailable, StorageRejected) as error:
            self._let_go()
            _log.warning("database away", reason=str(error))

    def _connected(self) -> IntakeWriter:
        if time.monotonic() > self._forget_at:
            self._names.forget()
            self._forget_at = time.monotonic() + _REMEMBER_SECONDS
        if self._writer is None:
            self._writer = IntakeWriter(self._settings.dsn)
        return self._writer

    def _let_go(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            self._names.forget()

    def _count(self, report: Report) -> None:
        self.total.add(report)
        self._state.add(report.sources)
        measures.MESSAGES.inc(report.messages)
        measures.READINGS.inc(report.readings)
        measures.POSITIONS.inc(report.positions)
        measures.EVENTS.inc(report.events)

"""The program that plays a run: history as fast as it goes, then the present, with the faults of the time.

It publishes whether or not the database is there; without it there are no new faults, and it looks again every few
seconds. A moment is saved once the broker has acknowledged everything up to it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

import structlog
from prometheus_client import Counter

from simulators.clock import SimulatedClock
from simulators.fault_desk import FaultDesk
from simulators.fleet import Fleet
from simulators.moment import from_milliseconds, to_milliseconds
from simulators.publisher import Publisher
from simulators.state_file import SavedRun, save_state
from veldwatch.errors import StorageError
from veldwatch.storage import simulation
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.simulation_runs import mark_run_progress
from veldwatch.storage.wakeups import listen, wait_for_wakeup

_log = structlog.get_logger()
_published = Counter("veldwatch_simulators_messages_total", "Messages published by the simulators")
_CHUNK = 500
_LONGEST_REST_SECONDS = 0.25
_LOOK_SECONDS = 1.0
_SAVE_SECONDS = 5.0
_RECONNECT_SECONDS = 5.0
_FLUSH_SECONDS = 10.0


@dataclass(slots=True, kw_only=True)
class SimulateProgram:
    """Runs until `stop` is set, or to the run's end.

    Attributes:
        state_path: None: nothing is kept.
        run_id: of the run in the database; None: it has none.
        simulated: None: as fast as it goes, to `ends_at`.
        ends_at: milliseconds since 1970; None: no end.
        clock: tells wall time.
    """

    dsn: str
    fleet: Fleet
    publisher: Publisher
    state_path: Path | None
    run_id: int | None
    simulated: SimulatedClock | None
    ends_at: int | None
    clock: Callable[[], datetime]
    stop: threading.Event
    messages: int = 0
    _desk: FaultDesk = field(init=False)
    _connection: Connection | None = field(default=None)
    _look_at: float = field(default=0.0)
    _save_at: float = field(default=0.0)
    _told: int = field(default=0)

    def run(self) -> bool:
        """Play; False: it was stopped before the run's end, or the broker did not take all of it."""
        is_live = self.simulated is not None and self.simulated.speed == 1.0
        self._desk = FaultDesk(fleet=self.fleet, run_id=self.run_id, is_live=is_live)
        self._save_at = time.monotonic() + _SAVE_SECONDS
        played = self._play()
        done = played and self.publisher.flush(60.0)
        if done or self.publisher.flush(1.0):
            self.save()
        self._look(force=True)
        self._disconnect()
        return done

    def _play(self) -> bool:
        """Go on step by step; False: asked to stop, perhaps in the middle of a step."""
        while not self.stop.is_set():
            moment = self.fleet.grid.next(self.fleet.now).at
            if self.ends_at is not None and moment > self.ends_at:
                return True
            self._look()
            if not self._is_due(moment):
                self._rest(moment)
            elif not self._publish(moment):
                self._save_at = float("inf")  # in the middle of a step: what was saved before it holds
                return False
            if time.monotonic() >= self._save_at and self.publisher.flush(_FLUSH_SECONDS):
                self.save()
        return False

    def _is_due(self, moment: int) -> bool:
        return self.simulated is None or to_milliseconds(self.simulated.now(self.clock())) >= moment

    def _publish(self, moment: int) -> bool:
        messages = self.fleet.advance(moment)
        while chunk := list(islice(messages, _CHUNK)):
            if not self.publisher.publish_many(chunk):
                return False
            self.messages += len(chunk)
            _published.inc(len(chunk))
        return True

    def save(self) -> None:
        """Keep the moment; everything up to it has been acknowledged."""
        if self._save_at == float("inf"):
            return
        self._save_at = time.monotonic() + _SAVE_SECONDS
        if self.state_path is not None:
            document, arrays = self.fleet.state()
            grid = self.fleet.grid
            save_state(
                self.state_path,
                SavedRun(
                    begins_at=grid.begins_at,
                    live_from=grid.live_from,
                    run_id=self.run_id,
                    document=document,
                    arrays=arrays,
                ),
            )

    def _look(self, *, force: bool = False) -> None:
        """Attend to faults and progress."""
        if (time.monotonic() < self._look_at and not force) or not self.dsn:
            return
        self._look_at = time.monotonic() + _LOOK_SECONDS
        try:
            if self._connection is None:
                self._connection = connect(self.dsn, autocommit=True, application="veldwatch-simulate")
                listen(self._connection, simulation.CHANNEL)
                self._desk.take_up(self._connection)
            self._desk.attend(self._connection)
            if self.run_id is not None:
                told, self._told = self.messages - self._told, self.messages
                until = from_milliseconds(self.fleet.now)
                mark_run_progress(self._connection, self.run_id, simulated_until=until, messages=told)
        except StorageError as error:
            self._lose_database(error)

    def _rest(self, moment: int) -> None:
        """Wait until a moment, or until somebody asks for something."""
        seconds = _LONGEST_REST_SECONDS
        if self.simulated is not None and self.simulated.speed <= 1.0:
            seconds = min(seconds, max(0.005, moment / 1000 - self.clock().timestamp()))
        if self._connection is None:
            self.stop.wait(seconds)
            return
        try:
            if wait_for_wakeup(self._connection, seconds):
                self._look_at = 0.0
        except StorageError as error:
            self._lose_database(error)

    def _lose_database(self, error: StorageError) -> None:
        _log.warning("database unavailable", error=str(error))
        self._disconnect()
        self._look_at = time.monotonic() + _RECONNECT_SECONDS

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

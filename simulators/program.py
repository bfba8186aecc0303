"""The program that plays a scenario: history first, then the present, with the faults that people ask for.

It publishes whether or not the database is there; without it there are no new faults, and it looks again every few
seconds.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import structlog
from prometheus_client import Counter

from simulators.clock import SimulatedClock
from simulators.fault_desk import attend
from simulators.fleet import Fleet, Name
from simulators.publisher import Publisher
from simulators.state_file import load_state, save_state
from veldwatch.errors import StorageError
from veldwatch.storage import simulation
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.wakeups import listen, wait_for_wakeup

_log = structlog.get_logger()
_published = Counter("veldwatch_simulators_messages_total", "Messages published by the simulators")
_CHUNK = 500
_ROUND_SECONDS = 0.25
_LOOK_SECONDS = 1.0
_RECONNECT_SECONDS = 5.0
_OLDEST_STANDING = timedelta(days=30)


@dataclass(slots=True, kw_only=True)
class SimulateProgram:
    """Runs until `stop` is set.

    Attributes:
        begins_at: nothing older is told; where devices start that have no past.
        clock: tells wall time.
    """

    dsn: str
    fleet: Fleet
    publisher: Publisher
    state_path: Path
    begins_at: datetime
    simulated: SimulatedClock
    clock: Callable[[], datetime]
    stop: threading.Event
    _connection: Connection | None = field(default=None)
    _look_at: float = field(default=0.0)

    def run(self) -> None:
        """Play until stopped."""
        self._take_up()
        while not self.stop.is_set():
            now = self.simulated.now(self.clock())
            self._publish_until(now)
            self._attend_faults(now)
            self._rest()
        self._disconnect()

    def _take_up(self) -> None:
        """Go on where the last run stopped: from its file, else from what the database has."""
        state = load_state(self.state_path)
        if state is not None:
            self.fleet.restore(state)
        fresh = [name for name, member in self.fleet.members.items() if member.at is None]
        if not fresh or not self.dsn:
            return
        try:
            with connect(self.dsn, application="veldwatch-simulate") as connection:
                organisations = sorted({name.organisation for name in fresh})
                known = simulation.standings(connection, organisations, self.clock() - _OLDEST_STANDING)
        except StorageError as error:
            _log.warning("database unavailable, starting without its past", error=str(error))
            return
        for (organisation, device), standing in known.items():
            if Name(organisation, device) in fresh:
                self.fleet.resume(Name(organisation, device), standing.observed_at, standing.values)

    def _publish_until(self, now: datetime) -> None:
        messages = self.fleet.messages(self.begins_at, now)
        while chunk := list(islice(messages, _CHUNK)):
            save_state(self.state_path, self.fleet.state())
            for message in chunk:
                if not self.publisher.publish(message.topic, message.payload):
                    return
            _published.inc(len(chunk))

    def _attend_faults(self, now: datetime) -> None:
        if time.monotonic() < self._look_at or not self.dsn:
            return
        self._look_at = time.monotonic() + _LOOK_SECONDS
        try:
            if self._connection is None:
                self._connection = connect(self.dsn, autocommit=True, application="veldwatch-simulate")
                listen(self._connection, simulation.CHANNEL)
            attend(self._connection, self.fleet, now)
        except StorageError as error:
            self._lose_database(error)

    def _rest(self) -> None:
        if self._connection is None:
            self.stop.wait(_ROUND_SECONDS)
            return
        try:
            if wait_for_wakeup(self._connection, _ROUND_SECONDS):
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

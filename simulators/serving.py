"""Playing the runs that people ask for, each in a process of its own, until they are over or somebody stops them.

What is to be played stands in the database, so after any restart the same runs go on, each from its file. One process
serves a database; others stand by.
"""

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import cast

import structlog

from simulators.playing import LIVE, Wanted, play
from simulators.registration import register
from simulators.scenario_files import load_scenario
from simulators.shares import end_processes, stop_without_parent
from veldwatch.config import Settings, load_settings
from veldwatch.errors import StorageError, VeldwatchError
from veldwatch.logs import configure_logs
from veldwatch.process import collect_garbage_seldom, stop_on_signals
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.simulation import CHANNEL
from veldwatch.storage.simulation_runs import (
    RunPlan,
    SimulationRun,
    get_run,
    mark_run_started,
    mark_run_stopped,
    open_runs,
    request_run,
    serve_alone,
)
from veldwatch.storage.wakeups import listen, wait_for_wakeup

_log = structlog.get_logger()
_LOOK_SECONDS = 1.0
_RECONNECT_SECONDS = 5.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_HEALTHY_SECONDS = 60.0
_NAMED = 3
"""Exit code of a player that has said what was wrong: trying again would not help."""


@dataclass(slots=True, kw_only=True)
class _Player:
    process: BaseProcess
    complaint: Pipe
    started_at: float
    pause: float = _SHORTEST_PAUSE


@dataclass(slots=True, kw_only=True)
class Serving:
    """Serves until `stop` is set.

    Attributes:
        scenario: asked for by itself where no run of it is open; None: only what people ask for.
        history: how much of the past a scenario that is asked for by itself tells first.
        clock: tells wall time.
    """

    settings: Settings
    stop: threading.Event
    scenario: str | None
    history: timedelta
    clock: Callable[[], datetime]
    _players: dict[int, _Player] = field(default_factory=dict[int, _Player])
    _resting: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])

    def run(self) -> None:
        """Serve; a database that is away is waited for, and what plays goes on meanwhile."""
        try:
            while not self.stop.is_set():
                try:
                    with connect(self.settings.dsn, autocommit=True, application="veldwatch-simulate") as connection:
                        self._serve(connection)
                except StorageError as error:
                    _log.warning("database unavailable", error=str(error))
                    self.stop.wait(_RECONNECT_SECONDS)
        finally:
            end_processes([player.process for player in self._players.values()])

    def _serve(self, connection: Connection) -> None:
        listen(connection, CHANNEL)
        while not self.stop.is_set() and not serve_alone(connection):
            self.stop.wait(_LOOK_SECONDS)
        if not self.stop.is_set():
            self._ask_for_own(connection)
        while not self.stop.is_set():
            self._look(connection)
            wait_for_wakeup(connection, _LOOK_SECONDS)

    def _ask_for_own(self, connection: Connection) -> None:
        if self.scenario is None or any(
            run.scenario == self.scenario for run in open_runs(connection, served_only=True)
        ):
            return
        request_run(
            connection, RunPlan(scenario=self.scenario, begins_at=self.clock() - self.history), requested_by="serve"
        )

    def _look(self, connection: Connection) -> None:
        wanted = {run.id: run for run in open_runs(connection, served_only=True)}
        for run in wanted.values():
            player = self._players.get(run.id)
            if run.stop_requested_at is not None:
                self._end(connection, run)
            elif player is None:
                self._begin(run)
            elif not player.process.is_alive():
                self._take_leave(connection, run, player)
        for run_id in set(self._players) - set(wanted):
            end_processes([self._players.pop(run_id).process])

    def _begin(self, run: SimulationRun) -> None:
        ready_at, pause = self._resting.get(run.id, (0.0, _SHORTEST_PAUSE))
        if time.monotonic() < ready_at:
            return
        # A fresh interpreter: this one has threads, which a fork would leave in the middle of something.
        context = multiprocessing.get_context("spawn")
        complaint, complaints = context.Pipe(duplex=False)
        process = context.Process(target=_play_run, args=(run.id, complaints), name=f"run-{run.id}")
        process.start()
        complaints.close()
        _log.info("run begins", run=run.id, scenario=run.scenario)
        # The other kind of connection is Windows'.
        self._players[run.id] = _Player(
            process=process, complaint=cast("Pipe", complaint), started_at=time.monotonic(), pause=pause
        )

    def _end(self, connection: Connection, run: SimulationRun) -> None:
        player = self._players.pop(run.id, None)
        if player is not None:
            end_processes([player.process])
        mark_run_stopped(connection, run.id, note="stopped on request")
        _log.info("run stopped", run=run.id, scenario=run.scenario)

    def _take_leave(self, connection: Connection, run: SimulationRun, player: _Player) -> None:
        """Note the end of a player: of the run where it came to its end or can never, else it begins again."""
        del self._players[run.id]
        code = player.process.exitcode
        if code == 0:
            mark_run_stopped(connection, run.id)
            _log.info("run is over", run=run.id, scenario=run.scenario)
        elif code == _NAMED:
            note = str(player.complaint.recv())
            mark_run_stopped(connection, run.id, note=note)
            _log.warning("run cannot be played", run=run.id, scenario=run.scenario, error=note)
        else:
            healthy = time.monotonic() - player.started_at > _HEALTHY_SECONDS
            pause = _SHORTEST_PAUSE if healthy else player.pause
            self._resting[run.id] = (time.monotonic() + pause, min(2 * pause, _LONGEST_PAUSE))
            _log.warning("player died, the run goes on", run=run.id, scenario=run.scenario, code=code, after=pause)


def _play_run(run_id: int, complaints: Pipe) -> None:
    """Play one run in this process; exits with 0 at its end, and with another code where it is not over."""
    settings, stop = load_settings(), stop_on_signals()
    configure_logs(settings, "simulate")
    collect_garbage_seldom()
    threading.Thread(target=stop_without_parent, name="parent", daemon=True).start()
    try:
        wanted = _wanted(settings, run_id)
        if play(settings, wanted, _now, stop) is None:
            sys.exit(1)
    except StorageError as error:
        _log.warning("database unavailable", error=str(error))
        sys.exit(1)
    except VeldwatchError as error:
        complaints.send(str(error))
        sys.exit(_NAMED)


def _wanted(settings: Settings, run_id: int) -> Wanted:
    with connect(settings.dsn, application="veldwatch-simulate") as connection:
        run = get_run(connection, run_id)
        scenario = load_scenario(run.scenario)
        register(connection, scenario)
        seed = scenario.seed if run.seed is None else run.seed
        mark_run_started(connection, run_id, seed=seed)
    return Wanted(
        scenario=scenario,
        seed=seed,
        begins_at=run.begins_at,
        live_from=max(run.begins_at, _now() - LIVE) if run.speed == 1.0 else run.begins_at,
        ends_at=run.ends_at,
        speed=run.speed,
        run_id=run_id,
    )


def _now() -> datetime:
    return datetime.now(UTC)

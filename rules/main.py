"""The program that carries out the rules: the only place in `rules` that reads a clock.

One transaction per read of the log: folds, alerts, transitions, outbox rows and the cursor are committed together or
not at all. It carries out one share of the subjects, all of them by default: an advisory lock makes it the only one in
its place. An instance that finds every place taken waits as standby and takes over when another one's connection ends.
With the database away it waits, and takes up where the last commit left it.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge

from rules.backtests.desk import Desk
from rules.engine import EngineSettings
from rules.rounds import Rounds
from rules.targets import Refusal
from veldwatch.config import Settings, patience_of
from veldwatch.errors import StorageError
from veldwatch.model.places import Place
from veldwatch.storage import log
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.wakeups import listen, wait_for_wakeup
from veldwatch.storage.workers import division_of, list_workers, take_place

_log = structlog.stdlib.get_logger(__name__)
_TICK_SECONDS = 0.5
_REFRESH_SECONDS = 5.0
# Refreshing takes at most this part of the time, however large the register is.
_REFRESH_SHARE = 0.05
_FLUSH_SECONDS = 30.0
_STANDBY_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 10.0

_batches = Counter("veldwatch_rules_batches_total", "log batches that the rules engine consumed")
_behind = Gauge(
    "veldwatch_rules_full_reads", "1 while the engine reads the log in full pages, which means it is behind"
)
_failures = Counter("veldwatch_rules_interruptions_total", "times that the engine lost the database")
_own_place = Gauge("veldwatch_rules_own_place", "the share that this program carries out; 0 while it stands by")
_taken = Gauge("veldwatch_rules_place_taken", "1 while somebody carries the share out", ["place"])
_lag = Gauge(
    "veldwatch_rules_place_lag_seconds", "age of the oldest batch of the log that a share has not read", ["place"]
)


def clock() -> datetime:
    """Tell the time, aware and in UTC."""
    return datetime.now(UTC)


def engine_settings(settings: Settings) -> EngineSettings:
    """Give what the engine needs of the settings."""
    days = settings.rule_history_days
    return EngineSettings(
        news_age=timedelta(seconds=settings.news_age_seconds),
        history=timedelta(days=days) if days else None,
        saved_within=timedelta(seconds=settings.rule_snapshot_seconds),
        patience=patience_of(settings),
    )


@dataclass(slots=True, kw_only=True)
class RulesProgram:
    """Runs until it is told to stop."""

    settings: Settings
    now: Callable[[], datetime] = clock
    is_engine: threading.Event = field(default_factory=threading.Event)
    _told: set[Refusal] = field(default_factory=set[Refusal])

    def run(self, stop: threading.Event) -> None:
        """Carry out the rules; outlives the database's absence."""
        # Also while it stands by: what is asked of history does not need the engine.
        desk = threading.Thread(target=Desk(self.settings.dsn).run, args=(stop,), name="backtests", daemon=True)
        desk.start()
        failures = 0
        while not stop.is_set():
            try:
                with (
                    connect(self.settings.dsn, autocommit=True, application="veldwatch-rules") as connection,
                    connect(self.settings.dsn, autocommit=True, application="veldwatch-rules-wake") as listener,
                ):
                    failures = 0
                    self._serve(connection, listener, stop)
            except StorageError as error:
                failures += 1
                _failures.inc()
                pause = min(0.25 * 2 ** min(failures, 6), _LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter
                _log.warning("database unavailable", error=str(error), failures=failures, pause_seconds=round(pause, 2))
                stop.wait(pause)
            finally:
                self.is_engine.clear()
        desk.join()

    def _serve(self, connection: Connection, listener: Connection, stop: threading.Event) -> None:
        listen(listener, log.CHANNEL)
        place = self._take_place(connection, stop)
        if place is None:
            return
        rounds = Rounds(connection, engine_settings(self.settings), place)
        refresh_due = flush_due = 0.0
        while not stop.is_set():
            started = time.monotonic()
            if started >= refresh_due:
                self._tell(rounds.refresh(self.now()))
                _publish(connection, place)
                refresh_due = started + max(_REFRESH_SECONDS, (time.monotonic() - started) / _REFRESH_SHARE)
            busy = self._work(rounds)
            if time.monotonic() >= flush_due:
                more = rounds.flush(self.now())
                # In portions between reads of the log: what is live does not wait for all of them.
                flush_due = 0.0 if more else time.monotonic() + _FLUSH_SECONDS
                busy |= more
            if not busy:
                wait_for_wakeup(listener, _TICK_SECONDS)
        rounds.flush(self.now(), everything=True)

    def _work(self, rounds: Rounds) -> bool:
        count, refusals = rounds.read_log(self.now())
        self._tell(refusals)
        _batches.inc(count)
        _behind.set(rounds.is_behind)
        # A new rule's history is folded in portions between reads of the log: what is live does not wait for it.
        activating = rounds.activate(self.now())
        return rounds.wake(self.now()) or activating or count > 0

    def _take_place(self, connection: Connection, stop: threading.Event) -> Place | None:
        """Wait for a free place; None: told to stop."""
        waiting = False
        while not stop.is_set():
            place = take_place(connection, self.settings.rule_workers)
            _publish(connection, place)
            if place is not None:
                _log.info("engine started", place=place.number, places=place.division)
                self.is_engine.set()
                return place
            if not waiting:
                standing = division_of(connection)
                _log.info("every place is taken; standing by", places=standing, wanted=self.settings.rule_workers)
                waiting = True
            stop.wait(_STANDBY_SECONDS)
        return None

    def _tell(self, refusals: list[Refusal]) -> None:
        """Log rules that could not be carried out, each once."""
        for refusal in refusals:
            if refusal not in self._told:
                self._told.add(refusal)
                _log.error("rule not carried out", rule=refusal.rule, reason=refusal.reason)


def _publish(connection: Connection, own: Place | None) -> None:
    """Bring the metrics of all shares up to date."""
    _own_place.set(0 if own is None else own.number)
    _taken.clear()
    _lag.clear()
    for worker in list_workers(connection):
        _taken.labels(str(worker.place)).set(worker.taken)
        _lag.labels(str(worker.place)).set(worker.seconds)

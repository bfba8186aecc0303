"""Setting a run up: from its saved moment, else from what the database has, else from its beginning."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from simulators.building import Run, Share, build_fleet
from simulators.clock import SimulatedClock
from simulators.fleet import Fleet
from simulators.moment import from_milliseconds, to_milliseconds
from simulators.program import SimulateProgram
from simulators.publisher import Publisher
from simulators.report import Name
from simulators.scenario import Scenario
from simulators.state_file import SavedRun, load_state, state_path
from veldwatch.config import Settings
from veldwatch.errors import NotFound, StorageError
from veldwatch.storage import simulation
from veldwatch.storage.connection import connect
from veldwatch.storage.simulation_runs import RunPlan, get_run, start_run
from veldwatch.wire.topics import Kind, topic_for
from veldwatch.wire.veldwatch_json import encode_status

_log = structlog.get_logger()
_OLDEST_STANDING = timedelta(days=30)
LIVE = timedelta(minutes=10)
"""How far before its start a live run is told in the scenario's own steps: charts begin full."""
_SHORT_GAP = 20 * 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be played.

    Attributes:
        begins_at: nothing older is told.
        live_from: before it the scenario's history step and interval hold.
        ends_at: None: until stopped.
        speed: simulated seconds in a second, until the present is reached; None: as fast as it goes, to `ends_at`.
        run_id: of a run that is in the database already; None: it is noted there where there is a database.
        share: one of several processes: beginning and `run_id` are settled before them (`simulators.shared_run`).
    """

    scenario: Scenario
    seed: int
    begins_at: datetime
    live_from: datetime
    ends_at: datetime | None = None
    speed: float | None = 1.0
    run_id: int | None = None
    share: Share = field(default_factory=Share)
    requested_by: str = "command line"


def play(
    settings: Settings, wanted: Wanted, clock: Callable[[], datetime], stop: threading.Event
) -> SimulateProgram | None:
    """Play a run to its end or until stopped; None: it did not come to its end."""
    scenario, share = wanted.scenario, wanted.share
    part = part_name(share)
    path = file_of(settings, wanted)
    fleet, run_id = _take_up(settings, wanted, load_state(path))
    started_at = clock()
    gateway = next((plan for plan in scenario.devices if plan.model == "gateway"), None)
    will = None if gateway is None or share.number else topic_for(gateway.organisation, gateway.id, Kind.STATUS)
    with Publisher(
        settings,
        stop,
        client_id=f"veldwatch-simulate-{scenario.name}-{wanted.seed}{part}",
        will=None if will is None else (will, encode_status(online=False)),
        birth=None if will is None else (will, encode_status(online=True)),
    ) as publisher:
        program = SimulateProgram(
            dsn=settings.dsn,
            fleet=fleet,
            publisher=publisher,
            state_path=path,
            run_id=run_id,
            simulated=_clock(wanted, fleet, started_at),
            ends_at=None if wanted.ends_at is None else to_milliseconds(wanted.ends_at),
            clock=clock,
            stop=stop,
        )
        # A resumed run may have another grid from here on: it is kept before anything is told on it.
        program.save()
        if not program.run():
            return None
    # Played again, a run with an end is told again: where it stands is of use only on the way.
    path.unlink(missing_ok=True)
    return program


def part_name(share: Share) -> str:
    """Name a share in files and client identifiers; '' is the whole."""
    return "" if share.of == 1 else f"-{share.number + 1}of{share.of}"


def file_of(settings: Settings, wanted: Wanted) -> Path:
    """Return where a run, or a share of it, is kept."""
    return state_path(settings.home, _file_name(wanted), wanted.seed, part_name(wanted.share))


def _file_name(wanted: Wanted) -> str:
    if wanted.speed is not None:
        return wanted.scenario.name
    return f"{wanted.scenario.name}-from-{wanted.begins_at:%Y%m%dT%H%M%SZ}"


def _clock(wanted: Wanted, fleet: Fleet, started_at: datetime) -> SimulatedClock | None:
    if wanted.speed is None:
        return None
    # Real time plays the history at once; another speed plays it at that speed.
    begins_at = started_at if wanted.speed == 1.0 else from_milliseconds(fleet.now)
    return SimulatedClock(started_at=started_at, begins_at=begins_at, speed=wanted.speed)


def _take_up(settings: Settings, wanted: Wanted, saved: SavedRun | None) -> tuple[Fleet, int | None]:
    ends_at = None if wanted.ends_at is None else to_milliseconds(wanted.ends_at)
    if saved is not None and _is_of(saved, settings, wanted):
        run = Run(seed=wanted.seed, begins_at=saved.begins_at, live_from=_live_from(wanted, saved), ends_at=ends_at)
        fleet = build_fleet(wanted.scenario, run, wanted.share)
        if fleet.restore(saved.document, saved.arrays):
            return fleet, saved.run_id
        _log.warning("saved run is of another scenario, starting anew")
    standings = known_standings(settings, wanted)
    # Shares have one beginning, settled before them: by now another share may have told something.
    begins_at = to_milliseconds(wanted.begins_at if wanted.share.of > 1 else first_moment(wanted, standings))
    live_from = max(to_milliseconds(wanted.live_from), begins_at)
    run = Run(seed=wanted.seed, begins_at=begins_at, live_from=live_from, ends_at=ends_at)
    fleet = build_fleet(wanted.scenario, run, wanted.share)
    for name, standing in standings.items():
        fleet.resume(name, standing.values)
    if wanted.run_id is not None or wanted.share.of > 1:
        return fleet, wanted.run_id
    return fleet, noted(settings, wanted)


def _is_of(saved: SavedRun, settings: Settings, wanted: Wanted) -> bool:
    """Say whether what was saved is of this run, and of a run that the database has: it may have been made anew.

    In a database that was made anew another run has the same number, but it begins later than the one that was saved.
    """
    if wanted.run_id is not None:
        return wanted.run_id == saved.run_id and saved.begins_at >= to_milliseconds(wanted.begins_at)
    if saved.run_id is None or not settings.dsn:
        return True
    try:
        with connect(settings.dsn, application="veldwatch-simulate") as connection:
            run = get_run(connection, saved.run_id)
    except NotFound:
        _log.warning("saved run is not in the database, starting anew", run=saved.run_id)
        return False
    except StorageError as error:
        _log.warning("database unavailable, going on with the saved run", error=str(error))
        return True
    same = (run.scenario, run.seed) == (wanted.scenario.name, wanted.seed)
    return same and saved.begins_at >= to_milliseconds(run.begins_at)


def _live_from(wanted: Wanted, saved: SavedRun) -> int:
    """Return where a resumed run's history ends: a long gap is told as coarsely as history is.

    What lies in a history that has not been told to its end keeps its grid: it may have been told in part.
    """
    now, live_from = int(saved.document["now"]), to_milliseconds(wanted.live_from)
    return live_from if now >= saved.live_from and live_from - now > _SHORT_GAP else saved.live_from


def known_standings(settings: Settings, wanted: Wanted) -> dict[Name, simulation.Standing]:
    """Read what the database has of a live run's devices; a run with an end begins where it was told to.

    Other devices of the same organisations count for nothing: somebody may have sent a reading of their own before.
    """
    if not settings.dsn or wanted.speed is None:
        return {}
    organisations = sorted({plan.organisation for plan in wanted.scenario.devices})
    try:
        with connect(settings.dsn, application="veldwatch-simulate") as connection:
            known = simulation.standings(connection, organisations, wanted.begins_at - _OLDEST_STANDING)
    except StorageError as error:
        _log.warning("database unavailable, starting without its past", error=str(error))
        return {}
    own = {(plan.organisation, plan.id) for plan in wanted.scenario.devices}
    return {Name(*key): standing for key, standing in known.items() if key in own}


def first_moment(wanted: Wanted, standings: Mapping[Name, simulation.Standing]) -> datetime:
    """Return where a run begins: nothing that the database has is told again."""
    return max([wanted.begins_at, *(standing.observed_at for standing in standings.values())])


def noted(settings: Settings, wanted: Wanted) -> int | None:
    """Note a run in the database; None: there is none, or it is away."""
    if not settings.dsn:
        return None
    plan = RunPlan(
        scenario=wanted.scenario.name,
        seed=wanted.seed,
        begins_at=wanted.begins_at,
        ends_at=wanted.ends_at,
        speed=wanted.speed,
    )
    try:
        with connect(settings.dsn, application="veldwatch-simulate") as connection:
            return start_run(connection, plan, requested_by=wanted.requested_by)
    except StorageError as error:
        _log.warning("database unavailable, the run is not noted", error=str(error))
        return None

"""Runs of the simulators: asked for by command line, API or console, carried out and noted by whoever simulates.

A request is a row; NOTIFY on `veldwatch.storage.simulation.CHANNEL` only wakes the simulators. Each call is a
transaction of its own, or part of the caller's. What a run simulates is in simulated time, what is done about it
(`requested_at`, `started_at`, `stop_requested_at`, `stopped_at`) in wall-clock time of the server.
"""

from dataclasses import dataclass
from datetime import datetime

from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("simulation_runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What is to be simulated.

    Attributes:
        scenario: name of one that comes with Veldwatch, or a file as the simulators see it.
        seed: None: the scenario's own.
        begins_at: simulated time; None: now.
        ends_at: simulated time; None: when somebody stops it.
        speed: simulated seconds in a second; None: as fast as it goes.
    """

    scenario: str
    seed: int | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    speed: float | None = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationRun:
    """A run and what became of it.

    Attributes:
        seed: None: the scenario's own, of a run that nobody has taken up.
        simulated_until: how far it has come, in simulated time; None: no step yet.
        started_at: None: nobody has taken it up.
        stop_requested_at: None: nobody wants it to stop.
        stopped_at: None: not over.
        messages: published so far.
        note: why it stopped, for people; '' where it did as planned.
    """

    id: int
    scenario: str
    seed: int | None
    begins_at: datetime
    ends_at: datetime | None
    simulated_until: datetime | None
    speed: float | None
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    stop_requested_at: datetime | None
    stopped_at: datetime | None
    messages: int
    note: str


def request_run(connection: Connection, plan: RunPlan, *, requested_by: str = "") -> int:
    """Ask the simulators for a run; returns its id.

    Raises:
        ConfigurationInvalid: it could never run.
    """
    with translated_errors(), connection.transaction():
        number = _made(connection, "request", plan, requested_by)
        connection.execute(_QUERIES["wake"])
    return number


def start_run(connection: Connection, plan: RunPlan, *, requested_by: str = "") -> int:
    """Note a run that begins now without having been asked for (`veldwatch simulate run`); returns its id.

    Args:
        plan: with `begins_at`.

    Raises:
        ConfigurationInvalid: it could never run.
    """
    if plan.begins_at is None:
        raise ConfigurationInvalid("bad run: no begins_at (expected the moment in simulated time at which it begins)")
    with translated_errors(), connection.transaction():
        return _made(connection, "start", plan, requested_by)


def list_runs(connection: Connection, *, limit: int = 100) -> list[SimulationRun]:
    """List runs, newest first."""
    return _listed(connection, open_only=False, limit=limit)


def open_runs(connection: Connection, *, served_only: bool = False) -> list[SimulationRun]:
    """List the runs that are not over, the oldest first: asked for and waiting, running, or to be stopped.

    Args:
        served_only: leave out those that a command line plays by itself.
    """
    return _listed(connection, open_only=True, served_only=served_only, limit=1000)[::-1]


def serve_alone(connection: Connection) -> bool:
    """Become the one who serves this database's runs, as long as the connection lives; False: somebody else does."""
    with translated_errors():
        row = connection.execute(_QUERIES["serve_alone"]).fetchone()
    return bool(row and row[0])


def get_run(connection: Connection, run_id: int) -> SimulationRun:
    """Give one run.

    Raises:
        NotFound: there is none of this id.
    """
    found = _listed(connection, run_id=run_id)
    if not found:
        raise NotFound(f"no run {run_id!r} of the simulators (list them with `veldwatch simulate list`)")
    return found[0]


def request_run_stop(connection: Connection, run_id: int) -> None:
    """Ask the simulators to end a run.

    Raises:
        NotFound: no such run, or it is over.
    """
    with translated_errors(), connection.transaction():
        found = connection.execute(_QUERIES["request_stop"], {"id": run_id}).fetchone()
        connection.execute(_QUERIES["wake"])
    if found is None:
        raise NotFound(f"no open run {run_id!r} of the simulators (list them with `veldwatch simulate list`)")


def mark_run_started(
    connection: Connection,
    run_id: int,
    *,
    seed: int | None = None,
    begins_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> bool:
    """Take a request up, with what it left open; False: another simulator has, or it is over."""
    values = {"id": run_id, "seed": seed, "begins_at": begins_at, "ends_at": ends_at}
    with translated_errors(), connection.transaction():
        return connection.execute(_QUERIES["mark_started"], values).fetchone() is not None


def mark_run_progress(connection: Connection, run_id: int, *, simulated_until: datetime, messages: int) -> None:
    """Write how far a run has come.

    Args:
        simulated_until: several processes may share a run: the furthest counts.
        messages: published since the last call.
    """
    values = {"id": run_id, "simulated_until": simulated_until, "messages": messages}
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["mark_progress"], values)


def mark_run_stopped(connection: Connection, run_id: int, *, note: str = "") -> None:
    """Write that a run is over, and with it the faults that it leaves open; a second time changes nothing."""
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["mark_stopped"], {"id": run_id, "note": note})
        connection.execute(_QUERIES["close_faults"], {"id": run_id})


def _made(connection: Connection, query: str, plan: RunPlan, requested_by: str) -> int:
    _check(plan)
    values = {
        "scenario": plan.scenario,
        "seed": plan.seed,
        "begins_at": plan.begins_at,
        "ends_at": plan.ends_at,
        "speed": plan.speed,
        "requested_by": requested_by,
    }
    row = connection.execute(_QUERIES[query], values).fetchone()
    assert row is not None  # noqa: S101  # INSERT ... RETURNING gives a row always
    return int(row[0])


def _check(plan: RunPlan) -> None:
    if not plan.scenario:
        raise ConfigurationInvalid("bad run: no scenario (expected its name, such as 'demo')")
    if plan.seed is not None and not -(2**63) <= plan.seed < 2**63:
        raise ConfigurationInvalid(f"bad run: seed {plan.seed!r} (expected an integer of 64 bits)")
    if plan.speed is not None and not 0 < plan.speed <= 1e9:
        raise ConfigurationInvalid(f"bad run: speed {plan.speed!r} (expected more than 0, at most 1e9)")
    if plan.ends_at is not None and plan.begins_at is not None and plan.ends_at <= plan.begins_at:
        raise ConfigurationInvalid(f"bad run: it ends at {plan.ends_at.isoformat()} (expected later than it begins)")


def _listed(
    connection: Connection,
    *,
    open_only: bool = False,
    served_only: bool = False,
    run_id: int | None = None,
    limit: int = 1,
) -> list[SimulationRun]:
    values = {"open_only": open_only, "served_only": served_only, "id": run_id, "limit": limit}
    with translated_errors():
        rows = connection.execute(_QUERIES["list"], values).fetchall()
    return [SimulationRun(**dict(zip(SimulationRun.__slots__, row, strict=True))) for row in rows]

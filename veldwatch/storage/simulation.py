"""Faults that people ask the simulators for, and the ground truth that the simulators write back.

A request is a row; NOTIFY on `CHANNEL` only wakes the simulators, which also look each second. Every fault that began
is truth, planned by a scenario or asked for, at a device or at a site; `truth` reads it out for scoring. Runs stand in
`veldwatch.storage.simulation_runs`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.model.faults import FAULTS, FaultKind
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

CHANNEL = "veldwatch_simulation"
KINDS = tuple(FAULTS)
_BEYOND_DOUBLE = 1e308
_QUERIES = load_queries("simulation")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedFault:
    """A fault and what became of it, at a device or at a site.

    Attributes:
        run_id: None: it was asked for, and no run has taken it up.
        planned_key: what names it within its run; None: it was asked for.
        device: the device's own identifier; None: it is at a site.
        site: slug; None: it is at a device.
        place_name: of the device or the site.
        size: of the kind's first parameter, in `size_unit` (UCUM); None: the kind has no size.
        started_at: in simulated time; None: no simulator has taken it up.
        ends_at: when it is to end, or was asked to; None: when somebody stops it.
        stopped_at: in simulated time; None: not over.
    """

    id: int
    run_id: int | None
    planned_key: str | None
    device_id: int | None
    device: str | None
    site_id: int | None
    site: str | None
    organisation: str
    place_name: str
    kind: str
    parameters: Mapping[str, Any]
    size: float | None
    size_unit: str | None
    requested_at: datetime
    requested_by: str
    started_at: datetime | None
    ends_at: datetime | None
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSpan:
    """When a fault was: simulated time.

    Attributes:
        ends_at: when it is to end; None: when somebody stops it.
        stopped_at: when it did; None: not yet.
    """

    started_at: datetime
    ends_at: datetime | None = None
    stopped_at: datetime | None = None


def request_fault(
    connection: Connection,
    *,
    kind: str,
    device_id: int | None = None,
    site_id: int | None = None,
    parameters: Mapping[str, object] | None = None,
    requested_by: str = "",
) -> int:
    """Ask the simulators for a fault, in a transaction of its own or the caller's; returns the request's id.

    Args:
        device_id: or `site_id`, exactly one.
        parameters: `duration_seconds` (without it the fault lasts until it is stopped) and what the kind takes.

    Raises:
        ConfigurationInvalid: unknown kind, no place, or a kind of place that cannot have it.
    """
    row = _values(kind, device_id, site_id, parameters or {}, requested_by)
    with translated_errors(), connection.transaction():
        inserted = connection.execute(_QUERIES["request"], row).fetchone()
        connection.execute(_QUERIES["wake"])
    return int(inserted[0]) if inserted else 0


def record_fault(
    connection: Connection,
    *,
    run_id: int,
    planned_key: str,
    kind: str,
    span: FaultSpan,
    device_id: int | None = None,
    site_id: int | None = None,
    parameters: Mapping[str, object] | None = None,
) -> int:
    """Write the truth of a fault that a run's scenario planned; returns its id.

    Written again under its key, by a restarted or by another process of the run, it stays one row: an end that is known
    holds, and so does an end that somebody asked for before the planned one.

    Args:
        planned_key: what tells it from every other of the run, the same each time that the run is repeated.
        device_id: or `site_id`, exactly one (`find_device`, `find_site`).

    Raises:
        ConfigurationInvalid: unknown kind, no place, or a kind of place that cannot have it.
    """
    row = {
        **_values(kind, device_id, site_id, parameters or {}, "scenario"),
        "run_id": run_id,
        "planned_key": planned_key,
        "started_at": span.started_at,
        "ends_at": span.ends_at,
        "stopped_at": span.stopped_at,
    }
    with translated_errors(), connection.transaction():
        inserted = connection.execute(_QUERIES["record"], row).fetchone()
    return int(inserted[0]) if inserted else 0


def list_faults(
    connection: Connection,
    *,
    open_only: bool = False,
    organisation_id: int | None = None,
    run_id: int | None = None,
    limit: int = 100,
) -> list[SimulatedFault]:
    """List faults, newest first; with an organisation, only those at its devices and sites."""
    asked = {"open_only": open_only, "organisation_id": organisation_id, "run_id": run_id, "limit": limit}
    return _faults(connection, "list", asked)


def truth(
    connection: Connection,
    organisation_id: int | None,
    *,
    since: datetime,
    until: datetime,
    run_id: int | None = None,
) -> list[SimulatedFault]:
    """List the faults that were on at any time of a stretch, by their begin.

    A fault that was planned for a time that its run has not reached is none.

    Args:
        organisation_id: the one whose faults are asked for; None: all.
    """
    asked = {"organisation_id": organisation_id, "since": since, "until": until, "run_id": run_id}
    return _faults(connection, "truth", asked)


def request_stop(connection: Connection, fault_id: int, *, now: datetime, organisation_id: int | None = None) -> None:
    """Ask the simulators to end a fault.

    Args:
        now: when it is to end, unless it belongs to a run whose simulated time is known: then at the moment which that
            has come to.

    Raises:
        NotFound: no such fault, it is over, or it is at another organisation's device.
    """
    row = {"id": fault_id, "now": now, "organisation_id": organisation_id}
    with translated_errors(), connection.transaction():
        found = connection.execute(_QUERIES["request_stop"], row).fetchone()
        connection.execute(_QUERIES["wake"])
    if found is None:
        raise NotFound(f"no running fault {fault_id!r} (list them with `veldwatch simulate list`)")


def mark_started(
    connection: Connection, fault_id: int, *, at: datetime, ends_at: datetime | None, run_id: int | None = None
) -> None:
    """Write when a fault that was asked for began, and in which run; a second time changes nothing."""
    row = {"id": fault_id, "at": at, "ends_at": ends_at, "run_id": run_id}
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["mark_started"], row)


def mark_stopped(connection: Connection, fault_id: int, *, at: datetime) -> None:
    """Write when the fault ended; a second time changes nothing."""
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["mark_stopped"], {"id": fault_id, "at": at})


@dataclass(slots=True, kw_only=True)
class Standing:
    """What is stored of a device: the newest time of anything, the newest value of each metric."""

    observed_at: datetime
    values: dict[str, float]


def find_device(connection: Connection, device: str, organisation: str | None = None) -> int:
    """Look a device up by its own identifier.

    Raises:
        NotFound: no such device, or several organisations have one.
    """
    return _found(connection, "device", device, organisation)


def find_site(connection: Connection, site: str, organisation: str | None = None) -> int:
    """Look a site up by its slug.

    Raises:
        NotFound: no such site, or several organisations have one.
    """
    return _found(connection, "site", site, organisation)


def standings(connection: Connection, organisations: Sequence[str], since: datetime) -> dict[tuple[str, str], Standing]:
    """Read where devices stand, by (organisation's slug, external id), as far as it is newer than `since`."""
    asked = {"organisations": list(organisations), "since": since}
    found: dict[tuple[str, str], Standing] = {}
    with translated_errors(), connection.transaction():
        readings = connection.execute(_QUERIES["latest_readings"], asked).fetchall()
        positions = connection.execute(_QUERIES["latest_positions"], asked).fetchall()
    for organisation, device, metric, observed_at, value in readings:
        standing = found.setdefault((organisation, device), Standing(observed_at=observed_at, values={}))
        standing.observed_at = max(standing.observed_at, observed_at)
        standing.values[metric] = value
    for organisation, device, observed_at in positions:
        standing = found.setdefault((organisation, device), Standing(observed_at=observed_at, values={}))
        standing.observed_at = max(standing.observed_at, observed_at)
    return found


def _found(connection: Connection, what: str, named: str, organisation: str | None) -> int:
    with translated_errors():
        rows = connection.execute(_QUERIES[f"find_{what}s"], {what: named, "organisation": organisation}).fetchall()
    if len(rows) > 1:
        raise NotFound(f"{what} {named!r} is in {', '.join(slug for _, slug in rows)} (say which organisation)")
    if not rows:
        raise NotFound(f"no {what} {named!r} (register the scenario with `veldwatch simulate register`)")
    return int(rows[0][0])


def _values(
    kind: str, device_id: int | None, site_id: int | None, parameters: Mapping[str, object], requested_by: str
) -> dict[str, object]:
    fault = FAULTS.get(kind)
    if fault is None:
        raise ConfigurationInvalid(f"bad fault: {kind!r} (expected one of {', '.join(KINDS)})")
    if (device_id is None) == (site_id is None):
        raise ConfigurationInvalid(f"bad fault: {kind!r} at {(device_id, site_id)!r} (expected a device or a site)")
    if site_id is not None and not fault.sites:
        raise ConfigurationInvalid(f"bad fault: {kind!r} at a site (expected a device)")
    if device_id is not None and fault.sites and not fault.models:
        raise ConfigurationInvalid(f"bad fault: {kind!r} at a device (expected a site: {', '.join(fault.sites)})")
    size, unit = size_of(fault, parameters)
    return {
        "device_id": device_id,
        "site_id": site_id,
        "kind": kind,
        "parameters": Jsonb(dict(parameters)),
        "size": size,
        "size_unit": unit,
        "requested_by": requested_by,
    }


def size_of(fault: FaultKind, parameters: Mapping[str, object]) -> tuple[float | None, str | None]:
    """Give a fault's size and its unit: the first parameter of its kind, its usual value where none is said."""
    if not fault.parameters:
        return None, None
    first = fault.parameters[0]
    value = parameters.get(first.name)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _BEYOND_DOUBLE:
        return float(value), first.unit
    return first.usual, first.unit


def _faults(connection: Connection, query: str, asked: Mapping[str, object]) -> list[SimulatedFault]:
    with translated_errors():
        rows = connection.execute(_QUERIES[query], asked).fetchall()
    return [SimulatedFault(**dict(zip(SimulatedFault.__slots__, row, strict=True))) for row in rows]

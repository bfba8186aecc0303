"""Faults that people ask the simulators for, and the ground truth that the simulators write back.

A request is a row; NOTIFY on `CHANNEL` only wakes the simulators, which also look each second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

CHANNEL = "veldwatch_simulation"
KINDS = ("leak", "outage", "fence_crossing", "immobility")
_QUERIES = load_queries("simulation")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedFault:
    """One request and what became of it.

    Attributes:
        device: the device's own identifier.
        started_at: in simulated time; None: no simulator has taken it up.
        ends_at: when it is to end, or was asked to; None: when somebody stops it.
        stopped_at: in simulated time; None: not over.
    """

    id: int
    device_id: int
    device: str
    organisation: str
    device_name: str
    kind: str
    parameters: Mapping[str, Any]
    requested_at: datetime
    requested_by: str
    started_at: datetime | None
    ends_at: datetime | None
    stopped_at: datetime | None


def request_fault(
    connection: Connection,
    *,
    device_id: int,
    kind: str,
    parameters: Mapping[str, object] | None = None,
    requested_by: str = "",
) -> int:
    """Ask the simulators for a fault, in a transaction of its own or the caller's; returns the request's id.

    Args:
        parameters: `duration_seconds` (without it the fault lasts until it is stopped) and what the kind takes.

    Raises:
        ConfigurationInvalid: unknown kind.
    """
    if kind not in KINDS:
        raise ConfigurationInvalid(f"bad fault: {kind!r} (expected one of {', '.join(KINDS)})")
    row = {"device_id": device_id, "kind": kind, "parameters": Jsonb(parameters or {}), "requested_by": requested_by}
    with translated_errors(), connection.transaction():
        inserted = connection.execute(_QUERIES["request"], row).fetchone()
        connection.execute(_QUERIES["wake"])
    return int(inserted[0]) if inserted else 0


def list_faults(
    connection: Connection, *, open_only: bool = False, organisation_id: int | None = None, limit: int = 100
) -> list[SimulatedFault]:
    """List faults, newest first; with an organisation, only those at its devices."""
    with translated_errors():
        rows = connection.execute(
            _QUERIES["list"], {"open_only": open_only, "organisation_id": organisation_id, "limit": limit}
        ).fetchall()
    return [_fault(row) for row in rows]


def request_stop(connection: Connection, fault_id: int, *, now: datetime, organisation_id: int | None = None) -> None:
    """Ask the simulators to end a fault.

    Raises:
        NotFound: no such fault, it is over, or it is at another organisation's device.
    """
    row = {"id": fault_id, "now": now, "organisation_id": organisation_id}
    with translated_errors(), connection.transaction():
        found = connection.execute(_QUERIES["request_stop"], row).fetchone()
        connection.execute(_QUERIES["wake"])
    if found is None:
        raise NotFound(f"no running fault {fault_id!r} (list them with `veldwatch simulate list`)")


def mark_started(connection: Connection, fault_id: int, *, at: datetime, ends_at: datetime | None) -> None:
    """Write when the fault began; a second time changes nothing."""
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["mark_started"], {"id": fault_id, "at": at, "ends_at": ends_at})


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
    with translated_errors():
        rows = connection.execute(_QUERIES["find_devices"], {"device": device, "organisation": organisation}).fetchall()
    if len(rows) > 1:
        raise NotFound(f"device {device!r} is in {', '.join(slug for _, slug in rows)} (say which organisation)")
    if not rows:
        raise NotFound(f"no device {device!r} (register the scenario with `veldwatch simulate register`)")
    return int(rows[0][0])


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


def _fault(row: tuple[Any, ...]) -> SimulatedFault:
    fault_id, device_id, device, organisation, name, kind, parameters, requested_at, by, started, ends, stopped = row
    return SimulatedFault(
        id=fault_id,
        device_id=device_id,
        device=device,
        organisation=organisation,
        device_name=name,
        kind=kind,
        parameters=parameters,
        requested_at=requested_at,
        requested_by=by,
        started_at=started,
        ends_at=ends,
        stopped_at=stopped,
    )

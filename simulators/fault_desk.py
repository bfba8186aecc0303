"""Faults on request: what people asked for in the database is what the fleet has, and begin and end are written back.

Each look compares the whole of both sides, so nothing hangs on having seen a request at the right moment: after a
restart, a lost connection or a wiped database the fleet again has the faults that are asked for, and no others.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from simulators.faults.fault import Parameters
from simulators.fleet import Fleet, Name
from veldwatch.storage.connection import Connection
from veldwatch.storage.simulation import SimulatedFault, list_faults, mark_started, mark_stopped

_log = structlog.get_logger()
_MOST_OPEN = 1000


def attend(connection: Connection, fleet: Fleet, now: datetime) -> None:
    """Bring the fleet's faults to what is asked for at a moment of simulated time."""
    wanted: dict[tuple[Name, str], Parameters] = {}
    for request in reversed(list_faults(connection, open_only=True, limit=_MOST_OPEN)):
        name = Name(request.organisation, request.device)
        if name not in fleet.members:
            continue
        if request.kind not in fleet.faults_of(name):
            _log.warning("fault does not suit the device", device=request.device, kind=request.kind)
            mark_stopped(connection, request.id, at=now)
        elif _is_over(request, now):
            _log.info("fault ends", device=request.device, kind=request.kind, fault=request.id)
            mark_stopped(connection, request.id, at=now)
        else:
            wanted[name, request.kind] = numbers(request.parameters)
            _start(connection, request, now)
    _align(fleet, wanted)


def numbers(parameters: Mapping[str, Any]) -> Parameters:
    """Keep the parameters that are numbers; others mean nothing to a fault."""
    return {
        name: float(value)
        for name, value in parameters.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _is_over(request: SimulatedFault, now: datetime) -> bool:
    return request.ends_at is not None and request.ends_at <= now


def _start(connection: Connection, request: SimulatedFault, now: datetime) -> None:
    if request.started_at is None:
        seconds = numbers(request.parameters).get("duration_seconds")
        # A year: longer than anybody watches, and far from what a timestamp can hold.
        ends_at = None if seconds is None else now + timedelta(seconds=min(max(seconds, 0.0), 365 * 86400))
        mark_started(connection, request.id, at=now, ends_at=ends_at)
        _log.info("fault begins", device=request.device, kind=request.kind, fault=request.id)


def _align(fleet: Fleet, wanted: Mapping[tuple[Name, str], Parameters]) -> None:
    for name, member in fleet.members.items():
        for kind, fault in member.faults.items():
            if (name, kind) in wanted and not fault.active:
                fault.begin(wanted[name, kind])
            elif fault.active and (name, kind) not in wanted:
                fault.end()

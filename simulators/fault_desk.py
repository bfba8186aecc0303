"""Faults that people ask for go into the fleet's timetable, and what begins and ends in the fleet is written back.

Each look compares the whole of both sides, so nothing hangs on having seen a request at the right moment. A fault that
had begun before a restart begins at the same simulated moment again, so the run goes on byte for byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from simulators.fleet import Fleet
from simulators.moment import from_milliseconds, to_milliseconds
from simulators.report import Place
from simulators.timetable import TimedFault
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage import simulation
from veldwatch.storage.connection import Connection
from veldwatch.storage.simulation import FaultSpan, SimulatedFault

_log = structlog.get_logger()
_MOST = 1000
# A year: longer than anybody watches, and far from what a timestamp can hold.
_LONGEST_SECONDS = 365 * 86400.0


@dataclass(slots=True, kw_only=True)
class FaultDesk:
    """Keeps one fleet's faults and the database's in step.

    Attributes:
        run_id: the run whose truth is written.
        is_live: simulated time is real time, and only catches up; what is asked for begins when it was asked for, and
            not in the history that is being told. Else it begins at once, at whatever moment the run has come to.
    """

    fleet: Fleet
    run_id: int | None
    is_live: bool = False
    _refused: set[int] = field(default_factory=set[int])
    _written: dict[str, bool] = field(default_factory=dict[str, bool])

    def attend(self, connection: Connection) -> None:
        """Take requests up, and write what has begun and ended since the last look."""
        now = self.fleet.now
        for request in reversed(simulation.list_faults(connection, open_only=True, limit=_MOST)):
            if request.planned_key is None and request.id not in self._refused and self.fleet.covers(_place(request)):
                self._attend(connection, request, now)
        if self.run_id is not None:
            self._write_truth(connection, self.run_id, now)

    def take_up(self, connection: Connection) -> None:
        """After a restart: let faults that were asked for and have ended since the saved moment happen again."""
        for request in simulation.list_faults(connection, limit=_MOST):
            if request.planned_key is not None or request.started_at is None or request.stopped_at is None:
                continue
            if to_milliseconds(request.stopped_at) > self.fleet.now and self.fleet.covers(_place(request)):
                ends = to_milliseconds(request.stopped_at)
                self.fleet.timetable.add(_timed(request, to_milliseconds(request.started_at), ends))

    def _attend(self, connection: Connection, request: SimulatedFault, now: int) -> None:
        if request.started_at is None:
            if not self.is_live or to_milliseconds(request.requested_at) <= now + self.fleet.grid.step:
                self._start(connection, request, now)
            return
        ends = None if request.ends_at is None else to_milliseconds(request.ends_at)
        self.fleet.timetable.add(_timed(request, to_milliseconds(request.started_at), ends))
        if request.ends_at is not None and ends is not None and ends <= now:
            _log.info("fault ends", place=str(_place(request)), kind=request.kind, fault=request.id)
            simulation.mark_stopped(connection, request.id, at=request.ends_at)

    def _start(self, connection: Connection, request: SimulatedFault, now: int) -> None:
        seconds = numbers(request.parameters).get("duration_seconds")
        span = None if seconds is None else round(min(max(seconds, 0.0), _LONGEST_SECONDS) * 1000)
        ends = None if span is None else now + span
        if request.ends_at is not None:
            ends = min(to_milliseconds(request.ends_at), now if ends is None else ends)
        fault = _timed(request, now, ends)
        try:
            self.fleet.check(fault)
        except ConfigurationInvalid as error:
            _log.warning("fault refused", fault=request.id, error=str(error))
            self._refused.add(request.id)
            simulation.mark_stopped(connection, request.id, at=from_milliseconds(now))
            return
        simulation.mark_started(
            connection,
            request.id,
            at=from_milliseconds(now),
            ends_at=None if ends is None else from_milliseconds(ends),
            run_id=self.run_id,
        )
        self.fleet.timetable.add(fault)
        _log.info("fault begins", place=str(fault.place), kind=request.kind, fault=request.id)

    def _write_truth(self, connection: Connection, run_id: int, now: int) -> None:
        for fault in self.fleet.timetable.planned():
            over = fault.ends is not None and fault.ends <= now
            if fault.key.startswith("asked.") or fault.starts > now or self._written.get(fault.key) == over:
                continue
            try:
                device_id, site_id = _ids(connection, fault.place)
            except NotFound as error:
                _log.warning("truth without a place in the register", fault=fault.key, error=str(error))
            else:
                ends_at = None if fault.ends is None else from_milliseconds(fault.ends)
                simulation.record_fault(
                    connection,
                    run_id=run_id,
                    planned_key=fault.key,
                    kind=fault.kind,
                    span=FaultSpan(
                        started_at=from_milliseconds(fault.starts),
                        ends_at=ends_at,
                        stopped_at=ends_at if over else None,
                    ),
                    device_id=device_id,
                    site_id=site_id,
                    parameters=dict(fault.parameters),
                )
            self._written[fault.key] = over


def numbers(parameters: Mapping[str, Any]) -> dict[str, float]:
    """Keep the parameters that are numbers; others mean nothing to a fault."""
    return {
        name: float(value)
        for name, value in parameters.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _place(request: SimulatedFault) -> Place:
    return Place(organisation=request.organisation, device=request.device, site=request.site)


def _timed(request: SimulatedFault, starts: int, ends: int | None) -> TimedFault:
    return TimedFault(
        key=f"asked.{request.id}",
        kind=request.kind,
        place=_place(request),
        starts=starts,
        ends=ends,
        parameters=numbers(request.parameters),
    )


def _ids(connection: Connection, place: Place) -> tuple[int | None, int | None]:
    if place.device is not None:
        return simulation.find_device(connection, place.device, place.organisation), None
    return None, simulation.find_site(connection, place.site or "", place.organisation)

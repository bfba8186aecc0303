"""GET /v1/simulator, runs that operators start and end, and faults that they ask for."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from api.access import Operator, UnscopedOperator, Viewer
from api.models.simulation import (
    BundledScenario,
    Fault,
    Kind,
    NewFault,
    NewRun,
    SimulatedDevice,
    SimulatedSite,
    SimulationRun,
    Simulator,
)
from api.parameters import check_storable
from api.parts import Shared
from veldwatch.errors import RequestInvalid
from veldwatch.model.faults import FAULTS
from veldwatch.model.simulation import BUNDLED_SCENARIOS, MODEL_TAG
from veldwatch.storage import simulation, simulation_runs
from veldwatch.storage.connection import Connection
from veldwatch.storage.devices import DeviceFilter, get_device, get_site, list_devices, list_sites
from veldwatch.storage.pool import Row

router = APIRouter(prefix="/v1/simulator", tags=["demo"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
_MOST_DEVICES = 1000
_MOST_SITES = 500
_MOST_RUNS = 20


@router.get("")
def read_simulator(parts: Shared, bearer: Viewer) -> Simulator:
    """Say what is played, what can be injected, where, and what was."""
    scope = bearer.scope
    with parts.pool.lend() as connection:
        devices = list_devices(connection, scope, DeviceFilter(status="active"), after=0, limit=_MOST_DEVICES)
        sites = list_sites(connection, scope, organisation=None, kind=None, after=0, limit=_MOST_SITES)
        faults = simulation.list_faults(connection, organisation_id=scope)
        runs = simulation_runs.list_runs(connection, limit=_MOST_RUNS)
    kinds_of_site = {kind for fault in FAULTS.values() for kind in fault.sites}
    simulated = [shown for shown in map(_simulated, devices) if shown is not None]
    organisations = {device.organisation for device in simulated}
    return Simulator(
        runs=[SimulationRun.model_validate(run, from_attributes=True) for run in runs],
        scenarios=[BundledScenario(name=name, title=title) for name, title in BUNDLED_SCENARIOS.items()],
        kinds=[_kind(name) for name in FAULTS],
        devices=simulated,
        sites=[
            SimulatedSite.model_validate(site)
            for site in sites
            if site["kind"] in kinds_of_site and site["organisation"] in organisations
        ],
        faults=[_shown(fault) for fault in faults],
    )


@router.post("/runs", status_code=201)
def post_run(parts: Shared, bearer: UnscopedOperator, body: NewRun) -> SimulationRun:
    """Ask the simulators for a run; it registers the scenario's own organisations and devices."""
    plan = simulation_runs.RunPlan(
        scenario=body.scenario, seed=body.seed, begins_at=body.begins_at, ends_at=body.ends_at, speed=body.speed
    )
    with parts.pool.lend() as connection:
        number = simulation_runs.request_run(connection, plan, requested_by=bearer.name)
        return SimulationRun.model_validate(simulation_runs.get_run(connection, number), from_attributes=True)


@router.post("/runs/{run_id}/stop")
def stop_run(parts: Shared, bearer: UnscopedOperator, run_id: Number) -> SimulationRun:  # noqa: ARG001  # who may
    """Ask the simulators to end a run."""
    with parts.pool.lend() as connection:
        simulation_runs.request_run_stop(connection, run_id)
        return SimulationRun.model_validate(simulation_runs.get_run(connection, run_id), from_attributes=True)


@router.post("/faults", status_code=201)
def post_fault(parts: Shared, bearer: Operator, body: NewFault) -> Fault:
    """Ask the simulators for a fault."""
    check_storable(body.parameters)
    _check_limits(body)
    with parts.pool.lend() as connection:
        if body.device_id is not None:
            get_device(connection, bearer.scope, body.device_id)
        if body.site_id is not None:
            get_site(connection, bearer.scope, body.site_id)
        number = simulation.request_fault(
            connection,
            kind=body.kind,
            device_id=body.device_id,
            site_id=body.site_id,
            parameters=body.parameters,
            requested_by=bearer.name,
        )
        return _find(connection, bearer.scope, number)


@router.post("/faults/{fault_id}/stop")
def stop_fault(parts: Shared, bearer: Operator, fault_id: Number) -> Fault:
    """Ask the simulators to end a fault."""
    with parts.pool.lend() as connection:
        simulation.request_stop(connection, fault_id, now=datetime.now(UTC), organisation_id=bearer.scope)
        return _find(connection, bearer.scope, fault_id)


def _check_limits(body: NewFault) -> None:
    for parameter in FAULTS[body.kind].parameters:
        value = body.parameters.get(parameter.name, parameter.usual)
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not parameter.minimum <= value <= parameter.maximum:
            raise RequestInvalid(
                f"bad {parameter.name}: {value!r} (expected a number from {parameter.minimum:g} to"
                f" {parameter.maximum:g}, in {parameter.unit})"
            )


def _simulated(device: Row) -> SimulatedDevice | None:
    models = [tag.removeprefix(MODEL_TAG) for tag in device["tags"] if tag.startswith(MODEL_TAG)]
    return SimulatedDevice.model_validate({**device, "model": models[0]}) if models else None


def _kind(name: str) -> Kind:
    kind = FAULTS[name]
    lists = {"models": sorted(kind.models), "sites": sorted(kind.sites)}
    return Kind.model_validate(asdict(kind) | lists | {"layer": kind.layer.value})


def _find(connection: Connection, scope: int | None, fault_id: int) -> Fault:
    faults = simulation.list_faults(connection, organisation_id=scope, limit=100_000)
    return next(_shown(fault) for fault in faults if fault.id == fault_id)


def _shown(fault: simulation.SimulatedFault) -> Fault:
    names = {
        "device_name": fault.place_name if fault.site_id is None else None,
        "site_name": None if fault.site_id is None else fault.place_name,
    }
    return Fault.model_validate(asdict(fault) | names)

"""GET /v1/simulator, and faults that operators ask the simulators for."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from api.access import Operator, Viewer
from api.models.operation import Fault, NewFault, SimulatedDevice, Simulator
from api.parameters import check_storable
from api.parts import Shared
from veldwatch.storage import simulation
from veldwatch.storage.connection import Connection
from veldwatch.storage.devices import DeviceFilter, get_device, get_site, list_devices

router = APIRouter(prefix="/v1/simulator", tags=["demo"])

_MOST_DEVICES = 1000


@router.get("")
def read_simulator(parts: Shared, bearer: Viewer) -> Simulator:
    """Say what can be injected, at which devices, and what was."""
    with parts.pool.lend() as connection:
        devices = list_devices(connection, bearer.scope, DeviceFilter(status="active"), after=0, limit=_MOST_DEVICES)
        faults = simulation.list_faults(connection, organisation_id=bearer.scope)
    return Simulator.model_validate(
        {
            "kinds": simulation.KINDS,
            "devices": [SimulatedDevice.model_validate(device) for device in devices],
            "faults": [_shown(fault) for fault in faults],
        }
    )


@router.post("/faults", status_code=201)
def post_fault(parts: Shared, bearer: Operator, body: NewFault) -> Fault:
    """Ask the simulators for a fault."""
    check_storable(body.parameters)
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
def stop_fault(parts: Shared, bearer: Operator, fault_id: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Fault:
    """Ask the simulators to end a fault."""
    with parts.pool.lend() as connection:
        simulation.request_stop(connection, fault_id, now=datetime.now(UTC), organisation_id=bearer.scope)
        return _find(connection, bearer.scope, fault_id)


def _find(connection: Connection, scope: int | None, fault_id: int) -> Fault:
    faults = simulation.list_faults(connection, organisation_id=scope, limit=100_000)
    return next(_shown(fault) for fault in faults if fault.id == fault_id)


def _shown(fault: simulation.SimulatedFault) -> Fault:
    names = {
        "device_name": fault.place_name if fault.site_id is None else None,
        "site_name": None if fault.site_id is None else fault.place_name,
    }
    return Fault.model_validate(asdict(fault) | names)

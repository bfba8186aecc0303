"""Settings that impact is estimated by: tariffs of organisations, who depends on sites and devices."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from api.access import Operator, Viewer
from api.models.impact import (
    DeviceDependants,
    NewDeviceDependants,
    NewSiteDependants,
    NewTariffs,
    SiteDependants,
    Tariffs,
)
from api.parameters import DatabaseId, Text
from api.parts import Shared
from veldwatch.storage import dependants

router = APIRouter(prefix="/v1", tags=["register"])

Number = Annotated[DatabaseId, Path()]


@router.get("/organisations/{organisation}/tariffs")
def read_tariffs(parts: Shared, bearer: Viewer, organisation: Text) -> Tariffs:
    """Say what water and energy cost in an organisation."""
    with parts.pool.lend() as connection:
        return _tariffs(dependants.get_tariffs(connection, bearer.scope, organisation))


@router.put("/organisations/{organisation}/tariffs")
def put_tariffs(parts: Shared, bearer: Operator, organisation: Text, body: NewTariffs) -> Tariffs:
    """Set what water and energy cost; alerts that hold are estimated anew."""
    with parts.pool.lend() as connection:
        row = dependants.set_tariffs(connection, bearer.scope, organisation, body.model_dump(), datetime.now(UTC))
        return _tariffs(row)


@router.get("/sites/{site_id}/dependants")
def read_site(parts: Shared, bearer: Viewer, site_id: Number) -> SiteDependants:
    """Say who depends on a site, and which tariffs differ there."""
    with parts.pool.lend() as connection:
        return _site(dependants.get_site(connection, bearer.scope, site_id))


@router.put("/sites/{site_id}/dependants")
def put_site(parts: Shared, bearer: Operator, site_id: Number, body: NewSiteDependants) -> SiteDependants:
    """Set who depends on a site; alerts that hold are estimated anew."""
    with parts.pool.lend() as connection:
        return _site(dependants.set_site(connection, bearer.scope, site_id, body.model_dump(), datetime.now(UTC)))


@router.get("/devices/{device_id}/dependants")
def read_device(parts: Shared, bearer: Viewer, device_id: Number) -> DeviceDependants:
    """Say who depends on a device."""
    with parts.pool.lend() as connection:
        return _device(dependants.get_device(connection, bearer.scope, device_id))


@router.put("/devices/{device_id}/dependants")
def put_device(parts: Shared, bearer: Operator, device_id: Number, body: NewDeviceDependants) -> DeviceDependants:
    """Set who depends on a device; alerts that hold are estimated anew."""
    with parts.pool.lend() as connection:
        row = dependants.set_device(connection, bearer.scope, device_id, body.model_dump(), datetime.now(UTC))
        return _device(row)


def _tariffs(row: dict[str, object]) -> Tariffs:
    return Tariffs.model_validate({name: row[name] for name in Tariffs.model_fields})


def _site(row: dict[str, object]) -> SiteDependants:
    return SiteDependants.model_validate({name: row[name] for name in SiteDependants.model_fields})


def _device(row: dict[str, object]) -> DeviceDependants:
    return DeviceDependants.model_validate({name: row[name] for name in DeviceDependants.model_fields})

"""Settings that impact is estimated by: tariffs of organisations, who depends on sites and devices."""

from datetime import UTC, datetime
from typing import TypeVar

from fastapi import APIRouter

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
from veldwatch.storage.pool import Row

router = APIRouter(prefix="/v1", tags=["register"])

Answer = TypeVar("Answer", Tariffs, SiteDependants, DeviceDependants)


@router.get("/organisations/{organisation}/tariffs")
def read_tariffs(parts: Shared, bearer: Viewer, organisation: Text) -> Tariffs:
    """Say what water and energy cost in an organisation."""
    with parts.pool.lend() as connection:
        return _shown(Tariffs, dependants.get_tariffs(connection, bearer.scope, organisation))


@router.put("/organisations/{organisation}/tariffs")
def put_tariffs(parts: Shared, bearer: Operator, organisation: Text, body: NewTariffs) -> Tariffs:
    """Set what water and energy cost; alerts that hold are estimated anew."""
    with parts.pool.lend() as connection:
        row = dependants.set_tariffs(connection, bearer.scope, organisation, body.model_dump(), datetime.now(UTC))
        return _shown(Tariffs, row)


@router.get("/sites/{site_id}/dependants")
def read_site(parts: Shared, bearer: Viewer, site_id: DatabaseId) -> SiteDependants:
    """Say who depends on a site, and which tariffs differ there."""
    with parts.pool.lend() as connection:
        return _shown(SiteDependants, dependants.get_site(connection, bearer.scope, site_id))


@router.put("/sites/{site_id}/dependants")
def put_site(parts: Shared, bearer: Operator, site_id: DatabaseId, body: NewSiteDependants) -> SiteDependants:
    """Set who depends on a site; alerts that hold are estimated anew."""
    with parts.pool.lend() as connection:
        return _shown(
            SiteDependants, dependants.set_site(connection, bearer.scope, site_id, body.model_dump(), datetime.now(UTC))
        )


@router.get("/devices/{device_id}/dependants")
def read_device(parts: Shared, bearer: Viewer, device_id: DatabaseId) -> DeviceDependants:
    """Say who depends on a device."""
    with parts.pool.lend() as connection:
        return _shown(DeviceDependants, dependants.get_device(connection, bearer.scope, device_id))


@router.put("/devices/{device_id}/dependants")
def put_device(parts: Shared, bearer: Operator, device_id: DatabaseId, body: NewDeviceDependants) -> DeviceDependants:
    """Set who depends on a device; alerts that hold are estimated anew."""
    with parts.pool.lend() as connection:
        row = dependants.set_device(connection, bearer.scope, device_id, body.model_dump(), datetime.now(UTC))
        return _shown(DeviceDependants, row)


def _shown(kind: type[Answer], row: Row) -> Answer:
    return kind.model_validate({name: row[name] for name in kind.model_fields})

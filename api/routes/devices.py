"""GET /v1/devices: meters, sensors, gateways and trackers, with when and where each was last heard."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from api.access import Viewer
from api.models.register import Device
from api.pages import Page, build_page, id_after
from api.parameters import Paging, Text
from api.parts import Shared
from veldwatch.storage.devices import DeviceFilter, get_device, list_devices

router = APIRouter(prefix="/v1/devices", tags=["register"])


class DeviceQuery(Paging):
    """Which devices."""

    organisation: Text | None = Field(None, description="slug")
    site: Text | None = Field(None, description="slug; devices of the sites within count too")
    profile: Text | None = Field(None, description="slug")
    status: Literal["pending", "active", "retired", "refused"] | None = None
    q: Text | None = Field(None, description="part of the name or of the external id")


@router.get("")
def read_devices(parts: Shared, bearer: Viewer, ask: Annotated[DeviceQuery, Query()]) -> Page[Device]:
    """List devices by id."""
    which = DeviceFilter(organisation=ask.organisation, site=ask.site, profile=ask.profile, status=ask.status, q=ask.q)
    with parts.pool.lend() as connection:
        rows = list_devices(connection, bearer.scope, which, after=id_after(ask.cursor), limit=ask.limit + 1)
    return build_page(Device, rows, ask.limit, lambda row: row["id"])


@router.get("/{device_id}")
def read_device(parts: Shared, bearer: Viewer, device_id: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> Device:
    """Give one device by its number."""
    with parts.pool.lend() as connection:
        return Device.model_validate(get_device(connection, bearer.scope, device_id))

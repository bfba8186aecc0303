"""Credentials of devices and gateways: list, create (the secret is in that answer alone), rotate, revoke. Operators."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from api.access import Operator
from api.models.credentials import Credential, IssuedCredential, NewCredential, NewDeviceCredential, Rotation
from api.pages import Page, build_page, id_after
from api.parameters import DatabaseId, Paging, Text, check_storable
from api.parts import Parts, Shared
from veldwatch.errors import RequestInvalid
from veldwatch.storage import credentials
from veldwatch.storage.connection import Connection
from veldwatch.storage.credentials import Issued
from veldwatch.storage.devices import get_device
from veldwatch.storage.tokens import Bearer

router = APIRouter(prefix="/v1", tags=["register"])

_GRACE = timedelta(hours=24)
DeviceNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
CredentialNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


class CredentialQuery(Paging):
    """Which credentials."""

    organisation: Text | None = Field(None, description="slug")
    device_id: DatabaseId | None = None


@router.get("/credentials")
def read_credentials(parts: Shared, bearer: Operator, ask: Annotated[CredentialQuery, Query()]) -> Page[Credential]:
    """List credentials by id, those that ended too."""
    with parts.pool.lend() as connection:
        rows = credentials.list_credentials(
            connection,
            bearer.scope,
            organisation=ask.organisation,
            device_id=ask.device_id,
            after=id_after(ask.cursor),
            limit=ask.limit + 1,
        )
    return build_page(Credential, rows, ask.limit, lambda row: row["id"])


@router.post("/credentials", status_code=201)
def post_credential(parts: Shared, bearer: Operator, body: NewCredential) -> IssuedCredential:
    """Make a credential of several devices, or of a gateway; its secret is in this answer alone."""
    organisation = body.organisation or bearer.organisation
    if organisation is None:
        raise RequestInvalid("no `organisation` (expected a slug: your token is for all of them)")
    return _create(parts, bearer, organisation, tuple(body.devices), body)


@router.get("/devices/{device_id}/credentials")
def read_device_credentials(
    parts: Shared, bearer: Operator, device_id: DeviceNumber, ask: Annotated[Paging, Query()]
) -> Page[Credential]:
    """List the credentials that speak for a device, those that ended too."""
    with parts.pool.lend() as connection:
        get_device(connection, bearer.scope, device_id)
        rows = credentials.list_credentials(
            connection, bearer.scope, device_id=device_id, after=id_after(ask.cursor), limit=ask.limit + 1
        )
    return build_page(Credential, rows, ask.limit, lambda row: row["id"])


@router.post("/devices/{device_id}/credentials", status_code=201)
def post_device_credential(
    parts: Shared, bearer: Operator, device_id: DeviceNumber, body: NewDeviceCredential
) -> IssuedCredential:
    """Make a credential of one device; its secret is in this answer alone."""
    with parts.pool.lend() as connection:
        device = get_device(connection, bearer.scope, device_id)
    return _create(parts, bearer, device["organisation"], (device["external_id"],), body)


@router.post("/credentials/{credential_id}/rotate", status_code=201)
def post_rotation(parts: Shared, bearer: Operator, credential_id: CredentialNumber, body: Rotation) -> IssuedCredential:
    """Make the successor of a credential; the old one lets in until a time, 24 h from now unless said."""
    ends = body.old_valid_until or datetime.now(UTC) + _GRACE
    with parts.pool.lend() as connection:
        issued = credentials.rotate_credential(
            connection, bearer.scope, credential_id, old_valid_until=ends, by=bearer.name
        )
        return _shown(parts, connection, issued)


@router.delete("/credentials/{credential_id}", status_code=204)
def delete_credential(parts: Shared, bearer: Operator, credential_id: CredentialNumber) -> None:
    """Revoke a credential: who is connected with it is cut off within seconds; it stays in the list."""
    with parts.pool.lend() as connection:
        credentials.revoke_credential(connection, bearer.scope, credential_id, by=bearer.name)


def _create(
    parts: Parts, bearer: Bearer, organisation: str, devices: tuple[str, ...], body: NewCredential | NewDeviceCredential
) -> IssuedCredential:
    check_storable(body.model_dump(mode="json"))
    new = credentials.NewCredential(
        organisation=organisation,
        devices=devices,
        subject=body.subject,
        note=body.note,
        publish=tuple(body.publish),
        subscribe=tuple(body.subscribe),
        valid_until=body.valid_until,
    )
    with parts.pool.lend() as connection:
        issued = credentials.create_credential(connection, bearer.scope, new, by=bearer.name)
        return _shown(parts, connection, issued)


def _shown(parts: Parts, connection: Connection, issued: Issued) -> IssuedCredential:
    [row] = credentials.list_credentials(connection, None, credential_id=issued.id)
    host, port = parts.settings.device_mqtt_address()
    broker = {"mqtt_host": host, "mqtt_port": port, "mqtt_tls": parts.settings.mqtt_tls}
    return IssuedCredential.model_validate({**row, "secret": issued.secret, **broker})

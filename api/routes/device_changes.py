"""PATCH /v1/devices/{device_id}, POST /v1/devices/bulk, and decisions on devices that registered themselves."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.access import Operator
from api.models.device_changes import Bulk, BulkLine, BulkReport, Decided, Decisions, DeviceChange, NewDevice
from api.models.register import Device
from api.parts import Shared
from api.problems import FieldProblem, problem_response
from veldwatch.errors import RequestInvalid
from veldwatch.model.register import DeviceStatus
from veldwatch.model.register_plan import DeviceEntry, Plan
from veldwatch.storage.bulk_register import register_devices
from veldwatch.storage.device_changes import Decision, change_device, decide_devices
from veldwatch.storage.tokens import Bearer

router = APIRouter(prefix="/v1/devices", tags=["register"])

_NOT_NULL = ("name", "external_id", "source", "status", "tags")
_ERRORS_SHOWN = 1000


@router.patch("/{device_id}")
def patch_device(
    parts: Shared, bearer: Operator, device_id: Annotated[int, Path(ge=1, le=2**31 - 1)], body: DeviceChange
) -> Device:
    """Change a device: rename it, give it a profile or a site, retire it or put it back."""
    changes = body.model_dump(exclude_unset=True)
    for name in _NOT_NULL:
        if name in changes and changes[name] is None:
            raise RequestInvalid(f"bad {name}: null (expected a value, or leave it out)")
    if ("longitude" in changes) != ("latitude" in changes) or (
        (changes.get("longitude") is None) != (changes.get("latitude") is None)
    ):
        raise RequestInvalid("half a place (expected longitude and latitude, or null for both)")
    with parts.pool.lend() as connection:
        return Device.model_validate(change_device(connection, bearer.scope, device_id, changes))


@router.post("/bulk", responses={200: {"model": BulkReport}}, response_model=BulkReport)
def post_devices(parts: Shared, bearer: Operator, request: Request, body: Bulk) -> BulkReport | Response:
    """Register many devices: all of them, or none where one is wrong; again changes nothing."""
    entries = [_entry(number, device, bearer) for number, device in enumerate(body.devices)]
    with parts.pool.lend() as connection:
        plan = register_devices(connection, entries, scope=bearer.scope, dry_run=body.dry_run)
    if plan.errors and not body.dry_run:
        fields = [FieldProblem(at=f"body.devices.{error.line}", detail=error.detail) for error in plan.errors]
        detail = f"{len(fields)} of {len(entries)} devices are wrong, and nothing was written ({plan.errors[0].detail})"
        return problem_response(request.url.path, 422, detail, fields=fields[:_ERRORS_SHOWN])
    return _report(plan, written=not body.dry_run)


@router.post("/decide")
def decide(parts: Shared, bearer: Operator, body: Decided) -> Decisions:
    """Confirm or refuse devices that registered themselves: those named, or all that wait of organisation and source.

    A refused device stays known, and what it sends goes to quarantine; it may be confirmed later.
    """
    if (body.device_ids, body.organisation, body.source) == (None,) * 3:
        raise RequestInvalid("which devices? (expected device_ids, organisation or source)")
    which = Decision(organisation=body.organisation, source=body.source, ids=body.device_ids)
    with parts.pool.lend() as connection:
        changed = decide_devices(connection, bearer.scope, which, confirm=body.decision == "confirm")
    return Decisions(device_ids=sorted(changed))


def _entry(number: int, device: NewDevice, bearer: Bearer) -> DeviceEntry:
    return DeviceEntry(
        line=number,
        organisation=device.organisation or bearer.organisation or "",
        external_id=device.external_id,
        source=device.source,
        name=device.name,
        profile=device.profile,
        site=device.site,
        status=None if device.status is None else DeviceStatus(device.status),
        longitude=device.longitude,
        latitude=device.latitude,
        tags=None if device.tags is None else tuple(device.tags),
        gateway=device.gateway,
        people=device.people,
        customers=device.customers,
        supplies_site=device.supplies_site,
        subject=device.subject,
        subject_kind=device.subject_kind,
        species=device.species,
        since=device.deployed_since,
        until=device.deployed_until,
    )


def _report(plan: Plan, *, written: bool) -> BulkReport:
    return BulkReport(
        created=plan.count("created"),
        changed=plan.count("changed"),
        unchanged=plan.count("unchanged"),
        written=written,
        errors=[BulkLine(number=error.line, detail=error.detail) for error in plan.errors[:_ERRORS_SHOWN]],
    )

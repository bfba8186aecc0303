"""Which subject a device is on, in the course of time: /v1/devices/{device_id}/deployments and /v1/deployments."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from api.access import Operator, Viewer
from api.models.deployments import Deployment, DeploymentEnd, DeploymentList, DeploymentRange, NewDeployment
from api.parts import Shared
from api.routes.subjects import check_same_organisation
from veldwatch.model.identifiers import DeviceId, SubjectId
from veldwatch.storage import deployments
from veldwatch.storage.devices import get_device

router = APIRouter(prefix="/v1", tags=["register"])

DeviceNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
DeploymentNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/devices/{device_id}/deployments")
def read_deployments(parts: Shared, bearer: Viewer, device_id: DeviceNumber) -> DeploymentList:
    """List what a device was on when, newest first."""
    with parts.pool.lend() as connection:
        get_device(connection, bearer.scope, device_id)
        rows = deployments.list_deployments(connection, bearer.scope, device_id=device_id)
    return DeploymentList.model_validate({"items": rows})


@router.post("/devices/{device_id}/deployments", status_code=201)
def post_deployment(parts: Shared, bearer: Operator, device_id: DeviceNumber, body: NewDeployment) -> Deployment:
    """Put a device on a subject during a time, or move it to another one."""
    with parts.pool.lend() as connection:
        device = get_device(connection, bearer.scope, device_id)
        subject = deployments.find_subject(connection, bearer.scope, body.subject, device["organisation"])
        check_same_organisation(device, subject)
        ids = DeviceId(device_id), SubjectId(subject["id"])
        if body.move:
            number = deployments.move_device(connection, *ids, body.since or datetime.now(UTC))
        else:
            number = deployments.create_deployment(connection, *ids, body.since, body.until)
        return Deployment.model_validate(deployments.get_deployment(connection, bearer.scope, number))


@router.post("/devices/{device_id}/deployments/end")
def end_deployment(parts: Shared, bearer: Operator, device_id: DeviceNumber, body: DeploymentEnd) -> Deployment:
    """Take a device off the subject that it is on."""
    with parts.pool.lend() as connection:
        get_device(connection, bearer.scope, device_id)
        number = deployments.end_deployment(connection, DeviceId(device_id), body.at or datetime.now(UTC))
        return Deployment.model_validate(deployments.get_deployment(connection, bearer.scope, number))


@router.put("/deployments/{deployment_id}")
def put_deployment(
    parts: Shared, bearer: Operator, deployment_id: DeploymentNumber, body: DeploymentRange
) -> Deployment:
    """Correct when a deployment began and ended."""
    with parts.pool.lend() as connection:
        standing = deployments.get_deployment(connection, bearer.scope, deployment_id)
        deployments.correct_deployment(connection, standing, body.since, body.until)
        return Deployment.model_validate(deployments.get_deployment(connection, bearer.scope, deployment_id))


@router.delete("/deployments/{deployment_id}", status_code=204)
def delete_deployment(parts: Shared, bearer: Operator, deployment_id: DeploymentNumber) -> None:
    """Forget a deployment that never was."""
    with parts.pool.lend() as connection:
        deployments.get_deployment(connection, bearer.scope, deployment_id)
        deployments.delete_deployment(connection, deployment_id)

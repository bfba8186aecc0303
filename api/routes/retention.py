"""How long what is kept: GET and PUT /v1/retention, a removal, a preview of what would go, and what is held back.

An operator of one organisation sees the policies for all and its own, and changes only its own.
"""

from dataclasses import asdict
from datetime import UTC, datetime

from fastapi import APIRouter

from api.access import Operator, Viewer
from api.models.storage import (
    NewRetention,
    Retention,
    RetentionBody,
    RetentionHeld,
    RetentionPreview,
    RetentionPreviewBody,
    RetentionRemoval,
)
from api.parts import Shared
from veldwatch.storage import retention
from veldwatch.storage.retention import Policy
from veldwatch.storage.retention_preview import preview
from veldwatch.storage.retention_waits import held_back, waiting

router = APIRouter(prefix="/v1/retention", tags=["operation"])


@router.get("")
def read_retention(parts: Shared, bearer: Viewer) -> Retention:
    """List policies, what holds without one, and who changed what."""
    with parts.pool.lend() as connection:
        policies = retention.list_policies(connection, bearer.scope)
        changes = retention.list_changes(connection, bearer.scope)
    default_days = parts.settings.retention_days
    return Retention.model_validate({"default_days": default_days, "policies": policies, "changes": changes})


@router.put("", status_code=204)
def put_retention(parts: Shared, bearer: Operator, body: NewRetention) -> None:
    """Set how long something is kept; what is past its time goes within minutes, for good."""
    with parts.pool.lend() as connection:
        retention.set_policy(
            connection, bearer.scope, _policy(body, body.kept_days), author=bearer.name, reason=body.reason
        )


@router.post("/remove", status_code=204)
def remove_retention(parts: Shared, bearer: Operator, body: RetentionRemoval) -> None:
    """Forget a policy: a less special one holds again."""
    with parts.pool.lend() as connection:
        retention.remove_policy(connection, bearer.scope, _policy(body, None), author=bearer.name, reason=body.reason)


@router.post("/preview")
def preview_retention(parts: Shared, bearer: Operator, body: RetentionPreviewBody) -> RetentionPreview:
    """Count what would go if a policy said so, or were removed, before anything goes."""
    policy = _policy(body, body.kept_days)
    now, default_days = datetime.now(UTC), parts.settings.retention_days
    with parts.pool.lend() as connection:
        told = preview(connection, bearer.scope, now, default_days, policy, removed=body.removed)
    return RetentionPreview.model_validate({"items": [asdict(one) for one in told]})


@router.get("/held")
def read_held(parts: Shared, bearer: Operator) -> RetentionHeld:
    """Say what is past its time and stays all the same: for an open alert, a back-test, a reader of the log."""
    now, default_days = datetime.now(UTC), parts.settings.retention_days
    with parts.pool.lend() as connection:
        items = held_back(connection, bearer.scope, now, default_days)
        readers = waiting(connection, now, default_days)
    return RetentionHeld.model_validate(
        {
            "items": [asdict(one) for one in items],
            "waiting": [{"what": what, "reason": reason} for what, reason in readers.items()],
        }
    )


def _policy(body: RetentionBody, kept_days: int | None) -> Policy:
    return Policy(
        what=body.what,
        organisation=body.organisation,
        profile=body.profile,
        metric=body.metric,
        kept_days=kept_days,
    )

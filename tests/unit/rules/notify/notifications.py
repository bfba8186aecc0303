"""Notifications to test with."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from veldwatch.model.notifications import Channel
from veldwatch.storage.outbox import Notification
from veldwatch.storage.outbox_due import Due

CREATED = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def notification(number: int = 1, *, kind: str = "firing", **changes: Any) -> Notification:  # noqa: ANN401  # any field
    alert: Mapping[str, object] = {
        "id": str(UUID(int=77)),
        "severity": "major",
        "device_name": "Water meter Banda",
        "opened_at": "2026-11-22T09:58:00+00:00",
    }
    fields: dict[str, Any] = {
        "id": UUID(int=number),
        "alert_id": UUID(int=77),
        "message": {
            "kind": kind,
            "headline": "Leak at Banda",
            "text": "Flow never stops.",
            "late": False,
            "alert": alert,
        },
        "attempts": 0,
        "created_at": CREATED,
        "receiver": "ops",
        "channel": Channel.EMAIL,
        "address": "ops@example.org",
        "secret": None,
        "thread": (),
    }
    return Notification(**(fields | changes))


def due(number: int = 1, *, kind: str = "firing", **changes: Any) -> Due:  # noqa: ANN401  # any field
    fields: dict[str, Any] = {
        "id": UUID(int=number),
        "alert_id": UUID(int=1000 + number),
        "kind": kind,
        "attempts": 0,
        "created_at": CREATED,
        "opened_at": CREATED,
        "severity": "major",
    }
    return Due(**(fields | changes))

"""An alert: one stretch of time over which a rule's condition held for one subject.

Its id derives from (rule version, subject, beginning), so the same data make the same alert wherever and whenever they
are folded. All times but `recorded_at` and `settled_at` are event times.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID, uuid5

from veldwatch.model.identifiers import AlertId, RuleVersionId

# Fixed for ever: another value would make every alert a new alert.
_NAMESPACE = UUID("a1b5f0d2-7c1e-5a43-9a70-2f6c0f5b9d11")


class AlertState(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    """The condition holds, not yet for long enough."""
    FIRING = "firing"
    RESOLVED = "resolved"
    RETRACTED = "retracted"
    """Data that came late shows that it never was, or began at another time."""


class TransitionKind(StrEnum):
    """What happened to an alert; people add `acknowledged` and `commented`."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    RAISED = "raised"
    """Its severity rose."""
    CORRECTED = "corrected"
    """Data that came late changed its times, or brought it back."""
    RETRACTED = "retracted"


def alert_id(version: RuleVersionId, subject: str, opened_at: datetime) -> AlertId:
    """Derive an alert's id.

    Args:
        opened_at: aware, UTC; to the microsecond.
    """
    return AlertId(uuid5(_NAMESPACE, f"{version}:{subject}:{opened_at.isoformat()}"))


def _no_evidence() -> Mapping[str, object]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """A severity that rose.

    Attributes:
        severity: one of `veldwatch.model.notifications.SEVERITIES`.
    """

    at: datetime
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as the engine records it; rule and subject stand beside it.

    Attributes:
        opened_at: when the condition began.
        fired_at: when it had lasted long enough; None: pending.
        resolved_at: when it ended; None: it holds still.
        settled_at: the observation that decided the end; None: the next one may still change it.
        recorded_at: when the engine first recorded it firing (pending: recorded it at all).
        late: it was recorded so long after it fired that it is history and not news.
        told: somebody was to be told that it fires, so a change of it is a correction to tell.
        raises: how its severity rose while it held, each worse than the one before and than the rule's.
        superseded_by: of a retracted one: the alert in whose place it stood.
    """

    id: AlertId
    state: AlertState
    opened_at: datetime
    fired_at: datetime | None
    resolved_at: datetime | None
    settled_at: datetime | None
    recorded_at: datetime
    late: bool = False
    told: bool = False
    value: float | None = None
    evidence: Mapping[str, object] = field(default_factory=_no_evidence)
    raises: tuple[Raise, ...] = ()
    superseded_by: AlertId | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None

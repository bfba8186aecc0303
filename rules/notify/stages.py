"""What a batch of due notifications passes before it is sent: small stages, composed in one visible list.

A stage takes a batch and returns a batch; what it drops goes to `dropped` with a reason from the closed list. Pure.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from uuid import UUID

from veldwatch.model.notifications import Suppression
from veldwatch.storage.outbox import Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is still to be sent, in order, and what will not be, with why."""

    kept: tuple[Notification, ...]
    dropped: tuple[tuple[UUID, Suppression], ...] = ()


Stage = Callable[[Batch], Batch]


def stages() -> tuple[Stage, ...]:
    """Compose the stages in the order in which a notification passes them."""
    return (
        _dropping(Suppression.RECEIVER_DISABLED, lambda notification: not notification.enabled),
        _dropping(Suppression.NOT_TOLD, lambda notification: notification.kind != "firing" and not notification.told),
    )


def run_stages(notifications: Iterable[Notification]) -> Batch:
    """Pass notifications through every stage."""
    return reduce(lambda batch, stage: stage(batch), stages(), Batch(kept=tuple(notifications)))


def _dropping(reason: Suppression, condition: Callable[[Notification], bool]) -> Stage:
    def stage(batch: Batch) -> Batch:
        dropped = tuple((notification.id, reason) for notification in batch.kept if condition(notification))
        kept = tuple(notification for notification in batch.kept if not condition(notification))
        return Batch(kept=kept, dropped=batch.dropped + dropped)

    return stage

"""What due notifications pass before they are sent: small stages, composed in one visible list.

A stage takes a batch and returns a batch; what it drops goes to `dropped`, what it lets wait to `held`, each with a
reason from the closed lists of `veldwatch.model.notifications`. Pure: the time is given.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from uuid import UUID

from veldwatch.model.notifications import NEWS, Hold, Suppression
from veldwatch.model.schedule import opens_at
from veldwatch.storage.outbox_due import Due, Held

LOOK_AGAIN = timedelta(hours=1)
"""What waits for a cause to end is woken when it does; this is how long it waits should that be missed."""

LOOK_AGAIN_SOON = timedelta(minutes=1)
"""Ends wait for each other without being woken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How long news waits before anybody is told.

    Attributes:
        settling: of silence that begins, so that its cause can become known.
        group_wait: of anything else, so that one message tells what belongs together.
    """

    settling: timedelta = timedelta(0)
    group_wait: timedelta = timedelta(0)


AT_ONCE = Pacing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is still to be sent, in order; what will not be, with why; and what waits."""

    kept: tuple[Due, ...]
    dropped: tuple[tuple[UUID, Suppression], ...] = ()
    held: tuple[Held, ...] = ()


Stage = Callable[[Batch], Batch]
Verdict = Suppression | Held | None
"""Of one notification at one stage: why it is dropped, how it is held, or nothing against it."""


def stages(now: datetime, pacing: Pacing) -> tuple[Stage, ...]:
    """Compose the stages in the order in which a notification passes them."""
    return (
        _stage(lambda due: None if due.enabled else Suppression.RECEIVER_DISABLED),
        _stage(lambda due: Suppression.NOT_TOLD if due.kind not in NEWS and not due.told else None),
        _stage(lambda due: scheduled(due, now)),
        _stage(silenced),
        _stage(lambda due: inhibited(due, now)),
        _stage(lambda due: settling(due, now, pacing)),
        _stage(lambda due: grouped(due, now)),
    )


def run_stages(notifications: Iterable[Due], now: datetime, pacing: Pacing) -> Batch:
    """Pass notifications through every stage; what was composed already only has to have a receiver."""
    waiting = tuple(notifications)
    composed = tuple(due for due in waiting if due.is_composed and due.enabled)
    fresh = tuple(due for due in waiting if not (due.is_composed and due.enabled))
    batch = reduce(lambda batch, stage: stage(batch), stages(now, pacing), Batch(kept=fresh))
    kept = {due.id for due in (*composed, *batch.kept)}
    return Batch(kept=tuple(due for due in waiting if due.id in kept), dropped=batch.dropped, held=batch.held)


def scheduled(due: Due, now: datetime) -> Verdict:
    """Keep news back outside the hours of the rule's schedule; what is over when they begin is told to nobody."""
    if due.kind not in NEWS or due.schedule is None or due.attempts:
        return None
    until = opens_at(due.schedule, now)
    # A raise waits behind the news of the beginning, and goes with it.
    waited = due.reason == Hold.OFF_SCHEDULE or (due.kind != "firing" and not due.told)
    if due.over and (until is not None or waited):
        return Suppression.OFF_SCHEDULE
    return None if until is None else Held(due.id, Hold.OFF_SCHEDULE, until)


def silenced(due: Due) -> Verdict:
    """Keep back what a silence matches; an alert that ended meanwhile is told to nobody."""
    was_silenced = due.reason == Hold.SILENCED
    if due.kind in NEWS and due.over and (was_silenced or due.silence_id is not None):
        return Suppression.SILENCED
    if due.silence_id is None or due.silence_ends_at is None:
        return None
    return Held(due.id, Hold.SILENCED, due.silence_ends_at, due.silence_id)


def inhibited(due: Due, now: datetime) -> Verdict:
    """Keep back silence that something explains, until the time to come back is over."""
    if due.kind not in NEWS or due.cause is None:
        return None
    until = due.explained_until
    came_back = due.over and (due.resolved_at is None or until is None or due.resolved_at <= until)
    if came_back:
        return Suppression.INHIBITED
    if until is not None and until <= now:
        return None
    return Held(due.id, Hold.INHIBITED, now + LOOK_AGAIN if until is None else until)


def settling(due: Due, now: datetime, pacing: Pacing) -> Verdict:
    """Let news wait a moment, whose cause or kin may still become known; nothing else, and no second attempt."""
    if due.kind not in NEWS or due.attempts or due.reason in (Hold.SILENCED, Hold.INHIBITED, Hold.OFF_SCHEDULE):
        return None
    until = due.created_at + (pacing.settling if due.is_silence and due.kind == "firing" else pacing.group_wait)
    return Held(due.id, Hold.SETTLING, until) if until > now else None


def grouped(due: Due, now: datetime) -> Verdict:
    """Tell of a silence once: its end with the ends of all that were told with it, its growth not at all."""
    if due.kind in NEWS and due.joined is not None and due.cause is None and not due.attempts:
        return Suppression.GROUPED
    if due.kind == "resolved" and due.is_silence and due.bundle_open:
        return Held(due.id, Hold.GROUPED, now + LOOK_AGAIN_SOON)
    return None


def _stage(judge: Callable[[Due], Verdict]) -> Stage:
    def stage(batch: Batch) -> Batch:
        kept: list[Due] = []
        dropped: list[tuple[UUID, Suppression]] = []
        held: list[Held] = []
        for due in batch.kept:
            match judge(due):
                case None:
                    kept.append(due)
                case Suppression() as reason:
                    dropped.append((due.id, reason))
                case Held() as waits:
                    held.append(waits)
        return Batch(kept=tuple(kept), dropped=batch.dropped + tuple(dropped), held=batch.held + tuple(held))

    return stage

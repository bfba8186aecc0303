"""Messages in quarantine: what becomes of them, and which are meant.

A `Selection` names messages; it is what lists, groups, replays and discards go by, and it is kept with each replay and
discard, so that who did what to which messages can be told later.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast


class QuarantineState(StrEnum):
    """Where a quarantined message stands."""

    OPEN = "open"
    """It waits for somebody."""

    STORED = "stored"
    """A replay took it in after all."""

    DISCARDED = "discarded"
    """Somebody gave it up; it is kept, and can be replayed still."""

    MERGED = "merged"
    """A replay failed for another reason, under which the same message has a row already."""


class Origin(StrEnum):
    """What a quarantined row was before."""

    MESSAGE = "message"

    FILE = "file"
    """A line of a file: its import reads it, no source does, so it cannot be replayed."""


class Outcome(StrEnum):
    """What a replay made of one message."""

    STORED = "stored"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which messages; None: whatever it is.

    Attributes:
        states: empty: any.
        organisation: slug.
        topic: a part of it.
        since, until: messages that came at or after, and before.
        up_to: none with a larger id: nothing that arrived after somebody looked.
    """

    ids: tuple[int, ...] | None = None
    states: tuple[QuarantineState, ...] = (QuarantineState.OPEN,)
    reasons: tuple[str, ...] = ()
    organisation: str | None = None
    source: str | None = None
    topic_pattern: str | None = None
    topic: str | None = None
    device: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    up_to: int | None = None

    def document(self) -> dict[str, object]:
        """Write it as the database reads it and keeps it; what is not asked for is left out."""
        asked = {name: _plain(value) for name, value in asdict(self).items() if value is not None}
        return {name: value for name, value in asked.items() if value != [] or name == "ids"}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRow:
    """A row as it is kept.

    Attributes:
        received_at: when it came first.
        count: how often it came.
        payload: in lists only its beginning.
        payload_bytes: how long what is kept is.
        settled_at: when it stopped waiting.
        attempts: how often a replay tried to store it.
        merged_into: id of the row in which the same message waits.
        waiting_in: id of the replay in which it waits for ingest.
    """

    id: int
    received_at: datetime
    last_received_at: datetime
    count: int
    source: str
    topic: str
    payload: bytes
    payload_bytes: int
    reason: str
    detail: str
    state: QuarantineState
    settled_at: datetime | None
    organisation: str | None
    device: str | None
    topic_pattern: str
    cut: bool
    origin: Origin
    attempts: int
    attempted_at: datetime | None
    merged_into: int | None
    discard_id: int | None
    waiting_in: int | None

    @property
    def why_not(self) -> str | None:
        """Say why it cannot be replayed; None: it can."""
        if self.state is QuarantineState.STORED:
            return "a replay took it in already"
        if self.state is QuarantineState.MERGED:
            return f"the same message waits as {self.merged_into}"
        if self.cut:
            return "it was longer than the limit, and only its beginning is kept"
        if self.origin is Origin.FILE:
            return "it is a line of a file: mend the file, and import it again"
        return None


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value

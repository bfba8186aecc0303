"""Count what a sweep would drop, by the plan that it goes by itself; nothing is changed."""

from dataclasses import dataclass
from datetime import datetime

from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import fetch_row
from veldwatch.storage.queries import load_queries
from veldwatch.storage.retention import TABLES, Policy, What, assume_policy
from veldwatch.storage.retention_plan import plan
from veldwatch.storage.retention_waits import unread

MOST_ROWS = 1_000_000
"""That takes seconds; all rows of a large database take minutes, and nobody decides by the digits."""

_QUERIES = load_queries("retention")


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldGo:
    """What a sweep would drop.

    Attributes:
        rows: those that go with a whole month or chunk too; at most `MOST_ROWS`.
        more: there are more than these; sources, began and ended are of those that were counted.
        sources: series, or devices.
        began: of the oldest row; None: there is none.
        waits_for: which reader of the log some of it waits for; None: nothing does.
    """

    what: What
    rows: int
    more: bool
    sources: int
    began: datetime | None
    ended: datetime | None
    waits_for: str | None


def preview(
    connection: Connection,
    scope: int | None,
    now: datetime,
    default_days: int | None,
    policy: Policy | None = None,
    *,
    removed: bool = False,
    most: int = MOST_ROWS,
) -> list[WouldGo]:
    """Count what a sweep would drop now, with a policy set that is not yet, or removed that is still there.

    Rows that would go are counted one by one, up to `most` of each kind.

    Args:
        scope: the one organisation that is asked for; None: all.
        default_days: how long raw telemetry is kept of which no policy says anything; None: for ever.

    Raises:
        RequestInvalid, NotFound, NotPermitted: as `set_policy` and `remove_policy`.
    """
    with translated_errors(), connection.transaction(force_rollback=True):
        wanted = list(What)
        if policy is not None:
            assume_policy(connection, scope, policy, removed=removed)
            wanted = [policy.what]
        return [_would_go(connection, scope, what, now, default_days, most) for what in wanted]


def _would_go(
    connection: Connection, scope: int | None, what: What, now: datetime, default_days: int | None, most: int
) -> WouldGo:
    planned = plan(connection, what, now, default_days)
    values = {"what": what, "scope": scope, "default_days": default_days}
    sources = [source for (source,) in connection.execute(_QUERIES["sources"], values).fetchall()]
    ends = {
        f"befores_{number}": [planned.end(division, source) for source in sources]
        for number, division in enumerate(TABLES[what], start=1)
    }
    row = fetch_row(connection, _QUERIES[f"count_{what.value}"], {"sources": sources, "most": most + 1, **ends})
    assert row is not None  # noqa: S101  # an aggregate always has a row
    rows = int(row.pop("rows"))
    waits_for = None if planned.last is None or not rows else unread(connection, what, planned.last)
    more = rows > most
    return WouldGo(what=what, rows=rows - more, more=more, **row, waits_for=waits_for)

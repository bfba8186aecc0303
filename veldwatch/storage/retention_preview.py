"""Count what a sweep would drop, by the plan that it goes by itself; nothing is changed."""

from dataclasses import dataclass
from datetime import datetime

from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import fetch_row
from veldwatch.storage.queries import load_queries
from veldwatch.storage.retention import TABLES, Policy, What, assume_policy
from veldwatch.storage.retention_plan import plan
from veldwatch.storage.retention_waits import unread

_QUERIES = load_queries("retention")


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldGo:
    """What a sweep would drop.

    Attributes:
        rows: those that go with a whole month or chunk too.
        sources: series, or devices.
        began: of the oldest row; None: there is none.
        waits_for: which reader of the log some of it waits for; None: nothing does.
    """

    what: What
    rows: int
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
) -> list[WouldGo]:
    """Count what a sweep would drop now, with a policy set that is not yet, or removed that is still there.

    Each row that would go is counted: that takes a while where much would.

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
        return [_would_go(connection, scope, what, now, default_days) for what in wanted]


def _would_go(
    connection: Connection, scope: int | None, what: What, now: datetime, default_days: int | None
) -> WouldGo:
    planned = plan(connection, what, now, default_days)
    values = {"what": what, "scope": scope, "default_days": default_days}
    sources = [source for (source,) in connection.execute(_QUERIES["sources"], values).fetchall()]
    ends = {
        f"befores_{number}": [planned.end(division, source) for source in sources]
        for number, division in enumerate(TABLES[what], start=1)
    }
    row = fetch_row(connection, _QUERIES[f"count_{what.value}"], {"sources": sources, **ends})
    assert row is not None  # noqa: S101  # an aggregate always has a row
    waits_for = None if planned.last is None or not row["rows"] else unread(connection, what, planned.last)
    return WouldGo(what=what, **row, waits_for=waits_for)

"""How long what is kept: policies by organisation, profile and metric, and what they would drop.

The policy that names more decides: a metric says more than a profile, a profile more than an organisation. Where none
fits, raw telemetry is kept as `VELDWATCH_RETENTION_DAYS` says, and roll-ups for ever. Dropping itself is the work of
`veldwatch.storage.retention_sweep`. `scope` is the one organisation that the asker may see and change (None: all).
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from veldwatch.errors import NotFound, NotPermitted, RequestInvalid
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries

LEAST_DAYS = 8
"""A rule may look back a week (the horizon of late data), and a day more for what arrives late."""
MOST_DAYS = 36_500

_CHANGES_SHOWN = 100
_QUERIES = load_queries("retention")


class What(StrEnum):
    """What is kept for a time of its own."""

    READING = "reading"
    POSITION = "position"
    EVENT = "event"
    CONTACT = "contact"
    HOURLY = "hourly"
    """Hours of readings and of consumption."""
    DAILY = "daily"
    """Days of readings and of consumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A table that retention drops from.

    Attributes:
        source_column: of the series or device.
    """

    table: str
    source_column: str
    time_column: str


TABLES: dict[What, tuple[Division, ...]] = {
    What.READING: (Division(table="reading_raw", source_column="series_id", time_column="observed_at"),),
    What.POSITION: (Division(table="position_raw", source_column="device_id", time_column="observed_at"),),
    What.EVENT: (Division(table="event_raw", source_column="device_id", time_column="observed_at"),),
    What.CONTACT: (Division(table="contact", source_column="device_id", time_column="received_at"),),
    What.HOURLY: (
        Division(table="reading_hourly_rollup", source_column="series_id", time_column="bucket"),
        Division(table="consumption_hourly_rollup", source_column="series_id", time_column="bucket"),
    ),
    What.DAILY: (
        Division(table="reading_daily_rollup", source_column="series_id", time_column="bucket"),
        Division(table="consumption_daily_rollup", source_column="series_id", time_column="bucket"),
    ),
}

# Raw rows go by whole weeks: those are TimescaleDB's chunks, whose columnstore then drops segments unopened.
_STEP = {
    **dict.fromkeys((What.READING, What.CONTACT), timedelta(days=7)),
    **dict.fromkeys((What.POSITION, What.EVENT), timedelta(days=30)),
    **dict.fromkeys((What.HOURLY, What.DAILY), timedelta(days=1)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is kept, of whom, and how long; None names any.

    Attributes:
        kept_days: None: for ever.
    """

    what: What
    organisation: str | None = None
    profile: str | None = None
    metric: str | None = None
    kept_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldGo:
    """What a sweep would drop.

    Attributes:
        sources: series, or devices.
        began: of the oldest row; None: there is none.
    """

    what: What
    rows: int
    sources: int
    began: datetime | None
    ended: datetime | None


def list_policies(connection: Connection, scope: int | None) -> list[Row]:
    """List policies; those for all organisations too."""
    return fetch_rows(connection, _QUERIES["policies"], {"scope": scope})


def list_changes(connection: Connection, scope: int | None) -> list[Row]:
    """List who changed what and why, the latest first."""
    return fetch_rows(connection, _QUERIES["changes"], {"scope": scope, "limit": _CHANGES_SHOWN})


def set_policy(connection: Connection, scope: int | None, policy: Policy, *, author: str, reason: str) -> None:
    """Make a policy, or change what it says; in the caller's transaction.

    Raises:
        RequestInvalid: it makes no sense, or has no reason.
        NotFound: no such organisation or profile.
        NotPermitted: it is for more than the asker's organisation.
    """
    values = _checked(connection, scope, policy)
    _check_reason(reason)
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["take_turn"])
        standing = fetch_row(connection, _QUERIES["standing"], values)
        connection.execute(_QUERIES["set"], values)
        before = None if standing is None else standing["kept_days"]
        _note(connection, values, author=author, action="set", reason=reason, before=before)


def remove_policy(connection: Connection, scope: int | None, policy: Policy, *, author: str, reason: str) -> None:
    """Forget a policy: a less special one decides again.

    Raises:
        NotFound: there is no such policy.
        RequestInvalid, NotPermitted: as `set_policy`.
    """
    values = _checked(connection, scope, policy)
    _check_reason(reason)
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["take_turn"])
        standing = fetch_row(connection, _QUERIES["standing"], values)
        if standing is None:
            raise NotFound(f"no such policy for {policy.what.value} (list them with GET /v1/retention)")
        connection.execute(_QUERIES["remove"], standing)
        _note(connection, values | {"kept_days": None}, author=author, action="remove", reason=reason,
              before=standing["kept_days"])  # fmt: skip


def preview(
    connection: Connection, scope: int | None, now: datetime, default_days: int | None, policy: Policy | None = None
) -> list[WouldGo]:
    """Count what a sweep would drop now, with a policy set that is not yet; nothing is changed.

    Each row that would go is counted: that takes a while where much would.

    Raises:
        RequestInvalid, NotFound, NotPermitted: as `set_policy`.
    """
    with translated_errors(), connection.transaction(force_rollback=True):
        wanted = list(What)
        if policy is not None:
            connection.execute(_QUERIES["set"], _checked(connection, scope, policy))
            wanted = [policy.what]
        return [_would_go(connection, scope, what, now, default_days) for what in wanted]


def ends(
    connection: Connection, scope: int | None, what: What, now: datetime, default_days: int | None
) -> dict[int, datetime]:
    """Give before when each series or device is to be dropped; those that are kept for ever are left out."""
    values = {
        "what": what,
        "now": now,
        "default_days": default_days,
        "scope": scope,
        "step_seconds": _STEP[what].total_seconds(),
    }
    with translated_errors():
        rows = connection.execute(_QUERIES["ends"], values).fetchall()
    return {source: before for source, before in rows if before is not None}


def is_any_kept_for_ever(connection: Connection, what: What, default_days: int | None) -> bool:
    """Tell whether something of this kind is never dropped: then no part goes as a whole."""
    with translated_errors():
        values = {"what": what, "default_days": default_days}
        return connection.execute(_QUERIES["kept_for_ever"], values).fetchone() == (True,)


def _would_go(
    connection: Connection, scope: int | None, what: What, now: datetime, default_days: int | None
) -> WouldGo:
    befores = ends(connection, scope, what, now, default_days)
    values = {"sources": list(befores), "befores": list(befores.values())}
    row = fetch_row(connection, _QUERIES[f"count_{what.value}"], values)
    assert row is not None  # noqa: S101  # an aggregate always has a row
    return WouldGo(what=what, **row)


def _checked(connection: Connection, scope: int | None, policy: Policy) -> dict[str, object]:
    """Look up what a policy names."""
    if policy.kept_days is not None and not LEAST_DAYS <= policy.kept_days <= MOST_DAYS:
        raise RequestInvalid(f"bad days: {policy.kept_days} (expected {LEAST_DAYS} to {MOST_DAYS}, or none: for ever)")
    if policy.metric is not None and policy.what not in {What.READING, What.HOURLY, What.DAILY}:
        raise RequestInvalid(f"bad metric: {policy.metric!r} (a {policy.what.value} has no metric)")
    found: dict[str, int | None] = {}
    for name, slug in (("organisation", policy.organisation), ("profile", policy.profile)):
        row = None if slug is None else fetch_row(connection, _QUERIES[name], {name: slug})
        if slug is not None and row is None:
            raise NotFound(f"no {name} {slug!r}")
        found[f"{name}_id"] = None if row is None else row["id"]
    if scope is not None and found["organisation_id"] != scope:
        raise NotPermitted("a policy for more than the token's organisation (name the organisation)")
    return {**asdict(policy), **found, "what": policy.what.value}


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise RequestInvalid("bad reason: '' (expected why, for whoever finds it)")


def _note(
    connection: Connection, values: dict[str, object], *, author: str, action: str, reason: str, before: object
) -> None:
    noted = {**values, "author": author, "action": action, "reason": reason, "kept_days_before": before}
    connection.execute(_QUERIES["note"], noted)

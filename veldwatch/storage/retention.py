"""How long what is kept: policies by organisation, profile and metric, and who changed them.

The policy that names more decides: a metric says more than a profile, a profile more than an organisation. Where none
fits, raw telemetry is kept as `VELDWATCH_RETENTION_DAYS` says, and roll-ups for ever. `retention_plan` tells what is
past its time, `retention_preview` counts it, `retention_sweep` drops it. `scope` is the one organisation that the asker
may see and change (None: all).
"""

from dataclasses import asdict, dataclass
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
        before = _forget(connection, values)
        _note(connection, values | {"kept_days": None}, author=author, action="remove", reason=reason, before=before)


def assume_policy(connection: Connection, scope: int | None, policy: Policy, *, removed: bool) -> None:
    """Let a policy hold, or be gone, in the caller's transaction without noting it; for a preview, which takes it back.

    Raises:
        RequestInvalid, NotFound, NotPermitted: as `set_policy` and `remove_policy`.
    """
    values = _checked(connection, scope, policy)
    with translated_errors():
        if removed:
            _forget(connection, values)
        else:
            connection.execute(_QUERIES["set"], values)


def _forget(connection: Connection, values: dict[str, object]) -> int | None:
    """Remove a policy; gives the days that it said."""
    standing = fetch_row(connection, _QUERIES["standing"], values)
    if standing is None:
        raise NotFound(f"no such policy for {values['what']} (list them with GET /v1/retention)")
    connection.execute(_QUERIES["remove"], standing)
    days: int | None = standing["kept_days"]
    return days


def _checked(connection: Connection, scope: int | None, policy: Policy) -> dict[str, object]:
    """Look up what a policy names."""
    if policy.kept_days is not None and not LEAST_DAYS <= policy.kept_days <= MOST_DAYS:
        raise RequestInvalid(f"bad days: {policy.kept_days} (expected {LEAST_DAYS} to {MOST_DAYS}, or none: for ever)")
    if policy.metric is not None and policy.what not in {What.READING, What.HOURLY, What.DAILY}:
        raise RequestInvalid(f"bad metric: {policy.metric!r} (of what has none: {policy.what.value})")
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

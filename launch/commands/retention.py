"""`veldwatch retention list|set|remove|preview|held`: how long what is kept."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from veldwatch.command_line import operator, shown
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage import retention
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.pool import Row
from veldwatch.storage.retention import Policy, What
from veldwatch.storage.retention_preview import WouldGo
from veldwatch.storage.retention_preview import preview as count_what_would_go
from veldwatch.storage.retention_waits import SHOWN, HeldBack, held_back, waiting

app = typer.Typer(no_args_is_help=True, help="How long what is kept.")

FOR_EVER = "ever"

Named = Annotated[What, typer.Argument(help="what is kept")]
Days = Annotated[str, typer.Option("--days", help=f"days; '{FOR_EVER}': for ever")]
Organisation = Annotated[str | None, typer.Option(help="slug; none: any")]
Profile = Annotated[str | None, typer.Option(help="slug; none: any")]
Metric = Annotated[str | None, typer.Option(help="none: any")]
Reason = Annotated[str, typer.Option(help="why, for whoever finds it")]


@app.command("list")
def list_(
    *, changes: Annotated[bool, typer.Option("--changes", help="who changed what, the latest first")] = False
) -> None:
    """List policies, the more special after the more general, and what holds without one."""
    with _connection() as connection:
        rows = retention.list_changes(connection, None) if changes else retention.list_policies(connection, None)
    if changes:
        for row in rows:
            typer.echo(f"{shown(row['at'])}\t{row['author']}\t{row['action']}\t{_words(row)}\t{row['reason']}")
        return
    days = load_settings().retention_days
    typer.echo(f"raw telemetry\tany\t{_days(days)} (VELDWATCH_RETENTION_DAYS)")
    typer.echo(f"hourly, daily\tany\t{_days(None)}")
    for row in rows:
        typer.echo(_words(row))


@app.command("set")
def set_(
    what: Named,
    days: Days,
    reason: Reason,
    organisation: Organisation = None,
    profile: Profile = None,
    metric: Metric = None,
) -> None:
    """Set how long something is kept; what is past its time goes within minutes, for good (see preview)."""
    policy = _policy(what, days, organisation, profile, metric)
    with _connection() as connection:
        retention.set_policy(connection, None, policy, author=operator(), reason=reason)
    typer.echo(f"{what.value}: {_days(policy.kept_days)}")


@app.command()
def remove(
    what: Named,
    reason: Reason,
    organisation: Organisation = None,
    profile: Profile = None,
    metric: Metric = None,
) -> None:
    """Forget a policy: a less special one holds again."""
    policy = _policy(what, FOR_EVER, organisation, profile, metric)
    with _connection() as connection:
        retention.remove_policy(connection, None, policy, author=operator(), reason=reason)
    typer.echo(f"{what.value}: policy removed")


@app.command()
def preview(
    what: Annotated[
        What | None, typer.Argument(help="of a policy that is not set yet; none: by those that are")
    ] = None,
    days: Days = "",
    organisation: Organisation = None,
    profile: Profile = None,
    metric: Metric = None,
    *,
    removed: Annotated[bool, typer.Option("--removed", help="as if the policy were removed")] = False,
) -> None:
    """Count what would go now; nothing does. What is held back is not counted (see held)."""
    if (what is None) != (days == "" and not removed) or (days != "" and removed):
        raise ConfigurationInvalid("bad preview (expected what with --days or with --removed, or nothing)")
    if what is None and (organisation or profile or metric):
        raise ConfigurationInvalid("bad preview (expected what with --organisation, --profile or --metric)")
    policy = None if what is None else _policy(what, FOR_EVER if removed else days, organisation, profile, metric)
    now, default = datetime.now(UTC), load_settings().retention_days
    with _connection() as connection:
        for told in count_what_would_go(connection, None, now, default, policy, removed=removed):
            typer.echo(_would_go(told))


@app.command()
def held() -> None:
    """Say what is past its time and stays all the same, and why: an open alert, a back-test, a reader of the log."""
    now, default = datetime.now(UTC), load_settings().retention_days
    with _connection() as connection:
        found = held_back(connection, None, now, default)
        readers = waiting(connection, now, default)
    for one in found:
        typer.echo(_held(one))
    for what, reason in readers.items():
        typer.echo(f"{what.value}\tall\t{reason}")
    if len(found) == SHOWN:
        typer.echo(f"(the first {SHOWN}: see the list of open alerts)")
    if not found and not readers:
        typer.echo("nothing is held back")


def _would_go(told: WouldGo) -> str:
    span = "" if told.began is None or told.ended is None else f", {shown(told.began)} to {shown(told.ended)}"
    waits = "" if told.waits_for is None else f"; not yet: {told.waits_for}"
    more = "more than " if told.more else ""
    return f"{told.what.value}\t{more}{told.rows:,} rows of {told.sources:,} series or devices{span}{waits}"


def _held(one: HeldBack) -> str:
    whose = one.device or f"{one.devices:,} devices"
    of = f"{whose} of {one.organisation}" if one.organisation else whose
    since = "all" if one.since is None else f"since {shown(one.since)}"
    named = f" (alert {one.alert_id})" if one.alert_id else f" (back-test {one.backtest_id})"
    return f"{', '.join(one.whats)}\t{of}, {since}\t{one.reason}{named}"


def _policy(what: What, days: str, organisation: str | None, profile: str | None, metric: str | None) -> Policy:
    if days != FOR_EVER and not days.isdecimal():
        raise ConfigurationInvalid(f"bad --days: {days!r} (expected a number, or '{FOR_EVER}')")
    kept = None if days == FOR_EVER else int(days)
    return Policy(what=what, organisation=organisation, profile=profile, metric=metric, kept_days=kept)


def _words(row: Row) -> str:
    named = [f"{part} {row[part]}" for part in ("organisation", "profile", "metric") if row[part] is not None]
    return f"{row['what']}\t{', '.join(named) or 'any'}\t{_days(row['kept_days'])}"


def _days(days: int | None) -> str:
    return "for ever" if days is None else f"{days} days"


def _connection() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-retention")

"""`veldwatch silences make|preview|list|show|extend|expire`: what fires and is not told for a while."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from veldwatch.command_line import duration_of, moment_of, operator, shown
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.silence import Matcher, NewSilence
from veldwatch.storage import silences
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.pool import Row

app = typer.Typer(no_args_is_help=True, help="What fires and is not told for a while.")

_SHOWN = 20

Organisation = Annotated[str | None, typer.Option(help="slug; none: every one")]
Rule = Annotated[str | None, typer.Option(help="slug, or the beginning of several and *")]
Site = Annotated[str | None, typer.Option(help="slug, with all sites below it")]
Device = Annotated[str | None, typer.Option(help="external id")]
Tag = Annotated[str | None, typer.Option()]
Profile = Annotated[str | None, typer.Option(help="slug")]
Severities = Annotated[list[str] | None, typer.Option("--severity", help="any of them, one option each")]
Labels = Annotated[list[str] | None, typer.Option("--label", help="name=value of the rule, all of them")]
Everything = Annotated[bool, typer.Option("--everything", help="it is meant to mute everything")]
Number = Annotated[int, typer.Argument(help="as `veldwatch silences list` shows it")]


@app.command()
def make(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    lasts: Annotated[str, typer.Option("--for", help="how long: 2h, 3d")],
    reason: Annotated[str, typer.Option(help="why, for whoever finds it")],
    organisation: Organisation = None,
    rule: Rule = None,
    site: Site = None,
    device: Device = None,
    tag: Tag = None,
    profile: Profile = None,
    severities: Severities = None,
    labels: Labels = None,
    starts: Annotated[str, typer.Option("--from", help="ISO 8601; none: now")] = "",
    *,
    everything: Everything = False,
    long: Annotated[bool, typer.Option("--long", help="it is meant to last more than 30 days")] = False,
) -> None:
    """Mute what matches every part that is given, for some time; it is told then, if it still holds."""
    now = datetime.now(UTC)
    starts_at = moment_of("--from", starts) if starts else now
    new = NewSilence(
        matcher=_matcher(organisation, rule, site, device, tag, profile, severities, labels),
        reason=reason,
        starts_at=starts_at,
        ends_at=starts_at + duration_of("--for", lasts),
        everything=everything,
        long=long,
    )
    with _connection() as connection:
        number = silences.make_silence(connection, new, author=operator(), scope=None, now=now)
        muted = silences.muted_alerts(connection, None, number, now, _SHOWN)
    typer.echo(f"silence {number} until {shown(new.ends_at)}; {muted.total} alerts that fire now are muted")


@app.command()
def preview(  # noqa: PLR0913  # typer makes an option of each
    organisation: Organisation = None,
    rule: Rule = None,
    site: Site = None,
    device: Device = None,
    tag: Tag = None,
    profile: Profile = None,
    severities: Severities = None,
    labels: Labels = None,
    *,
    everything: Everything = False,
) -> None:
    """Show what fires now and would be muted; nothing is changed."""
    matcher = _matcher(organisation, rule, site, device, tag, profile, severities, labels)
    now = datetime.now(UTC)
    with _connection() as connection:
        muted = silences.preview_silence(connection, matcher, everything=everything, scope=None, now=now, limit=_SHOWN)
    _show_alerts(muted, "would be muted now")


@app.command("list")
def list_(*, expired: Annotated[bool, typer.Option("--expired", help="those that are over too")] = False) -> None:
    """List silences: id, state, end, author, what it mutes, why."""
    with _connection() as connection:
        rows = silences.list_silences(connection, None, datetime.now(UTC), expired=expired, limit=1000)
    for row in rows:
        typer.echo(
            f"{row['id']}\t{row['state']}\tuntil {shown(row['ends_at'])}\t{row['author']}\t{_words(row)}\t"
            f"{row['reason']}\t{row['kept_back']} kept back"
        )


@app.command()
def show(number: Number) -> None:
    """Show a silence, what was done with it, and what it mutes or muted."""
    now = datetime.now(UTC)
    with _connection() as connection:
        row = silences.get_silence(connection, None, number, now)
        muted = silences.muted_alerts(connection, None, number, now, _SHOWN)
    typer.echo(f"silence {row['id']}  {row['state']}  {shown(row['starts_at'])} to {shown(row['ends_at'])}")
    typer.echo(f"mutes {_words(row)}\n{row['author']}: {row['reason']}")
    for change in row["changes"]:
        typer.echo(f"  {shown(change['at'])}  {change['kind']} by {change['author']}, until {shown(change['ends_at'])}")
    _show_alerts(muted, "fired and were muted")


@app.command()
def extend(
    number: Number,
    lasts: Annotated[str, typer.Option("--for", help="how much longer: 2h, 3d")],
    *,
    long: Annotated[bool, typer.Option("--long", help="it is meant to go on for more than 30 days")] = False,
) -> None:
    """Let a silence last longer."""
    now = datetime.now(UTC)
    with _connection() as connection:
        row = silences.get_silence(connection, None, number, now)
        ends_at = row["ends_at"] + duration_of("--for", lasts)
        silences.end_silence(connection, number, ends_at, author=operator(), scope=None, now=now, long=long)
    typer.echo(f"silence {number} until {shown(ends_at)}")


@app.command()
def expire(number: Number) -> None:
    """End a silence now; what still holds is told."""
    now = datetime.now(UTC)
    with _connection() as connection:
        silences.end_silence(connection, number, now, author=operator(), scope=None, now=now)
    typer.echo(f"silence {number} is over")


def _matcher(  # the options that `make` and `preview` share
    organisation: str | None,
    rule: str | None,
    site: str | None,
    device: str | None,
    tag: str | None,
    profile: str | None,
    severities: Sequence[str] | None,
    labels: Sequence[str] | None,
) -> Matcher:
    pairs = [label.partition("=") for label in labels or ()]
    for name, sign, _ in pairs:
        if not sign or not name:
            raise ConfigurationInvalid(f"bad --label: {name!r} (expected name=value)")
    return Matcher(
        organisation=organisation,
        rule=rule,
        site=site,
        device=device,
        tag=tag,
        profile=profile,
        severities=tuple(severities or ()),
        labels={name: value for name, _, value in pairs},
    )


def _words(row: Row) -> str:
    names = ("organisation", "rule", "site", "device", "tag", "profile")
    parts = [f"{name} {row[name]}" for name in names if row[name] is not None]
    parts += [f"severity {' or '.join(row['severities'])}"] if row["severities"] else []
    parts += [f"label {name}={value}" for name, value in row["labels"].items()]
    return ", ".join(["everything", *parts] if row["everything"] else parts)


def _show_alerts(muted: silences.Muted, what: str) -> None:
    typer.echo(f"{muted.total} alerts {what}")
    for alert in muted.alerts:
        place = alert["device_name"] or alert["site"] or alert["organisation"]
        typer.echo(f"  {alert['severity']:8}  {shown(alert['opened_at'])}  {place}: {alert['summary']}")
    if muted.total > len(muted.alerts):
        typer.echo(f"  and {muted.total - len(muted.alerts)} more")


def _connection() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-silences")

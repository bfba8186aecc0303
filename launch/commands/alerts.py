"""`veldwatch alerts list|show|acknowledge|assign|unassign|comment|resolve|reopen|take-out|put-back`: by terminal.

Exit codes: 0 done; 1 some of it was refused (no such alert, somebody else was first), the rest was done; 2 nothing
could be done.
"""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from api.models.alerts import Alert, AlertStory
from launch.commands.alert_lines import alert_line, alert_story
from launch.commands.alert_options import (
    Comment,
    Id,
    Ids,
    Json,
    Limit,
    Note,
    Organisation,
    Person,
    Severities,
    Since,
    Sort,
    Until,
    Verdict,
    checked,
    each,
    ids_between,
    incident_named,
    open_database,
    say_one,
    say_page,
    short,
    the_only,
    worded,
)
from veldwatch.command_line import moment_of, operator
from veldwatch.storage import alerts, incident_changes
from veldwatch.storage.alerts import AlertFilter, Deed, Expected
from veldwatch.storage.connection import Connection

app = typer.Typer(no_args_is_help=True, help="What rules found: who takes it up, and what comes of it.")

_SORTS = ("opened", "money", "water", "energy", "people")


@app.command("list")
def list_(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    organisation: Organisation = None,
    severities: Severities = None,
    rule: Annotated[str | None, typer.Option(help="slug")] = None,
    device: Annotated[str | None, typer.Option(help="external id")] = None,
    incident: Annotated[str | None, typer.Option(help="id of an incident, or how it begins")] = None,
    assigned_to: Annotated[str | None, typer.Option(help="whose work it is")] = None,
    since: Since = "",
    until: Until = "",
    sort: Sort = "opened",
    limit: Limit = 50,
    *,
    every: Annotated[bool, typer.Option("--all", help="those that are over or were resolved by hand too")] = False,
    nobodys: Annotated[bool, typer.Option("--nobodys", help="only what nobody took up and nobody was given")] = False,
    json: Json = False,
) -> None:
    """List alerts, open ones unless `--all`: id, severity, state, since when, where, what, who works on it."""
    with open_database() as connection:
        which = AlertFilter(
            organisation=organisation,
            severities=severities or None,
            rule=rule,
            device=device,
            incident_id=None if incident is None else incident_named(connection, incident),
            assigned_to=assigned_to,
            assigned=False if nobodys else None,
            acknowledged=False if nobodys else None,
            open=None if every else True,
            since=moment_of("--from", since) if since else None,
            until=moment_of("--to", until) if until else None,
            sort=checked("--sort", sort, _SORTS),
        )
        rows = alerts.list_alerts(connection, None, which, limit=limit + 1)
    say_page(rows, limit, alert_line, Alert if json else None)


@app.command()
def show(alert: Id, *, json: Json = False) -> None:
    """Show an alert, what became of it, who was told, and what people wrote."""
    with open_database() as connection:
        row = alerts.tell_alert(connection, None, _named(connection, alert))
    say_one(row, alert_story, AlertStory if json else None)


@app.command()
def acknowledge(ids: Ids, comment: Comment = "") -> None:
    """Take alerts up; whoever did so first stays, and doing it again changes nothing."""

    def do(connection: Connection, text: str) -> str:
        alert = _named(connection, text)
        alerts.acknowledge(connection, _deed(alert), comment.strip() or None)
        row = alerts.get_alert(connection, None, alert)
        return f"{short(alert)} taken up by {row['acknowledged_by']}: {row['summary']}"

    each(ids, do)


@app.command()
def assign(
    ids: Ids,
    to: Person = None,
    whose: Annotated[str | None, typer.Option("--if-of", help="only if it is this person's now; '': nobody's")] = None,
) -> None:
    """Make alerts somebody's work; yours, where nobody is named."""
    person = worded("--to", operator() if to is None else to, longest=200)
    expected = None if whose is None else Expected(person=whose or None)

    def do(connection: Connection, text: str) -> str:
        alert = _named(connection, text)
        alerts.assign(connection, _deed(alert), person, expected)
        return f"{short(alert)} is the work of {person}"

    each(ids, do)


@app.command()
def unassign(ids: Ids) -> None:
    """Make alerts nobody's work again."""

    def do(connection: Connection, text: str) -> str:
        alert = _named(connection, text)
        alerts.unassign(connection, _deed(alert))
        return f"{short(alert)} is nobody's work"

    each(ids, do)


@app.command()
def comment(alert: Id, body: Annotated[str, typer.Argument(help="in words")]) -> None:
    """Write a comment beside an alert."""
    said = worded("comment", body, longest=4000)

    def do(connection: Connection, text: str) -> str:
        identity = _named(connection, text)
        alerts.add_comment(connection, _deed(identity), said)
        return f"{short(identity)} has a comment more"

    each([alert], do)


@app.command()
def resolve(ids: Ids, verdict: Verdict, note: Note = "") -> None:
    """Give a verdict on alerts by hand; what the data say of them stays, and goes on."""

    def do(connection: Connection, text: str) -> str:
        alert = _named(connection, text)
        alerts.resolve(connection, _deed(alert), verdict, note.strip())
        return f"{short(alert)} resolved as {verdict.value}"

    each(ids, do)


@app.command()
def reopen(ids: Ids) -> None:
    """Take verdicts back; the history keeps them."""

    def do(connection: Connection, text: str) -> str:
        alert = _named(connection, text)
        alerts.reopen(connection, _deed(alert))
        return f"{short(alert)} is open again"

    each(ids, do)


@app.command("take-out")
def take_out(ids: Ids) -> None:
    """Give alerts, with what they explain, an incident of their own each: they are about something else."""

    def do(connection: Connection, text: str) -> str:
        alert = _named(connection, text)
        incident_changes.take_out(connection, _deed(alert))
        return f"{short(alert)} {_where(connection, alert)}"

    each(ids, do)


@app.command("put-back")
def put_back(ids: Ids) -> None:
    """Let alerts be in the incidents again where they belong by themselves."""

    def do(connection: Connection, text: str) -> str:
        alert = _named(connection, text)
        incident_changes.put_back(connection, _deed(alert))
        return f"{short(alert)} {_where(connection, alert)}"

    each(ids, do)


def _where(connection: Connection, alert: UUID) -> str:
    incident = alerts.get_alert(connection, None, alert)["incident_id"]
    return "is in no incident" if incident is None else f"is in incident {short(incident)}"


def _named(connection: Connection, text: str) -> UUID:
    return the_only("alert", text, alerts.alerts_between(connection, *ids_between(text)))


def _deed(alert: UUID) -> Deed:
    return Deed(alert_id=alert, author=operator(), scope=None, now=datetime.now(UTC))

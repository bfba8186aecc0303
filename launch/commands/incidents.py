"""`veldwatch incidents list|show|acknowledge|assign|unassign|comment|resolve|reopen|merge|split`: alerts that are one.

What is done to an incident is done to all of its alerts. Exit codes: those of `veldwatch alerts`.
"""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from api.models.incidents import Incident, IncidentStory
from launch.commands.alert_lines import incident_line, incident_story
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
    incident_named,
    open_database,
    say_one,
    say_page,
    short,
    worded,
)
from veldwatch.command_line import moment_of, operator
from veldwatch.storage import incidents
from veldwatch.storage.connection import Connection
from veldwatch.storage.dependants import get_tariffs
from veldwatch.storage.incident_changes import merge_incident, split_incident
from veldwatch.storage.incidents import IncidentDeed, IncidentFilter

app = typer.Typer(no_args_is_help=True, help="Alerts that are one thing to work on.")

_SORTS = ("opened", "severity", "money", "water", "energy", "people")


@app.command("list")
def list_(  # typer makes an option of each
    organisation: Organisation = None,
    severities: Severities = None,
    since: Since = "",
    until: Until = "",
    sort: Sort = "opened",
    limit: Limit = 50,
    *,
    every: Annotated[bool, typer.Option("--all", help="those that are over too")] = False,
    json: Json = False,
) -> None:
    """List incidents, open ones unless `--all`: id, severity, state, since when, what, alerts, impact, whose."""
    which = IncidentFilter(
        states=None if every else ["open"],
        severities=severities or None,
        since=moment_of("--from", since) if since else None,
        until=moment_of("--to", until) if until else None,
        sort=checked("--sort", sort, _SORTS),
    )
    with open_database() as connection:
        part = None if organisation is None else get_tariffs(connection, None, organisation)["id"]
        rows = incidents.list_incidents(connection, part, which, limit=limit + 1)
    say_page(rows, limit, incident_line, Incident if json else None)


@app.command()
def show(incident: Id, *, json: Json = False) -> None:
    """Show an incident, what people did with it, and what became of its alerts."""
    with open_database() as connection:
        row = incidents.tell_incident(connection, None, incident_named(connection, incident))
    say_one(row, incident_story, IncidentStory if json else None)


@app.command()
def acknowledge(ids: Ids, comment: Comment = "") -> None:
    """Take up all alerts of incidents that nobody took up yet."""

    def do(connection: Connection, text: str) -> str:
        number = incident_named(connection, text)
        incidents.acknowledge_incident(connection, _deed(number), comment.strip() or None)
        row = incidents.get_incident(connection, None, number)
        return f"{short(number)} taken up, {row['acknowledged_alerts']} of {row['alerts']} alerts: {row['title']}"

    each(ids, do)


@app.command()
def assign(ids: Ids, to: Person = None) -> None:
    """Make all alerts of incidents somebody's work; yours, where nobody is named."""
    person = worded("--to", operator() if to is None else to, longest=200)

    def do(connection: Connection, text: str) -> str:
        number = incident_named(connection, text)
        incidents.assign_incident(connection, _deed(number), person)
        return f"{short(number)} is the work of {person}"

    each(ids, do)


@app.command()
def unassign(ids: Ids) -> None:
    """Make all alerts of incidents nobody's work again."""

    def do(connection: Connection, text: str) -> str:
        number = incident_named(connection, text)
        incidents.assign_incident(connection, _deed(number), None)
        return f"{short(number)} is nobody's work"

    each(ids, do)


@app.command()
def comment(incident: Id, body: Annotated[str, typer.Argument(help="in words")]) -> None:
    """Write a comment beside an incident."""
    said = worded("comment", body, longest=4000)

    def do(connection: Connection, text: str) -> str:
        number = incident_named(connection, text)
        incidents.comment_incident(connection, _deed(number), said)
        return f"{short(number)} has a comment more"

    each([incident], do)


@app.command()
def resolve(ids: Ids, verdict: Verdict, note: Note = "") -> None:
    """Give a verdict on all alerts of incidents that have none; what the data say of them stays, and goes on."""

    def do(connection: Connection, text: str) -> str:
        number = incident_named(connection, text)
        incidents.resolve_incident(connection, _deed(number), verdict, note.strip())
        return f"{short(number)} resolved as {verdict.value}"

    each(ids, do)


@app.command()
def reopen(ids: Ids) -> None:
    """Take the verdicts of all alerts of incidents back; the history keeps them."""

    def do(connection: Connection, text: str) -> str:
        number = incident_named(connection, text)
        incidents.reopen_incident(connection, _deed(number))
        return f"{short(number)} is open again"

    each(ids, do)


@app.command()
def merge(incident: Id, other: Id) -> None:
    """Make one incident of two; the one that was founded first stands for both from now on."""

    def do(connection: Connection, text: str) -> str:
        numbers = incident_named(connection, text), incident_named(connection, other)
        merged = merge_incident(connection, _deed(numbers[0]), numbers[1])
        row = incidents.get_incident(connection, None, merged)
        return f"{short(merged)} stands for both, {row['alerts']} alerts: {row['title']}"

    each([incident], do)


@app.command()
def split(incident: Id) -> None:
    """Take back what people merged; what belongs together by itself stays together."""

    def do(connection: Connection, text: str) -> str:
        number = incident_named(connection, text)
        split_incident(connection, _deed(number))
        return f"{short(number)} stands for itself again"

    each([incident], do)


def _deed(incident: UUID) -> IncidentDeed:
    return IncidentDeed(incident_id=incident, author=operator(), scope=None, now=datetime.now(UTC))

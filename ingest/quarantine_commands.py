"""`veldwatch quarantine`: look at what could not be stored, have it taken in again, or give it up."""

import json
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from veldwatch.command_line import moment_of, operator
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.quarantine import QuarantineRow, QuarantineState, Selection
from veldwatch.storage import quarantine, quarantine_work, replays, watch
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.quarantine_work import MOST_AT_ONCE, By
from veldwatch.wire.quarantine_document import document, hex_dump, pretty_json, printable, text_of

app = typer.Typer(help="Messages that could not be stored: look, replay, discard.", no_args_is_help=True)

_LOOK_SECONDS = 0.5
_PREVIEW_BYTES = 4096


class State(StrEnum):
    """What `--state` takes."""

    OPEN = "open"
    STORED = "stored"
    DISCARDED = "discarded"
    MERGED = "merged"
    ANY = "any"


class Form(StrEnum):
    """What `--as` takes."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"
    HEX = "hex"


class Grouping(StrEnum):
    """What `--by` takes."""

    REASON = "reason"
    SOURCE = "source"
    TOPIC_PATTERN = "topic_pattern"
    ORGANISATION = "organisation"
    DEVICE = "device"
    DAY = "day"


Ids = Annotated[list[int] | None, typer.Argument(help="ids of messages")]
Reason = Annotated[list[str] | None, typer.Option(help="only of this reason; may be repeated")]
Source = Annotated[str | None, typer.Option(help="only of this source; '' is no source")]
Topic = Annotated[str | None, typer.Option(help="only with this in the topic")]
TopicPattern = Annotated[str | None, typer.Option(help="only of this form of topic, as `groups` tells it")]
Device = Annotated[str | None, typer.Option(help="only of this device, by its own identifier")]
Organisation = Annotated[str | None, typer.Option(help="slug; only of this organisation")]
Since = Annotated[str | None, typer.Option(help="ISO 8601; only what came at this time or later")]
Until = Annotated[str | None, typer.Option(help="ISO 8601; only what came before this time")]
StateOption = Annotated[State, typer.Option(help="only what is in this state")]
AllMatching = Annotated[bool, typer.Option("--all-matching", help="everything that the filters leave, not single ids")]
Author = Annotated[str, typer.Option(help="who does this, for the record; your account's name unless said")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command("list")
def list_messages(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    reason: Reason = None,
    source: Source = None,
    topic: Topic = None,
    topic_pattern: TopicPattern = None,
    device: Device = None,
    organisation: Organisation = None,
    since: Since = None,
    until: Until = None,
    state: StateOption = State.OPEN,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List messages, newest first."""
    selection = _selection(None, reason, source, topic, topic_pattern, device, organisation, since, until, state)
    with _connected() as connection:
        rows = quarantine.newest(connection, selection, limit=limit, payload_bytes=_PREVIEW_BYTES)
    if as_json:
        _print_json([document(row) for row in rows])
    for row in () if as_json else rows:
        typer.echo(_line(row))


@app.command()
def groups(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    by: Annotated[list[Grouping] | None, typer.Option(help="what they share; may be repeated")] = None,
    reason: Reason = None,
    source: Source = None,
    topic: Topic = None,
    device: Device = None,
    organisation: Organisation = None,
    since: Since = None,
    until: Until = None,
    state: StateOption = State.OPEN,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Count messages by what they share, the most frequent first."""
    selection = _selection(None, reason, source, topic, None, device, organisation, since, until, state)
    named: list[By] = [each.value for each in by or [Grouping.REASON, Grouping.SOURCE, Grouping.TOPIC_PATTERN]]
    with _connected() as connection:
        found = quarantine_work.groups(connection, selection, named, limit=limit)
        counted = quarantine_work.counted(connection) if organisation is None else []
    if as_json:
        _print_json({"groups": found, "counted": counted})
        return
    for row in found:
        words = "  ".join(f"{printable(str(row[name])[:48]) or '(none)':<24}" for name in named)
        typer.echo(f"{row['messages']:>8}  {words}  newest {row['newest_id']}: {printable(row['detail'][:100])}")
    for row in counted:
        what = "came when there was no room" if row["state"] == "open" else f"were {row['state']} long ago"
        typer.echo(f"{row['messages']:>8}  only counted: {row['reason']} {row['source']}, {what}")


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="id of a message")],
    form: Annotated[Form, typer.Option("--as", help="how its payload is written")] = Form.AUTO,
    as_json: AsJson = False,
) -> None:
    """Show one message, payload and all, and what replays made of it."""
    with _connected() as connection:
        row = quarantine.get(connection, number)
        tried = quarantine_work.attempts(connection, number)
    if as_json:
        _print_json({**document(row), "history": tried})
        return
    typer.echo(_line(row))
    typer.echo(f"topic     {row.topic!r}\nfirst     {row.received_at.isoformat()}\nlast      {row.last_received_at}")
    typer.echo(f"state     {row.state.value}\nreplay    {row.why_not or 'possible'}")
    for each in tried:
        came_of_it = f"{each['outcome'] or 'waits'} {each['reason'] or ''} {printable(each['detail'] or '')}"
        typer.echo(f"replay {each['replay_id']} by {each['requested_by']}: {came_of_it.strip()}")
    typer.echo(f"\n{_payload(row, form)}")


@app.command()
def replay(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    ids: Ids = None,
    all_matching: AllMatching = False,
    reason: Reason = None,
    source: Source = None,
    topic: Topic = None,
    topic_pattern: TopicPattern = None,
    device: Device = None,
    organisation: Organisation = None,
    since: Since = None,
    until: Until = None,
    state: StateOption = State.OPEN,
    author: Author = "",
    wait: Annotated[bool, typer.Option(help="wait until ingest is done with them")] = True,
    as_json: AsJson = False,
) -> None:
    """Have messages taken in again by ingest, as they came."""
    _check_meant(ids, all_matching=all_matching)
    selection = _selection(ids, reason, source, topic, topic_pattern, device, organisation, since, until, state)
    with _connected() as connection:
        number = replays.ask(connection, selection, author=author or operator())
        connection.commit()
        row = _wait_for(connection, number, quiet=as_json) if wait else replays.get_replay(connection, number)
    _print_replay(row, as_json=as_json)


@app.command("replays")
def list_replays(
    number: Annotated[int | None, typer.Argument(help="only this one")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List replays, newest first: who asked for what, and what came of it."""
    with _connected() as connection:
        if number is not None:
            _print_replay(replays.get_replay(connection, number), as_json=as_json)
            return
        found = replays.list_replays(connection, limit=limit)
    if as_json:
        _print_json(found)
        return
    for row in found:
        _print_replay(row, as_json=False)


@app.command()
def cancel(
    number: Annotated[int, typer.Argument(help="id of a replay")], author: Author = "", as_json: AsJson = False
) -> None:
    """Let the messages of a replay wait no longer; what was done stays."""
    with _connected() as connection:
        row = replays.cancel(connection, number, author=author or operator())
        connection.commit()
    _print_replay(row, as_json=as_json)


@app.command()
def discard(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    because: Annotated[str, typer.Option(help="why, for the record")],
    ids: Ids = None,
    all_matching: AllMatching = False,
    reason: Reason = None,
    source: Source = None,
    topic: Topic = None,
    topic_pattern: TopicPattern = None,
    device: Device = None,
    organisation: Organisation = None,
    since: Since = None,
    until: Until = None,
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Give messages up; they are kept for a while, and a replay can take them back."""
    _check_meant(ids, all_matching=all_matching)
    selection = _selection(ids, reason, source, topic, topic_pattern, device, organisation, since, until, State.OPEN)
    with _connected() as connection:
        made = quarantine_work.discard(connection, selection, author=author or operator(), reason=because)
        connection.commit()
    if as_json:
        _print_json(made)
    else:
        typer.echo(f"{made['discarded']} discarded{_rest(made['discarded'])}")


@app.command("discards")
def list_discards(limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20, as_json: AsJson = False) -> None:
    """List what was given up, newest first: who, when and why."""
    with _connected() as connection:
        found = quarantine_work.discards(connection, limit=limit)
    if as_json:
        _print_json(found)
        return
    for row in found:
        typer.echo(
            f"{row['id']:>6}  {row['at']:%Y-%m-%dT%H:%M:%SZ}  {row['discarded']:>8}  {row['author']}: {row['reason']}"
        )


def _rest(taken: int) -> str:
    """Say that there may be more than is taken at once."""
    return "" if taken < MOST_AT_ONCE else "; there may be more of them (give the same command again)"


def _connected() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-quarantine")


def _check_meant(ids: list[int] | None, *, all_matching: bool) -> None:
    if bool(ids) == all_matching:
        raise ConfigurationInvalid(
            "bad command line: expected ids of messages, or --all-matching with filters, not both"
        )


def _selection(  # noqa: PLR0913, PLR0917  # the options that these commands share
    ids: list[int] | None,
    reason: list[str] | None,
    source: str | None,
    topic: str | None,
    topic_pattern: str | None,
    device: str | None,
    organisation: str | None,
    since: str | None,
    until: str | None,
    state: State,
) -> Selection:
    states = () if state is State.ANY else (QuarantineState(state.value),)
    if ids and state is State.OPEN:
        states = (QuarantineState.OPEN, QuarantineState.DISCARDED)
    return Selection(
        ids=tuple(ids) if ids else None,
        states=states,
        reasons=tuple(reason or ()),
        source=source,
        topic=topic,
        topic_pattern=topic_pattern,
        device=device,
        organisation=organisation,
        since=_time(since),
        until=_time(until),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else moment_of("time", text)


def _wait_for(connection: Connection, number: int, *, quiet: bool) -> dict[str, Any]:
    told = False
    while True:
        row = replays.get_replay(connection, number)
        seen_at = watch.newest(connection).seen_at
        connection.rollback()
        if row["finished_at"] is not None:
            return row
        if not quiet:
            done = row["stored"] + row["failed"]
            typer.echo(
                f"\r{done} of {row['asked']}: {row['stored']} stored, {row['failed']} failed again", nl=False, err=True
            )
            if not told and (seen_at is None or datetime.now(UTC) - seen_at > watch.LONGEST_BREAK):
                told = True
                typer.echo(
                    "\nno ingest listens at present (is `veldwatch ingest run` running?): they wait for it", err=True
                )
        time.sleep(_LOOK_SECONDS)


def _print_replay(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print_json(row)
        return
    state = "cancelled" if row["cancelled_at"] else "finished" if row["finished_at"] else "under way"
    typer.echo(
        f"replay {row['id']} by {row['requested_by']}, {state}: {row['asked']} asked, {row['stored']} stored,"
        f" {row['failed']} failed again, {row['cancelled']} cancelled, {row['left_out']} cannot be replayed"
        f"{_rest(row['asked'] + row['left_out'])}"
    )
    for each in row["failures"]:
        typer.echo(f"  {each['count']:>8}  {each['reason']} (like {each['example']})")


def _payload(row: QuarantineRow, form: Form) -> str:
    text = printable(row.payload.decode(errors="backslashreplace"))
    match form:
        case Form.HEX:
            return hex_dump(row.payload)
        case Form.TEXT:
            return text
        case Form.JSON:
            return printable(pretty_json(row.payload) or text)
        case Form.AUTO:
            if b"\0" in row.payload or text_of(row.payload) is None:
                return hex_dump(row.payload)
            return printable(pretty_json(row.payload) or text)


def _line(row: QuarantineRow) -> str:
    when = row.last_received_at.isoformat(timespec="seconds")
    return f"{row.id:>8}  {when}  {row.count:>6} x  {row.reason:<22} {row.topic[:60]!r}  {printable(row.detail[:120])}"


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, default=_plain, ensure_ascii=False))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)

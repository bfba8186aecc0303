"""`veldwatch credentials create|list|rotate|revoke`: what lets devices and gateways in."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from veldwatch.command_line import operator
from veldwatch.config import load_settings
from veldwatch.storage import credentials
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.credentials import Issued, NewCredential
from veldwatch.storage.pool import Row

app = typer.Typer(no_args_is_help=True, help="What lets devices and gateways in, at the broker and over HTTP.")


@app.command()
def create(  # one option each
    organisation: Annotated[str, typer.Option(help="slug")],
    devices: Annotated[list[str] | None, typer.Argument(help="external ids; none: a gateway with topics only")] = None,
    subject: Annotated[str | None, typer.Option(help="of a certificate, RFC 2253; unset: a secret is made")] = None,
    note: Annotated[str, typer.Option(help="what or whose it is")] = "",
    publish: Annotated[
        list[str] | None, typer.Option(help="topic filter that it may publish to, beside its own")
    ] = None,
    subscribe: Annotated[list[str] | None, typer.Option(help="topic filter that it may hear, beside its own")] = None,
    days: Annotated[float | None, typer.Option(min=0, help="how long it lets in; unset: until it is revoked")] = None,
) -> None:
    """Make a credential and print its name and secret, this once."""
    new = NewCredential(
        organisation=organisation,
        devices=tuple(devices or ()),
        subject=subject,
        note=note,
        publish=tuple(publish or ()),
        subscribe=tuple(subscribe or ()),
        valid_until=None if days is None else datetime.now(UTC) + timedelta(days=days),
    )
    with _connection() as connection:
        issued = credentials.create_credential(connection, None, new, by=operator())
    _show(issued)


@app.command("list")
def list_(organisation: Annotated[str | None, typer.Option(help="slug; unset: all")] = None) -> None:
    """List credentials with their ids, but not the secrets."""
    after = 0
    with _connection() as connection:
        while rows := credentials.list_credentials(connection, None, organisation=organisation, after=after, limit=500):
            for row in rows:
                typer.echo(_line(row))
            after = rows[-1]["id"]


@app.command()
def rotate(
    credential_id: Annotated[int, typer.Argument(help="as `veldwatch credentials list` shows it")],
    hours: Annotated[float, typer.Option(min=0, help="how long the old one still lets in")] = 24.0,
) -> None:
    """Make the successor of a credential, with a name and a secret of its own, and print them, this once."""
    ends = datetime.now(UTC) + timedelta(hours=hours)
    with _connection() as connection:
        issued = credentials.rotate_credential(connection, None, credential_id, old_valid_until=ends, by=operator())
    _show(issued)
    typer.echo(f"credential {credential_id} lets in until {ends.isoformat(timespec='seconds')}")


@app.command()
def revoke(credential_id: Annotated[int, typer.Argument(help="as `veldwatch credentials list` shows it")]) -> None:
    """End a credential at once; who is connected with it is cut off within seconds."""
    with _connection() as connection:
        name = credentials.revoke_credential(connection, None, credential_id, by=operator())
    typer.echo(f"revoked credential {credential_id} of {name!r}")


def _show(issued: Issued) -> None:
    typer.echo(f"credential  {issued.id}\nname        {issued.username}")
    if issued.secret is not None:
        typer.echo(f"secret      {issued.secret}")


def _line(row: Row) -> str:
    what = ", ".join([*row["devices"], *row["publish"]])
    until = "" if row["valid_until"] is None else f"  until {row['valid_until'].isoformat(timespec='seconds')}"
    note = f"  ({row['note']})" if row["note"] else ""
    return f"{row['id']:>6}  {row['state']:<8}{row['organisation']:<20}  {row['username']}  {what}{until}{note}"


def _connection() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-credentials")

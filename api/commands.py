"""`veldwatch token create|list|revoke`."""

from typing import Annotated

import typer

from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.tokens import Role, create_token, list_tokens, revoke_token

token_app = typer.Typer(no_args_is_help=True, help="Bearer tokens for the API.")


@token_app.command("create")
def create(
    name: Annotated[str, typer.Option(help="whose it is; stands beside what is done with it")],
    role: Annotated[Role, typer.Option(help="viewer reads; operator also acknowledges and changes")] = Role.VIEWER,
    organisation: Annotated[str | None, typer.Option(help="slug; unset: every organisation")] = None,
) -> None:
    """Make a token and print it, this once."""
    with _connection() as connection:
        token = create_token(connection, name=name, role=role, organisation=organisation)
    typer.echo(token)


@token_app.command("list")
def list_() -> None:
    """List tokens with their ids, but not the tokens themselves."""
    with _connection() as connection:
        rows = list_tokens(connection)
    for row in rows:
        state = "revoked" if row["revoked_at"] else "valid"
        typer.echo(f"{row['id']:>5}  {row['role']:<8}  {row['organisation'] or '(all)':<20}  {state:<8}  {row['name']}")


@token_app.command("revoke")
def revoke(token_id: Annotated[int, typer.Argument(help="as `veldwatch token list` shows it")]) -> None:
    """End a token at once; an open stream of it ends within 15 s."""
    with _connection() as connection:
        name = revoke_token(connection, token_id)
    typer.echo(f"revoked token {token_id} of {name!r}")


def _connection() -> Connection:
    settings = load_settings()
    if not settings.dsn:
        raise ConfigurationInvalid("bad VELDWATCH_DSN: '' (expected the address of a migrated database)")
    return connect(settings.dsn, application="veldwatch-token")

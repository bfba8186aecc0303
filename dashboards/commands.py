"""`veldwatch dashboards`: render the committed JSON, give the read-only role its password, provision a Grafana."""

from pathlib import Path
from typing import Annotated

import typer

from dashboards import rendering
from dashboards.publishing import Grafana, publish_dashboards, publish_source
from veldwatch.config import load_settings
from veldwatch.secret_settings import read_secret
from veldwatch.storage.connection import connect
from veldwatch.storage.dashboards import allow_reader, reader_address

app = typer.Typer(no_args_is_help=True, help="Grafana dashboards: render, provision, and the role that they read with.")


@app.command()
def render(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a file is not as rendered.")
    ] = False,  # typer's way of a flag
    folder: Annotated[Path, typer.Option(help="Where the JSON lies.")] = rendering.FOLDER,
) -> None:
    """Render the dashboards to JSON files."""
    changed = rendering.stale(folder) if check else rendering.write(folder)
    for path in changed:
        typer.echo(f"{'stale' if check else 'written'}: {path}")
    if check and changed:
        typer.echo("run `veldwatch dashboards render` and commit the files", err=True)
        raise typer.Exit(1)


@app.command()
def reader(
    password: Annotated[
        str, typer.Option(envvar="GRAFANA_DB_PASSWORD", help="Password of the role; no `$` in it; unset: asked for.")
    ] = "",
    password_file: Annotated[Path | None, typer.Option(help="File that holds the password instead.")] = None,
) -> None:
    """Let the role `grafana_ro` log in with this password, and grant it the dashboards' views."""
    if password_file is not None:
        password = read_secret(password_file, "--password-file")
    password = password or typer.prompt("Password", hide_input=True)
    with connect(load_settings().dsn) as connection:
        allow_reader(connection, password)
    typer.echo("grafana_ro may log in and read the schema `dashboard`")


@app.command()
def provision(
    url: Annotated[str, typer.Option(envvar="GRAFANA_URL", help="Address of Grafana, without credentials.")],
    token: Annotated[str, typer.Option(envvar="GRAFANA_TOKEN", help="Token of a service account, role Admin.")] = "",
    user: Annotated[str, typer.Option(envvar="GRAFANA_USER", help="`name:password` in place of a token.")] = "",
    database_password: Annotated[
        str, typer.Option(envvar="GRAFANA_DB_PASSWORD", help="Password of grafana_ro; empty: keep the data source.")
    ] = "",
    database_address: Annotated[
        str, typer.Option(help="host:port of PostgreSQL as Grafana sees it; empty: from VELDWATCH_DSN.")
    ] = "",
    wait_seconds: Annotated[float, typer.Option(min=0, help="How long to wait for Grafana to answer.")] = 60,
) -> None:
    """Push data source, folders and dashboards to a Grafana by its API, for one that does not read our files."""
    grafana = Grafana(url, token=token, user=user)
    grafana.wait(wait_seconds)
    if database_password:
        address = reader_address(load_settings().dsn, seen_as=database_address)
        typer.echo(publish_source(grafana, address, database_password))
    for line in publish_dashboards(grafana):
        typer.echo(line)

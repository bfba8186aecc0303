"""`veldwatch dashboards`: render the committed JSON, give the read-only role its password, provision a Grafana."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from dashboards import rendering
from dashboards.catalogue import Audience
from dashboards.grafana import Grafana
from dashboards.publishing import Source, publish_dashboards, publish_source, remove_gone
from dashboards.reference import page as reference_page
from dashboards.tenants import TenantProvisioning
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid, NotFound, ProvisioningFailed, StorageError
from veldwatch.secret_settings import read_secret
from veldwatch.storage import tenants
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.dashboards import READER, allow_reader, reader_address
from veldwatch.storage.tenants import Tenant

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
def reference() -> None:
    """Print the page on every dashboard and panel, as docs/reference/dashboards.md holds it."""
    typer.echo(reference_page(), nl=False)


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
def provision(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    url: Annotated[str, typer.Option(envvar="GRAFANA_URL", help="Address of Grafana, without credentials.")],
    token: Annotated[str, typer.Option(envvar="GRAFANA_TOKEN", help="Token of a service account, role Admin.")] = "",
    token_file: Annotated[
        Path | None, typer.Option(envvar="GRAFANA_TOKEN_FILE", help="File that holds the token instead.")
    ] = None,
    user: Annotated[
        str, typer.Option(envvar="GRAFANA_USER", help="In place of a token: `name:password`, or the name alone.")
    ] = "",
    password_file: Annotated[
        Path | None, typer.Option(envvar="GRAFANA_PASSWORD_FILE", help="File that holds the password of --user.")
    ] = None,
    organisation: Annotated[
        list[str] | None,
        typer.Option(help="A tenant, by its slug (again for more): gets an organisation of Grafana and a role."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every organisation is a tenant.")] = False,
    rotate: Annotated[bool, typer.Option("--rotate", help="Tenants: give their roles other passwords.")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Tenants: of the database that this one was restored from.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove Grafana's organisations and roles of tenants that are gone.")
    ] = False,
    database_password: Annotated[
        str, typer.Option(envvar="GRAFANA_DB_PASSWORD", help="Password of grafana_ro; empty: keep the data source.")
    ] = "",
    database_password_file: Annotated[
        Path | None, typer.Option(envvar="GRAFANA_DB_PASSWORD_FILE", help="File that holds the password of grafana_ro.")
    ] = None,
    database_address: Annotated[
        str, typer.Option(help="host:port of PostgreSQL as Grafana sees it; empty: from VELDWATCH_DSN.")
    ] = "",
    wait_seconds: Annotated[float, typer.Option(min=0, help="How long to wait for Grafana to answer.")] = 60,
) -> None:
    """Push data source, folders and dashboards to a Grafana by its API: to one organisation of it, or to tenants'."""
    grafana = Grafana(url, token=_secret("--token", token, token_file), user=_user(user, password_file) if user else "")
    grafana.wait(wait_seconds)
    if organisation or every or prune:
        wanted = _Wanted(slugs=organisation, is_every=every, rotate=rotate, take_over=take_over, prune=prune)
        _provision_tenants(grafana, wanted, database_address)
        return
    password = _secret("--database-password", database_password, database_password_file)
    if password:
        address = reader_address(load_settings().dsn, seen_as=database_address)
        _tell("", [publish_source(grafana, Source(address=address, role=READER, password=password))])
    _tell("", publish_dashboards(grafana, Audience.OPERATOR))
    _tell("", remove_gone(grafana, Audience.OPERATOR))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    slugs: list[str] | None
    is_every: bool
    rotate: bool
    take_over: bool
    prune: bool

    def of(self, known: list[Tenant]) -> list[Tenant]:
        unknown = sorted(set(self.slugs or ()) - {tenant.slug for tenant in known})
        if unknown:
            raise NotFound(f"no organisation {unknown} (list them with GET /v1/organisations)")
        return [tenant for tenant in known if self.is_every or tenant.slug in (self.slugs or ())]


def _provision_tenants(grafana: Grafana, wanted: _Wanted, database_address: str) -> None:
    dsn = load_settings().dsn
    # Committed step by step: what was done before an error stays, and the next run goes on from there.
    with connect(dsn, autocommit=True) as connection, tenants.turn(connection):
        known = tenants.list_tenants(connection)
        chosen = wanted.of(known)
        address = reader_address(dsn, seen_as=database_address)
        work = TenantProvisioning(grafana, connection, address, take_over=wanted.take_over)
        if chosen:
            _close_doors(connection)
        failed = [
            tenant.slug
            for tenant in chosen
            if not _succeeds(
                connection,
                tenant.slug,
                lambda tenant=tenant: _tell(tenant.slug, work.provision(tenant, rotate=wanted.rotate)),
            )
        ]
        failed += _remove_gone_tenants(work, connection, known, prune=wanted.prune)
    if failed:
        raise ProvisioningFailed(f"{failed} failed, of {len(chosen)} tenants and what is gone (give the command again)")


def _remove_gone_tenants(
    work: TenantProvisioning, connection: Connection, known: list[Tenant], *, prune: bool
) -> list[str]:
    """Name what is of no organisation any more, or remove it; gives what could not be removed."""
    homes, roles = work.find_gone(known), tenants.find_left_behind(connection)
    if not prune:
        for name in [*(home.name for home in homes), *roles]:
            typer.echo(f"{name}: of no organisation any more (--prune removes it)")
        return []

    def drop(role: str) -> None:
        tenants.drop_role(connection, role)
        typer.echo(f"role {role}: removed")

    # Grafana first: a data source without its role would only show errors.
    left = [
        home.name
        for home in homes
        if not _succeeds(connection, home.name, lambda home=home: typer.echo(work.remove(home)))
    ]
    return left + [role for role in roles if not _succeeds(connection, role, lambda role=role: drop(role))]


def _succeeds(connection: Connection, name: str, deed: Callable[[], None]) -> bool:
    """Do something for one of several; its failure is told and holds up no other, unless the database is gone."""
    try:
        deed()
    except (ProvisioningFailed, StorageError) as error:
        if connection.closed:
            raise
        typer.echo(f"{name}: failed: {error}", err=True)
        return False
    return True


def _close_doors(connection: Connection) -> None:
    still_open = tenants.close_doors(connection)
    if still_open:
        typer.echo(
            f"warning: {len(still_open)} things stay open to every role of the database, such as {still_open[0]}"
            " (this account may not close them: run this once as a superuser; docs/how-to/dashboards-for-tenants.md)",
            err=True,
        )


def _tell(slug: str, lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(f"{slug}: {line}" if slug else line)


def _secret(option: str, value: str, file: Path | None) -> str:
    if file is None:
        return value
    if value:
        raise ConfigurationInvalid(f"{option} and {option}-file are both given (expected one of them)")
    return read_secret(file, f"{option}-file")


def _user(user: str, password_file: Path | None) -> str:
    name, has_password, _ = user.partition(":")
    if password_file is None:
        return user
    if has_password:
        raise ConfigurationInvalid("--password-file is given, and --user has a password (expected one of them)")
    return f"{name}:{read_secret(password_file, '--password-file')}"

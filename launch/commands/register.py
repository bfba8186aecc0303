"""`veldwatch register`: organisations, sites, devices; many at once; those that registered themselves."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from launch.commands import register_deployments, register_impact, register_profiles
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.model.register import OrganisationKind, Site
from veldwatch.model.register_plan import Plan
from veldwatch.storage import bulk_register, device_changes, register
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.device_changes import Decision
from veldwatch.wire.register_csv import read_register, write_register

app = typer.Typer(no_args_is_help=True, help="Organisations, sites, devices, profiles and what devices are on.")
app.add_typer(register_profiles.app, name="profiles")
app.add_typer(register_profiles.species_app, name="species")
app.add_typer(register_deployments.app, name="deployments")
app.command("tariffs")(register_impact.tariffs)
app.command("dependants")(register_impact.say_dependants)

Devices = Annotated[list[str], typer.Argument(help="their own identifiers (external ids)")]
Organisation = Annotated[str, typer.Option(help="slug; unset: the default organisation")]
_LINES_SHOWN = 50


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with a header; `veldwatch register export` shows the columns")],
    organisation: Organisation = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would come of each line, and write nothing")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Register the devices of a file: all of them, or none where a line is wrong; again changes nothing."""
    settings = load_settings()
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            read = read_register(text, organisation or settings.default_organisation)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"bad file: {str(file)!r} ({error})") from error
    with connect(settings.dsn, application="veldwatch-register") as connection:
        plan = bulk_register.register_devices(connection, read.entries, errors=read.errors, dry_run=dry_run)
    _tell(plan, dry_run=dry_run, as_json=as_json)
    if plan.errors:
        raise typer.Exit(1)


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="where to write it; unset: to the screen")] = None,
    organisation: Annotated[str | None, typer.Option(help="slug; unset: all")] = None,
) -> None:
    """Write the devices as CSV, as `veldwatch register import` reads it."""
    with _connection() as connection:
        rows = bulk_register.export_devices(connection, organisation)
    if file is None:
        write_register(sys.stdout, rows)
        return
    with file.open("w", encoding="utf-8", newline="") as text:
        write_register(text, rows)
    typer.echo(f"{len(rows)} devices in {file}")


@app.command("organisation")
def organisation_(
    slug: str,
    name: Annotated[str | None, typer.Option()] = None,
    kind: Annotated[OrganisationKind | None, typer.Option()] = None,
) -> None:
    """Make an organisation, or bring it to what is said."""
    with _connection() as connection:
        register.ensure_organisation(connection, slug, name, kind)
    typer.echo(f"organisation {slug}")


@app.command()
def site(
    slug: str,
    name: Annotated[str | None, typer.Option()] = None,
    kind: Annotated[str | None, typer.Option(help="such as district_metered_area, zone, feeder, reserve")] = None,
    parent: Annotated[str | None, typer.Option(help="slug of the site that it lies in")] = None,
    geometry: Annotated[Path | None, typer.Option(help="file with a GeoJSON geometry, WGS 84")] = None,
    organisation: Organisation = "",
) -> None:
    """Make a site, or bring it to what is said."""
    settings = load_settings()
    with _connection() as connection:
        number = register.ensure_organisation(connection, organisation or settings.default_organisation)
        parent_id = None
        if parent is not None:
            parent_id = register.ensure_site(connection, Site(organisation_id=number, slug=parent))
        outline = None if geometry is None else _json(geometry)
        register.ensure_site(
            connection,
            Site(organisation_id=number, slug=slug, name=name, kind=kind, parent_id=parent_id, geometry=outline),
        )
    typer.echo(f"site {slug}")


@app.command("set")
def set_(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    device: Annotated[str, typer.Argument(help="its own identifier")],
    name: Annotated[str | None, typer.Option()] = None,
    rename: Annotated[str | None, typer.Option(help="its new identifier on the wire; history stays")] = None,
    profile: Annotated[str | None, typer.Option(help="slug; empty: none")] = None,
    site_: Annotated[str | None, typer.Option("--site", help="slug; empty: none")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="all of its tags, one option each")] = None,
    gateway: Annotated[
        str | None, typer.Option(help="identifier of the device through which it is heard; empty: none")
    ] = None,
    status: Annotated[str | None, typer.Option(help="active puts a retired device back")] = None,
    organisation: Organisation = "",
) -> None:
    """Change what is said of a device."""
    said = {"name": name, "external_id": rename, "profile": profile, "site": site_, "tags": tag, "status": status}
    said["gateway"] = gateway
    changes: dict[str, object] = {key: value for key, value in said.items() if value is not None}
    changes |= {key: None for key in ("profile", "site", "gateway") if changes.get(key) == ""}
    if not changes:
        raise ConfigurationInvalid("nothing to change (expected an option; see --help)")
    if status not in (None, "active", "retired"):
        raise ConfigurationInvalid(f"bad status: {status!r} (expected active or retired)")
    with _connection() as connection:
        row = device_changes.change_device(connection, None, _find(connection, device, organisation), changes)
    typer.echo(f"{row['external_id']}  {row['status']}  {row['profile'] or '-'}  {row['site'] or '-'}  {row['name']}")


@app.command()
def retire(devices: Devices, organisation: Organisation = "") -> None:
    """Take devices out of service: their history stays, what they send goes to quarantine."""
    with _connection() as connection:
        for device in devices:
            device_changes.change_device(
                connection, None, _find(connection, device, organisation), {"status": "retired"}
            )
    typer.echo(f"{len(devices)} devices retired")


@app.command()
def pending(organisation: Annotated[str | None, typer.Option(help="slug; unset: all")] = None) -> None:
    """List the devices that registered themselves and wait for a decision, the newest first."""
    with _connection() as connection:
        for row in device_changes.list_pending(connection, organisation=organisation):
            since = row["created_at"].isoformat(timespec="seconds")
            typer.echo(f"{row['organisation']}  {row['external_id']}  {row['source']}  {since}  {row['series']} series")


@app.command()
def confirm(
    devices: Annotated[list[str] | None, typer.Argument(help="their own identifiers; unset: with --all")] = None,
    all_: Annotated[bool, typer.Option("--all", help="all that wait, of the organisation and source")] = False,
    source: Annotated[str | None, typer.Option()] = None,
    organisation: Annotated[str | None, typer.Option(help="slug; unset: all")] = None,
) -> None:
    """Confirm devices that registered themselves, or that were refused before."""
    _decide(devices, source, organisation, everything=all_, confirmed=True)


@app.command()
def refuse(
    devices: Annotated[list[str] | None, typer.Argument(help="their own identifiers; unset: with --all")] = None,
    all_: Annotated[bool, typer.Option("--all", help="all that wait, of the organisation and source")] = False,
    source: Annotated[str | None, typer.Option()] = None,
    organisation: Annotated[str | None, typer.Option(help="slug; unset: all")] = None,
) -> None:
    """Refuse devices that registered themselves: they stay known, and what they send goes to quarantine."""
    _decide(devices, source, organisation, everything=all_, confirmed=False)


def _decide(
    devices: list[str] | None, source: str | None, organisation: str | None, *, everything: bool, confirmed: bool
) -> None:
    if bool(devices) == everything:
        raise ConfigurationInvalid("which devices? (expected their identifiers, or --all)")
    which = Decision(organisation=organisation, source=source, external_ids=devices or None)
    with _connection() as connection:
        changed = device_changes.decide_devices(connection, None, which, confirm=confirmed)
    typer.echo(f"{len(changed)} devices {'confirmed' if confirmed else 'refused'}")


def _tell(plan: Plan, *, dry_run: bool, as_json: bool) -> None:
    counts = {outcome: plan.count(outcome) for outcome in ("created", "changed", "unchanged")}
    if as_json:
        errors = [{"line": error.line, "detail": error.detail} for error in plan.errors]
        lines = {str(line): outcome for line, outcome in plan.outcomes.items()} if dry_run else {}
        written = not (plan.errors or dry_run)
        typer.echo(json.dumps({**counts, "written": written, "errors": errors, "lines": lines}))
        return
    if dry_run:
        for line, outcome in plan.outcomes.items():
            typer.echo(f"line {line}: {outcome}")
    for error in plan.errors[:_LINES_SHOWN]:
        typer.echo(f"line {error.line}: {error.detail}", err=True)
    if len(plan.errors) > _LINES_SHOWN:
        typer.echo(f"... and {len(plan.errors) - _LINES_SHOWN} more", err=True)
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    if plan.errors:
        typer.echo(f"nothing was written: {len(plan.errors)} lines are wrong ({said} otherwise)", err=True)
    else:
        typer.echo(f"nothing was written: {said}" if dry_run else said)


def _json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationInvalid(f"bad file: {str(path)!r} ({error})") from error
    if not isinstance(content, dict):
        raise ConfigurationInvalid(f"bad file: {str(path)!r} (expected a GeoJSON geometry)")
    return content  # pyright: ignore[reportUnknownVariableType]


def _find(connection: Connection, device: str, organisation: str) -> int:
    slug = organisation or load_settings().default_organisation
    found = register.find_devices(connection, [(slug, device)])
    if not found:
        raise NotFound(f"no device {device!r} of organisation {slug!r} (say which with --organisation)")
    return found[slug, device].device_id


def _connection() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-register")

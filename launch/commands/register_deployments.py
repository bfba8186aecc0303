"""`veldwatch register deployments`: which device is on which subject, in the course of time."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from veldwatch.command_line import moment_of
from veldwatch.config import load_settings
from veldwatch.errors import NotFound
from veldwatch.model.identifiers import DeviceId, SubjectId
from veldwatch.model.register import Subject
from veldwatch.storage import deployments, register
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.deployments import SubjectFilter

app = typer.Typer(no_args_is_help=True, help="Which device is on which subject: an animal, a service point, a pump.")

Device = Annotated[str, typer.Argument(help="its own identifier (external id)")]
OnSubject = Annotated[str, typer.Argument(help="the subject's slug")]
At = Annotated[str, typer.Option(help="ISO 8601, UTC where it names no offset; unset: now")]
Organisation = Annotated[str, typer.Option(help="slug; unset: the default organisation")]


@app.command("list")
def list_(
    device: Annotated[str | None, typer.Option()] = None,
    subject: Annotated[str | None, typer.Option()] = None,
    organisation: Organisation = "",
) -> None:
    """List deployments, newest first."""
    with _connection() as connection:
        slug = _slug(organisation)
        rows = deployments.list_deployments(
            connection,
            device_id=None if device is None else _device(connection, slug, device),
            subject_id=None if subject is None else deployments.find_subject(connection, None, subject, slug)["id"],
        )
    for row in rows:
        typer.echo(
            f"{row['id']:>7}  {row['device']:<24} {row['subject']:<24} {row['species'] or row['kind']:<24}"
            f" {_shown(row['since'])} to {_shown(row['until'])}"
        )


@app.command()
def subject(
    slug: str,
    kind: Annotated[str, typer.Option(help="animal, service_point, pump, vehicle ...")],
    name: Annotated[str, typer.Option(help="unset: the slug")] = "",
    species: Annotated[str | None, typer.Option(help="scientific name, or the common name of a known species")] = None,
    maximum_speed: Annotated[float | None, typer.Option(min=0.001, help="m/s; unset: its species'")] = None,
    organisation: Organisation = "",
) -> None:
    """Make a subject, or bring it to what is said."""
    with _connection() as connection:
        number = register.ensure_organisation(connection, _slug(organisation))
        register.ensure_subject(
            connection,
            Subject(
                organisation_id=number,
                slug=slug,
                name=name or slug,
                kind=kind,
                species=species,
                maximum_speed=maximum_speed,
            ),
        )
    typer.echo(f"subject {slug}")


@app.command()
def create(
    device: Device,
    subject: OnSubject,
    since: Annotated[str, typer.Option(help="ISO 8601; unset: ever since")] = "",
    until: Annotated[str, typer.Option(help="ISO 8601; unset: it lasts")] = "",
    organisation: Organisation = "",
) -> None:
    """Put a device on a subject during a time."""
    with _connection() as connection:
        device_id, subject_id = _pair(connection, _slug(organisation), device, subject)
        number = deployments.create_deployment(
            connection, device_id, subject_id, _time(since) if since else None, _time(until) if until else None
        )
    typer.echo(f"deployment {number}: {device} on {subject}")


@app.command()
def move(device: Device, subject: OnSubject, at: At = "", organisation: Organisation = "") -> None:
    """Put a device on another subject: a collar on another animal."""
    with _connection() as connection:
        device_id, subject_id = _pair(connection, _slug(organisation), device, subject)
        number = deployments.move_device(connection, device_id, subject_id, _time(at))
    typer.echo(f"deployment {number}: {device} on {subject}")


@app.command()
def exchange(
    device: Annotated[str, typer.Argument(help="the device that is there")],
    by: Annotated[str, typer.Argument(help="the device that takes its place")],
    subject: OnSubject,
    at: At = "",
    organisation: Organisation = "",
) -> None:
    """Put one device in another's place: a new meter at a service point."""
    with _connection() as connection:
        slug = _slug(organisation)
        old, subject_id = _pair(connection, slug, device, subject)
        new = _device(connection, slug, by)
        number = deployments.exchange_device(connection, old, new, subject_id, _time(at))
    typer.echo(f"deployment {number}: {by} on {subject}, in place of {device}")


@app.command()
def end(device: Device, at: At = "", organisation: Organisation = "") -> None:
    """Take a device off the subject that it is on."""
    with _connection() as connection:
        number = deployments.end_deployment(connection, _device(connection, _slug(organisation), device), _time(at))
    typer.echo(f"deployment {number} ended")


@app.command()
def remove(deployment: Annotated[int, typer.Argument(help="number, as `list` shows it")]) -> None:
    """Forget a deployment that never was."""
    with _connection() as connection:
        deployments.get_deployment(connection, None, deployment)
        deployments.delete_deployment(connection, deployment)
    typer.echo(f"removed deployment {deployment}")


@app.command()
def subjects(organisation: Annotated[str | None, typer.Option(help="slug; unset: all")] = None) -> None:
    """List subjects, with the devices that are on them now."""
    with _connection() as connection:
        for row in deployments.list_subjects(connection, None, SubjectFilter(organisation=organisation)):
            devices = ", ".join(each["device"] for each in row["devices"]) or "-"
            typer.echo(f"{row['organisation']}  {row['slug']:<24} {row['species'] or row['kind']:<28} {devices}")


def _pair(connection: Connection, organisation: str, device: str, subject: str) -> tuple[DeviceId, SubjectId]:
    found = deployments.find_subject(connection, None, subject, organisation)
    return _device(connection, organisation, device), SubjectId(found["id"])


def _device(connection: Connection, organisation: str, device: str) -> DeviceId:
    found = register.find_devices(connection, [(organisation, device)])
    if not found:
        raise NotFound(f"no device {device!r} of organisation {organisation!r} (say which with --organisation)")
    return found[organisation, device].device_id


def _slug(organisation: str) -> str:
    return organisation or load_settings().default_organisation


def _time(text: str) -> datetime:
    return moment_of("time", text) if text else datetime.now(UTC)


def _shown(moment: datetime | None) -> str:
    return "ever" if moment is None else moment.isoformat(timespec="seconds")


def _connection() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-register")

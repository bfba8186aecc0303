"""`veldwatch register profiles` and `veldwatch register species`."""

from pathlib import Path
from typing import Annotated

import typer

from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.register import Profile, Species
from veldwatch.storage import profiles
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.pool import Row
from veldwatch.storage.profiles import ProfileTarget
from veldwatch.wire.durations import format_duration
from veldwatch.wire.profile_document import bundled_profiles, read_profiles

app = typer.Typer(no_args_is_help=True, help="Kinds of devices: metrics, units, register widths, plausible ranges.")
species_app = typer.Typer(no_args_is_help=True, help="Kinds of animals, and how fast they can be.")


@app.command("list")
def list_(slug: Annotated[str | None, typer.Argument(help="show this one with its metrics")] = None) -> None:
    """List profiles, and how many devices have each."""
    with _connection() as connection:
        rows = profiles.list_profiles(connection) if slug is None else [profiles.get_profile(connection, None, slug)]
    for row in rows:
        interval = "-" if row["expected_interval"] is None else format_duration(row["expected_interval"])
        typer.echo(f"{row['slug']:<32} {row['kind']:<8} {interval:>6} {row['devices']:>7} devices  {row['name']}")
        if slug is not None:
            for metric in row["metrics"]:
                typer.echo(_metric(metric))


@app.command()
def load(
    files: Annotated[
        list[Path] | None, typer.Argument(help="YAML or JSON; unset: the profiles that come with us")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="slugs; unset: all of them")] = None,
) -> None:
    """Make profiles exactly what files say; series of their devices follow."""
    found = [profile for file in files or [] for profile in _read(file)] if files else bundled_profiles()
    chosen = [profile for profile in found if not only or profile.slug in only]
    missing = sorted(set(only or ()) - {profile.slug for profile in chosen})
    if missing:
        raise ConfigurationInvalid(f"no profile {', '.join(missing)} (there are {', '.join(p.slug for p in found)})")
    with _connection() as connection:
        for profile in chosen:
            profiles.replace_profile(connection, profile)
    typer.echo(f"{len(chosen)} profiles: {', '.join(profile.slug for profile in chosen)}")


@app.command()
def assign(
    slug: str,
    devices: Annotated[list[str] | None, typer.Argument(help="external ids; unset: all that the options name")] = None,
    source: Annotated[str | None, typer.Option(help="devices that came by this source")] = None,
    tag: Annotated[str | None, typer.Option(help="devices with this tag")] = None,
    organisation: Annotated[str | None, typer.Option(help="slug; unset: all")] = None,
    without_profile: Annotated[bool, typer.Option("--without-profile", help="only devices that have none")] = False,
) -> None:
    """Give a profile to devices; their series take kind, register width and, if they had none, unit from it."""
    if not (devices or source or tag or organisation):
        raise ConfigurationInvalid("which devices? (expected identifiers, --source, --tag or --organisation)")
    target = ProfileTarget(
        organisation=organisation,
        devices=tuple(devices) if devices else None,
        source=source,
        tag=tag,
        without_profile=without_profile,
    )
    with _connection() as connection:
        count = profiles.apply_profile(connection, slug, target)
    typer.echo(f"{count} devices are {slug}")


@app.command()
def remove(slug: str) -> None:
    """Forget a profile that no device has."""
    with _connection() as connection:
        profiles.delete_profile(connection, slug)
    typer.echo(f"removed {slug}")


@species_app.command("list")
def list_species() -> None:
    """List species with their highest speeds, and where those come from."""
    with _connection() as connection:
        for row in profiles.list_species(connection):
            speed = "-" if row["maximum_speed"] is None else f"{row['maximum_speed']:g} m/s"
            typer.echo(f"{row['name']:<28} {row['common_name']:<28} {speed:>8}  {row['source']}")


@species_app.command("set")
def set_species(
    name: Annotated[str, typer.Argument(help="scientific name")],
    maximum_speed: Annotated[float, typer.Option(min=0.001, help="m/s: nothing of it moves faster")],
    source: Annotated[str, typer.Option(help="where that comes from")],
    common_name: Annotated[str, typer.Option()] = "",
) -> None:
    """Say how fast a species can be; fixes are judged by it from now on, those of the past too."""
    species = Species(name=name, common_name=common_name, maximum_speed=maximum_speed, source=source)
    with _connection() as connection:
        profiles.ensure_species(connection, species)
    typer.echo(f"{name}: {maximum_speed:g} m/s")


def _read(file: Path) -> list[Profile]:
    try:
        return read_profiles(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"bad file: {str(file)!r} ({error})") from error


def _metric(metric: Row) -> str:
    wide = metric["register_modulus"]
    low, high = (("-" if metric[bound] is None else f"{metric[bound]:g}") for bound in ("minimum", "maximum"))
    register = "" if wide is None else f"  starts again at {wide:g}"
    return f"    {metric['metric']:<28} {metric['kind']:<8} {low} to {high} {metric['unit']}{register}"


def _connection() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-register")

"""`veldwatch sources`: see, change and try sources while the platform runs."""

import json
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from veldwatch.config import Source, load_settings
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage.connection import connect
from veldwatch.storage.previews import Trial, try_source
from veldwatch.storage.sources import (
    SourceCounts,
    count_by_source,
    get_source,
    list_sources,
    remove_source,
    save_source,
)
from veldwatch.wire.preview import Preview, quality_words
from veldwatch.wire.source_document import SourceDefinition, read_sources, source_text
from veldwatch.wire.sources import fault_of

app = typer.Typer(help="Which decoder reads which topics: see, change and try it.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="of a source")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]


@app.command("list")
def list_all(*, as_json: AsJson = False) -> None:
    """List the sources in the order in which they are asked, with their devices and what waits in quarantine."""
    settings = load_settings()
    with connect(settings.dsn) as connection:
        edited, counts = list_sources(connection), count_by_source(connection)
    names = {each.source.name for each in edited}
    rows = [_row(each.source, each.priority, enabled=each.enabled) for each in edited]
    rows += [_row(source, None, enabled=True) for source in settings.sources if source.name not in names]
    for row in rows:
        row.update(counts.get(row["name"], SourceCounts())._asdict())
    if as_json:
        typer.echo(json.dumps({"sources": rows}, indent=2, ensure_ascii=False, default=_iso))
        return
    for row in rows:
        place = "settings" if row["priority"] is None else f"{row['priority']:>8}"
        off = ("" if row["enabled"] else "  (off)") + (f"  cannot work: {row['fault']}" if row["fault"] else "")
        typer.echo(
            f"{place}  {row['name']:<20} {row['topic_filter']:<36} {row['decoder']:<12}"
            f" {row['devices']:>6} devices {row['waiting']:>6} in quarantine{off}"
        )


@app.command()
def show(name: Name) -> None:
    """Print a source as `apply` takes it."""
    settings = load_settings()
    with connect(settings.dsn) as connection:
        try:
            found = get_source(connection, name).definition
        except NotFound:
            configured = next((source for source in settings.sources if source.name == name), None)
            if configured is None:
                raise
            found = SourceDefinition(**configured.model_dump())
            typer.echo("# of the settings; applied, it would be the database's", err=True)
    typer.echo(source_text(found), nl=False)


@app.command()
def apply(
    files: Annotated[list[Path], typer.Argument(help="YAML or JSON: one source, a list, or `sources:` and a list")],
    author: Annotated[str, typer.Option(help="who stands beside the change")] = "command line",
) -> None:
    """Store the sources of files, all or none; ingest works by them within seconds."""
    sources = [source for path in files for source in _read(path)]
    with connect(load_settings().dsn) as connection, connection.transaction():
        for each in sources:
            changed = save_source(connection, each.source, author, priority=each.priority, enabled=each.enabled)
            typer.echo(f"{each.name}: {'stored' if changed else 'as it was'}")


@app.command()
def remove(name: Name) -> None:
    """Forget a source of the database; one of the settings with its name is asked again."""
    with connect(load_settings().dsn) as connection:
        remove_source(connection, name)
    typer.echo(f"{name}: removed")


@app.command("try")
def try_one(
    name: Annotated[str | None, typer.Argument(help="of a source; none: the one that takes the topic")] = None,
    topic: Annotated[str | None, typer.Option(help="of the message; none: one that the source takes")] = None,
    file: Annotated[Path | None, typer.Option(help="the source is defined here, and need not be stored")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell what would be stored of a message, whose payload is standard input; nothing is stored.

    Exit code 1: it, or a part of it, would go to quarantine.
    """
    settings = load_settings()
    source = name if file is None else _one_of(_read(file), name, file)
    payload = sys.stdin.buffer.read()
    trial = Trial(source=source, topic=topic, payload=payload, received_at=datetime.now(UTC))
    # A definition in a file can be tried before there is a database.
    alone = file is not None and not settings.dsn
    with nullcontext() if alone else connect(settings.dsn) as connection:
        preview = try_source(connection, settings, trial)
    if as_json:
        typer.echo(json.dumps(preview.document(), indent=2, ensure_ascii=False, default=_iso))
    else:
        for line in preview_lines(preview):
            typer.echo(line)
    raise typer.Exit(1 if preview.rejections else 0)


def preview_lines(preview: Preview) -> list[str]:
    """Write a preview for a person."""
    lines = [f"warning   {warning}" for warning in preview.warnings]
    if preview.source is not None:
        lines.append(f"source    {preview.source} ({preview.decoder}), organisation {preview.organisation or '-'}")
    lines += [f"device    {device}  {_STATES.get(state, state)}".rstrip() for device, state in preview.devices]
    if preview.online is not None:
        lines.append(f"status    {'online' if preview.online else 'offline'}")
    lines += [
        f"reading   {reading.device}  {reading.metric} = {reading.value!r} {reading.unit or ''}".rstrip()
        + _when(reading.observed_at, reading.quality)
        for reading in preview.readings
    ]
    lines += [
        f"position  {position.device}  {position.longitude!r}, {position.latitude!r}"
        + _parts(position._asdict())
        + _when(position.observed_at, position.quality)
        for position in preview.positions
    ]
    lines += [
        f"event     {event.device}  {event.kind} {event.attributes}" + _when(event.observed_at, 0)
        for event in preview.events
    ]
    lines += [f"rejected  {each.reason.value}: {each.detail}" for each in preview.rejections]
    lines.append(_OUTCOMES[preview.outcome])
    return lines


_STATES = {
    "new": "is not registered: it would be",
    "unknown": "is not registered, and the source may not register it",
    "not_checked": "",
    "retired": "is retired: its messages go to quarantine",
    "refused": "was refused: its messages go to quarantine",
    "pending": "is registered as pending",
    "active": "is registered",
}
_OUTCOMES = {
    "stored": "all of it would be stored",
    "stored_in_part": "a part would be stored, and the message would be in quarantine for the rest",
    "quarantined": "nothing would be stored: the message would be in quarantine",
}
_PART_UNITS = {"altitude": "m", "accuracy": "m", "speed": "m/s", "heading": "deg"}


def _parts(position: dict[str, Any]) -> str:
    return "".join(
        f"  {name} {position[name]:g} {unit}" for name, unit in _PART_UNITS.items() if position[name] is not None
    )


def _when(moment: datetime, quality: int) -> str:
    words = quality_words(quality)
    return f"  at {moment.isoformat()}" + (f"  ({', '.join(words)})" if words else "")


def _row(source: Source, priority: int | None, *, enabled: bool) -> dict[str, Any]:
    said = source.model_dump(mode="json", include=set(Source.model_fields))
    return {"priority": priority, "enabled": enabled, **said, "fault": fault_of(source)}


def _read(path: Path) -> list[SourceDefinition]:
    try:
        return read_sources(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"bad file {str(path)!r}: {error}") from error
    except ConfigurationInvalid as error:
        raise ConfigurationInvalid(f"bad file {str(path)!r}: {error}") from error


def _one_of(sources: list[SourceDefinition], name: str | None, path: Path) -> SourceDefinition:
    found = [source for source in sources if name in (None, source.name)]
    if len(found) != 1:
        names = ", ".join(source.name for source in sources)
        raise ConfigurationInvalid(f"bad SOURCE: {name!r} (expected one of those in {str(path)!r}: {names})")
    return found[0]


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

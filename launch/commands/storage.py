"""`veldwatch storage`: what the database takes, and whether its upkeep goes well."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from veldwatch.command_line import shown
from veldwatch.config import load_settings
from veldwatch.storage.connection import connect
from veldwatch.storage.storage_status import DividedTable, StorageStatus, Upkeep, is_unwell, tell_storage

app = typer.Typer(help="What the database takes, and how its upkeep goes.", no_args_is_help=True)

_SECOND = timedelta(seconds=1)
_STEP = 1024


@app.callback()
def _group() -> None:
    """Commands of their own, also while there is but one."""


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False) -> None:
    """Show sizes, bytes per reading, months or chunks, and jobs; exit code 1 if a job fails or is late."""
    with connect(load_settings().dsn, application="veldwatch-storage", autocommit=True) as connection:
        told = tell_storage(connection)
    if as_json:
        typer.echo(json.dumps(_document(told)))
    else:
        _print(told)
    raise typer.Exit(1 if any(is_unwell(work) for work in told.upkeep) else 0)


def _document(told: StorageStatus) -> dict[str, object]:
    divided = [
        asdict(table)
        | {
            "began": table.began.isoformat(),
            "ended": table.ended.isoformat(),
            "bytes_per_row": table.bytes_per_row,
            "compressed_bytes_per_row": table.compressed_bytes_per_row,
        }
        for table in told.divided
    ]
    upkeep = [
        asdict(work)
        | {
            "last_success_at": None if work.last_success_at is None else work.last_success_at.isoformat(),
            "late_by": None,
            "late_seconds": None if work.late_by is None else work.late_by / _SECOND,
        }
        for work in told.upkeep
    ]
    for row in upkeep:
        del row["late_by"]
    return {
        "server": str(told.server),
        "bytes": told.bytes,
        "divided": divided,
        "whole": [asdict(table) for table in told.whole],
        "upkeep": upkeep,
    }


def _print(told: StorageStatus) -> None:
    typer.echo(f"{told.server}: {_size(told.bytes)}")
    heads = ("table", "rows", "size", "bytes/row", "parts", "compressed", "bytes/row then", "from", "to")
    _table(heads, [_line(table) for table in told.divided])
    typer.echo("")
    _table(("table", "rows", "size"), [(one.table_name, f"{one.rows:,}", _size(one.bytes)) for one in told.whole])
    typer.echo("")
    heads = ("upkeep", "last done", "late by", "failures")
    _table(heads, [_upkeep_line(work) for work in told.upkeep])


def _line(table: DividedTable) -> Sequence[str]:
    return (
        table.table_name,
        f"{table.rows:,}",
        _size(table.bytes),
        _number(table.bytes_per_row),
        str(table.parts),
        str(table.compressed_parts),
        _number(table.compressed_bytes_per_row),
        f"{table.began:%Y-%m-%d}",
        f"{table.ended:%Y-%m-%d}",
    )


def _upkeep_line(work: Upkeep) -> Sequence[str]:
    late = timedelta(seconds=round((work.late_by or timedelta(0)) / _SECOND))
    return (
        work.work,
        "never" if work.last_success_at is None else shown(work.last_success_at),
        f"{late} !" if is_unwell(work) else str(late),
        "-" if work.failures is None else f"{work.failures}{' (the last run failed)' if work.is_failing else ''}",
    )


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    rows = [heads, *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    for row in rows:
        first, *rest = zip(row, widths, strict=True)
        typer.echo("  ".join([f"{first[0]:<{first[1]}}", *(f"{text:>{width}}" for text, width in rest)]).rstrip())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < _STEP:
            return f"{count:.1f} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= _STEP
    return f"{count:.1f} TiB"

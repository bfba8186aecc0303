"""How far an import is: a bar where somebody looks on, else a line now and then; both on standard error."""

import sys
import time
from collections.abc import Iterable

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.imports.job import ImportReport

_LINE_EVERY_SECONDS = 5.0


def follow(reports: Iterable[ImportReport]) -> ImportReport:
    """Run an import to its end, telling how far it is; give the last report."""
    return _bar(reports) if sys.stderr.isatty() else _lines(reports)


def sentence(report: ImportReport) -> str:
    """Say what came of a file."""
    stored = report.stored
    behind = f", behind {report.behind} rows of an earlier run" if report.behind else ""
    return (
        f"{report.rows} rows: {stored.readings} new readings, {stored.positions} new fixes, "
        f"{stored.quarantined} in quarantine{behind}"
    )


def _bar(reports: Iterable[ImportReport]) -> ImportReport:
    report, began, told = ImportReport(), time.monotonic(), False
    bar = Progress(
        BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.description}"), TimeRemainingColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=1.0)
        for report in reports:
            told = told or _say_beginning(report)
            bar.update(task, completed=report.share, description=_figures(report, began))
    return report


def _lines(reports: Iterable[ImportReport]) -> ImportReport:
    report, began, said = ImportReport(), time.monotonic(), False
    told = began
    for report in reports:
        said = said or _say_beginning(report)
        now = time.monotonic()
        if now - told >= _LINE_EVERY_SECONDS:
            told = now
            left = (now - began) / report.share * (1 - report.share) if report.share > 0 else 0
            typer.echo(f"{report.share:4.0%}  {_figures(report, began)}, {left:.0f} s left", err=True)
    return report


def _say_beginning(report: ImportReport) -> bool:
    """Say where an import begins; True: it is said, once for all."""
    if report.changed:
        typer.echo("the file is not what an earlier run read: it is imported from its beginning", err=True)
    elif report.behind:
        typer.echo(f"going on behind {report.behind} rows of an earlier run (--restart begins anew)", err=True)
    return True


def _figures(report: ImportReport, began: float) -> str:
    rate = report.rows / max(time.monotonic() - began, 0.001)
    return f"{report.rows} rows, {rate:.0f} rows/s, {report.stored.quarantined} in quarantine"

"""`veldwatch score`: how good the alerts are, by faults that are known."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from rules.scorecard import baseline as rolling_median
from rules.scorecard.comparison import drops, read_kept
from rules.scorecard.labels import ANOMALY, LabelFormat, check_kind
from rules.scorecard.picture import draw
from rules.scorecard.question import GRACE, Question
from rules.scorecard.report import lines, markdown
from veldwatch.command_line import duration_of, moment_of
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage.connection import connect
from veldwatch.wire.local_times import read_zone


def score(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    since: Annotated[str, typer.Option("--from", help="ISO 8601; none: the first thing that was observed")] = "",
    until: Annotated[str, typer.Option("--to", help="ISO 8601; none: the last")] = "",
    organisation: Annotated[str, typer.Option(help="slug of the one that is scored; none: all")] = "",
    rules: Annotated[
        list[str] | None, typer.Option(help="back-test these rule files or packs; none: the alerts on record")
    ] = None,
    grace: Annotated[
        str, typer.Option(help="how long after a fault's end an alert is still its; 24h, with --truth 0s")
    ] = "",
    run: Annotated[int, typer.Option(help="only faults of this run of the simulators; 0: of every one")] = 0,
    truth: Annotated[
        list[Path] | None, typer.Option(help="labels in place of simulated truth: CSV, or JSON of windows")
    ] = None,
    device: Annotated[str, typer.Option(help="labels: the device that they are for, where no column says")] = "",
    device_column: Annotated[str, typer.Option(help="labels: names the device")] = "",
    kind: Annotated[str, typer.Option(help="labels: kind of fault, where no column says")] = ANOMALY,
    label_column: Annotated[
        str, typer.Option(help="labels: a row is a point, labelled or not by this column; none: rows are windows")
    ] = "",
    time_column: Annotated[str, typer.Option(help="labels: when each point was")] = "time",
    time_zone: Annotated[str, typer.Option(help="labels: of times without an offset, like Africa/Nairobi")] = "",
    delimiter: Annotated[str, typer.Option(help="labels: between cells, one character")] = ",",
    merge: Annotated[str, typer.Option(help="labels: windows no further apart than this are one")] = "0s",
    baseline: Annotated[str, typer.Option(help="a detector to compare with: rolling-median")] = "",
    picture: Annotated[Path | None, typer.Option(help="write a picture (SVG) there")] = None,
    against: Annotated[
        Path | None, typer.Option(help="what --json printed before: exit code 1 where something has become worse")
    ] = None,
    *,
    contacts_as_observed: Annotated[
        bool,
        typer.Option(
            "--contacts-as-observed", help="back-tests: devices were heard when they observed; for imports, back-fills"
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="print tables for a document")] = False,
) -> None:
    """Compare alerts with faults that are known: delay, precision, recall, false alarms; nothing is stored."""
    labelled = bool(truth)
    form = LabelFormat(
        device=device,
        kind=check_kind(kind),
        organisation=organisation or None,
        time_column=time_column,
        label_column=label_column,
        device_column=device_column,
        delimiter=_delimiter(delimiter),
        merge=duration_of("--merge", merge),
        zone=read_zone(time_zone),
    )
    if baseline not in ("", rolling_median.NAME):
        raise ConfigurationInvalid(f"bad --baseline: {baseline!r} (expected {rolling_median.NAME})")
    if contacts_as_observed and not rules:
        raise ConfigurationInvalid("bad --contacts-as-observed: nothing is back-tested (say which --rules)")
    kept = None if against is None else read_kept(against)
    question = Question(
        since=moment_of("--from", since) if since else None,
        until=moment_of("--to", until) if until else None,
        organisation=organisation or None,
        rules=tuple(rules or ()),
        grace=duration_of("--grace", grace) if grace else timedelta(0) if labelled else GRACE,
        truth=tuple(truth or ()),
        form=form,
        run=run or None,
        with_baseline=bool(baseline),
        contacts_as_observed=contacts_as_observed,
    )
    with connect(load_settings().dsn) as connection:
        report = question.answer(connection)
    if picture is not None:
        picture.write_text(draw(report.figures), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(report.document(), indent=2, ensure_ascii=False))
    else:
        for line in markdown(report) if as_markdown else lines(report):
            typer.echo(line)
    if kept is not None:
        worse = list(drops(kept, report.document()))
        for line in worse:
            typer.echo(f"worse: {line}", err=True)
        raise typer.Exit(1 if worse else 0)


def _delimiter(text: str) -> str:
    if len(text) != 1 or text in '"\r\n':
        raise ConfigurationInvalid(f"bad --delimiter: {text!r} (expected one character)")
    return text

"""`veldwatch score`: how good the alerts are, by faults that are known."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from rules.postgres_store import PostgresStore
from rules.rule_files import pack_path, read_rules
from rules.scorecard import baseline as rolling_median
from rules.scorecard.figures import Figures, figures_of
from rules.scorecard.gathering import Gathered, Scope, backtested, read_scope, recorded, simulated_truth
from rules.scorecard.labels import ANOMALY, LabelFormat, check_kind, read_labels
from rules.scorecard.matching import match
from rules.scorecard.occurrences import Occurrence, Stretch
from rules.scorecard.picture import draw
from rules.scorecard.report import Report, lines
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.watched import Watched
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.scorecard import evidence, extent
from veldwatch.wire.durations import parse_duration
from veldwatch.wire.local_times import read_zone

_GRACE = timedelta(hours=24)
"""A leak that ends at noon may be told at midnight: rules that wait for a quiet night fire after the fault is over."""


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
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
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
        merge=_duration("--merge", merge, timedelta(0)),
        zone=read_zone(time_zone),
    )
    if baseline not in ("", rolling_median.NAME):
        raise ConfigurationInvalid(f"bad --baseline: {baseline!r} (expected {rolling_median.NAME})")
    question = _Question(
        since=_moment("--from", since),
        until=_moment("--to", until),
        organisation=organisation or None,
        rules=tuple(rules or ()),
        grace=_duration("--grace", grace, timedelta(0) if labelled else _GRACE),
        truth=tuple(truth or ()),
        form=form,
        run=run or None,
        with_baseline=bool(baseline),
    )
    with connect(load_settings().dsn) as connection:
        report = question.answer(connection)
    if picture is not None:
        picture.write_text(draw(report.figures), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(report.document(), indent=2, ensure_ascii=False))
        return
    for line in lines(report):
        typer.echo(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What is to be scored.

    Attributes:
        rules: files or packs to back-test; empty: the alerts on record.
        truth: files of labels; empty: what was simulated.
    """

    since: datetime | None
    until: datetime | None
    organisation: str | None
    rules: Sequence[str]
    grace: timedelta
    truth: Sequence[Path]
    form: LabelFormat
    run: int | None
    with_baseline: bool

    def answer(self, connection: Connection) -> Report:
        """Score it."""
        labels = read_labels(self.truth, self.form) if self.truth else None
        chosen = [rule for name in self.rules for rule in read_rules(pack_path(name))]
        scope = Scope(organisation=self.organisation, devices=labels.devices if labels else frozenset())
        watched = read_scope(connection, scope)
        stretch = self._stretch(connection, watched)
        gathered = (
            backtested(connection, watched, chosen, stretch)
            if chosen
            else recorded(connection, watched, scope, stretch)
        )
        occurrences = (
            labels.occurrences
            if labels
            else simulated_truth(connection, self.organisation, stretch.since, stretch.until, self.run)
        )
        matching = match(occurrences, gathered.firings, gathered.detectors, stretch)
        ids = [one.id for one in watched.devices]
        return Report(
            figures=figures_of(matching, gathered.detectors, stretch),
            alerts_from="back-tested" if chosen else "recorded",
            truth_from=[path.name for path in self.truth] or ["simulated"],
            registered=len(ids),
            evidence=evidence(connection, ids, stretch.since, stretch.until),
            refused=gathered.refused,
            baseline=_baseline(connection, gathered, occurrences, stretch) if self.with_baseline else None,
        )

    def _stretch(self, connection: Connection, watched: Watched) -> Stretch:
        found = extent(connection, [one.id for one in watched.devices])
        if found is None and (self.since is None or self.until is None):
            raise ConfigurationInvalid("nothing to score: no device has a reading or a fix (say --from and --to)")
        first, last = found or (self.since, self.until)
        since = self.since or first
        until = self.until or (last and last + timedelta(microseconds=1))
        assert since is not None  # noqa: S101  # one of the two is given
        assert until is not None  # noqa: S101  # as above
        if until <= since:
            raise ConfigurationInvalid(f"bad --to: {until.isoformat()} (expected after {since.isoformat()})")
        return Stretch(since=since, until=until, grace=self.grace)


def _baseline(
    connection: Connection, gathered: Gathered, occurrences: Sequence[Occurrence], stretch: Stretch
) -> Figures:
    store = PostgresStore(connection=connection, until=stretch.until)
    targets = [target for listed in gathered.targets.values() for target in listed]
    detector, firings = rolling_median.run_baseline(store, targets)
    return figures_of(match(occurrences, firings, [detector], stretch), [detector], stretch)


def _moment(option: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {text!r} (expected ISO 8601: 2026-11-22T10:00:00Z)") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _duration(option: str, text: str, default: timedelta) -> timedelta:
    try:
        return parse_duration(text) if text else default
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {error}") from error


def _delimiter(text: str) -> str:
    if len(text) != 1 or text in '"\r\n':
        raise ConfigurationInvalid(f"bad --delimiter: {text!r} (expected one character)")
    return text

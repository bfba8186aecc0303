"""Labelled data sets of others, scored through the real path: import, back-test, score; a slice of each.

The rules are plain thresholds. What they find is worked out here a second time, from the rows as they stand:
an alert fires at the first row of a run beyond the limit, and is true if that row is labelled and no earlier alert was
of the same run of labels.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.integration.rules.scoring import Commands


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A table with a column of labels, the column that a rule looks at, and its limit."""

    path: str
    rows: slice
    time: str
    label: str
    labels: tuple[str, ...]
    metric: str
    above: float

    def table(self, samples: Path) -> tuple[list[str], list[list[str]]]:
        with (samples / self.path).open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        return header, rows[self.rows]


SAMPLES = {
    "gecco": Sample(
        path="gecco-water-quality/slice_5days.csv",
        rows=slice(4000, 5500),
        time="Time",
        label="EVENT",
        labels=("EVENT",),
        metric="Leit",
        above=213.0,
    ),
    "skab": Sample(
        path="skab/valve1_00.csv",
        rows=slice(None),
        time="datetime",
        label="anomaly",
        labels=("anomaly", "changepoint"),
        metric="Current",
        above=1.3,
    ),
    "wntr": Sample(
        path="wntr-leaks/hanoi_scenario_2.csv",
        rows=slice(0, 2000),
        time="timestamp",
        label="leak_label",
        labels=("leak_m3h_truth", "leak_label"),
        metric="inflow_m3h",
        above=3300.0,
    ),
}


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def above(metric: str, limit: float) -> dict[str, Any]:
    return {
        "id": "sample.rule",
        "title": metric,
        "severity": "minor",
        "condition": {"kind": "threshold", "metric": metric, "above": limit},
    }


def expected(values: Sequence[float], labelled: Sequence[bool], limit: float) -> dict[str, int]:
    """Work out what a threshold finds."""
    run_of: list[int | None] = []
    for number, (flag, run) in enumerate(groupby(labelled)):
        run_of += [number if flag else None] * len(list(run))
    fired = [row for row, value in enumerate(values) if value > limit and (row == 0 or not values[row - 1] > limit)]
    found = {run_of[row] for row in fired} - {None}
    return {
        "injected": len(set(run_of) - {None}),
        "detected": len(found),
        "true": len(found),
        "false": sum(run_of[row] is None for row in fired),
        "repeated": sum(run_of[row] is not None for row in fired) - len(found),
    }


def imported(cli: Commands, path: str, *options: str) -> None:
    result = cli.run("import", "csv", path, "--organisation", "samples", "--time-zone", "UTC", *options)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", SAMPLES)
def test_a_labelled_table_is_scored_as_worked_out_from_its_rows(cli: Commands, samples: Path, name: str) -> None:
    sample = SAMPLES[name]
    header, rows = sample.table(samples)
    kept = [number for number, column in enumerate(header) if column not in sample.labels]
    bare = write(cli.folder / "bare.csv", [header[n] for n in kept], [[row[n] for n in kept] for row in rows])
    imported(cli, bare, "--device", name, "--time-column", sample.time, "--value", f"{sample.metric}={sample.metric}")
    labels = write(cli.folder / "labels.csv", header, rows)
    document = cli.score(
        *("--rules", cli.rules(above(sample.metric, sample.above)), "--truth", labels, "--device", name),
        *("--time-column", sample.time, "--label-column", sample.label, "--time-zone", "UTC"),
        *("--baseline", "rolling-median"),
    )
    values = [float(row[header.index(sample.metric)]) for row in rows]
    labelled = [float(row[header.index(sample.label)]) > 0 for row in rows]
    worked_out = expected(values, labelled, sample.above)
    assert {part: document["overall"][part] for part in worked_out} == worked_out
    assert document["readings"] == len(rows)
    assert worked_out["true"] + worked_out["false"] > 0
    assert document["baseline"]["overall"]["injected"] == worked_out["injected"]


def test_windows_that_others_made_of_labels_are_those_that_we_make(cli: Commands, samples: Path) -> None:
    folder = samples / "gecco-water-quality"
    sample = SAMPLES["gecco"]
    header, rows = sample.table(samples)
    bare = write(cli.folder / "bare.csv", header[:-1], [row[:-1] for row in rows])
    imported(cli, bare, "--device", "gecco", "--time-column", "Time", "--value", "Leit=Leit")
    asked = ["--rules", cli.rules(above("Leit", sample.above)), "--device", "gecco", "--time-zone", "UTC"]
    by_points = cli.score(
        *asked, "--truth", str(folder / "slice_5days.csv"), "--time-column", "Time", "--label-column", "EVENT"
    )
    by_windows = cli.score(*asked, "--truth", str(folder / "slice_events.json"))
    parts = ("overall", "kinds", "misses", "false_alarms")
    assert {part: by_points[part] for part in parts} == {part: by_windows[part] for part in parts}
    assert by_points["overall"]["injected"] > 0


def test_the_numenta_benchmark_is_scored_by_its_windows(cli: Commands, samples: Path) -> None:
    folder = samples / "nab"
    windows = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    for path in folder.glob("*.csv"):
        device = path.stem.partition("__")[2]
        imported(cli, str(path), "--device", device, "--time-column", "timestamp", "--value", "value=value")
    asked = ["--rules", cli.rules(above("value", 80.0)), "--truth", str(folder / "windows.json"), "--time-zone", "UTC"]
    document = cli.score(*asked)
    assert document["devices"] == len(windows)
    assert document["overall"]["injected"] == sum(len(listed) for listed in windows.values())
    overall = document["overall"]
    assert overall["true"] + overall["false"] + overall["repeated"] == overall["alerts"] > 0
    one = cli.score(*asked, "--device", "art_daily_jumpsup")
    assert (one["devices"], one["overall"]["injected"]) == (1, 1)
    flat = cli.score(*asked, "--device", "art_flatline", "--baseline", "rolling-median")
    assert (flat["overall"]["injected"], flat["overall"]["recall"]) == (0, None)
    assert flat["baseline"]["overall"]["alerts"] == 0

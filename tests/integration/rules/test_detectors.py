"""Detectors that learn what is usual, on labelled sets of others, through the real path: import, back-test, score.

Of each set: events found at least as often as by a rolling median of 12 MAD, and fewer false alarms, or none where that
has none.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.rules.scoring import Commands

DETECTORS = Path(__file__).parents[3] / "docs/how-to/detectors"


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Tables of one kind.

    Attributes:
        labels: columns that say what is to be found; the first is scored.
        recall: of all files together, at least.
    """

    files: str
    rules: str
    time: str
    labels: tuple[str, ...] = ()
    metrics: tuple[str, ...]
    kind: str = "anomaly"
    recall: float


_RIG = ("Accelerometer1RMS", "Accelerometer2RMS", "Current", "Pressure", "Temperature", "Thermocouple", "Voltage")
SETS = {
    "nab": Labelled(files="nab/*__*.csv", rules="any-series.yaml", time="timestamp", metrics=("value",), recall=1.0),
    "skab": Labelled(
        files="skab/[ov]*.csv",
        rules="test-rig.yaml",
        time="datetime",
        labels=("anomaly", "changepoint"),
        metrics=(*_RIG, "VolumeFlowRate"),
        recall=1.0,
    ),
    "gecco": Labelled(
        files="gecco-water-quality/*.csv",
        rules="water-quality.yaml",
        time="Time",
        labels=("EVENT",),
        metrics=("Tp", "Cl", "pH", "Redox", "Leit", "Trueb", "Cl_2", "Fm", "Fm_2"),
        kind="contamination",
        recall=1.0,
    ),
    "wntr": Labelled(
        files="wntr-leaks/hanoi*.csv",
        rules="district-inflow.yaml",
        time="timestamp",
        labels=("leak_label", "leak_m3h_truth"),
        metrics=("inflow_m3h",),
        kind="burst",
        recall=1.0,
    ),
}


def without_labels(path: Path, labels: Sequence[str], folder: Path) -> str:
    """Copy a table without what says where the anomalies are."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    kept = [number for number, column in enumerate(header) if column not in labels]
    bare = folder / f"bare_{path.name}"
    with bare.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[row[number] for number in kept] for row in (header, *rows)])
    return str(bare)


def scores(cli: Commands, samples: Path, labelled: Labelled) -> Iterator[dict[str, Any]]:
    """Import and score each table of a set."""
    for path in sorted(samples.glob(labelled.files)):
        device = path.stem.partition("__")[2] or path.stem
        result = cli.run(
            *("import", "csv", without_labels(path, labelled.labels, cli.folder), "--organisation", "samples"),
            *("--time-zone", "UTC", "--device", device, "--time-column", labelled.time),
            *(part for metric in labelled.metrics for part in ("--value", f"{metric}={metric}")),
        )
        assert result.exit_code == 0, result.output
        truth = (
            ("--truth", str(path), "--time-column", labelled.time, "--label-column", labelled.labels[0])
            if labelled.labels
            else ("--truth", str(path.parent / "windows.json"))
        )
        yield cli.score(
            *("--rules", str(DETECTORS / labelled.rules), *truth, "--device", device, "--kind", labelled.kind),
            *("--time-zone", "UTC", "--baseline", "rolling-median"),
        )


@pytest.mark.parametrize("name", SETS)
def test_a_detector_finds_more_and_wakes_less_than_a_rolling_median(cli: Commands, samples: Path, name: str) -> None:
    documents = list(scores(cli, samples, SETS[name]))
    ours = [document["overall"] for document in documents]
    theirs = [document["baseline"]["overall"] for document in documents]
    injected = sum(one["injected"] for one in ours)
    found, by_median = (sum(one["detected"] for one in each) for each in (ours, theirs))
    alarms, of_median = (sum(one["false"] for one in each) for each in (ours, theirs))
    table = json.dumps({"ours": [found, alarms], "rolling median": [by_median, of_median], "injected": injected})
    assert injected > 0
    assert found >= SETS[name].recall * injected, table
    assert found >= by_median, table
    assert alarms < of_median or alarms == of_median == 0, table

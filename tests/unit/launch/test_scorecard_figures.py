import copy
import json
from pathlib import Path
from typing import Any

from launch.scorecard.cases import CASES, SMALL
from launch.scorecard.figures import drops, table

DOCS = Path(__file__).parents[3] / "docs"
KEPT: dict[str, Any] = json.loads((DOCS / "scorecard.json").read_text(encoding="utf-8"))
FULL = [KEPT[case.name] for case in CASES]


def changed(kind: str, **figures: object) -> dict[str, Any]:
    document = copy.deepcopy(KEPT[SMALL.name])
    next(each for each in document["kinds"] if each["kind"] == kind).update(figures)
    return document


def test_every_case_is_kept_with_the_packs_that_it_has() -> None:
    assert {name: (kept["days"], kept["packs"]) for name, kept in KEPT.items()} == {
        case.name: (case.days, list(case.packs)) for case in (*CASES, SMALL)
    }


def test_the_page_shows_what_is_kept() -> None:
    assert (DOCS / "scorecard.md").read_text(encoding="utf-8").endswith("\n" + table(FULL))


def test_what_is_kept_is_no_worse_than_itself() -> None:
    assert [complaint for kept in KEPT.values() for complaint in drops(kept, kept)] == []


def test_a_drop_is_told_with_its_case() -> None:
    kept = changed("leak", recall=1.0)
    (told,) = drops(kept, changed("leak", recall=0.0))
    assert told == "region, 3 days, Leak behind a meter: recall fell from 1.00 to 0.00"


def test_other_faults_than_those_that_are_kept_are_told() -> None:
    (told,) = drops(KEPT[SMALL.name], changed("leak", injected=99))
    assert told.startswith("region, 3 days, leak: 99 injected, kept are ")


def test_more_false_alarms_are_a_drop() -> None:
    fresh = copy.deepcopy(KEPT[SMALL.name])
    fresh["overall"]["false_alarms_per_device_week"] += 1.0
    (told,) = drops(KEPT[SMALL.name], fresh)
    assert "false alarms per device-week rose" in told


def test_a_rise_is_no_drop() -> None:
    assert list(drops(KEPT[SMALL.name], changed("leak", recall=1.0, precision=1.0))) == []

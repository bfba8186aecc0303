"""The bundled packs are as good on the bundled scenarios as `docs/scorecard.json` says: a drop fails here."""

import json
from pathlib import Path
from typing import Any

import pytest

from launch.scorecard.cases import CASES, SMALL, Case
from launch.scorecard.figures import document_of, drops
from launch.scorecard.scoring import score_case
from veldwatch.config import Settings

KEPT: dict[str, Any] = json.loads((Path(__file__).parents[3] / "docs" / "scorecard.json").read_text(encoding="utf-8"))


def hold_against_kept(dsn: str, case: Case) -> None:
    fresh = document_of(case, score_case(Settings(dsn=dsn), case))
    assert list(drops(KEPT[case.name], fresh)) == []


def test_three_days_of_the_region_are_told_no_worse_than_before(dsn: str) -> None:
    hold_against_kept(dsn, SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_whole_scorecard_is_no_worse_than_before(dsn: str, case: Case) -> None:
    hold_against_kept(dsn, case)

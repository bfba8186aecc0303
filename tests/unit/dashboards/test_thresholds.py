"""Limits that panels draw come from rule packs."""

from pathlib import Path

import pytest

from dashboards.thresholds import PACKS, limits, pack_rules
from tests.unit.dashboards.committed import models, panels
from veldwatch.model.conditions.values import Threshold

PACK = """
rules:
- {id: a.high, title: High, severity: minor, condition: {kind: threshold, metric: flow_rate, above: 1500}}
- {id: a.range, title: Range, severity: critical, condition: {kind: threshold, metric: level, outside: [0.5, 4.0]}}
- {id: a.silent, title: Silent, severity: major, condition: {kind: absence, silent_for: 2h}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pack.yaml").write_text(PACK, encoding="utf-8")
    return tmp_path


def test_a_limit_is_converted_to_the_panels_unit(folder: Path) -> None:
    (limit,) = limits({"flow_rate": 0.001}, folder)
    assert (limit.value, limit.severity, limit.rule) == (1.5, "minor", "a.high")


def test_a_range_gives_both_its_limits_lowest_first(folder: Path) -> None:
    assert [limit.value for limit in limits({"level": 1.0}, folder)] == [0.5, 4.0]


def test_rules_on_other_metrics_and_without_limits_give_none(folder: Path) -> None:
    assert limits({"voltage": 1.0}, folder) == ()


def test_every_flow_and_level_limit_of_our_packs_is_drawn_on_the_water_dashboard() -> None:
    settings = [panel["fieldConfig"] for panel in panels(models()["iot-water"]) if panel["type"] != "row"]
    given = [each["defaults"].get("thresholds", {}) for each in settings]
    given += [
        prop["value"]
        for each in settings
        for override in each.get("overrides", [])
        for prop in override["properties"]
        if prop["id"] == "thresholds"
    ]
    drawn = {step["value"] for thresholds in given for step in thresholds.get("steps", [])}
    for rule in pack_rules(PACKS):
        condition = rule.condition
        if isinstance(condition, Threshold) and condition.metric in {"flow_rate", "level"}:
            values = [condition.above, condition.below, *(condition.outside or ())]
            assert {value for value in values if value is not None} <= drawn, rule.id

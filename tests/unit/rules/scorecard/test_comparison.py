"""What counts as worse than a scorecard that was kept."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from rules.scorecard.comparison import drops, read_kept
from rules.scorecard.figures import figures_of
from rules.scorecard.matching import match
from tests.unit.rules.scorecard.cases import alert, fault, rule, stretch
from veldwatch.errors import ConfigurationInvalid

RULES = (rule(), rule("burst", ("burst",)))


@pytest.fixture
def kept() -> dict[str, Any]:
    faults = [fault("leak", 10, 20), fault("leak", 60, 70), fault("burst", 10, 20), fault("meter_exchange", 100, 101)]
    alerts = [alert(12), alert(63), alert(11, "burst"), alert(150)]
    figures = figures_of(match(faults, alerts, RULES, stretch()), RULES, stretch())
    return json.loads(json.dumps(figures.document()))


def changed(kept: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    """Give a copy with one figure changed: of `overall`, or of a kind by its name."""
    document = copy.deepcopy(kept)
    part = document["overall"] if path[0] == "overall" else next(k for k in document["kinds"] if k["kind"] == path[0])
    part[path[1]] = value
    return document


def test_the_same_and_a_better_one_are_no_drop(kept: dict[str, Any]) -> None:
    assert list(drops(kept, kept)) == []
    assert list(drops(kept, changed(kept, ("leak", "delay_median_seconds"), 60.0))) == []
    assert list(drops(kept, changed(kept, ("overall", "precision"), 1.0))) == []
    assert list(drops(changed(kept, ("leak", "recall"), 0.5), kept)) == []


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("leak", "recall"), 0.5, "Leak behind a meter: recall fell from 1.00 to 0.50"),
        (("burst", "precision"), None, "Burst main: precision fell from 1.00 to 0.00"),
        (("overall", "recall"), 0.98, "all faults: recall fell from 1.00 to 0.98"),
        (("overall", "false_alarms_per_device_week"), 0.6, "all faults: false alarms per device-week rose from 0.500"),
        (
            ("burst", "delay_median_seconds"),
            4000.0,
            "Burst main: found after 4000 s in the median, before after 3600 s",
        ),
    ],
)
def test_what_has_become_worse_is_named(
    kept: dict[str, Any], path: tuple[str, str], value: object, complaint: str
) -> None:
    (line,) = drops(kept, changed(kept, path, value))
    assert line.startswith(complaint)


def test_a_hair_is_no_drop(kept: dict[str, Any]) -> None:
    assert list(drops(kept, changed(kept, ("leak", "recall"), 0.995))) == []
    assert list(drops(kept, changed(kept, ("burst", "delay_median_seconds"), 3900.0))) == []


def test_a_kind_that_is_not_injected_any_more_is_a_drop(kept: dict[str, Any]) -> None:
    now = copy.deepcopy(kept)
    now["kinds"] = [kind for kind in now["kinds"] if kind["kind"] not in ("burst", "meter_exchange")]
    assert list(drops(kept, now)) == ["Burst main: 1 were injected, now none"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"overall": {}}', "\udcff"])
def test_what_is_no_scorecard_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "kept.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationInvalid, match="bad --against"):
        read_kept(path)

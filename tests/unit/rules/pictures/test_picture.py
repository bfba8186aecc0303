"""A picture of rule tests: what is on it, for every kind of observation."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from rules.commands import app
from rules.pictures.picture import draw
from rules.rule_tests import read_tests

RULES = """\
rules:
- {id: high, title: A, severity: info, condition: {kind: threshold, metric: m, outside: [-2, 5], dead_band: 1}}
- {id: soon, title: A, severity: info, condition: {kind: threshold, metric: m, above: 5}, hold_for: 1h}
- {id: runs, title: A, severity: info, condition: {kind: continuous_flow, metric: m, duration: 1h, of: rate}}
- {id: silent, title: B, severity: info, condition: {kind: absence, silent_for: 1h}}
- {id: near, title: B, severity: info, condition: {kind: geofence, event: enter, site: a}}
- {id: still, title: B, severity: info, condition: {kind: immobility}}
"""
AREA = "{type: MultiPolygon, coordinates: [[[[30, -10], [30.1, -10], [30.1, -9.9], [30, -10]]]]}"


def picture(tmp_path: Path, tests: str) -> tuple[str, list[str]]:
    """Draw a test file, and give the words on it too."""
    path = tmp_path / "tests.yaml"
    path.write_text(f"{RULES}tests:\n{tests}\n", encoding="utf-8")
    drawn = draw(read_tests(path))
    return drawn, [found.text or "" for found in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314  # our own


def test_limits_and_the_times_of_an_alert_are_written_out(tmp_path: Path) -> None:
    drawn, words = picture(
        tmp_path, "- {name: a < b, rule: high, until: 2h, readings: [{every: 10m, values: [1, 9, 3, -4, 1]}]}"
    )
    for expected in (
        "a < b",
        "m",
        "above 5",
        "below -2",
        "over at 4",
        "over at -1",
        "opened at 10m, fired at 10m, resolved at 20m",
    ):
        assert expected in words
    assert "prefers-color-scheme: dark" in drawn


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("rule: soon, readings: [{every: 10m, values: [1, 9, 9]}]", "opened at 10m, fired at 1h10m, holds still"),
        ("rule: soon, readings: [{from: 80m, every: 10m, values: [1, 9, 9]}]", "opened at 1h30m, pending"),
        ("rule: soon, readings: []", "no alert"),
        ("rule: runs, readings: [{every: 10m, values: [0, 1+0x11]}]", "opened at 10m, fired at 1h10m, holds still"),
        ("rule: silent, contacts: [0s, 10m]", "opened at 10m, fired at 1h10m, holds still"),
        ("rule: silent, contacts: []", "no alert"),
        (
            f"rule: near, area: {AREA}, positions: [{{every: 1h, places: [[29, -10], [30.09, -9.95]]}}]",
            "opened at 1h, fired at 1h, holds still",
        ),
        ("rule: still, positions: []", "no alert"),
    ],
    ids=["fires by time", "pending", "no reading", "rate", "silent", "never heard", "two areas", "no fix"],
)
def test_every_kind_of_test_can_be_drawn(tmp_path: Path, test: str, told: str) -> None:
    _, words = picture(tmp_path, f"- {{name: n, until: 2h, {test}}}")
    assert told in words


def test_tests_of_a_file_are_drawn_one_below_the_other(tmp_path: Path) -> None:
    one = "- {name: one, rule: silent, until: 2h, contacts: [0s]}"
    single, _ = picture(tmp_path, one)
    double, words = picture(tmp_path, f"{one}\n{one.replace('one', 'two')}")
    assert {"one", "two"} <= set(words)
    heights = [float(ET.fromstring(drawn).attrib["height"]) for drawn in (single, double)]  # noqa: S314  # our own
    assert heights[1] > 1.5 * heights[0]


def test_a_gap_is_left_where_a_reading_is_missing(tmp_path: Path) -> None:
    drawn, _ = picture(tmp_path, "- {name: n, rule: high, until: 1h, readings: [{every: 10m, values: [1, _, 2]}]}")
    assert drawn.count("<circle") == 3 + 1  # two readings, the legend's disc and ring


def test_the_command_prints_a_picture_or_writes_it(tmp_path: Path) -> None:
    drawn, _ = picture(tmp_path, "- {name: n, rule: silent, until: 2h, contacts: [0s]}")
    file, out = str(tmp_path / "tests.yaml"), tmp_path / "out.svg"
    assert CliRunner().invoke(app, ["picture", file]).output == drawn
    assert CliRunner().invoke(app, ["picture", file, "-o", str(out)]).exit_code == 0
    assert out.read_text(encoding="utf-8") == drawn

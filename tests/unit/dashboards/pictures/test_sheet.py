"""A dashboard on paper: every panel of ours can be drawn, empty or not, as well-formed SVG, the same each time."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards.pictures.answers import Answer, series_of, step_colour
from dashboards.pictures.scales import around, marks
from dashboards.pictures.sheet import draw
from tests.unit.dashboards.committed import models

NOW = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _drawn(model: dict[str, Any], answer: Answer | None = None) -> str:
    panels = [panel for panel in model["panels"] if panel["type"] != "row"]
    nothing = Answer(columns=("time", "latitude", "longitude", "name", "body", "level", "value"), rows=())
    answers = {p["id"]: {t["refId"]: answer or nothing for t in p["targets"]} for p in panels}
    return draw(model, answers, {panel["id"]: (NOW - 24 * HOUR, NOW) for panel in panels}, [(NOW - HOUR, NOW)])


@pytest.mark.parametrize("uid", sorted(models()))
def test_a_dashboard_without_data_is_drawn_with_all_its_titles(uid: str) -> None:
    model = models()[uid]
    texts = {"".join(element.itertext()) for element in ET.fromstring(_drawn(model)).iter()}  # noqa: S314  # our own text
    assert {str(panel["title"]) for panel in model["panels"]} <= texts


def test_the_same_answers_give_the_same_bytes() -> None:
    rows = [(NOW - n * HOUR, "O'Brien <b>", 5.0 + n, -10.0, 31.0 + n / 10) for n in range(24, 0, -1)]
    answer = Answer(columns=("time", "name", "value", "latitude", "longitude"), rows=rows)
    model = models()["iot-water"]
    assert _drawn(model, answer) == _drawn(model, answer)
    assert "O&#x27;Brien &lt;b&gt;" in _drawn(model, answer)


def test_long_rows_are_one_series_for_each_name_and_nulls_are_kept_as_breaks() -> None:
    answer = Answer(columns=("time", "zone", "flow"), rows=[(NOW, "b", 1), (NOW, "a", None), (NOW + HOUR, "a", 2.5)])
    assert [(each.name, [value for _, value in each.points]) for each in series_of(answer)] == [
        ("a", [None, 2.5]),
        ("b", [1.0]),
    ]


def test_a_scale_holds_all_values_and_ends_at_round_ones() -> None:
    scale = around([0.31, 4.2], 100, 0)
    assert (scale.low, scale.high) == (0, 5)
    assert marks(scale) == [0, 1, 2, 3, 4, 5]
    assert scale.place(2.5) == 50


@pytest.mark.parametrize(("value", "colour"), [(0.2, "red"), (1.5, "grey"), (9.0, "grey"), (None, None)])
def test_a_value_has_the_colour_of_the_highest_step_that_it_reaches(value: float | None, colour: str | None) -> None:
    steps = [{"value": None, "color": "red"}, {"value": 1.5, "color": "grey"}]
    assert step_colour({"thresholds": {"steps": steps}}, value) == colour

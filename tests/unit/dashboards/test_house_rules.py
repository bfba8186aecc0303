"""What Grafana's linters ask that holds for SQL, and what was seen to break without it."""

import re
from collections import Counter
from typing import Any

import pytest
from grafana_foundation_sdk.models import units

from dashboards import datasource
from dashboards.rendering import FOLDER
from tests.unit.dashboards.committed import Query, annotations, models, panels, queries, variables
from veldwatch.storage.queries import named_queries

UIDS = sorted(models())
KNOWN_UNITS = {value for name, value in vars(units).items() if not name.startswith("_") and isinstance(value, str)}
SELF_EXPLAINING = {"geomap", "logs", "table"}


def test_uids_and_titles_are_unique_and_uids_short() -> None:
    assert len(models()) == len(list(FOLDER.glob("*/*.json")))
    assert max(Counter(model["title"] for model in models().values()).values()) == 1
    assert all(len(uid) <= 40 and uid.startswith("iot-") for uid in UIDS)


@pytest.mark.parametrize("uid", UIDS)
def test_a_dashboard_is_read_only_says_its_question_and_carries_no_version(uid: str) -> None:
    model = models()[uid]
    assert model["editable"] is False
    assert model["description"].endswith("?")
    assert model["id"] is None
    assert "version" not in model
    assert "iot" in model["tags"]
    assert model["graphTooltip"] == 1


@pytest.mark.parametrize("uid", UIDS)
def test_every_panel_has_an_id_title_description_unit_and_query(uid: str) -> None:
    found = [panel for panel in panels(models()[uid]) if panel["type"] != "row"]
    assert max(Counter(panel["title"] for panel in found).values()) == 1
    for panel in found:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["pluginVersion"], panel["title"]
        assert panel["targets"], panel["title"]
        assert panel["datasource"] == {"type": datasource.TYPE, "uid": datasource.UID}
        if panel["type"] not in SELF_EXPLAINING:
            unit = panel["fieldConfig"]["defaults"]["unit"]
            assert unit in KNOWN_UNITS or unit.startswith("suffix: "), panel["title"]


@pytest.mark.parametrize("uid", UIDS)
def test_panel_ids_are_unique_and_hang_on_titles_alone(uid: str) -> None:
    ids = [panel["id"] for panel in panels(models()[uid])]
    assert max(Counter(ids).values()) == 1
    assert all(0 < number <= 100_000 for number in ids)


@pytest.mark.parametrize("uid", UIDS)
def test_units_in_overrides_are_known(uid: str) -> None:
    used = [
        prop["value"]
        for panel in panels(models()[uid])
        for override in panel.get("fieldConfig", {}).get("overrides", [])
        for prop in override["properties"]
        if prop["id"] == "unit"
    ]
    assert set(used) <= KNOWN_UNITS


@pytest.mark.parametrize("uid", UIDS)
def test_panels_lie_in_the_grid_without_overlap(uid: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels(models()[uid]):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("uid", UIDS)
def test_every_variable_that_is_used_is_defined_and_the_other_way_round(uid: str) -> None:
    model = models()[uid]
    defined = {variable["name"] for variable in variables(model)}
    used = set(re.findall(r"\$\{(\w+)", _text(model))) | set(re.findall(r"(?<![\w{])\$(\w+)", _text(model)))
    used = {name for name in used if not name.startswith("__") and not name.isdigit()}
    assert used == defined


@pytest.mark.parametrize("query", queries(), ids=str)
def test_variables_reach_sql_only_as_quoted_strings(query: Query) -> None:
    for name in re.findall(r"\$\{([^}]*)\}", query.sql):
        assert name.endswith(":sqlstring"), query.sql
    assert not re.search(r"\[\[|(?<![\w{])\$(?!__)[a-z]", query.sql)
    assert "IN (${" not in query.sql


@pytest.mark.parametrize("query", queries(), ids=str)
def test_variables_with_macros_are_asked_again_when_the_time_changes(query: Query) -> None:
    if query.kind == "variable":
        assert "$__time" not in query.sql


@pytest.mark.parametrize("uid", UIDS)
def test_a_choice_of_many_begins_with_all(uid: str) -> None:
    for variable in variables(models()[uid]):
        if variable.get("multi"):
            assert variable["includeAll"] is True
            assert variable["current"] == {"selected": True, "text": "All", "value": ["$__all"]}


@pytest.mark.parametrize("uid", UIDS)
def test_links_lead_to_dashboards_that_are_there_with_variables_that_they_have(uid: str) -> None:
    for target, query in re.findall(r'"/d/([\w-]+)\?([^"]*)"', _text(models()[uid])):
        assert target in models(), target
        there = {variable["name"] for variable in variables(models()[target])}
        assert set(re.findall(r"var-(\w+)=", query)) <= there
        assert set(re.findall(r"\$\{(\w+):queryparam\}", query)) <= there


@pytest.mark.parametrize("uid", UIDS)
def test_nothing_hides_links_and_annotations_behind_a_button(uid: str) -> None:
    model = models()[uid]
    assert all("placement" not in entry for entry in [*model["links"], *annotations(model)])


@pytest.mark.parametrize("uid", UIDS)
def test_no_map_fetches_tiles_from_anybody(uid: str) -> None:
    for panel in panels(models()[uid]):
        if panel["type"] == "geomap":
            assert panel["options"]["basemap"]["config"]["src"] == "public/maps/countries.geojson"
            assert {layer["type"] for layer in panel["options"]["layers"]} <= {"markers", "route"}


@pytest.mark.parametrize("uid", UIDS)
def test_graphs_show_gaps_as_gaps_and_are_not_stacked(uid: str) -> None:
    for panel in panels(models()[uid]):
        if panel["type"] == "timeseries":
            custom = panel["fieldConfig"]["defaults"]["custom"]
            assert custom["spanNulls"] == 3 * 15 * 60 * 1000
            assert custom.get("stacking", {}).get("mode", "none") == "none"
            assert panel["maxDataPoints"] <= 600


@pytest.mark.parametrize("query", queries(), ids=str)
def test_a_query_is_the_same_whatever_grafana_is_told_of_timescaledb(query: Query) -> None:
    assert "$__timeGroup" not in query.sql


def test_every_query_in_the_files_is_used() -> None:
    sent = {query.sql for query in queries()}
    for path in datasource.sql_files():
        for name, sql in named_queries(path.read_text(encoding="utf-8")).items():
            # whatever its terms stand for
            pattern = ".+".join(re.escape(part) for part in re.split(r"\{\{[^}]*\}\}", sql))
            assert any(re.fullmatch(pattern, text, re.DOTALL) for text in sent), f"{path.name}: {name}"


def _text(model: dict[str, Any]) -> str:
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, str):
            found.append(f'"{value}"')
        elif isinstance(value, dict):
            for item in value.values():  # pyright: ignore[reportUnknownVariableType]  # JSON
                walk(item)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(value, list):
            for item in value:  # pyright: ignore[reportUnknownVariableType]  # JSON
                walk(item)  # pyright: ignore[reportUnknownArgumentType]

    walk(model)
    return "\n".join(found)

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from simulators.commands import app
from simulators.scenario_files import SCENARIOS
from simulators.scenario_schema import scenario_schema, schema_text, settings_reference
from tests.unit.simulators.small_scenario import SMALL

DOCS = Path(__file__).parents[3] / "docs" / "reference"
VALIDATOR = Draft202012Validator(scenario_schema())


def test_the_published_schema_is_the_one_in_use() -> None:
    assert (DOCS / "scenario.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_documented_settings_are_those_in_use() -> None:
    assert settings_reference() in (DOCS / "scenarios.md").read_text(encoding="utf-8")


def test_the_schema_is_printed_by_a_command() -> None:
    assert CliRunner().invoke(app, ["schema"]).output == schema_text()


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(scenario_schema())


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_bundled_scenarios_suit_the_schema(path: Path) -> None:
    content = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    assert [error.message for error in VALIDATOR.iter_errors(content)] == []


def test_what_the_loader_refuses_the_schema_refuses() -> None:
    for part, change in (
        ("devices", {"settings": {"species": "dodo"}}),
        ("devices", {"model": "toaster"}),
        ("devices", {"colour": "red"}),
        ("sites", {"settings": {"soil": 1}}),
        ("faults", {"kind": "plague"}),
    ):
        listed = [{**SMALL[part][0], **change}, *SMALL[part][1:]]
        assert not VALIDATOR.is_valid({**SMALL, part: listed}), (part, change)
    assert VALIDATOR.is_valid(json.loads(json.dumps(SMALL)))

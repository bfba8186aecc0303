import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from shapely.geometry import Point, Polygon

from simulators.scenario import Area
from simulators.scenario_files import SCENARIOS, load_scenario, parse_scenario
from tests.unit.simulators.small_scenario import SMALL
from veldwatch.errors import ScenarioInvalid


def changed(*path: str | int, value: object) -> dict[str, Any]:
    content = copy.deepcopy(SMALL)
    part: Any = content
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return content


def test_a_profile_that_comes_with_veldwatch_is_named_without_being_written_out() -> None:
    assert parse_scenario(changed("devices", 0, "profile", value="gps-collar")).devices[0].profile == "gps-collar"


def test_a_fleet_is_written_out_as_devices_inside_its_site() -> None:
    scenario = parse_scenario(SMALL)
    herd = [device for device in scenario.devices if device.id.startswith("herd-")]
    assert [device.id for device in herd] == [f"herd-{number:02d}" for number in range(1, 13)]
    area = next(site.geometry for site in scenario.sites if isinstance(site.geometry, Area))
    outline = Polygon(area.coordinates[0])
    assert all(outline.contains(Point(device.place)) for device in herd if device.place is not None)
    assert len({device.place for device in herd}) == 12


def test_the_same_scenario_scatters_its_fleets_alike_and_another_seed_does_not() -> None:
    assert parse_scenario(SMALL) == parse_scenario(SMALL)
    assert parse_scenario(SMALL).devices != parse_scenario(changed("seed", value=2)).devices


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (changed("devices", 0, "interval_seconds", value=-5), r"devices\.0\.interval_seconds: -5"),
        (changed("devices", 0, "model", value="toaster"), r"devices\.0\.model: 'toaster'"),
        (changed("devices", 0, "site", value="nowhere"), r"devices\.0\.site: \('agency', 'nowhere'\)"),
        (changed("devices", 0, "profile", value="nothing"), r"devices\.0\.profile: 'nothing'"),
        (changed("devices", 1, "id", value="collar-1"), r"devices\.1: \('agency', 'collar-1'\)"),
        (changed("devices", 0, "id", value="a/b"), r"devices\.0\.id: 'a/b'"),
        (changed("devices", 0, "settings", value={"species": "dodo"}), r"devices\.0\.settings\.species: 'dodo'"),
        (changed("fleets", 0, "settings", value={}), r"fleets\.0\.settings\.species: nothing \(field required\)"),
        (changed("sites", 0, "settings", value={"soil": 1}), r"sites\.0\.settings\.soil: 1"),
        (changed("devices", 0, "colour", value="red"), r"devices\.0\.colour: 'red'"),
        (changed("devices", 0, "id", value="herd-03"), r"devices: \('agency', 'herd-03'\)"),
        (changed("fleets", 0, "id", value="herd"), r"fleets\.0\.id: 'herd' .*{number}"),
        (changed("sites", 0, "geometry", value={"type": "Circle"}), r"sites\.0\.geometry: "),
        (changed("sites", 0, "organisation", value="nobody"), r"sites\.0\.organisation: 'nobody'"),
        (changed("sites", 1, "parent", value="later"), r"sites\.1\.parent: "),
        (changed("faults", 0, "kind", value="plague"), r"faults\.0\.kind: 'plague'"),
        (changed("faults", 0, "device", value=None), r"faults\.0: expected one of device, site and among"),
        (changed("faults", 0, "parameters", value={"size": 1}), r"faults\.0\.parameters: 'size'"),
        (changed("history_step_seconds", value=301), r"history_step_seconds: 301"),
        (changed("name", value="Not A Slug"), "name: 'Not A Slug'"),
        ([], r"scenario: \[\]"),
        (None, "scenario: None"),
    ],
)
def test_a_wrong_scenario_is_refused_with_path_and_value(content: object, complaint: str) -> None:
    with pytest.raises(ScenarioInvalid, match=complaint):
        parse_scenario(content)


def test_a_scenario_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ScenarioInvalid, match=r"bad scenario: 'nothing' .*demo"):
        load_scenario("nothing")


def test_a_file_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(ScenarioInvalid, match="not YAML"):
        load_scenario(str(tmp_path / "broken.yaml"))


def test_a_scenario_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(SMALL), encoding="utf-8")
    assert load_scenario(str(tmp_path / "mine.yaml")).name == "small"


def test_bundled_scenarios_are_named_like_their_files() -> None:
    for path in SCENARIOS.glob("*.yaml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["name"] == path.stem


def test_the_scenario_of_the_how_to_is_one() -> None:
    how_to = (Path(__file__).parents[3] / "docs" / "how-to" / "simulate.md").read_text(encoding="utf-8")
    written = how_to.split("```yaml\n")[1].split("```")[0]
    assert len(parse_scenario(yaml.safe_load(written)).devices) == 41

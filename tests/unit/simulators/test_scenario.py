import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from shapely.geometry import Point, Polygon

from simulators.scenario import SCENARIOS, Area, CollarPlan, FixedPlan, load_scenario, parse_scenario
from veldwatch.errors import ScenarioInvalid

CONTENT: dict[str, Any] = yaml.safe_load((SCENARIOS / "demo.yaml").read_text(encoding="utf-8"))


def changed(*path: str | int, value: object) -> dict[str, Any]:
    content = copy.deepcopy(CONTENT)
    part: Any = content
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return content


def test_the_demo_has_a_town_and_a_reserve_with_forty_devices() -> None:
    demo = load_scenario("demo")
    assert [organisation.slug for organisation in demo.organisations] == ["demo-water", "demo-wildlife"]
    assert len(demo.devices) == 40
    assert {site.kind for site in demo.sites} >= {
        "district_metered_area",
        "feeder",
        "reserve",
        "fence",
        "river",
        "road",
    }


def test_every_device_of_the_demo_stands_inside_its_site() -> None:
    demo = load_scenario("demo")
    areas = {site.slug: site.geometry for site in demo.sites if isinstance(site.geometry, Area)}
    for device in demo.devices:
        place = device.place if isinstance(device, FixedPlan) else device.home
        assert Polygon(areas[device.site].coordinates[0]).contains(Point(place)), device.id


def test_rings_of_the_demo_are_closed() -> None:
    for site in load_scenario("demo").sites:
        if isinstance(site.geometry, Area):
            assert site.geometry.coordinates[0][0] == site.geometry.coordinates[0][-1]


def test_each_collar_is_on_an_animal_of_its_own() -> None:
    collars = [device for device in load_scenario("demo").devices if isinstance(device, CollarPlan)]
    assert len({collar.subject.slug for collar in collars}) == len(collars) == 8


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (changed("devices", 0, "interval_seconds", value=-5), r"devices\.0\.\w+\.interval_seconds: -5"),
        (changed("devices", 0, "model", value="toaster"), r"devices\.0: .*toaster"),
        (changed("devices", 0, "site", value="nowhere"), r"devices\.0\.site: \('demo-water', 'nowhere'\)"),
        (changed("devices", 0, "profile", value="nothing"), r"devices\.0\.profile: 'nothing'"),
        (changed("devices", 1, "id", value="wm-1001"), r"devices\.1: \('demo-water', 'wm-1001'\)"),
        (changed("devices", 0, "id", value="a/b"), r"devices\.0\.\w+\.id: 'a/b'"),
        (changed("devices", 0, "colour", value="red"), r"devices\.0\.\w+\.colour: 'red'"),
        (changed("devices", 39, "site", value="boundary-fence"), r"devices\.39\.site: .* Polygon"),
        (changed("sites", 0, "geometry", value={"type": "Circle"}), r"sites\.0\.geometry: "),
        (changed("sites", 0, "organisation", value="nobody"), r"sites\.0\.organisation: 'nobody'"),
        (changed("sites", 1, "parent", value="later"), r"sites\.1\.parent: "),
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

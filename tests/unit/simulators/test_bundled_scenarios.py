"""The scenarios that come with Veldwatch: believable geometry, and faults that suit their places."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from shapely import make_valid
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import shape

from simulators.building import Run, Share, build_fleet, share_of
from simulators.moment import to_milliseconds
from simulators.scenario import Area, Scenario, SitePlan
from simulators.scenario_files import SCENARIOS, load_scenario
from veldwatch.model.simulation import BUNDLED_SCENARIOS

NAMES = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
SMALL_ENOUGH = [name for name in NAMES if name != "utility"]
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module", params=NAMES)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return load_scenario(request.param)


def areas(scenario: Scenario) -> list[SitePlan]:
    return [site for site in scenario.sites if isinstance(site.geometry, Area)]


def test_outlines_are_closed_and_do_not_cross_themselves(scenario: Scenario) -> None:
    for site in areas(scenario):
        assert isinstance(site.geometry, Area)
        assert site.geometry.coordinates[0][0] == site.geometry.coordinates[0][-1], site.slug
        outline = shape(site.geometry.model_dump())
        assert make_valid(outline).equals(outline), site.slug
        assert outline.is_valid, site.slug


def test_areas_side_by_side_do_not_overlap(scenario: Scenario) -> None:
    for one, other in itertools.combinations(areas(scenario), 2):
        if (one.organisation, one.parent) == (other.organisation, other.parent):
            common = shape(one.geometry.model_dump()).intersection(shape(other.geometry.model_dump()))
            assert common.area < 1e-12, (one.slug, other.slug)


def test_what_lies_below_an_area_lies_inside_it(scenario: Scenario) -> None:
    known = {(site.organisation, site.slug): site for site in scenario.sites}
    for site in scenario.sites:
        parent = None if site.parent is None else known[site.organisation, site.parent]
        if parent is not None and isinstance(parent.geometry, Area):
            # Edges that are shared are rounded to about ten metres.
            around = shape(parent.geometry.model_dump()).buffer(1e-4)
            assert around.covers(shape(site.geometry.model_dump())), site.slug


def test_every_device_stands_inside_its_site(scenario: Scenario) -> None:
    known = {(site.organisation, site.slug): shape(site.geometry.model_dump()) for site in areas(scenario)}
    step = max(1, len(scenario.devices) // 1000)
    for device in scenario.devices[::step]:
        outline = known.get((device.organisation, device.site))
        if outline is not None and device.place is not None:
            assert outline.buffer(1e-4).contains(ShapelyPoint(device.place)), device.id


def test_intervals_are_whole_steps(scenario: Scenario) -> None:
    assert all(device.interval_seconds % scenario.step_seconds == 0 for device in scenario.devices)


def test_each_animal_has_one_collar(scenario: Scenario) -> None:
    subjects = [device.subject.slug for device in scenario.devices if device.subject is not None]
    assert len(set(subjects)) == len(subjects)


def test_the_large_one_can_be_shared_out_over_processes() -> None:
    scenario = load_scenario("utility")
    parts = [share_of(scenario, Share(number, 4)).devices for number in range(4)]
    assert [len(part) for part in parts] == [25_003, 25_003, 25_003, 25_003]
    assert sorted(device.id for part in parts for device in part) == sorted(d.id for d in scenario.devices)


@pytest.mark.parametrize("name", SMALL_ENOUGH)
def test_planned_faults_suit_their_places_and_devices_report(name: str) -> None:
    scenario = load_scenario(name)
    begins = to_milliseconds(BEGIN)
    ends = begins + round(timedelta(days=30).total_seconds() * 1000)
    fleet = build_fleet(scenario, Run(seed=scenario.seed, begins_at=begins, live_from=begins, ends_at=ends))
    heard = {
        message.topic.split("/")[3]
        for message in fleet.advance(begins + 2 * 3_600_000 if name != "demo" else begins + 60_000)
    }
    assert len(heard) > 0.8 * len(scenario.devices)


def test_the_scenarios_that_come_along_are_those_that_are_offered() -> None:
    assert set(NAMES) == set(BUNDLED_SCENARIOS)

from typing import Any

import pytest

from simulators.registration import register
from simulators.scenario import Scenario
from simulators.scenario_files import parse_scenario
from tests.unit.simulators.small_scenario import SMALL
from veldwatch.errors import Conflict
from veldwatch.storage.connection import Connection

COUNTS = (
    "SELECT (SELECT count(*) FROM organisation), (SELECT count(*) FROM site), (SELECT count(*) FROM device),"
    " (SELECT count(*) FROM deployment), (SELECT count(*) FROM profile_metric),"
    " (SELECT count(*) FROM device WHERE status = 'active' AND 'simulated' = ANY (tags))"
)


def small(**changes: object) -> Scenario:
    return parse_scenario({**SMALL, **changes})


def test_a_scenario_is_registered_and_again_changes_nothing(connection: Connection) -> None:
    counts: list[object] = []
    for _ in range(2):
        assert register(connection, small()) == 14
        connection.commit()
        counts.append(connection.execute(COUNTS).fetchone())
    assert counts == [(1, 2, 14, 1, 1, 14)] * 2


def test_an_animal_is_on_its_collar_and_a_waterhole_in_its_park(connection: Connection) -> None:
    register(connection, small())
    animal = connection.execute(
        "SELECT s.name, s.species, d.longitude FROM deployment p JOIN subject s ON s.id = p.subject_id"
        " JOIN device d ON d.id = p.device_id WHERE d.external_id = 'collar-1'"
    ).fetchone()
    assert animal == ("Number One", "Loxodonta africana", None)
    spring = connection.execute(
        "SELECT p.slug, s.geometry ->> 'type' FROM site s JOIN site p ON p.id = s.parent_id WHERE s.slug = 'spring'"
    ).fetchone()
    assert spring == ("park", "Point")


def test_a_bundled_profile_is_made_where_it_is_missing_and_left_alone_where_it_is(connection: Connection) -> None:
    devices = [{**device, "profile": "gps-collar"} for device in SMALL["devices"]]
    register(connection, small(devices=devices))
    metrics = "SELECT count(*) FROM profile_metric m JOIN profile p ON p.id = m.profile_id WHERE p.slug = 'gps-collar'"
    assert connection.execute(metrics).fetchone() == (3,)
    connection.execute("DELETE FROM profile_metric WHERE metric = 'activity'")
    register(connection, small(devices=devices))
    assert connection.execute(metrics).fetchone() == (2,)


def test_a_scenario_changes_no_profile_that_another_has_made(connection: Connection) -> None:
    register(connection, small())
    before = connection.execute("SELECT slug, expected_interval FROM profile ORDER BY slug").fetchall()
    profiles = SMALL["profiles"]
    other: list[dict[str, Any]] = [{**plan, "expected_interval_seconds": 7, "metrics": []} for plan in profiles]
    register(connection, small(profiles=other, name="changed"))
    assert connection.execute("SELECT slug, expected_interval FROM profile ORDER BY slug").fetchall() == before


def test_what_things_cost_and_who_depends_on_them_is_written_where_nobody_has_said_it(connection: Connection) -> None:
    tariffs = {"currency": "ZMW", "water": 4.72, "energy": 1.94}
    organisations = [{**plan, "tariffs": tariffs} for plan in SMALL["organisations"]]
    sites = [{**SMALL["sites"][0], "dependants": {"people": 300}}, *SMALL["sites"][1:]]
    devices = [{**SMALL["devices"][0], "dependants": {"people": 5, "customers": 1}}, *SMALL["devices"][1:]]
    said = small(organisations=organisations, sites=sites, devices=devices)
    costs = "SELECT currency, water_tariff, energy_tariff FROM organisation"
    people = (
        "SELECT people, customers FROM site UNION ALL SELECT people, customers FROM device ORDER BY 1 DESC NULLS LAST"
    )
    register(connection, small())
    register(connection, said)
    assert connection.execute(costs).fetchall() == [("ZMW", 4.72, 1.94)]
    assert connection.execute(people).fetchall()[:3] == [(300, None), (5, 1), (None, None)]
    connection.execute("UPDATE organisation SET water_tariff = NULL")
    connection.execute("UPDATE site SET people = 301 WHERE people = 300")
    register(connection, said)
    assert connection.execute(costs).fetchall() == [("ZMW", None, 1.94)]
    assert connection.execute(people).fetchall()[:2] == [(301, None), (5, 1)]


def test_a_collar_that_is_on_another_animal_is_left_there_and_nothing_is_registered(connection: Connection) -> None:
    register(connection, small())
    first = {**SMALL["devices"][0], "subject": {"slug": "other", "name": "Other"}}
    with pytest.raises(Conflict, match=r"collar-1: .*'one'"):
        register(connection, small(devices=[first], name="changed"))
    assert connection.execute("SELECT count(*) FROM subject").fetchone() == (1,)


def test_a_large_fleet_is_registered_as_one_list(connection: Connection) -> None:
    many = {**SMALL["fleets"][0], "count": 20_000, "profile": "weather-station"}
    assert register(connection, small(fleets=[many])) == 20_002
    assert connection.execute("SELECT count(*) FROM device WHERE longitude IS NOT NULL").fetchone() == (20_000,)

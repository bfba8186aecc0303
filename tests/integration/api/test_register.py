"""Organisations, sites, devices and series as they are read out."""

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from veldwatch.storage.connection import Connection


def test_organisations_come_by_slug_page_by_page(operator: TestClient) -> None:
    first = operator.get("/v1/organisations", params={"limit": 1}).json()
    assert [one["slug"] for one in first["items"]] == ["demo-water"]
    second = operator.get("/v1/organisations", params={"limit": 1, "cursor": first["next"]}).json()
    assert [one["slug"] for one in second["items"]] == ["demo-wildlife"]
    assert second["next"] is None


def test_sites_have_their_outlines_and_parents(operator: TestClient) -> None:
    sites = {site["slug"]: site for site in operator.get("/v1/sites").json()["items"]}
    assert sites["town"]["geometry"] == world.AREA
    assert sites["upper"]["parent"] == "town"
    assert sites["upper"]["geometry"] is None
    only = operator.get("/v1/sites", params={"kind": "reserve"}).json()["items"]
    assert [site["organisation"] for site in only] == ["demo-wildlife"]


def test_a_device_shows_when_and_where_it_was_last_heard(
    operator: TestClient, connection: Connection, made: World
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    world.add_contact(connection, made.meter, now - timedelta(minutes=40))
    world.add_contact(connection, made.meter, now - timedelta(minutes=1))
    world.add_fixes(connection, made.collar, [(BEGIN, 31.1, -10.1), (BEGIN + timedelta(hours=1), 31.2, -10.2)])
    meter = operator.get(f"/v1/devices/{made.meter}").json()
    assert meter["online"] is True
    assert datetime.fromisoformat(meter["last_contact_at"]) == now - timedelta(minutes=1)
    assert meter["last_position"] is None
    assert (meter["longitude"], meter["latitude"], meter["tags"], meter["site"]) == (31.2, -10.2, ["pilot"], "upper")
    collar = operator.get("/v1/devices", params={"q": "C-1"}).json()["items"][0]
    assert collar["last_position"] == {"longitude": 31.2, "latitude": -10.2, "observed_at": "2026-11-01T11:00:00Z"}
    assert collar["online"] is False


def test_a_device_is_offline_after_three_missed_intervals_or_a_last_will(
    operator: TestClient, connection: Connection, made: World
) -> None:
    now = datetime.now(UTC)
    world.add_contact(connection, made.meter, now - timedelta(minutes=46))
    world.add_contact(connection, made.logger, now - timedelta(hours=23))
    online = {one["external_id"]: one["online"] for one in operator.get("/v1/devices").json()["items"]}
    assert online == {"m-1": False, "p-1": True, "c-1": False}
    world.add_contact(connection, made.logger, now, online=False)
    assert operator.get(f"/v1/devices/{made.logger}").json()["online"] is False


def test_devices_are_found_by_every_filter(operator: TestClient, made: World) -> None:
    def found(**filters: str | int) -> list[str]:
        return [one["external_id"] for one in operator.get("/v1/devices", params=filters).json()["items"]]

    assert found() == ["m-1", "p-1", "c-1"]
    assert found(organisation="demo-water") == ["m-1", "p-1"]
    assert found(site="town") == ["m-1"], "a site means also the sites within"
    assert found(profile="meter") == ["m-1"]
    assert found(status="active") == ["m-1", "p-1", "c-1"]
    assert found(status="retired") == []
    assert found(q="ONERROR") == ["m-1"]
    assert found(q="%") == []
    first = operator.get("/v1/devices", params={"limit": 2}).json()
    assert operator.get("/v1/devices", params={"cursor": first["next"]}).json()["items"][0]["id"] == made.collar


def test_text_from_outside_is_told_as_it_is(operator: TestClient, made: World) -> None:
    assert operator.get(f"/v1/devices/{made.meter}").json()["name"] == world.HOSTILE_NAME


def test_a_series_shows_its_newest_reading(operator: TestClient, connection: Connection, made: World) -> None:
    world.add_readings(connection, made.volume, [(BEGIN + timedelta(hours=1), 2.0), (BEGIN, 1.0)])
    items = operator.get("/v1/series", params={"device": "m-1"}).json()["items"]
    assert items == [
        {
            "id": made.volume,
            "device_id": made.meter,
            "device": "m-1",
            "organisation": "demo-water",
            "metric": "volume",
            "unit": "m3",
            "kind": "gauge",
            "latest": {"observed_at": "2026-11-01T11:00:00Z", "value": 2.0, "quality": 0},
        }
    ]
    assert operator.get("/v1/series", params={"metric": "pressure"}).json()["items"][0]["latest"] is None
    assert operator.get("/v1/series", params={"device_id": made.collar}).json()["items"] == []


def test_what_does_not_exist_is_a_problem(operator: TestClient) -> None:
    for path in ("/v1/devices/999999", "/v1/alerts/00000000-0000-0000-0000-000000000000", "/v1/rules/none", "/v1/nil"):
        answer = operator.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["instance"] == path

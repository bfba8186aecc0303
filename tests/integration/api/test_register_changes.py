"""Profiles, subjects, deployments and devices as they are changed over HTTP."""

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.storage import register
from veldwatch.storage.connection import Connection

PROFILE = {
    "slug": "water",
    "name": "Water meter",
    "kind": "meter",
    "expected_interval": "15m",
    "metrics": [
        {"metric": "volume", "unit": "L", "kind": "counter", "register_digits": 5, "register_unit": "m3", "minimum": 0}
    ],
}


def test_a_profile_is_made_given_to_devices_and_forgotten(operator: TestClient, made: World) -> None:
    stored = operator.put("/v1/profiles/water", json=PROFILE).json()
    assert (stored["expected_interval"], stored["metrics"][0]["register_modulus"]) == (900, 1e8)
    assert operator.get("/v1/profiles").json()["items"][-1]["slug"] == "water"
    assert operator.post("/v1/profiles/water/assign", json={"devices": ["m-1"]}).json() == {"devices": 1}
    series = operator.get("/v1/series", params={"device_id": made.meter, "metric": "volume"}).json()["items"][0]
    assert series["kind"] == "counter"
    assert operator.delete("/v1/profiles/water").status_code == 409
    operator.patch(f"/v1/devices/{made.meter}", json={"profile": None})
    assert operator.delete("/v1/profiles/water").status_code == 204
    assert operator.get("/v1/profiles/water").status_code == 404


def test_a_profile_that_makes_no_sense_is_refused(operator: TestClient) -> None:
    wrong = {**PROFILE, "metrics": [{"metric": "x", "unit": "bananas"}]}
    answer = operator.put("/v1/profiles/water", json=wrong)
    assert answer.status_code == 422
    assert "unknown unit" in answer.json()["detail"]
    assert operator.put("/v1/profiles/other", json=PROFILE).status_code == 422
    assert operator.post("/v1/profiles/meter/assign", json={}).status_code == 422


def test_profiles_and_species_are_changed_by_operators_of_all_organisations_alone(bearing: As) -> None:
    for name in ("viewer", "water"):
        assert bearing(name).put("/v1/profiles/water", json=PROFILE).status_code == 403
        assert bearing(name).put("/v1/species/Nasua%20narica", json={"source": "x"}).status_code == 403
        assert bearing(name).get("/v1/species").json()["items"]
    body = {"maximum_speed": 8, "source": "ours", "common_name": "coati"}
    assert bearing("operator").put("/v1/species/Nasua%20narica", json=body).json()["maximum_speed"] == 8


def test_a_device_is_changed_retired_and_put_back(operator: TestClient, made: World) -> None:
    device = f"/v1/devices/{made.meter}"
    changed = operator.patch(device, json={"name": "Inlet", "tags": ["a"], "site": None}).json()
    assert (changed["name"], changed["tags"], changed["site"], changed["profile"]) == ("Inlet", ["a"], None, "meter")
    assert operator.patch(device, json={"status": "retired"}).json()["status"] == "retired"
    assert operator.patch(device, json={"status": "active"}).json()["status"] == "active"
    assert operator.patch(device, json={"external_id": "p-1"}).status_code == 409
    assert operator.patch(device, json={"name": None}).status_code == 422
    assert operator.patch(device, json={"longitude": 3}).status_code == 422
    assert operator.patch(device, json={"profile": "absent"}).status_code == 404
    assert operator.patch(device, json={"latitude": 95, "longitude": 1}).status_code == 422


def test_a_token_of_one_organisation_changes_its_own_devices_alone(bearing: As, made: World) -> None:
    water = bearing("water")
    assert water.patch(f"/v1/devices/{made.collar}", json={"name": "x"}).status_code == 404
    assert water.get(f"/v1/devices/{made.collar}/deployments").status_code == 404
    bulk = {"devices": [{"external_id": "x", "organisation": "demo-wildlife"}]}
    assert water.post("/v1/devices/bulk", json=bulk).status_code in (403, 422)
    assert bearing("viewer").patch(f"/v1/devices/{made.meter}", json={"name": "x"}).status_code == 403


def test_many_devices_are_registered_at_once_or_not_at_all(operator: TestClient) -> None:
    devices = [{"external_id": f"b-{n}", "organisation": "demo-water", "profile": "meter"} for n in range(3)]
    dry = operator.post("/v1/devices/bulk", json={"devices": devices, "dry_run": True}).json()
    assert (dry["created"], dry["written"]) == (3, False)
    wrong = [*devices, {"external_id": "b-9", "organisation": "demo-water", "profile": "absent"}]
    refused = operator.post("/v1/devices/bulk", json={"devices": wrong})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["at"] == "body.devices.3"
    assert (
        operator.post("/v1/devices/bulk", json={"devices": wrong, "dry_run": True}).json()["errors"][0]["number"] == 3
    )
    assert operator.get("/v1/devices", params={"q": "b-"}).json()["items"] == []
    assert operator.post("/v1/devices/bulk", json={"devices": devices}).json()["created"] == 3
    assert operator.post("/v1/devices/bulk", json={"devices": devices}).json()["unchanged"] == 3


def test_devices_that_registered_themselves_are_decided_on(
    operator: TestClient, connection: Connection, made: World
) -> None:
    waiting = register.register_unknown(connection, made.water, ["x", "y"], "veldwatch")
    connection.commit()
    refused = operator.post("/v1/devices/decide", json={"decision": "refuse", "device_ids": [waiting["x"]]}).json()
    assert refused == {"device_ids": [waiting["x"]]}
    assert [d["external_id"] for d in operator.get("/v1/devices", params={"status": "refused"}).json()["items"]] == [
        "x"
    ]
    confirmed = operator.post("/v1/devices/decide", json={"decision": "confirm", "organisation": "demo-water"}).json()
    assert confirmed == {"device_ids": [waiting["y"]]}
    assert operator.post("/v1/devices/decide", json={"decision": "confirm"}).status_code == 422


def test_a_collar_is_moved_and_each_animal_keeps_its_history(
    operator: TestClient, connection: Connection, made: World
) -> None:
    for slug in ("tembo", "simba"):
        body = {"organisation": "demo-wildlife", "kind": "animal", "species": "african savanna elephant"}
        subject = operator.put(f"/v1/subjects/{slug}", json=body).json()
        assert (subject["species"], subject["speed_limit"]) == ("Loxodonta africana", 12)
    hours = [(BEGIN + timedelta(hours=n), round(31.1 + n / 100, 2), -10.1) for n in range(4)]
    world.add_fixes(connection, made.collar, hours)
    at = f"/v1/devices/{made.collar}/deployments"
    first = operator.post(at, json={"subject": "tembo"}).json()
    assert (first["since"], first["until"], first["species"]) == (None, None, "Loxodonta africana")
    overlap = operator.post(at, json={"subject": "simba", "since": BEGIN.isoformat()})
    assert overlap.status_code == 409
    assert "is on subject 'tembo'" in overlap.json()["detail"]
    moved = operator.post(at, json={"subject": "simba", "since": hours[2][0].isoformat(), "move": True})
    assert moved.status_code == 201
    for slug, places in (("tembo", [31.1, 31.11]), ("simba", [31.12, 31.13])):
        found = operator.get(f"/v1/subjects/{slug}/positions").json()["features"]
        assert [feature["geometry"]["coordinates"][0] for feature in found] == places
    page = operator.get("/v1/subjects/simba/positions", params={"limit": 1}).json()
    rest = operator.get("/v1/subjects/simba/positions", params={"limit": 1, "cursor": page["next"]}).json()
    assert (rest["features"][0]["geometry"]["coordinates"][0], rest["next"]) == (31.13, None)
    assert [d["subject"] for d in operator.get(at).json()["items"]] == ["simba", "tembo"]
    assert operator.post(f"{at}/end", json={}).json()["until"] is not None
    number = moved.json()["id"]
    corrected = operator.put(f"/v1/deployments/{number}", json={"since": hours[1][0].isoformat(), "until": None})
    assert corrected.status_code == 409
    assert operator.delete(f"/v1/deployments/{number}").status_code == 204
    assert operator.post(f"{at}/end", json={}).status_code == 409


def test_a_meter_is_exchanged_and_its_service_point_has_one_history(
    operator: TestClient, connection: Connection, made: World
) -> None:
    operator.put("/v1/subjects/mulenga-4", json={"organisation": "demo-water", "kind": "service_point"})
    operator.post(f"/v1/devices/{made.meter}/deployments", json={"subject": "mulenga-4"})
    new = register.ensure_series(connection, [(made.logger, "volume", "m3")])[made.logger, "volume"].series_id
    connection.commit()
    hours = [BEGIN + timedelta(hours=n) for n in range(4)]
    world.add_readings(connection, made.volume, [(at, 100.0 + n) for n, at in enumerate(hours)])
    world.add_readings(connection, new, [(at, float(n)) for n, at in enumerate(hours)])
    body = {"device_id": made.meter, "by_device_id": made.logger, "at": hours[2].isoformat()}
    assert operator.post("/v1/subjects/mulenga-4/exchange", json=body).status_code == 201
    found = operator.get("/v1/subjects/mulenga-4/readings", params={"metric": "volume"}).json()["items"]
    assert [(row["device"], row["value"]) for row in found] == [("m-1", 100), ("m-1", 101), ("p-1", 2), ("p-1", 3)]
    desc = operator.get("/v1/subjects/mulenga-4/readings", params={"order": "desc", "limit": 2}).json()
    assert [row["value"] for row in desc["items"]] == [3, 2]
    assert operator.post("/v1/subjects/mulenga-4/exchange", json=body).status_code == 409
    both = operator.get("/v1/subjects/mulenga-4/deployments").json()["items"]
    assert [row["device"] for row in both] == ["p-1", "m-1"]
    other = {"device_id": made.collar, "by_device_id": made.logger}
    assert operator.post("/v1/subjects/mulenga-4/exchange", json=other).status_code == 422


def test_an_outlier_is_no_last_position_and_in_no_track(
    operator: TestClient, connection: Connection, made: World
) -> None:
    operator.put("/v1/subjects/tembo", json={"organisation": "demo-wildlife", "kind": "animal", "maximum_speed": 12})
    operator.post(f"/v1/devices/{made.collar}/deployments", json={"subject": "tembo"})
    now = datetime.now(UTC).replace(microsecond=0)
    fixes = [(now - timedelta(hours=3 - n), longitude, -10.0) for n, longitude in enumerate((31.0, 31.1, 36.0))]
    world.add_fixes(connection, made.collar, fixes)
    last = operator.get(f"/v1/devices/{made.collar}").json()["last_position"]
    assert last["longitude"] == 31.1
    latest = operator.get("/v1/positions", params={"latest": True, "device": "c-1"}).json()["features"][0]
    assert latest["geometry"]["coordinates"][0] == 31.1
    raw = operator.get("/v1/positions", params={"device": "c-1"}).json()["features"]
    assert [feature["properties"]["quality"] for feature in raw] == [0, 0, 4]
    track = operator.get("/v1/positions", params={"device": "c-1", "track": True}).json()["features"][0]
    assert [place[0] for place in track["geometry"]["coordinates"]] == [31.0, 31.1]

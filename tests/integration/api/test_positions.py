"""Fixes and tracks as GeoJSON."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient

from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from veldwatch.storage.connection import Connection


@pytest.fixture
def walk(connection: Connection, made: World) -> World:
    steps = [(BEGIN + timedelta(hours=n), 31.0 + n / 100, -10.0 - n / 100) for n in range(5)]
    world.add_fixes(connection, made.collar, steps)
    world.add_fixes(connection, made.meter, [(BEGIN, 31.5, -10.5)])
    return made


def test_fixes_are_points_with_longitude_first(operator: TestClient, walk: World) -> None:
    answer = operator.get("/v1/positions", params={"device": "c-1", "limit": 1})
    assert answer.headers["content-type"] == "application/geo+json"
    feature = answer.json()["features"][0]
    assert feature["geometry"] == {"type": "Point", "coordinates": [31.0, -10.0]}
    assert feature["properties"] == {
        "device": "c-1",
        "device_id": walk.collar,
        "organisation": "demo-wildlife",
        "observed_at": "2026-11-01T10:00:00Z",
        "received_at": "2026-11-01T10:00:00Z",
        "altitude": None,
        "accuracy": None,
        "speed": None,
        "heading": None,
        "quality": 0,
    }


def test_the_newest_fix_of_each_device(operator: TestClient, walk: World) -> None:
    first = operator.get("/v1/positions", params={"latest": True, "limit": 1}).json()
    assert [one["properties"]["device"] for one in first["features"]] == ["m-1"]
    rest = operator.get("/v1/positions", params={"latest": True, "cursor": first["next"]}).json()
    assert [one["geometry"]["coordinates"] for one in rest["features"]] == [[31.04, -10.04]]
    earlier = {"latest": True, "device_id": walk.collar, "to": (BEGIN + timedelta(hours=2)).isoformat()}
    found = operator.get("/v1/positions", params=earlier).json()["features"]
    assert [one["geometry"]["coordinates"] for one in found] == [[31.01, -10.01]]


@pytest.mark.usefixtures("walk")
def test_tracks_are_lines_from_old_to_new(operator: TestClient) -> None:
    for order in ("asc", "desc"):
        features = operator.get("/v1/positions", params={"track": True, "order": order}).json()["features"]
        lines = {one["properties"]["device"]: one["geometry"]["coordinates"] for one in features}
        assert lines["c-1"] == [[31.0 + n / 100, -10.0 - n / 100] for n in range(5)]
        assert lines["m-1"] == [[31.5, -10.5], [31.5, -10.5]], "a line has two positions or more"
    newest = operator.get("/v1/positions", params={"track": True, "order": "desc", "device": "c-1", "limit": 2}).json()
    assert newest["features"][0]["geometry"]["coordinates"] == [[31.03, -10.03], [31.04, -10.04]]
    assert newest["next"] is not None


@pytest.mark.usefixtures("walk")
def test_pages_tell_each_fix_once(operator: TestClient) -> None:
    for order in ("asc", "desc"):
        told: list[list[float]] = []
        cursor: dict[str, str] = {}
        while True:
            page = operator.get("/v1/positions", params={"limit": 2, "order": order, **cursor}).json()
            told += [one["geometry"]["coordinates"] for one in page["features"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert len(told) == 6
        assert len({tuple(place) for place in told}) == 6


@pytest.mark.usefixtures("walk")
def test_every_answer_is_geojson_by_its_published_schema(operator: TestClient, samples: Path) -> None:
    schema: dict[str, Any] = json.loads((samples / "standards/geojson/FeatureCollection.json").read_text())
    for query in ({}, {"latest": True}, {"track": True}, {"device": "nobody"}):
        jsonschema.validate(operator.get("/v1/positions", params=query).json(), schema)


@pytest.mark.usefixtures("walk")
def test_devices_without_a_fix_do_not_count_against_the_limit(
    operator: TestClient, connection: Connection, made: World
) -> None:
    connection.execute(
        "INSERT INTO device (organisation_id, external_id, name, source) SELECT %s, n, n, 'x'"
        " FROM generate_series(1000, 1600) n",
        (made.water,),
    )
    connection.commit()
    assert len(operator.get("/v1/positions").json()["features"]) == 6
    refused = operator.get("/v1/contacts")
    assert refused.status_code == 422
    assert "more than 500 devices" in refused.json()["detail"]


def test_newest_and_track_exclude_each_other(operator: TestClient) -> None:
    answer = operator.get("/v1/positions", params={"latest": True, "track": True})
    assert answer.status_code == 422
    assert "exclude each other" in answer.json()["detail"]


def test_events_and_contacts_come_newest_first_page_by_page(
    operator: TestClient, connection: Connection, made: World
) -> None:
    for n in range(3):
        world.add_event(connection, made.meter, BEGIN, "tamper", {"n": n})
        world.add_contact(connection, made.meter, BEGIN + timedelta(hours=n))
    world.add_event(connection, made.collar, BEGIN + timedelta(days=40), "picture", {"species": "<b>lion</b>"})
    told: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = operator.get("/v1/events", params={"limit": 1, **cursor}).json()
        told += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert told[0]["attributes"] == {"species": "<b>lion</b>"}
    assert sorted(event["attributes"]["n"] for event in told[1:]) == [0, 1, 2]
    assert len(operator.get("/v1/events", params={"kind": "tamper", "device": "m-1"}).json()["items"]) == 3
    contacts = operator.get("/v1/contacts", params={"device_id": made.meter, "limit": 2}).json()
    assert [one["received_at"] for one in contacts["items"]] == ["2026-11-01T12:00:00Z", "2026-11-01T11:00:00Z"]
    rest = operator.get("/v1/contacts", params={"device_id": made.meter, "cursor": contacts["next"]}).json()
    assert [one["received_at"] for one in rest["items"]] == ["2026-11-01T10:00:00Z"]

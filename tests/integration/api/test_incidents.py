"""Incidents and impact as they are read out, what operators do with them, and who sees which part."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.storage.connection import Connection
from veldwatch.storage.incident_gathering import gather_alerts


def gather(connection: Connection, *alerts: UUID) -> None:
    with connection.transaction():
        gather_alerts(connection, alerts, BEGIN)
    connection.commit()


@pytest.fixture
def shared(connection: Connection, made: World) -> tuple[UUID, UUID]:
    """Give two alerts of two organisations a hundred metres apart: one incident."""
    connection.execute("UPDATE device SET longitude = 31.2, latitude = -10.201 WHERE id = %s", (made.collar,))
    pressure = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    at = BEGIN + timedelta(minutes=5)
    fence = world.add_alert(
        connection, device=made.collar, organisation=made.wildlife, opened_at=at, severity="critical"
    )
    connection.execute(
        "UPDATE alert SET impact_water = 500, impact_money = 2, impact_currency = 'USD' WHERE id = %s", (pressure,)
    )
    gather(connection, pressure, fence)
    return pressure, fence


def incidents(client: TestClient, **query: str) -> list[dict[str, object]]:
    answer = client.get("/v1/incidents", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_each_organisation_sees_only_its_own_part(bearing: As, shared: tuple[UUID, UUID]) -> None:
    del shared
    (whole,) = incidents(bearing("operator"))
    assert (whole["alerts"], whole["severity"], whole["organisations"]) == (
        2,
        "critical",
        ["demo-water", "demo-wildlife"],
    )
    (water,) = incidents(bearing("water"))
    assert (water["id"], water["alerts"], water["severity"]) == (whole["id"], 1, "major")
    assert water["organisations"] == ["demo-water"]
    assert water["impact"] == {
        "water": 500,
        "energy": None,
        "money": 2,
        "currency": "USD",
        "people": None,
        "customers": None,
        "missing": [],
        "text": "about 500 L/h, 2 USD/h",
    }
    (wildlife,) = incidents(bearing("wildlife"))
    assert (wildlife["alerts"], wildlife["impact"]["text"]) == (1, None)  # pyright: ignore[reportIndexIssue]  # JSON
    assert [one["organisation"] for one in _alerts(bearing("wildlife"), whole["id"])] == ["demo-wildlife"]
    assert len(_alerts(bearing("operator"), whole["id"])) == 2
    assert incidents(bearing("operator"), organisation="demo-water") == [water]
    assert bearing("water").get("/v1/incidents", params={"organisation": "demo-wildlife"}).status_code == 404


def _alerts(client: TestClient, incident: object) -> list[dict[str, object]]:
    return client.get(f"/v1/incidents/{incident}/alerts").json()["items"]


def test_what_is_done_to_an_incident_is_done_to_the_part_that_one_sees(bearing: As, shared: tuple[UUID, UUID]) -> None:
    water = bearing("water")
    (incident,) = incidents(water)
    path = f"/v1/incidents/{incident['id']}"
    assert water.post(f"{path}/acknowledge", json={"comment": "on our way"}).json()["acknowledged_alerts"] == 1
    assert water.post(f"{path}/acknowledge").status_code == 200
    assert water.post(f"{path}/assign", json={"assigned_to": "Chanda"}).json()["assigned_to"] == "Chanda"
    assert water.post(f"{path}/comments", json={"body": "valve closed"}).json()["author"] == "water desk"
    closed = water.post(f"{path}/resolve", json={"resolution": "fixed", "note": "joint replaced"}).json()
    assert (closed["resolved_by"], closed["state"]) == ("water desk", "open")
    one = water.get(f"/v1/alerts/{shared[0]}").json()
    assert (one["assigned_to"], one["resolution"], one["resolution_note"]) == ("Chanda", "fixed", "joint replaced")
    story = water.get(path).json()
    assert [(entry["kind"], entry["body"]) for entry in story["entries"]] == [
        ("acknowledged", "on our way"),
        ("assigned", "Chanda"),
        ("commented", "valve closed"),
        ("resolved", "fixed: joint replaced"),
    ]
    assert [(step["kind"], step["count"]) for step in story["course"]] == [
        ("firing", 1),
        ("acknowledged", 1),
        ("assigned", 1),
        ("resolved_by_hand", 1),
    ]
    opened = water.post(f"{path}/reopen").json()
    assert (opened["resolved_by"], opened["resolved_by_hand_at"]) == (None, None)
    assert water.post(f"{path}/reopen").status_code == 200
    assert water.get(f"/v1/alerts/{shared[0]}").json()["resolution"] is None
    assert [entry["kind"] for entry in water.get(path).json()["entries"]][-1] == "reopened"
    operator = bearing("operator")
    taken = {one["id"]: one["acknowledged_by"] for one in _alerts(operator, incident["id"])}
    assert taken == {str(shared[0]): "water desk", str(shared[1]): None}
    operator.post(f"{path}/comments", json={"body": "the other one knows"})
    assert "the other one knows" not in water.get(path).text
    assert bearing("wildlife").get(path).json()["entries"] == []
    assert bearing("wildlife").get(path).json()["assigned_to"] is None
    assert bearing("wildlife viewer").post(f"{path}/acknowledge").status_code == 403


def test_an_incident_that_is_not_there_or_not_ones_own_is_not_found(
    bearing: As, connection: Connection, made: World
) -> None:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    gather(connection, alert)
    (incident,) = incidents(bearing("water"))
    for client, number in ((bearing("wildlife"), incident["id"]), (bearing("water"), uuid4())):
        for path in ("", "/alerts"):
            assert client.get(f"/v1/incidents/{number}{path}").status_code == 404
        assert client.post(f"/v1/incidents/{number}/acknowledge").status_code == 404


def test_incidents_and_alerts_are_sorted_by_impact_page_by_page(
    operator: TestClient, connection: Connection, made: World
) -> None:
    alerts: list[UUID] = []
    for number, litres in enumerate([None, 30, 500, 30, None, 7]):
        at = BEGIN + timedelta(days=number)
        alerts.append(
            world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=at, state="resolved")
        )
        connection.execute("UPDATE alert SET impact_water = %s WHERE id = %s", (litres, alerts[-1]))
    gather(connection, *alerts)
    wanted = [alerts[number] for number in (2, 3, 1, 5, 4, 0)]
    assert [one["id"] for one in _paged(operator, "/v1/alerts", "water")] == [str(number) for number in wanted]
    leads = [one["lead_alert_id"] for one in _paged(operator, "/v1/incidents", "water")]
    assert leads == [str(number) for number in wanted]
    assert [one["lead_alert_id"] for one in incidents(operator)] == [str(number) for number in reversed(alerts)]
    assert incidents(operator, state="open") == []
    assert len(incidents(operator, state="resolved", severity="major,critical")) == 6


def _paged(client: TestClient, path: str, sort: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    asked: dict[str, str] = {"sort": sort, "limit": "2"}
    while True:
        page = client.get(path, params=asked).json()
        found += page["items"]
        if page["next"] is None:
            return found
        asked["cursor"] = page["next"]


def test_the_id_of_an_incident_that_late_data_moved_leads_to_its_successor(
    operator: TestClient, connection: Connection, made: World
) -> None:
    later = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    gather(connection, later)
    (old,) = incidents(operator)
    operator.post(f"/v1/incidents/{old['id']}/comments", json={"body": "seen"})
    before = BEGIN - timedelta(minutes=10)
    first = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=before)
    gather(connection, first)
    (new,) = incidents(operator)
    assert new["id"] != old["id"]
    story = operator.get(f"/v1/incidents/{old['id']}").json()
    assert (story["id"], story["alerts"]) == (new["id"], 2)
    assert [entry["body"] for entry in story["entries"]] == ["seen"]
    told = operator.get(f"/v1/alerts/{later}").json()
    assert told["incident_id"] == new["id"]
    assert len(operator.get("/v1/alerts", params={"incident_id": str(new["id"])}).json()["items"]) == 2


def test_tariffs_and_dependants_are_set_and_alerts_estimated_anew(
    bearing: As, connection: Connection, made: World
) -> None:
    water = bearing("water")
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    connection.execute(
        'UPDATE rule_version SET definition = definition || \'{"impact": {"water": {"of": "value", "unit": "m3/h"},'
        ' "people": true}}\''
    )
    connection.commit()
    gather(connection, alert)
    tariffs = {"currency": "USD", "water_tariff": 2.0, "energy_tariff": None}
    told = water.put("/v1/organisations/demo-water/tariffs", json=tariffs)
    assert told.json() == {**tariffs, "organisation": "demo-water"}
    assert water.get(f"/v1/alerts/{alert}").json()["impact"]["money"] == 2.4
    device = water.put(f"/v1/devices/{made.meter}/dependants", json={"people": 5}).json()
    assert device == {
        "people": 5,
        "customers": None,
        "supplies_site": False,
        "total_people": 5,
        "total_customers": None,
    }
    (incident,) = incidents(water)
    assert incident["impact"]["text"] == "about 1,200 L/h, 5 people, 2.4 USD/h"  # pyright: ignore[reportIndexIssue]  # JSON
    sites = {site["slug"]: site["id"] for site in water.get("/v1/sites").json()["items"]}
    assert water.get(f"/v1/sites/{sites['town']}/dependants").json()["total_people"] == 5
    site = {"people": 40, "customers": 8, "water_tariff": 3.0, "energy_tariff": None}
    told = water.put(f"/v1/sites/{sites['upper']}/dependants", json=site).json()
    assert told == {**site, "total_people": 40, "total_customers": 8}
    assert water.get(f"/v1/alerts/{alert}").json()["impact"]["money"] == pytest.approx(3.6)
    assert water.get(f"/v1/devices/{made.meter}/dependants").json() == device
    assert water.get("/v1/organisations/demo-water/tariffs").json()["currency"] == "USD"


def test_settings_of_others_are_not_found_and_a_tariff_wants_a_currency(bearing: As, made: World) -> None:
    rangers = bearing("wildlife")
    for path in ("organisations/demo-water/tariffs", f"devices/{made.meter}/dependants", "sites/999/dependants"):
        assert rangers.get(f"/v1/{path}").status_code == 404
        assert rangers.put(f"/v1/{path}", json={}).status_code == 404
    answer = bearing("water").put("/v1/organisations/demo-water/tariffs", json={"water_tariff": 1})
    assert answer.status_code == 422
    assert "missing currency" in answer.json()["detail"]


def test_incidents_are_merged_by_those_who_see_what_they_merge(
    bearing: As, connection: Connection, made: World, shared: tuple[UUID, UUID]
) -> None:
    later = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN + timedelta(days=3))
    gather(connection, later)
    water, wildlife = bearing("water"), bearing("wildlife")
    numbers = [str(one["id"]) for one in incidents(water)]
    path = f"/v1/incidents/{numbers[0]}"
    assert wildlife.post(f"{path}/merge", json={"incident_id": numbers[1]}).status_code == 404
    assert bearing("viewer").post(f"{path}/merge", json={"incident_id": numbers[1]}).status_code == 403
    merged = water.post(f"{path}/merge", json={"incident_id": numbers[1]}).json()
    assert (merged["id"], merged["alerts"]) == (numbers[1], 2)
    # The other organisation's part is what it was, and does not tell who merged what.
    (theirs,) = incidents(wildlife)
    assert (theirs["id"], theirs["alerts"]) == (numbers[1], 1)
    assert wildlife.get(f"/v1/incidents/{numbers[1]}").json()["entries"] == []
    (entry,) = water.get(path).json()["entries"]
    assert (entry["kind"], entry["author"], entry["other_id"]) == ("merged", "water desk", numbers[0])
    assert len(water.get(f"{path}/alerts").json()["items"]) == 2
    assert water.post(f"{path}/split").json()["id"] == numbers[0]
    assert water.post(f"{path}/split").status_code == 409
    taken = water.post(f"/v1/alerts/{shared[0]}/take-out").json()
    assert (taken["taken_out_by"], taken["incident_id"] != numbers[1]) == ("water desk", True)
    assert wildlife.post(f"/v1/alerts/{shared[0]}/put-back").status_code == 404
    back = water.post(f"/v1/alerts/{shared[0]}/put-back").json()
    assert (back["taken_out_by"], back["incident_id"]) == (None, numbers[1])
    assert water.post(f"/v1/alerts/{later}/take-out").status_code == 409


def test_two_incidents_of_two_organisations_are_merged_only_by_who_sees_both(
    bearing: As, connection: Connection, made: World, shared: tuple[UUID, UUID]
) -> None:
    del shared
    at = BEGIN + timedelta(days=3)
    pair = [
        world.add_alert(connection, device=device, organisation=organisation, opened_at=at)
        for device, organisation in ((made.meter, made.water), (made.collar, made.wildlife))
    ]
    gather(connection, *pair)
    numbers = [str(one["id"]) for one in incidents(bearing("water"))]
    path, body = f"/v1/incidents/{numbers[0]}/merge", {"incident_id": numbers[1]}
    assert bearing("water").post(path, json=body).status_code == 409
    assert bearing("operator").post(path, json=body).json()["alerts"] == 4
    assert [one["alerts"] for one in incidents(bearing("wildlife"))] == [2]

"""What operators do with alerts: assign, resolve by hand, reopen; also two of them at once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb

from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.storage import alert_history
from veldwatch.storage.connection import Connection, connect


@pytest.fixture
def alert(connection: Connection, made: World) -> UUID:
    return world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)


def kinds(client: TestClient, alert: UUID) -> list[tuple[str, str]]:
    """Give what people did with an alert, and who."""
    story = client.get(f"/v1/alerts/{alert}").json()
    return [(one["kind"], one["author"]) for one in story["transitions"] if one["author"] != "engine"]


def test_an_alert_is_assigned_to_a_person_and_to_nobody_again(bearing: As, alert: UUID) -> None:
    desk = bearing("water")
    for _ in range(2):
        told = desk.post(f"/v1/alerts/{alert}/assign", json={"to": " Grace Banda "}).json()
        assert (told["assigned_to"], told["assigned_by"]) == ("Grace Banda", "water desk")
        assert told["assigned_at"] is not None
    assert desk.post(f"/v1/alerts/{alert}/assign").json()["assigned_to"] == "water desk"
    for _ in range(2):
        told = desk.post(f"/v1/alerts/{alert}/unassign").json()
        assert (told["assigned_to"], told["assigned_at"], told["assigned_by"]) == (None, None, None)
    assert kinds(desk, alert) == [("assigned", "water desk")] * 2 + [("unassigned", "water desk")]


def test_who_expected_it_to_be_nobodys_does_not_take_it_from_another(bearing: As, alert: UUID) -> None:
    desk, room = bearing("water"), bearing("operator")
    assert desk.post(f"/v1/alerts/{alert}/assign", json={"if_assigned_to": None}).status_code == 200
    refused = room.post(f"/v1/alerts/{alert}/assign", json={"if_assigned_to": None})
    assert refused.status_code == 409
    assert "'water desk'" in refused.json()["detail"]
    assert room.post(f"/v1/alerts/{alert}/assign", json={"if_assigned_to": "water desk"}).status_code == 200
    assert room.get(f"/v1/alerts/{alert}").json()["assigned_to"] == "control room"


def test_a_verdict_stands_beside_what_the_data_say(bearing: As, alert: UUID) -> None:
    desk = bearing("water")
    verdict = {"resolution": "false_alarm", "note": "The logger was on the bench."}
    for client in (desk, desk, bearing("operator")):
        told = client.post(f"/v1/alerts/{alert}/resolve", json=verdict).json()
        assert (told["state"], told["resolved_at"]) == ("firing", None)
        assert (told["resolution"], told["resolution_note"]) == ("false_alarm", "The logger was on the bench.")
        assert told["resolved_by"] == "water desk"
    other = bearing("operator").post(f"/v1/alerts/{alert}/resolve", json={"resolution": "fixed"})
    assert other.status_code == 409
    assert "reopen" in other.json()["detail"]
    assert kinds(desk, alert) == [("resolved_by_hand", "water desk")]


def test_a_verdict_is_taken_back_and_another_given(operator: TestClient, alert: UUID) -> None:
    operator.post(f"/v1/alerts/{alert}/resolve", json={"resolution": "test"})
    for _ in range(2):
        assert operator.post(f"/v1/alerts/{alert}/reopen").json()["resolution"] is None
    assert operator.post(f"/v1/alerts/{alert}/resolve", json={"resolution": "fixed"}).json()["resolution"] == "fixed"
    assert [kind for kind, _ in kinds(operator, alert)] == ["resolved_by_hand", "reopened", "resolved_by_hand"]


def test_the_inbox_holds_what_is_open_mine_or_nobodys(
    operator: TestClient, connection: Connection, made: World, alert: UUID
) -> None:
    later = BEGIN + timedelta(hours=1)
    other = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=later)
    operator.post(f"/v1/alerts/{alert}/assign", json={"to": "Grace"})
    operator.post(f"/v1/alerts/{other}/resolve", json={"resolution": "duplicate"})

    def found(**query: str | bool) -> list[str]:
        return [one["id"] for one in operator.get("/v1/alerts", params=query).json()["items"]]

    assert found(open=True) == found(assigned_to="Grace") == found(assigned=True) == [str(alert)]
    assert (
        found(open=False)
        == found(assigned=False)
        == found(resolution="duplicate,test")
        == found(handled=True)
        == [str(other)]
    )
    assert found(assigned_to="Moses") == []


def test_what_cannot_be_done_is_refused(bearing: As, connection: Connection, made: World, alert: UUID) -> None:
    operator, viewer = bearing("operator"), bearing("viewer")
    for deed, body in (("assign", {}), ("unassign", None), ("resolve", {"resolution": "fixed"}), ("reopen", None)):
        assert viewer.post(f"/v1/alerts/{alert}/{deed}", json=body).status_code == 403, deed
        foreign = world.add_alert(connection, device=made.collar, organisation=made.wildlife, opened_at=BEGIN)
        assert bearing("water").post(f"/v1/alerts/{foreign}/{deed}", json=body).status_code == 404, deed
    for body in ({}, {"resolution": "whatever"}, {"resolution": "fixed", "note": "x" * 4001}, {"resolution": None}):
        assert operator.post(f"/v1/alerts/{alert}/resolve", json=body).status_code == 422, body
    for body in ({"to": "  "}, {"to": "a\x00b"}, {"to": "x" * 201}, {"whom": "Grace"}):
        assert operator.post(f"/v1/alerts/{alert}/assign", json=body).status_code == 422, body
    connection.execute("UPDATE alert SET state = 'retracted' WHERE id = %s", (alert,))
    connection.commit()
    assert operator.post(f"/v1/alerts/{alert}/resolve", json={"resolution": "fixed"}).status_code == 409


def test_what_was_not_told_yet_is_kept_back(operator: TestClient, connection: Connection, alert: UUID) -> None:
    receiver = {"slug": "crew", "channel": "email", "address": "crew@example.org"}
    assert operator.post("/v1/receivers", json=receiver).status_code == 201
    connection.execute(
        "INSERT INTO outbox (id, transition_id, alert_id, receiver_id, message, state, next_attempt_at)"
        " SELECT gen_random_uuid(), t.id, t.alert_id, r.id, %s, 'pending', now() FROM alert_transition t, receiver r",
        (Jsonb({"kind": "firing"}),),
    )
    connection.commit()
    operator.post(f"/v1/alerts/{alert}/resolve", json={"resolution": "test"})
    (told,) = operator.get(f"/v1/alerts/{alert}").json()["notifications"]
    assert (told["state"], told["reason"]) == ("suppressed", "resolved_by_hand")


def test_what_people_did_goes_over_to_the_alert_that_late_data_puts_in_its_place(
    operator: TestClient, connection: Connection, made: World, alert: UUID
) -> None:
    operator.post(f"/v1/alerts/{alert}/assign", json={"to": "Grace"})
    operator.post(f"/v1/alerts/{alert}/resolve", json={"resolution": "fixed", "note": "Done."})
    moved = world.add_alert(
        connection, device=made.meter, organisation=made.water, opened_at=BEGIN - timedelta(minutes=5)
    )
    connection.execute("UPDATE alert SET state = 'retracted', superseded_by = %s WHERE id = %s", (moved, alert))
    alert_history.inherit_handling(connection, [alert])  # pyright: ignore[reportArgumentType]  # a plain id here
    connection.commit()
    told = operator.get(f"/v1/alerts/{moved}").json()
    assert (told["assigned_to"], told["resolution"], told["resolution_note"]) == ("Grace", "fixed", "Done.")


def test_what_is_done_to_an_alert_that_late_data_moved_is_done_to_the_one_in_its_place(
    operator: TestClient, connection: Connection, made: World, alert: UUID
) -> None:
    """The console shows an alert while late data move its beginning; somebody acts on what they see."""
    moved = world.add_alert(
        connection, device=made.meter, organisation=made.water, opened_at=BEGIN - timedelta(minutes=5)
    )
    connection.execute("UPDATE alert SET state = 'retracted', superseded_by = %s WHERE id = %s", (moved, alert))
    connection.commit()
    deeds = (
        ("acknowledge", None, 200),
        ("comments", {"body": "On my way."}, 201),
        ("assign", {"to": "Grace"}, 200),
        ("unassign", None, 200),
        ("resolve", {"resolution": "fixed"}, 200),
        ("reopen", None, 200),
    )
    for deed, body, status in deeds:
        answer = operator.post(f"/v1/alerts/{alert}/{deed}", json=body)
        assert answer.status_code == status, deed
        if deed != "comments":
            assert answer.json()["id"] == str(moved), deed
    assert [kind for kind, _ in kinds(operator, moved)] == [
        "acknowledged", "commented", "assigned", "unassigned", "resolved_by_hand", "reopened",
    ]  # fmt: skip
    assert kinds(operator, alert) == []


@pytest.mark.several_backends("a row is held by one session and waited for by another")
def test_who_waits_for_an_alert_that_late_data_moves_acts_on_the_one_in_its_place(
    dsn: str, operator: TestClient, connection: Connection, made: World, alert: UUID
) -> None:
    moved = world.add_alert(
        connection, device=made.meter, organisation=made.water, opened_at=BEGIN - timedelta(minutes=5)
    )
    connection.execute("UPDATE alert SET state = 'retracted', superseded_by = %s WHERE id = %s", (moved, alert))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with ThreadPoolExecutor(1) as crew:
        answer = crew.submit(operator.post, f"/v1/alerts/{alert}/assign", json={"to": "Grace"})
        with connect(dsn, autocommit=True) as other:
            while other.execute(waiting).fetchone() == (0,):
                assert not answer.done()
                time.sleep(0.02)
        connection.commit()
        assert answer.result().json()["id"] == str(moved)
    assert operator.get(f"/v1/alerts/{moved}").json()["assigned_to"] == "Grace"


def test_two_people_at_once_leave_one_verdict_and_one_owner(bearing: As, alert: UUID) -> None:
    clients = [bearing("water"), bearing("operator")]

    def together(deed: Callable[[TestClient], int]) -> list[int]:
        with ThreadPoolExecutor(8) as crew:
            return sorted(crew.map(deed, clients * 4))

    def take(client: TestClient) -> int:
        return client.post(f"/v1/alerts/{alert}/assign", json={"if_assigned_to": None}).status_code

    def close(client: TestClient) -> int:
        verdict = {"resolution": "fixed" if client is clients[0] else "test"}
        return client.post(f"/v1/alerts/{alert}/resolve", json=verdict).status_code

    # Each of the two asks four times; whoever is first is answered well each time.
    assert together(take) == [200] * 4 + [409] * 4
    assert together(close) == [200] * 4 + [409] * 4
    assert sorted(kind for kind, _ in kinds(clients[0], alert)) == ["assigned", "resolved_by_hand"]

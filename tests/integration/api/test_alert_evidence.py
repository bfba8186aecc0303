"""Why an alert is, over HTTP."""

from datetime import timedelta

from psycopg.types.json import Jsonb

from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.storage.alert_evidence import limits
from veldwatch.storage.connection import Connection


def test_it_gives_the_observations_those_around_them_and_the_rule_as_it_was(
    bearing: As, connection: Connection, made: World
) -> None:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    reading = {"observed_at": BEGIN.isoformat(), "value": 1.2}
    connection.execute(
        "UPDATE alert SET series_id = %s, evidence = %s, state = 'resolved', resolved_at = %s WHERE id = %s",
        (made.volume, Jsonb({"series_id": made.volume, "readings": [reading]}), BEGIN + timedelta(hours=2), alert),
    )
    world.add_readings(connection, made.volume, [(BEGIN + timedelta(hours=n), float(n)) for n in (-2, -1, 0, 1, 3, 4)])
    told = bearing("viewer").get(f"/v1/alerts/{alert}/evidence").json()
    assert told["observations"]["readings"] == [reading]
    (series,) = told["series"]
    assert [one["value"] for one in series["readings"]] == [-1, 0, 1, 3]
    assert (told["rule"]["version"], told["rule"]["active"]) == (1, True)
    assert told["limits"] == [{"side": "below", "value": 1.5, "severity": "major", "drawn": True}]
    assert "held from 1 Nov 2026 10:00:00 UTC to 1 Nov 2026 12:00:00 UTC" in told["explained"]


def test_a_silence_is_told_by_its_contacts_and_a_track_by_its_fixes(
    bearing: As, connection: Connection, made: World
) -> None:
    alert = world.add_alert(connection, device=made.collar, organisation=made.wildlife, opened_at=BEGIN)
    world.add_contact(connection, made.collar, BEGIN)
    world.add_fixes(connection, made.collar, [(BEGIN, 31, -10)])
    connection.execute("UPDATE alert SET evidence = %s", (Jsonb({"contacts": [], "fixes": []}),))
    connection.commit()
    told = bearing("operator").get(f"/v1/alerts/{alert}/evidence").json()
    assert [one["received_at"] for one in told["contacts"]] == ["2026-11-01T10:00:00Z"]
    assert [one["longitude"] for one in told["fixes"]] == [31]
    assert bearing("water").get(f"/v1/alerts/{alert}/evidence").status_code == 404


def test_limits_are_those_of_the_condition_and_of_each_step() -> None:
    condition = {"kind": "rate_of_change", "outside": [1, 5]}
    steps = [{"severity": "major", "after": "1h"}, {"severity": "critical", "above": 8}]
    found = limits({"severity": "minor", "condition": condition, "escalate": steps})
    assert [(one["side"], one["value"], one["severity"], one["drawn"]) for one in found] == [
        ("below", 1, "minor", False),
        ("above", 5, "minor", False),
        ("above", 8, "critical", False),
    ]

"""What became of a rule's alerts, over HTTP and on the command line."""

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from rules.commands import app
from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.storage.connection import Connection

STRETCH = {"from": BEGIN.isoformat(), "to": (BEGIN + timedelta(days=7)).isoformat()}
PATH = "/v1/rules/water.low-pressure/statistics"


@pytest.fixture
def week(connection: Connection, made: World, bearing: As) -> None:
    """Make a week: three alerts of a meter (one at night), one of a collar, one retracted, one before."""
    desk = bearing("operator")
    hours = {"day": 1, "night": 13, "long": 30}
    alerts = {
        name: world.add_alert(
            connection,
            device=made.meter,
            organisation=made.water,
            opened_at=BEGIN + timedelta(hours=hour),
            state="firing" if name == "long" else "resolved",
        )
        for name, hour in hours.items()
    }
    world.add_alert(connection, device=made.collar, organisation=made.wildlife, opened_at=BEGIN + timedelta(hours=2))
    gone = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN + timedelta(hours=3))
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN - timedelta(hours=1))
    connection.execute("UPDATE alert SET state = 'retracted' WHERE id = %s", (gone,))
    for name, minutes in (("day", 20), ("night", 40)):
        connection.execute(
            "UPDATE alert SET resolved_at = opened_at + make_interval(mins => %s), acknowledged_by = 'desk',"
            " acknowledged_at = recorded_at + make_interval(mins => %s) WHERE id = %s",
            (minutes, minutes // 10, alerts[name]),
        )
    connection.commit()
    desk.post(f"/v1/alerts/{alerts['day']}/resolve", json={"resolution": "false_alarm"})
    desk.post(f"/v1/alerts/{alerts['long']}/resolve", json={"resolution": "fixed"})


@pytest.mark.usefixtures("week")
def test_a_rule_is_told_by_what_became_of_its_alerts(bearing: As) -> None:
    told = bearing("operator").get(PATH, params=STRETCH).json()
    assert (told["alerts"], told["per_week"], told["still_firing"], told["retracted"]) == (4, 4.0, 2, 1)
    assert (told["median_seconds"], told["longest_seconds"]) == (1800.0, 2400.0)
    assert (told["acknowledged"], told["share_acknowledged"]) == (2, 0.5)
    assert told["median_seconds_to_acknowledge"] == 180.0
    assert (told["resolved_by_hand"], told["resolutions"]) == (2, {"false_alarm": 1, "fixed": 1})
    assert (told["false_alarms"], told["share_false"]) == (1, 0.5)
    assert (told["at_night"], told["share_at_night"]) == (1, 0.25)
    assert [(place["device"], place["alerts"]) for place in told["top"]] == [("m-1", 3), ("c-1", 1)]


@pytest.mark.usefixtures("week")
def test_one_organisation_sees_its_own_and_night_is_where_it_says(bearing: As) -> None:
    desk = bearing("water")
    assert desk.get(PATH, params=STRETCH).json()["alerts"] == 3
    # 11:00, 23:00 and 16:00 in UTC are 18:00, 06:00 and 23:00 in Jakarta.
    assert desk.get(PATH, params={**STRETCH, "time_zone": "Asia/Jakarta"}).json()["at_night"] == 1


def test_a_rule_without_alerts_has_no_shares(bearing: As, week: None) -> None:  # noqa: ARG001  # it makes the rule
    early = {"from": "2020-01-01", "to": "2020-02-01"}
    told = bearing("viewer").get(PATH, params=early).json()
    assert (told["alerts"], told["share_at_night"], told["median_seconds"], told["top"]) == (0, None, None, [])


@pytest.mark.usefixtures("week")
def test_what_cannot_be_told_is_refused(bearing: As) -> None:
    desk = bearing("operator")
    assert desk.get("/v1/rules/nothing/statistics").status_code == 404
    for wrong in ({"time_zone": "Mars/Olympus"}, {"from": "2026-02-01", "to": "2026-01-01"}, {"since": "2026-01-01"}):
        assert desk.get(PATH, params=wrong).status_code == 422, wrong


@pytest.mark.usefixtures("week")
def test_the_command_says_it_in_words(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    asked = ["statistics", "water.low-pressure", "--from", STRETCH["from"], "--to", STRETCH["to"]]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    assert "4 alerts at 2 places, 4.0 a week; 2 firing, 0 raised, 0 late, 1 retracted" in told.output
    assert "held 30m (median), 40m at most" in told.output
    assert "50% false alarms" in told.output
    as_json = CliRunner().invoke(app, [*asked, "--json"])
    assert '"at_night": 1' in as_json.output

"""`veldwatch alerts` and `veldwatch incidents`: work on alerts from a terminal, over a real database."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from launch.commands import alerts, incidents
from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage.alerts import get_alert
from veldwatch.storage.connection import Connection
from veldwatch.storage.incident_gathering import gather_alerts

Pair = tuple[UUID, UUID]


@pytest.fixture
def made(dsn: str, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    monkeypatch.setenv("USER", "chanda")
    monkeypatch.setenv("LOGNAME", "chanda")
    return world.build(connection)


@pytest.fixture
def pair(connection: Connection, made: World) -> Pair:
    """Give two alerts of one incident."""
    first = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    at = BEGIN + timedelta(minutes=5)
    other = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=at, severity="critical")
    connection.execute("UPDATE alert SET impact_people = 300 WHERE id = %s", (other,))
    with connection.transaction():
        gather_alerts(connection, [first, other], BEGIN)
    connection.commit()
    return first, other


def on_alerts(*arguments: object) -> Result:
    return CliRunner().invoke(alerts.app, [str(argument) for argument in arguments])


def on_incidents(*arguments: object) -> Result:
    return CliRunner().invoke(incidents.app, [str(argument) for argument in arguments])


def test_open_alerts_are_listed_newest_first_or_by_what_they_concern(pair: Pair) -> None:
    listed = on_alerts("list")
    assert listed.exit_code == 0, listed.output
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == [str(pair[1])[:8], str(pair[0])[:8]]
    one = on_alerts("list", "--limit", 1)
    assert len(one.stdout.splitlines()) == 1
    assert "and more" in one.stderr
    shown = json.loads(on_alerts("list", "--sort", "people", "--json").stdout)
    assert [item["impact"]["people"] for item in shown["items"]] == [300, None]
    assert shown["more"] is False
    assert on_alerts("list", "--severity", "minor").stdout == ""
    assert isinstance(on_alerts("list", "--sort", "beauty").exception, ConfigurationInvalid)


def test_an_alert_is_taken_up_given_to_somebody_commented_resolved_and_reopened(
    connection: Connection, pair: Pair
) -> None:
    alert, other = pair
    taken = on_alerts("acknowledge", str(alert)[:8], other, "--comment", "on our way")
    assert taken.exit_code == 0, taken.output
    assert taken.stdout.count("taken up by chanda (command line)") == 2
    assert on_alerts("list", "--nobodys").stdout == ""
    assert on_alerts("assign", alert, "--to", "Grace Banda").exit_code == 0
    late = on_alerts("assign", alert, "--to", "Moses", "--if-of", "")
    assert late.exit_code == 1
    assert "Grace Banda" in late.stderr
    assert on_alerts("comment", alert, "valve closed").exit_code == 0
    assert on_alerts("resolve", alert, "--as", "fixed", "--note", "joint replaced").exit_code == 0
    assert on_alerts("resolve", alert, "--as", "test").exit_code == 1
    assert on_alerts("resolve", alert, "--as", "magic").exit_code == 2
    assert [line.split("\t")[0] for line in on_alerts("list").stdout.splitlines()] == [str(other)[:8]]
    story = on_alerts("show", alert).stdout
    for part in ("firing (fixed)", "on our way", "valve closed", "assigned to Grace Banda", "resolved_by_hand"):
        assert part in story
    told = json.loads(on_alerts("show", alert, "--json").stdout)
    assert (told["resolution"], told["resolved_by"]) == ("fixed", "chanda (command line)")
    assert on_alerts("reopen", alert).exit_code == 0
    assert on_alerts("unassign", alert).exit_code == 0
    row = get_alert(connection, None, alert)
    assert (row["resolution"], row["assigned_to"]) == (None, None)


def test_what_is_not_there_keeps_nothing_else_back(connection: Connection, pair: Pair) -> None:
    done = on_alerts("acknowledge", "00000000", pair[0])
    assert done.exit_code == 1
    assert "no alert '00000000'" in done.stderr
    assert get_alert(connection, None, pair[0])["acknowledged_by"] == "chanda (command line)"
    assert isinstance(on_alerts("show", "00000000").exception, NotFound)
    for text in ("abc", "zzzz", "0" * 33):
        assert isinstance(on_alerts("show", text).exception, ConfigurationInvalid)


def test_an_incident_is_worked_on_with_all_of_its_alerts(connection: Connection, pair: Pair) -> None:
    (line,) = on_incidents("list", "--sort", "people").stdout.splitlines()
    number = line.split("\t")[0]
    assert "2 of 2 alerts open" in line
    assert "300 people" in line
    assert "2 of 2 alerts" in on_incidents("acknowledge", number, "--comment", "on our way").stdout
    assert on_incidents("assign", number).exit_code == 0
    assert on_incidents("comment", number, "crew of two").exit_code == 0
    assert on_incidents("resolve", number, "--as", "false_alarm").exit_code == 0
    assert {get_alert(connection, None, alert)["resolution"] for alert in pair} == {"false_alarm"}
    connection.commit()
    shown = json.loads(on_incidents("show", number, "--json").stdout)
    assert (shown["assigned_to"], shown["resolved_by"]) == ("chanda (command line)", "chanda (command line)")
    assert on_incidents("reopen", number).exit_code == 0
    assert on_incidents("unassign", number).exit_code == 0
    again = json.loads(on_incidents("show", number, "--json").stdout)
    assert (again["assigned_to"], again["resolved_by"], again["acknowledged_alerts"]) == (None, None, 2)
    kinds = ["acknowledged", "assigned", "commented", "resolved", "reopened", "assigned"]
    assert [entry["kind"] for entry in again["entries"]] == kinds
    story = on_incidents("show", number).stdout
    assert "on our way" in story
    assert "resolved_by_hand x 2" in story
    assert len(on_alerts("list", "--incident", number).stdout.splitlines()) == 2


def test_incidents_are_merged_and_split_and_alerts_taken_out_and_put_back(
    connection: Connection, made: World, pair: Pair
) -> None:
    later = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN + timedelta(days=3))
    with connection.transaction():
        gather_alerts(connection, [later], BEGIN)
    connection.commit()
    other, first = (line.split("\t")[0] for line in on_incidents("list").stdout.splitlines())
    merged = on_incidents("merge", other, first)
    assert f"{first} stands for both, 3 alerts" in merged.stdout, merged.output
    assert f"merged  chanda (command line) {other}" in on_incidents("show", other).stdout
    assert on_incidents("split", first).exit_code == 0
    assert on_incidents("split", first).exit_code == 1
    assert "is in incident" in on_alerts("take-out", pair[0]).stdout
    assert len(on_incidents("list").stdout.splitlines()) == 3
    assert f"is in incident {first}" in on_alerts("put-back", pair[0]).stdout
    assert on_alerts("take-out", later).exit_code == 1

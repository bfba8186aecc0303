"""Planned interruptions over HTTP and from the command line."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from launch.cli import application
from tests.integration.api.conftest import As
from tests.integration.api.world import World
from tests.unit.veldwatch.wire.test_calendar_file import SHEDDING, calendar

CUT = {
    "organisation": "demo-water",
    "title": "Transformer is exchanged",
    "begins_at": "2026-11-24T08:00:00Z",
    "ends_at": "2026-11-24T10:00:00Z",
    "sites": ["upper"],
}
STRETCH = "from=2026-11-23&to=2026-11-30"


def test_an_interruption_is_entered_listed_and_called_off(operator: TestClient) -> None:
    made = operator.post("/v1/interruptions", json=CUT).json()
    assert (made["sites"], made["kind"], made["author"]) == (["upper"], "planned", "control room")
    assert [one["id"] for one in operator.get(f"/v1/interruptions?{STRETCH}").json()["items"]] == [made["id"]]
    assert operator.get("/v1/interruptions?from=2026-11-25").json()["items"] == []
    assert operator.delete(f"/v1/interruptions/{made['id']}").status_code == 204
    assert operator.delete(f"/v1/interruptions/{made['id']}").status_code == 404
    assert operator.get(f"/v1/interruptions?{STRETCH}").json()["items"] == []
    assert operator.get(f"/v1/interruptions/{made['id']}").json()["cancelled_at"] is not None


def test_an_interruption_is_changed_as_a_whole_and_one_of_a_calendar_is_not(operator: TestClient, bearing: As) -> None:
    made = operator.post("/v1/interruptions", json=CUT).json()
    path = f"/v1/interruptions/{made['id']}"
    later = {name: value for name, value in CUT.items() if name != "organisation"}
    later |= {"title": "Another day", "begins_at": "2026-11-25T08:00:00Z", "ends_at": "2026-11-25T09:00:00Z"}
    changed = operator.put(path, json={**later, "sites": [], "devices": ["m-1"]}).json()
    shown = ("title", "begins_at", "sites", "devices", "organisation")
    assert [changed[name] for name in shown] == ["Another day", "2026-11-25T08:00:00Z", [], ["m-1"], "demo-water"]
    assert operator.put(path, json={**later, "sites": []}).status_code == 422
    assert operator.put(path, json={**later, "sites": ["nowhere"]}).status_code == 404
    assert bearing("wildlife").put(path, json=later).status_code == 404
    assert bearing("viewer").put(path, json=later).status_code == 403
    assert operator.delete(path).status_code == 204
    assert operator.put(path, json=later).status_code == 409
    body = {"organisation": "demo-water", "content": calendar(SHEDDING), "sites": ["upper"]}
    operator.put("/v1/calendars/beacon", json=body)
    (one,) = operator.get(f"/v1/interruptions?{STRETCH}").json()["items"]
    refused = operator.put(f"/v1/interruptions/{one['id']}", json=later)
    assert (refused.status_code, "calendar 'beacon'" in refused.json()["detail"]) == (409, True)


def test_an_interruption_of_nothing_or_of_no_time_is_refused(operator: TestClient) -> None:
    refused: tuple[dict[str, Any], ...] = ({"sites": []}, {"ends_at": CUT["begins_at"]})
    for wrong in refused:
        assert operator.post("/v1/interruptions", json={**CUT, **wrong}).status_code == 422
    assert operator.post("/v1/interruptions", json={**CUT, "sites": ["nowhere"]}).status_code == 404


def test_a_calendar_is_imported_and_what_cannot_be_placed_is_named(operator: TestClient) -> None:
    body = {"organisation": "demo-water", "kind": "load_shedding", "content": calendar(SHEDDING)}
    report = operator.put("/v1/calendars/beacon", json=body).json()
    assert report["events"] == 0
    assert "'Beacon line'" in report["skipped"][0]["reason"]
    report = operator.put("/v1/calendars/beacon", json={**body, "sites": ["upper"]}).json()
    assert (report["events"], report["changed"], report["skipped"]) == (1, 5, [])
    items = operator.get(f"/v1/interruptions?{STRETCH}").json()["items"]
    assert [(one["begins_at"], one["calendar"], one["kind"]) for one in items] == [
        ("2026-11-24T08:00:00Z", "beacon", "load_shedding")
    ]
    assert operator.get("/v1/calendars").json()["items"][0]["slug"] == "beacon"
    wrong = operator.put("/v1/calendars/beacon", json={**body, "content": "hello"})
    assert wrong.status_code == 422


def test_a_token_of_one_organisation_plans_and_sees_its_own_alone(bearing: As) -> None:
    water, rangers = bearing("water"), bearing("wildlife")
    number = water.post("/v1/interruptions", json={**CUT, "organisation": None}).json()["id"]
    assert rangers.get("/v1/interruptions").json()["items"] == []
    assert rangers.get(f"/v1/interruptions/{number}").status_code == 404
    assert rangers.delete(f"/v1/interruptions/{number}").status_code == 404
    assert rangers.post("/v1/interruptions", json=CUT).status_code == 404
    assert bearing("viewer").post("/v1/interruptions", json=CUT).status_code == 403


def test_the_command_line_does_the_same(dsn: str, made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del made
    monkeypatch.setenv("VELDWATCH_DSN", dsn)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(application("calendar"), ["calendar", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    file = tmp_path / "Beacon line.ics"
    file.write_text(calendar(SHEDDING), encoding="utf-8")
    said = run("import", str(file), "--organisation", "demo-water", "--site", "upper", "--kind", "load_shedding")
    assert said.startswith("calendar beacon-line: 1 events, 5 interruptions new or changed, 0 called off")
    week = ("--from", "2026-11-23", "--to", "2026-11-30")
    listed = run("list", *week)
    assert "load_shedding\tdemo-water: upper\tStage 2" in listed
    assert "beacon-line\tload_shedding" in run("files")
    exported = run("export", "--organisation", "demo-water", *week)
    assert "X-VELDWATCH-SITES:upper" in exported
    run("cancel", listed.split("\t")[0])
    assert run("list", *week) == ""
    added = run(
        "add",
        "Works",
        "--organisation",
        "demo-water",
        "--site",
        "upper",
        "--from",
        "2026-11-24",
        "--to",
        "2026-11-25",
    )
    number = added.split()[1]
    assert run("change", number, "--to", "2026-11-24T14:00", "--title", "Longer works").endswith("14:00 UTC\n")
    assert "2026-11-24 14:00 UTC\tplanned\tdemo-water: upper\tLonger works" in run("list", *week)
    assert added.startswith("interruption ")

"""`veldwatch register` on a real database."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from launch.commands.register import app
from veldwatch.storage import register
from veldwatch.storage.connection import Connection

LIST = (
    "external_id,profile,site,tags,subject,deployed_since\n"
    "m-1,water-meter-domestic,hill,pilot,mulenga-4,2026-01-01\n"
    "m-2,water-meter-domestic,hill,,,\n"
)


@pytest.fixture(autouse=True)
def database(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    monkeypatch.setenv("VELDWATCH_DEFAULT_ORGANISATION", "kasama")


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def _said(*arguments: str | Path) -> str:
    result = _run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    _said("organisation", "kasama", "--kind", "utility")
    _said("site", "hill", "--kind", "zone")
    _said("profiles", "load", "--only", "water-meter-domestic")
    path = tmp_path / "devices.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


def test_a_list_is_tried_imported_and_exported(listed: Path, tmp_path: Path) -> None:
    assert "line 2: created\nline 3: created\nnothing was written: 2 created" in _said("import", listed, "--dry-run")
    assert _said("import", listed) == "2 created, 0 changed, 0 unchanged\n"
    assert json.loads(_said("import", listed, "--json"))["unchanged"] == 2
    exported = tmp_path / "exported.csv"
    assert "2 devices" in _said("export", exported)
    assert _said("import", exported) == "0 created, 0 changed, 2 unchanged\n"
    assert _said("export").splitlines()[0].startswith("organisation,external_id,name")


def test_a_list_with_a_wrong_line_is_not_imported(listed: Path) -> None:
    listed.write_text(LIST + "m-3,absent,,,,\n", encoding="utf-8")
    result = _run("import", listed)
    assert result.exit_code == 1
    assert "line 4: no profile 'absent'" in result.output
    assert "nothing was written: 1 lines are wrong" in result.output
    assert len(_said("export").splitlines()) == 1


def test_a_device_is_renamed_retired_and_put_back(listed: Path) -> None:
    _said("import", listed)
    assert "Inlet" in _said("set", "m-1", "--name", "Inlet", "--rename", "m-9", "--site", "", "--tag", "a")
    assert _said("retire", "m-9", "m-2") == "2 devices retired\n"
    assert "active" in _said("set", "m-9", "--status", "active")
    assert "no device 'm-1'" in str(_run("set", "m-1", "--name", "x").exception)


def test_devices_that_registered_themselves_are_confirmed_or_refused(connection: Connection) -> None:
    organisation = register.ensure_organisation(connection, "kasama")
    register.register_unknown(connection, organisation, ["a", "b", "c"], "veldwatch")
    connection.commit()
    assert len(_said("pending").splitlines()) == 3
    assert _said("refuse", "a") == "1 devices refused\n"
    assert _said("confirm", "--all", "--source", "veldwatch") == "2 devices confirmed\n"
    assert _said("pending") == ""
    assert _said("confirm", "a") == "1 devices confirmed\n"
    assert "which devices?" in str(_run("confirm").exception)


def test_profiles_are_loaded_given_to_devices_and_removed(listed: Path, tmp_path: Path) -> None:
    _said("import", listed)
    own = tmp_path / "own.yaml"
    own.write_text("{slug: own, name: Own, kind: meter, metrics: [{metric: x, unit: m3}]}", encoding="utf-8")
    assert _said("profiles", "load", own) == "1 profiles: own\n"
    assert _said("profiles", "assign", "own", "--tag", "pilot") == "1 devices are own\n"
    assert "starts again at 100000" in _said("profiles", "list", "water-meter-domestic")
    assert "1 devices" in _said("profiles", "list", "own")
    assert "that of some devices" in str(_run("profiles", "remove", "own").exception)
    _said("profiles", "assign", "water-meter-domestic", "m-1")
    assert _said("profiles", "remove", "own") == "removed own\n"
    assert "Loxodonta africana" in _said("species", "list")
    _said("species", "set", "Nasua narica", "--maximum-speed", "8", "--source", "ours")
    assert "8 m/s  ours" in _said("species", "list")


def test_meters_are_exchanged_and_collars_moved(listed: Path) -> None:
    _said("import", listed)
    said = _said("deployments", "exchange", "m-1", "m-2", "mulenga-4", "--at", "2026-03-01T12:00:00Z")
    assert "m-2 on mulenga-4, in place of m-1" in said
    lines = _said("deployments", "list", "--subject", "mulenga-4").splitlines()
    assert [line.split()[1] for line in lines] == ["m-2", "m-1"]
    assert lines[1].endswith("to 2026-03-01T12:00:00+00:00")
    _said("deployments", "subject", "tembo", "--kind", "animal", "--species", "Loxodonta africana")
    _said("deployments", "move", "m-2", "tembo", "--at", "2026-04-01")
    assert "tembo" in _said("deployments", "subjects")
    result = _run("deployments", "create", "m-2", "mulenga-4", "--since", "2026-05-01")
    assert "is on subject 'tembo'" in str(result.exception)
    _said("deployments", "end", "m-2", "--at", "2026-05-01")
    number = _said("deployments", "list", "--device", "m-2").split()[0]
    assert _said("deployments", "remove", number) == f"removed deployment {number}\n"


def test_tariffs_and_dependants_are_said(listed: Path) -> None:
    _said("import", listed)
    assert _said("tariffs", "kasama", "--currency", "ZMW", "--water", "12.5") == (
        "organisation kasama: 12.5 ZMW/m3, - ZMW/kWh\n"
    )
    assert _said("dependants", "--device", "m-1", "--people", "5") == "m-1: people 5\n"
    assert _said("dependants", "--device", "m-2", "--supplies-site", "--people", "3") == "m-2: people 3\n"
    assert _said("dependants", "--site", "hill", "--customers", "7", "--water", "10") == "hill: people 5, customers 7\n"
    for wrong in (["--people", "1"], ["--device", "m-1", "--water", "1"], ["--site", "hill", "--supplies-site"]):
        assert _run("dependants", *wrong).exit_code != 0
    assert _run("tariffs", "kasama", "--currency", "zmw").exit_code != 0
    assert _run("dependants", "--site", "valley", "--people", "1").exit_code != 0

"""Provisioning by API, with the real client library, against a server that speaks Grafana's protocol."""

import base64
from collections.abc import Generator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboards.catalogue import CATALOGUE, FOLDERS, Audience
from dashboards.commands import app
from dashboards.grafana import Grafana
from dashboards.publishing import publish_dashboards
from launch.ports import choose_port
from tests.integration.dashboards.fake_grafana import FakeGrafana, running
from veldwatch.errors import ConfigurationInvalid, ProvisioningFailed


@pytest.fixture
def grafana() -> Generator[FakeGrafana]:
    with running() as fake:
        yield fake


def _provision(fake: FakeGrafana, *more: str) -> str:
    result = CliRunner().invoke(
        app,
        ["provision", "--url", fake.address, "--token", "secret-token", "--wait-seconds", "5", *more],
        env={"VELDWATCH_DSN": "postgresql://veldwatch@db:5432/veldwatch?sslmode=require"},
        catch_exceptions=False,
    )
    assert result.exit_code == 0
    return result.output


def test_data_source_folders_and_dashboards_arrive(grafana: FakeGrafana) -> None:
    output = _provision(grafana, "--database-password", "pw")
    assert set(grafana.main.folders) == {folder.uid for folder in FOLDERS}
    assert len(grafana.main.dashboards) == len(CATALOGUE)
    assert {sent["folderUid"] for sent in grafana.main.dashboards.values()} == {folder.uid for folder in FOLDERS}
    assert all(sent["overwrite"] is True for sent in grafana.main.dashboards.values())
    source = grafana.main.sources["tsdb"]
    assert (source["url"], source["user"]) == ("db:5432", "grafana_ro")
    assert source["jsonData"]["database"] == "veldwatch"
    assert source["jsonData"]["sslmode"] == "require"
    assert source["secureJsonData"] == {"password": "pw"}
    assert "data source tsdb: created" in output
    assert grafana.authorisations == {"Bearer secret-token"}


def test_doing_it_again_updates_and_makes_nothing_twice(grafana: FakeGrafana) -> None:
    _provision(grafana, "--database-password", "pw")
    grafana.requests.clear()
    output = _provision(grafana, "--database-password", "pw", "--database-address", "seen:1")
    assert "data source tsdb: updated" in output
    assert grafana.main.sources["tsdb"]["url"] == "seen:1"
    assert not [path for method, path, _ in grafana.requests if (method, path) == ("POST", "/api/folders")]


def test_without_a_password_the_data_source_is_left_alone(grafana: FakeGrafana) -> None:
    _provision(grafana)
    assert grafana.main.sources == {}
    assert len(grafana.main.dashboards) == len(CATALOGUE)


def test_a_user_and_password_log_in_by_basic_authentication(grafana: FakeGrafana) -> None:
    list(publish_dashboards(Grafana(grafana.address, user="admin:pa:ss"), Audience.OPERATOR))
    assert grafana.authorisations == {"Basic " + base64.b64encode(b"admin:pa:ss").decode()}


def test_it_waits_until_grafana_and_its_database_answer(grafana: FakeGrafana) -> None:
    grafana.unready = 2
    Grafana(grafana.address, token="t").wait(10)
    assert [path for _, path, _ in grafana.requests] == ["/api/health"] * 3


def test_a_grafana_that_is_never_ready_is_named(grafana: FakeGrafana) -> None:
    grafana.unready = 1000
    with pytest.raises(ProvisioningFailed, match="not ready"):
        Grafana(grafana.address, token="t").wait(0.5)


@pytest.mark.parametrize("path", ["/grafana", "/grafana/"])
def test_a_grafana_below_a_path_of_a_proxy_is_asked_there(grafana: FakeGrafana, path: str) -> None:
    with pytest.raises(ProvisioningFailed):
        Grafana(grafana.address + path, token="t").wait(0)
    assert [path for _, path, _ in grafana.requests] == ["/grafana/api/health"]


def test_nobody_there_is_an_error_of_ours() -> None:
    address = f"http://127.0.0.1:{choose_port(0)}"
    with pytest.raises(ProvisioningFailed, match="does not answer"):
        Grafana(address, token="t").wait(0)


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/api/folders/iot-fleet", 401, "Invalid API key"),
        ("/api/folders/iot-fleet", 403, "no rights"),
        ("/api/dashboards/db", 400, "Cannot save provisioned dashboard"),
        ("/api/dashboards/db", 500, "database is locked"),
    ],
)
def test_what_grafana_refuses_is_said_with_its_reason(
    grafana: FakeGrafana, path: str, status: int, message: str
) -> None:
    grafana.refuse[path] = (status, message)
    with pytest.raises(ProvisioningFailed, match=message if status != 401 else "Unauthorized"):
        list(publish_dashboards(Grafana(grafana.address, token="t"), Audience.OPERATOR))


@pytest.mark.parametrize(("token", "user"), [("", ""), ("t", "u:p")])
def test_exactly_one_way_to_log_in_is_asked_for(token: str, user: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="--token"):
        Grafana("http://127.0.0.1:1", token=token, user=user)


def test_secrets_come_from_files_and_from_one_place_only(grafana: FakeGrafana, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pa:ss\n")

    def run(*more: str) -> None:
        CliRunner().invoke(
            app,
            ["provision", "--url", grafana.address, "--password-file", str(tmp_path / "password"), *more],
            catch_exceptions=False,
        )

    run("--user", "admin")
    assert grafana.authorisations == {"Basic " + base64.b64encode(b"admin:pa:ss").decode()}
    for more in (("--user", "admin:other"), ("--token", "t", "--token-file", str(tmp_path / "password"))):
        with pytest.raises(ConfigurationInvalid, match="one of them"):
            run(*more)

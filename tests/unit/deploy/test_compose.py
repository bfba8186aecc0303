"""What the Compose files run is there: commands, settings, files, accounts. No engine is needed to know."""

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.main import get_command

from launch.cli import application
from tests.unit.deploy.compose import (
    COMPOSE,
    DEPLOYMENTS,
    MOSQUITTO,
    PROXY,
    REPOSITORY,
    document,
    environment,
    environment_example,
    references,
    services,
)
from veldwatch.config import Settings, load_settings

OURS = {name for name, service in services().items() if service["image"].startswith("veldwatch:")}
ONCE = {"migrate", "demo"}
PROGRAMS = sorted(OURS - {"broker"})
SCHEMA = json.loads((Path(__file__).parent / "compose_spec" / "compose-spec.json").read_bytes())

deployments = pytest.mark.parametrize("paths", DEPLOYMENTS.values(), ids=DEPLOYMENTS)


def _calls(command: list[str]) -> list[list[str]]:
    """Take a command apart into the calls of `veldwatch` in it."""
    if command[:2] != ["sh", "-c"]:
        return [command]
    words = shlex.split(command[2].replace("&&", "\n;\n").replace("||", "\n;\n").replace("(", " ").replace(")", " "))
    calls: list[list[str]] = [[]]
    for word in words:
        if word == ";":
            calls.append([])
        else:
            calls[-1].append(word)
    return [call for call in calls if call and call[0] == "veldwatch"]


@deployments
def test_the_files_are_what_the_specification_says(paths: Sequence[Path]) -> None:
    jsonschema.validate(document(paths), SCHEMA)


@deployments
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_command_is_one_that_veldwatch_has(name: str, paths: Sequence[Path]) -> None:
    calls = _calls(services(paths)[name]["command"])
    assert calls
    for call in calls:
        command: Any = get_command(application(call[1]))
        words = call[1:]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not getattr(command, "commands", {}), call
        takes = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, call
        values = sum(word.startswith("--") and "=" not in word for word in words)
        assert len([word for word in words if not word.startswith("--")]) - values <= len(takes), call


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_setting_is_one_that_veldwatch_has_and_is_valid(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in [variable for variable in os.environ if variable.startswith("VELDWATCH_")]:
        monkeypatch.delenv(variable)
    given = environment(services((COMPOSE, PROXY))[name])
    for variable, value in given.items():
        if variable.startswith("VELDWATCH_"):
            secret = value.startswith("/run/secrets/")
            monkeypatch.setenv(variable, str(tmp_path / Path(value).name) if secret else value)
            if secret:
                (tmp_path / Path(value).name).write_text("p123", encoding="ascii")
                assert Path(value).name in services()[name]["secrets"]
    assert given["VELDWATCH_CONFIG"] == "/etc/veldwatch/veldwatch.toml"
    monkeypatch.setenv("VELDWATCH_CONFIG", str(REPOSITORY / "deploy" / "veldwatch.toml"))
    known = {f"VELDWATCH_{field.upper()}" for field in Settings.model_fields} | {"VELDWATCH_CONFIG"}
    assert {variable.removesuffix("_FILE") for variable in given} <= known | {
        "VELDWATCH_MQTT_CA",
        "VELDWATCH_MQTT_CERTIFICATE",
    }
    assert load_settings().dsn == ("postgresql://veldwatch:p123@db:5432/veldwatch" if name != "mailbox" else "")


def test_every_variable_is_in_the_example_and_the_other_way_round() -> None:
    used = set(references(COMPOSE)) | set(references(MOSQUITTO)) | set(references(PROXY))
    assert used | {"COMPOSE_FILE", "COMPOSE_PROFILES"} == set(environment_example())


def test_defaults_in_the_files_are_those_of_the_example() -> None:
    for path in (COMPOSE, MOSQUITTO, PROXY):
        for name, ways in references(path).items():
            assert {operator for operator, _ in ways} == {"-"}, name
            assert {default for _, default in ways} == {environment_example()[name]}, name


@deployments
@pytest.mark.parametrize("listener", ["plain", "tls", "certificates"])
def test_every_mounted_file_is_there(paths: Sequence[Path], listener: str) -> None:
    values = {**environment_example(), "MQTT_LISTENER": listener}
    for name, service in services(paths, values).items():
        for volume in service.get("volumes", []):
            source: str = volume.split(":")[0] if isinstance(volume, str) else volume["source"]
            assert not source.startswith("./") or (REPOSITORY / source).exists(), (name, volume)
            assert source.startswith("./") or source in document(paths)["volumes"], (name, volume)


@pytest.mark.parametrize("tls", ["acme", "files", "internal"])
def test_the_proxy_has_a_file_for_each_way_to_a_certificate(tls: str) -> None:
    volumes = services((COMPOSE, PROXY), {**environment_example(), "PROXY_TLS": tls})["proxy"]["volumes"]
    assert f"./deploy/proxy/tls-{tls}.caddy:/etc/caddy/tls.caddy:ro" in volumes
    assert (REPOSITORY / f"deploy/proxy/tls-{tls}.caddy").exists()


@deployments
def test_a_service_is_pinned_restarts_and_says_whether_it_is_well(paths: Sequence[Path]) -> None:
    for name, service in services(paths).items():
        once = name in ONCE | {"proxy-volume"}
        assert ":" in service["image"], name
        assert not service["image"].endswith(":latest"), name
        assert service["restart"] == ("on-failure" if once else "unless-stopped"), name
        assert service["healthcheck"] == {"disable": True} if once else service["healthcheck"]["test"], name


@deployments
@pytest.mark.parametrize("profiles", [set[str](), {"demo"}])
def test_one_service_builds_each_image_that_is_ours_and_no_registry_is_asked_for_it(
    paths: Sequence[Path], profiles: set[str]
) -> None:
    chosen = {
        name: service for name, service in services(paths).items() if set(service.get("profiles", [])) <= profiles
    }
    ours = [service for service in chosen.values() if service["image"].startswith("veldwatch:")]
    assert {service["image"] for service in ours} == {"veldwatch:" + environment_example()["VELDWATCH_VERSION"]}
    assert [name for name, service in chosen.items() if service.get("build")] == ["migrate"]
    assert {service["pull_policy"] for service in ours} == {"never"}
    others = [service for service in chosen.values() if service not in ours]
    assert {service.get("pull_policy", "missing") for service in others} == {"missing"}


@deployments
def test_nothing_is_open_to_the_network_unless_somebody_says_so(paths: Sequence[Path]) -> None:
    opened = {name: service["ports"] for name, service in services(paths).items() if service.get("ports")}
    assert set(opened) == ({"broker", "proxy"} if PROXY in paths else {"broker", "api", "grafana"})
    assert all(port.startswith("127.0.0.1:") for ports in opened.values() for port in ports)


@deployments
def test_what_depends_waits_for_health_or_for_the_end(paths: Sequence[Path]) -> None:
    for name, service in services(paths).items():
        for other, how in service.get("depends_on", {}).items():
            once = other in ONCE | {"proxy-volume"}
            assert how == {"condition": "service_completed_successfully" if once else "service_healthy"}, (name, other)
            assert other in services(paths), (name, other)


def test_a_restore_finds_the_database_as_empty_as_it_was_made() -> None:
    """`docker compose run` first starts what a service depends on: nothing of it may make tables."""
    assert list(services()["backups"]["depends_on"]) == ["db"]
    assert "depends_on" not in services()["db"]


def test_only_the_demo_needs_its_profile() -> None:
    profiles = {name: service["profiles"] for name, service in services().items() if "profiles" in service}
    assert profiles == {"demo": ["demo"], "simulators": ["demo"], "mailbox": ["demo"]}


@deployments
def test_accounts_of_the_broker_are_those_that_the_programs_use(paths: Sequence[Path]) -> None:
    used = {
        given["VELDWATCH_MQTT_USERNAME"]
        for service in services(paths).values()
        if "VELDWATCH_MQTT_USERNAME" in (given := environment(service))
    }
    users = (REPOSITORY / "deploy" / "nats" / "users.conf").read_text(encoding="utf-8")
    acl = (REPOSITORY / "deploy" / "mosquitto" / "acl").read_text(encoding="utf-8")
    for account in used | {"devices"}:
        assert f"user: {account}, password: $MQTT_{account.upper()}_PASSWORD" in users
        assert f"user {account}\n" in acl
        assert f"mqtt_{account}_password" in services(paths)["accounts"]["secrets"]


def test_grafana_is_given_what_its_provisioning_asks_for() -> None:
    grafana = services()["grafana"]
    for path in (REPOSITORY / "dashboards" / "provisioning").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        asked = {word for word in _words(yaml.safe_load(text)) if word.startswith("$")}
        files = {word for word in asked if word.startswith("$__file{")}
        assert {word.removeprefix("$") for word in asked - files} <= set(environment(grafana))
        assert {word.removeprefix("$__file{/run/secrets/").removesuffix("}") for word in files} <= set(
            grafana["secrets"]
        )
        assert "${" not in text.split("apiVersion")[1]


def test_grafana_s_first_page_is_a_dashboard_that_is_there() -> None:
    path = environment(services()["grafana"])["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert "./dashboards/json:/var/lib/grafana/dashboards:ro" in services()["grafana"]["volumes"]
    assert (REPOSITORY / "dashboards" / "json" / path.removeprefix("/var/lib/grafana/dashboards/")).exists()


def _words(value: object) -> list[str]:
    if isinstance(value, dict):
        return [word for item in value.values() for word in _words(item)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # YAML
    if isinstance(value, list):
        return [word for item in value for word in _words(item)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # YAML
    return [value] if isinstance(value, str) else []

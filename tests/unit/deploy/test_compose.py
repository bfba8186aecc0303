"""What docker-compose.yml runs is there: commands, settings, files, accounts. No Docker is needed to know."""

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from launch.cli import application
from tests.unit.deploy.compose import COMPOSE, MOSQUITTO, REPOSITORY, environment_example, references, services
from veldwatch.config import Settings, load_settings

OURS = {name for name, service in services().items() if service["image"].startswith("veldwatch:")}
ONCE = {"backup", "migrate", "demo"}
PROGRAMS = sorted(OURS - {"broker"})


def _environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


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


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_command_is_one_that_veldwatch_has(name: str) -> None:
    calls = _calls(services()[name]["command"])
    assert calls
    for call in calls:
        command: Any = get_command(application(""))
        words = call[1:]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not getattr(command, "commands", {}), call
        takes = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, call
        assert len([word for word in words if not word.startswith("--")]) <= len(takes), call


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_setting_is_one_that_veldwatch_has_and_is_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [variable for variable in os.environ if variable.startswith("VELDWATCH_")]:
        monkeypatch.delenv(variable)
    given = _environment(services()[name])
    for variable, value in given.items():
        if variable.startswith("VELDWATCH_"):
            monkeypatch.setenv(variable, value)
    assert given["VELDWATCH_CONFIG"] == "/etc/veldwatch/veldwatch.toml"
    monkeypatch.setenv("VELDWATCH_CONFIG", str(REPOSITORY / "deploy" / "veldwatch.toml"))
    known = {f"VELDWATCH_{field.upper()}" for field in Settings.model_fields} | {"VELDWATCH_CONFIG"}
    assert {variable for variable in given if variable.startswith("VELDWATCH_")} <= known
    assert load_settings().dsn.endswith("@db:5432/veldwatch")


def test_every_variable_is_in_the_example_and_the_other_way_round() -> None:
    used = set(references(COMPOSE)) | set(references(MOSQUITTO))
    assert used == set(environment_example()) | {"MOSQUITTO_IMAGE"}


def test_secrets_are_required_and_stand_in_no_file() -> None:
    for name, ways in references(COMPOSE).items():
        if name == "SMTP_PASSWORD":
            continue  # a mail server without a login is common
        if name.endswith(("PASSWORD", "SECRET_KEY")):
            assert {operator for operator, _ in ways} == {"?"}, name
            assert environment_example()[name] == "", name


def test_defaults_in_the_file_are_those_of_the_example() -> None:
    for name, ways in references(COMPOSE).items():
        for operator, default in ways:
            if operator == "-":
                assert default == environment_example()[name], name


@pytest.mark.parametrize("path", [COMPOSE, MOSQUITTO], ids=["nats", "mosquitto"])
@pytest.mark.parametrize("listener", ["plain", "tls"])
def test_every_mounted_file_is_there(path: Path, listener: str) -> None:
    values = {**environment_example(), "MQTT_LISTENER": listener}
    for name, service in services(path, values).items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (REPOSITORY / source).exists(), (name, volume)


@pytest.mark.parametrize("name", sorted(services()))
def test_a_service_is_pinned_restarts_and_says_whether_it_is_well(name: str) -> None:
    service = services()[name]
    assert ":" in service["image"]
    assert not service["image"].endswith(":latest")
    assert service["restart"] == ("on-failure" if name in ONCE else "unless-stopped")
    assert service["healthcheck"] == {"disable": True} if name in ONCE else service["healthcheck"]["test"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.get("read_only", False) is (name != "db")


def test_nothing_is_open_to_the_network_unless_somebody_says_so() -> None:
    open_ports = [port for service in services().values() for port in service.get("ports", [])]
    assert len(open_ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in open_ports)


def test_what_depends_waits_for_health_or_for_the_end() -> None:
    for name, service in services().items():
        for other, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert how == {"condition": expected}, (name, other)


def test_only_the_demo_needs_its_profile() -> None:
    assert {name for name, service in services().items() if "profiles" in service} == {
        "backup",
        "demo",
        "simulators",
        "mailbox",
    }


def test_accounts_of_the_broker_are_those_that_the_programs_use() -> None:
    used = {
        environment["VELDWATCH_MQTT_USERNAME"]
        for service in services().values()
        if "VELDWATCH_MQTT_USERNAME" in (environment := _environment(service))
    }
    users = (REPOSITORY / "deploy" / "nats" / "users.conf").read_text(encoding="utf-8")
    acl = (REPOSITORY / "deploy" / "mosquitto" / "acl").read_text(encoding="utf-8")
    for account in used | {"devices"}:
        assert f"user: {account}, password: $MQTT_{account.upper()}_PASSWORD" in users
        assert f"user {account}\n" in acl
        assert f"MQTT_{account.upper()}_PASSWORD" in _environment(services()["broker"])


def test_grafana_is_given_what_its_provisioning_asks_for() -> None:
    given = _environment(services()["grafana"])
    folder = REPOSITORY / "dashboards" / "provisioning"
    for path in folder.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        document = yaml.safe_load(text)
        asked = {word for word in _words(document) if word.startswith("$")}
        assert {word.removeprefix("$") for word in asked} <= set(given)
        assert "${" not in text.split("apiVersion")[1]


def _words(value: object) -> list[str]:
    if isinstance(value, dict):
        return [word for item in value.values() for word in _words(item)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # YAML
    if isinstance(value, list):
        return [word for item in value for word in _words(item)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # YAML
    return [value] if isinstance(value, str) else []


def test_the_image_holds_every_package_and_checks_every_hash() -> None:
    docker = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    assert docker.count("--require-hashes") == 2
    assert "USER veldwatch" in docker
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8")
    for package in ("api", "dashboards", "ingest", "launch", "rules", "simulators", "veldwatch", "requirements"):
        assert f"!{package}\n" in ignored

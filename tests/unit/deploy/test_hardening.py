"""What a container of ours may do, use and see."""

import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from launch.own_authority import CERTIFIED
from launch.secret_files import SECRETS
from tests.unit.deploy.compose import (
    COMPOSE,
    DEPLOYMENTS,
    MOSQUITTO,
    PROXY,
    REPOSITORY,
    document,
    environment,
    services,
)

deployments = pytest.mark.parametrize("paths", DEPLOYMENTS.values(), ids=DEPLOYMENTS)

MACHINE_MEGABYTES = 4096
FOR_THE_SYSTEM_MEGABYTES = 350
"""Kernel, engine, and what people start by hand."""


def _megabytes(text: str) -> int:
    return int(text[:-1]) * {"m": 1, "g": 1024}[text[-1]]


@deployments
def test_nothing_runs_as_root_or_gains_rights_or_writes_into_its_image(paths: Sequence[Path]) -> None:
    for name, service in services(paths).items():
        ours = service["image"].startswith("veldwatch:")
        assert ours or re.fullmatch(r"[1-9]\d*:\d+", service["user"]), name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else []), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["read_only"] is True, name
        assert not service.get("privileged"), name
        assert "/var/run/docker.sock" not in str(service), name


@deployments
def test_memory_processes_and_logs_are_bounded(paths: Sequence[Path]) -> None:
    for name, service in services(paths).items():
        assert _megabytes(service["mem_limit"]), name
        assert 16 <= service["pids_limit"] <= 256, name
        assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}, name


@deployments
def test_all_limits_together_fit_a_machine_of_4_gb(paths: Sequence[Path]) -> None:
    running = [
        each for each in services(paths).values() if each["restart"] == "unless-stopped" and "profiles" not in each
    ]
    total = sum(_megabytes(service["mem_limit"]) for service in running)
    assert total <= MACHINE_MEGABYTES - FOR_THE_SYSTEM_MEGABYTES


def test_mosquitto_s_memory_holds_the_longest_queue() -> None:
    """Measured on 2.0.11: up to 3 bytes of memory for one that is saved (messages of 20 bytes), and 8 MB beside."""
    broker = services((COMPOSE, MOSQUITTO))["broker"]
    longest = int(broker["command"][-1])
    assert 4 * longest <= _megabytes(broker["mem_limit"]) * 1024 * 1024


@deployments
def test_the_database_is_seen_by_those_who_ask_it_and_has_no_way_out(paths: Sequence[Path]) -> None:
    networks = document(paths)["networks"]
    assert {name for name, network in networks.items() if network.get("internal")} == {"data", "messages"}
    all_services = services(paths)
    assert list(all_services["db"]["networks"]) == ["data"]
    asking = {name for name, service in all_services.items() if "db_password" in service.get("secrets", [])}
    assert {name for name, service in all_services.items() if "data" in service.get("networks", [])} == asking | {
        "grafana"
    }
    for name, service in all_services.items():
        if service.get("ports"):
            assert any(not networks[network].get("internal") for network in service["networks"]), name


@deployments
def test_every_secret_is_a_file_that_make_secrets_makes(paths: Sequence[Path]) -> None:
    declared = document(paths)["secrets"]
    for name, secret in declared.items():
        assert secret == {"file": f"./deploy/secrets/{name}"}
    used = {name for service in services(paths).values() for name in service.get("secrets", [])}
    assert used == set(declared)
    assert used <= {*SECRETS, *CERTIFIED}


def test_every_secret_that_is_made_is_used() -> None:
    used = {name for service in services((COMPOSE, PROXY)).values() for name in service.get("secrets", [])}
    assert used == {*SECRETS, *CERTIFIED}


@deployments
def test_no_secret_stands_in_an_environment_or_a_command(paths: Sequence[Path]) -> None:
    for name, service in services(paths).items():
        for variable, value in environment(service).items():
            if re.search(r"PASSWORD|SECRET|CLIENT_ID|TOKEN", variable):
                pattern = r"\$\$__file\{/run/secrets/(\w+)\}" if variable.startswith("GF_") else r"/run/secrets/(\w+)"
                found = re.fullmatch(pattern, value)
                assert found, (name, variable)
                assert found[1] in service["secrets"], (name, variable)
                # Grafana's image would put what the file holds into its environment
                assert variable.endswith("_FILE") != variable.startswith("GF_"), (name, variable)
        for found in re.findall(r"/run/secrets/([\w.]+)", str(service.get("command", ""))):
            assert found in service["secrets"], (name, found)


def test_grafana_s_new_password_is_read_from_a_secret_of_its_own() -> None:
    script = (REPOSITORY / "deploy" / "grafana" / "set-admin-password.sh").read_text(encoding="utf-8")
    (read,) = re.findall(r"< /run/secrets/(\w+)$", script, re.MULTILINE)
    assert read in services()["grafana"]["secrets"]


def test_the_broker_knows_no_password() -> None:
    for paths in DEPLOYMENTS.values():
        assert services(paths)["broker"]["secrets"] == ["broker.key"]
        assert not [word for word in environment(services(paths)["broker"]) if "PASSWORD" in word]


def test_secrets_and_settings_of_a_machine_are_never_committed_nor_in_the_image() -> None:
    ignored = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/.env", "/deploy/secrets/"} <= set(ignored)
    assert (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"
    assert "!deploy" not in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8")


def test_behind_the_proxy_the_api_believes_the_proxy_alone() -> None:
    found = document((COMPOSE, PROXY))
    address = found["services"]["proxy"]["networks"]["front"]["ipv4_address"]
    assert environment(found["services"]["api"])["VELDWATCH_API_TRUSTED_PROXIES"] == address
    assert "VELDWATCH_API_TRUSTED_PROXIES" not in environment(services()["api"])
    (addresses,) = found["networks"]["front"]["ipam"]["config"]
    # a network that is there keeps its addresses: they are the same before the proxy comes
    assert found["networks"] == document()["networks"]
    assert ip_address(address) in ip_network(addresses["subnet"])
    # else another container may have it by the time the proxy starts
    assert ip_network(addresses["ip_range"]).subnet_of(ip_network(addresses["subnet"]))  # pyright: ignore[reportArgumentType]  # both of IPv4
    assert ip_address(address) not in ip_network(addresses["ip_range"])

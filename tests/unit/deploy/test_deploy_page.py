"""What the page on deploying says to type, held against the Compose files."""

import re
import shlex

import pytest

from launch.secret_files import SECRETS
from tests.unit.deploy.compose import COMPOSE, MOSQUITTO, PROXY, REPOSITORY, services

PAGE = (REPOSITORY / "docs" / "how-to" / "deploy-with-compose.md").read_text(encoding="utf-8")
BLOCKS = [block for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if "docker" in block]
ONCE = {"migrate", "demo"}
ASKING = {
    name
    for name, service in services().items()
    if {"db_password", "grafana_db_password"} & set(service.get("secrets", [])) and name not in ONCE | {"db"}
}


def _compose(block: str, command: str) -> list[list[str]]:
    """Find the words after each `docker compose COMMAND`, up to the end of the call."""
    lines = [line.split(" #")[0] for line in block.splitlines()]
    calls = [call for line in lines for call in re.split(r"&&|\|\|", line)]
    return [shlex.split(call)[3:] for call in calls if call.split()[:3] == ["docker", "compose", command]]


@pytest.mark.parametrize("command", ["stop", "restart"])
def test_services_that_are_named_exist(command: str) -> None:
    named = {word for block in BLOCKS for call in _compose(block, command) for word in call}
    assert named <= set(services((COMPOSE, MOSQUITTO, PROXY)))


def test_whoever_asks_the_database_is_stopped_before_it_is_replaced_or_its_extension_is() -> None:
    """Simulators too: they keep a connection, and `dropdb` would be refused."""
    replacing = [block for block in BLOCKS if re.search(r"veldwatch restore|ALTER EXTENSION|dropdb", block)]
    assert len(replacing) == 3
    for block in replacing:
        assert [set(call) for call in _compose(block, "stop")] == [ASKING]


def test_an_upgrade_starts_everything_anew() -> None:
    """Compose compares images and settings, not what is in a mounted file: docker/compose#11900."""
    (block,) = [block for block in BLOCKS if "git pull" in block]
    assert [set(call) for call in _compose(block, "up")] == [{"-d", "--wait", "--force-recreate"}]


def test_the_database_that_is_restored_into_is_of_the_extension_that_the_image_has() -> None:
    """The image has put TimescaleDB into `template1`, where no upgrade reaches it."""
    (line,) = [line for line in PAGE.splitlines() if "createdb" in line and line.startswith("docker")]
    assert "createdb -T template0 " in line
    assert "dropdb --force " in line


def test_whoever_knows_the_database_s_password_is_restarted_after_a_new_one() -> None:
    (restart,) = [step for step in SECRETS["db_password"].rotation if "restart" in step]
    knowing = {name for name, service in services().items() if "db_password" in service.get("secrets", [])}
    assert set(shlex.split(restart)[3:]) == knowing - ONCE - {"db"}

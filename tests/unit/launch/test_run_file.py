import json
import os
import stat
from pathlib import Path

import pytest

from launch.programs import passed_on, program
from launch.run_file import Run, remove_run_file, write_run_file
from launch.running import adopt_running_stack
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid

RUN = Run(
    api="http://127.0.0.1:8000",
    mqtt_host="127.0.0.1",
    mqtt_port=1883,
    mqtt_username="veldwatch",
    mqtt_password="secret",
    dsn="postgresql://veldwatch:secret@127.0.0.1:5432/veldwatch",
    token="vw_token",
    pids={"launcher": 1, "ingest": 2},
)


def test_the_run_file_says_how_to_reach_everything_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    write_run_file(tmp_path, RUN)
    file = tmp_path / "run.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {
        "api": RUN.api,
        "mqtt": {"host": "127.0.0.1", "port": 1883, "username": "veldwatch", "password": "secret"},
        "dsn": RUN.dsn,
        "token": "vw_token",
        "pids": {"launcher": 1, "ingest": 2},
    }


def test_the_run_file_is_removed_once_and_again(tmp_path: Path) -> None:
    write_run_file(tmp_path, RUN)
    remove_run_file(tmp_path)
    remove_run_file(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_command_finds_the_stack_that_runs_here(tmp_path: Path) -> None:
    write_run_file(tmp_path, RUN)
    environment = {"VELDWATCH_HOME": str(tmp_path), "VELDWATCH_MQTT_PORT": "7"}
    adopt_running_stack(environment)
    assert environment["VELDWATCH_DSN"] == RUN.dsn
    assert environment["VELDWATCH_MQTT_PASSWORD"] == "secret"
    assert environment["VELDWATCH_MQTT_PORT"] == "7"


def test_a_database_that_is_named_is_used_whatever_runs_here(tmp_path: Path) -> None:
    write_run_file(tmp_path, RUN)
    environment = {"VELDWATCH_HOME": str(tmp_path), "VELDWATCH_DSN": "postgresql://elsewhere"}
    adopt_running_stack(environment)
    assert environment == {"VELDWATCH_HOME": str(tmp_path), "VELDWATCH_DSN": "postgresql://elsewhere"}


@pytest.mark.parametrize("named", ["file", "configuration", "home"])
def test_a_database_that_a_file_names_is_used_whatever_runs_here(tmp_path: Path, named: str) -> None:
    write_run_file(tmp_path, RUN)
    environment = {"VELDWATCH_HOME": str(tmp_path)}
    settings = tmp_path / ("veldwatch.toml" if named == "home" else "other.toml")
    settings.write_text('dsn = "postgresql://elsewhere"\n', encoding="utf-8")
    environment |= {
        "file": {"VELDWATCH_DSN_FILE": "/run/dsn"},
        "configuration": {"VELDWATCH_CONFIG": str(settings)},
    }.get(named, {})
    before = dict(environment)
    adopt_running_stack(environment)
    assert environment == before


def test_secrets_that_files_hold_do_not_meet_those_of_the_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run_file(tmp_path, RUN)
    (tmp_path / "veldwatch.toml").write_text("batch_size = 7\n", encoding="utf-8")
    password = tmp_path / "password"
    password.write_text("of-the-file", encoding="utf-8")
    environment = {
        "VELDWATCH_HOME": str(tmp_path),
        "VELDWATCH_DSN": "",
        "VELDWATCH_DSN_PASSWORD_FILE": str(password),
        "VELDWATCH_MQTT_PASSWORD_FILE": str(password),
    }
    adopt_running_stack(environment)
    for name in (name for name in os.environ if name.startswith("VELDWATCH_")):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert (settings.dsn, settings.dsn_password, settings.mqtt_password) == (RUN.dsn, "", "of-the-file")


def test_a_program_is_given_no_file_beside_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mqtt_password", "smtp_password"):
        (tmp_path / name).write_text("m", encoding="utf-8")
        monkeypatch.setenv(f"VELDWATCH_{name.upper()}_FILE", name)
    given = passed_on(load_settings(home=tmp_path), tmp_path) | {"VELDWATCH_MQTT_PASSWORD": "m"}
    environment = program("ingest", given).environment
    assert environment["VELDWATCH_MQTT_PASSWORD_FILE"] == ""
    assert environment["VELDWATCH_SMTP_PASSWORD_FILE"] == str(tmp_path / "smtp_password")


def test_a_run_file_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ConfigurationInvalid, match=r"run\.json.*remove it"):
        adopt_running_stack({"VELDWATCH_HOME": str(tmp_path)})

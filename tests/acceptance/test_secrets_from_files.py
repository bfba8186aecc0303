"""A stack whose secrets come from files starts, and a command beside it reaches the same database."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.acceptance.processes import StackProcess


def _hold(folder: Path, name: str, value: str) -> dict[str, str]:
    file = folder / name
    file.write_text(f"{value}\n", encoding="utf-8")
    return {f"VELDWATCH_{name.upper()}_FILE": os.path.relpath(file)}


def test_a_stack_starts_with_every_secret_from_a_file(dsn: str, tmp_path: Path) -> None:
    parts = conninfo_to_dict(dsn)
    password = str(parts.pop("password"))
    environment = {
        "VELDWATCH_DSN_PASSWORD": "",
        **_hold(tmp_path, "dsn", make_conninfo("", **parts)),
        **_hold(tmp_path, "dsn_password", password),
        **_hold(tmp_path, "mqtt_password", "of-the-file"),
        **_hold(tmp_path, "mqtt_client_id", "ingest-of-the-file"),
        **_hold(tmp_path, "smtp_password", "of-the-file"),
    }
    with StackProcess("up", tmp_path / "home", environment) as stack:
        assert stack.run["mqtt"]["password"] == "of-the-file"
        assert stack.answers()
        logs = stack.home / "logs"
        assert {path.stat().st_mode & 0o077 for path in (logs, *logs.iterdir())} == {0}
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT count(*) > 0 FROM ingestor").fetchone() == (True,)
        beside = subprocess.run(
            [sys.executable, "-m", "launch", "migrate"],
            env={**os.environ, **environment, "VELDWATCH_HOME": str(stack.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert beside.returncode == 0, beside.stdout + beside.stderr

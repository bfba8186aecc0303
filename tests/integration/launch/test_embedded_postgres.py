import os
import signal
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from launch.embedded_postgres import EmbeddedPostgres
from veldwatch.errors import ServiceFailed, StorageError
from veldwatch.storage.connection import connect


@pytest.fixture
def postgres(tmp_path: Path) -> Generator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "home")
    server.start()
    yield server
    server.stop()


def test_what_was_written_is_there_after_a_clean_stop_and_after_a_kill(postgres: EmbeddedPostgres) -> None:
    assert postgres.create_database("one")
    assert not postgres.create_database("one")
    with connect(postgres.dsn("one")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")

    postgres.stop()
    postgres.start()
    os.kill(postgres.pid, signal.SIGKILL)
    postgres.stop()
    postgres.start()

    with connect(postgres.dsn("one")) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (42,)


def test_commits_reach_the_disk_and_only_loopback_with_the_password_gets_in(postgres: EmbeddedPostgres) -> None:
    with connect(postgres.dsn("postgres")) as connection:
        settings = dict(
            connection.execute(
                "SELECT name, setting FROM pg_settings"
                " WHERE name IN ('fsync', 'synchronous_commit', 'listen_addresses', 'password_encryption')"
            ).fetchall()
        )
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "127.0.0.1",
        "password_encryption": "scram-sha-256",
    }
    with pytest.raises(StorageError, match="password authentication failed"):
        connect(f"postgresql://veldwatch:wrong@127.0.0.1:{postgres.port}/postgres")


def test_the_server_does_not_run_as_root(postgres: EmbeddedPostgres) -> None:
    assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0


def test_a_successor_waits_until_the_folder_is_free(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    successor = EmbeddedPostgres(tmp_path / "home")
    # The lock is the server's own: freed when it has ended, however that came about.
    timer = threading.Timer(0.5, os.kill, (postgres.pid, signal.SIGINT))
    timer.start()
    postgres.release()
    began = time.monotonic()
    successor.start()
    successor.stop()
    assert time.monotonic() - began >= 0.4
    timer.join()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "home", options={"shared_buffers": "nonsense"})
    with pytest.raises(ServiceFailed, match=r"invalid value for parameter .shared_buffers"):
        server.start()

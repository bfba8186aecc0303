"""A database and a broker of a measurement's own, or the broker alone, in a folder that is gone afterwards."""

import os
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from launch.embedded_broker import EmbeddedBroker, Kind
from launch.embedded_postgres import EmbeddedPostgres
from veldwatch.config import Settings, load_settings
from veldwatch.storage.connection import connect
from veldwatch.storage.migrate import migrate


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What runs: how to reach it, what the database is, and the processes."""

    settings: Settings
    database: str
    pids: dict[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOnly:
    """A broker: how to reach it, and its process."""

    settings: Settings
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A migrated database: how to reach it, and what it is."""

    dsn: str
    name: str


@contextmanager
def database_only() -> Generator[Database]:
    """Start a database; call it from the main thread."""
    with tempfile.TemporaryDirectory(prefix="veldwatch-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        postgres = EmbeddedPostgres(home)
        try:
            postgres.start()
            yield _migrated(postgres)
        finally:
            postgres.stop()


@contextmanager
def several_databases() -> Generator[Callable[[], Database]]:
    """Start a server; what is given makes one migrated database after the other on it. Call it from the main thread."""
    with tempfile.TemporaryDirectory(prefix="veldwatch-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        postgres = EmbeddedPostgres(home)
        names = (f"bench_{number}" for number in count(1))
        try:
            postgres.start()
            yield lambda: _migrated(postgres, next(names))
        finally:
            postgres.stop()


@contextmanager
def broker_only(kind: Kind) -> Generator[BrokerOnly]:
    """Start a broker; call it from the main thread."""
    with tempfile.TemporaryDirectory(prefix="veldwatch-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        mqtt = EmbeddedBroker(home, kind=kind)
        try:
            mqtt.start()
            settings = load_settings(mqtt_port=mqtt.port, mqtt_username=mqtt.username, mqtt_password=mqtt.password)
            yield BrokerOnly(settings=settings, pid=mqtt.pid)
        finally:
            mqtt.stop()


@contextmanager
def services(broker: Kind) -> Generator[Services]:
    """Start both; call it from the main thread, whose end would stop them."""
    with tempfile.TemporaryDirectory(prefix="veldwatch-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        postgres, mqtt = EmbeddedPostgres(home), EmbeddedBroker(home, kind=broker)
        try:
            postgres.start()
            mqtt.start()
            database = _migrated(postgres)
            settings = load_settings(
                dsn=database.dsn,
                mqtt_port=mqtt.port,
                mqtt_username=mqtt.username,
                mqtt_password=mqtt.password,
                register_unknown_devices=True,
            )
            yield Services(
                settings=settings, database=database.name, pids={"database": postgres.pid, "broker": mqtt.pid}
            )
        finally:
            mqtt.stop()
            postgres.stop()


@contextmanager
def program(name: str, settings: Settings) -> Generator["subprocess.Popen[bytes]"]:
    """Run one of the programs as a process of its own, on services of the measurement."""
    command = [str(Path(sysconfig.get_path("scripts")) / "veldwatch"), name, "run"]
    environment = os.environ | {
        "VELDWATCH_DSN": settings.dsn,
        "VELDWATCH_LOG_LEVEL": "warning",
        "VELDWATCH_MQTT_HOST": settings.mqtt_host,
        "VELDWATCH_MQTT_PORT": str(settings.mqtt_port),
        "VELDWATCH_MQTT_USERNAME": settings.mqtt_username,
        "VELDWATCH_MQTT_PASSWORD": settings.mqtt_password,
    }
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()


def _migrated(postgres: EmbeddedPostgres, name: str = "bench") -> Database:
    postgres.create_database(name)
    with connect(postgres.dsn(name)) as connection:
        return Database(dsn=postgres.dsn(name), name=str(migrate(connection).server))

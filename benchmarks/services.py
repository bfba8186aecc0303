"""A database and a broker of a measurement's own, or the broker alone, in a folder that is gone afterwards."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
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
            postgres.create_database("bench")
            with connect(postgres.dsn("bench")) as connection:
                database = str(migrate(connection).server)
            settings = load_settings(
                dsn=postgres.dsn("bench"),
                mqtt_port=mqtt.port,
                mqtt_username=mqtt.username,
                mqtt_password=mqtt.password,
                register_unknown_devices=True,
            )
            yield Services(settings=settings, database=database, pids={"database": postgres.pid, "broker": mqtt.pid})
        finally:
            mqtt.stop()
            postgres.stop()

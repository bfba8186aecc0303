"""A seeded database, as the dashboards' tests see it, on plain PostgreSQL and on TimescaleDB's community edition."""

import os
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests import databases
from tests.integration.dashboards import world
from tests.integration.veldwatch.storage.conftest import named_template, wasm_dsn
from veldwatch.storage.connection import Connection, connect

__all__ = ["named_template", "wasm_dsn"]

KINDS = ["plain", "timescaledb-community"]
if os.environ.get("VELDWATCH_TEST_TIMESCALE_DSN"):
    KINDS.append("timescaledb-named")


@pytest.fixture(scope="session", params=KINDS)
def seeded_dsn(request: pytest.FixtureRequest) -> Generator[str]:
    """Give the DSN of a database that holds `world`; tests read it and leave it as it is."""
    with _database(request) as dsn:
        with connect(dsn, prepare=False) as connection:
            world.make(connection)
        yield dsn


@contextmanager
def _database(request: pytest.FixtureRequest) -> Generator[str]:
    if request.param == "timescaledb-community":
        address: str = request.getfixturevalue("wasm_dsn")
        with connect(address, prepare=False) as connection:
            databases.empty_tables(connection)
        yield address
        return
    with databases.clone(
        request.getfixturevalue("template" if request.param == "plain" else "named_template")
    ) as address:
        yield address


@pytest.fixture
def seeded(seeded_dsn: str) -> Generator[Connection]:
    """Give an administrator's connection to the seeded database; what a test changes is rolled back."""
    with connect(seeded_dsn, prepare=False) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def reader(seeded: Connection) -> Connection:
    """Give the connection of the role that Grafana has, with a time limit as tight as a dashboard should be."""
    seeded.execute("SET ROLE grafana_ro")
    seeded.execute("SET statement_timeout = '2s'")
    return seeded

"""A seeded database, as the dashboards' tests see it, on plain PostgreSQL and on TimescaleDB's community edition."""

from collections.abc import Generator

import pytest

from tests.conftest import KINDS, database_of
from tests.integration.dashboards import world
from veldwatch.storage.connection import Connection, connect


@pytest.fixture(scope="session", params=KINDS)
def seeded_dsn(request: pytest.FixtureRequest) -> Generator[str]:
    """Give the DSN of a database that holds `world`; tests read it and leave it as it is."""
    with database_of(request.param, request) as dsn:
        with connect(dsn, prepare=False) as connection:
            world.make(connection)
        yield dsn


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
    # as whoever logs in as the role has it
    seeded.execute("SET search_path = dashboard")
    seeded.execute("SET statement_timeout = '2s'")
    return seeded

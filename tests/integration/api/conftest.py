"""The application as it is served over a test's own database, and clients that bear the world's tokens."""

from collections.abc import Callable, Generator

import pytest
from fastapi.testclient import TestClient

from launch.web import create_web_app
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.config import Settings, load_settings
from veldwatch.storage.connection import Connection

As = Callable[[str], TestClient]


@pytest.fixture
def settings(dsn: str) -> Settings:
    return load_settings(dsn=dsn)


@pytest.fixture
def made(connection: Connection) -> World:
    return world.build(connection)


@pytest.fixture
def anonymous(settings: Settings) -> Generator[TestClient]:
    """Give a client without a token."""
    with TestClient(create_web_app(settings)) as client:
        yield client


@pytest.fixture
def bearing(anonymous: TestClient, made: World) -> As:
    """Give clients by the names of their tokens, all of one application."""

    def client(name: str) -> TestClient:
        return TestClient(anonymous.app, headers={"Authorization": f"Bearer {made.tokens[name]}"})

    return client


@pytest.fixture
def operator(bearing: As) -> TestClient:
    """Give a client that may see and do everything."""
    return bearing("operator")

"""A deliverer's time and connection, and receivers that keep what they get."""

from collections.abc import Generator

import httpx
import pytest

from rules.notify.webhook import new_client
from tests.integration.rules.notify.delivering import Clock
from tests.integration.rules.notify.http_receiver import HttpReceiver, http_receiver
from veldwatch.storage.connection import Connection, connect


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def delivering(dsn: str) -> Generator[Connection]:
    with connect(dsn, autocommit=True) as opened:
        yield opened


@pytest.fixture
def client() -> Generator[httpx.Client]:
    with new_client() as opened:
        yield opened


@pytest.fixture
def hook() -> Generator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver

"""A database with an organisation, intake's writer and the engine's rounds."""

from collections.abc import Generator

import pytest

from tests.integration.rules.feed import Engineer, Feed


@pytest.fixture
def feed(dsn: str) -> Generator[Feed]:
    made = Feed(dsn)
    yield made
    made.close()


@pytest.fixture
def engineer(dsn: str) -> Generator[Engineer]:
    made = Engineer(dsn)
    yield made
    made.close()

"""A database with an organisation, intake's writer and the engine's rounds."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.integration.rules.feed import Engineer, Feed
from tests.integration.rules.notify.smtp_receiver import SmtpReceiver, smtp_receiver
from tests.integration.rules.scoring import Commands
from tests.integration.rules.town import Town
from veldwatch.storage.connection import Connection


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


@pytest.fixture
def cli(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Give the command line on the test's own database."""
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    return Commands(tmp_path)


@pytest.fixture
def mail() -> Generator[SmtpReceiver]:
    with smtp_receiver() as receiver:
        yield receiver


@pytest.fixture
def town(feed: Feed, engineer: Engineer, mail: SmtpReceiver, connection: Connection) -> Town:
    del connection
    return Town(feed, engineer, mail)

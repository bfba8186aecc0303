"""`veldwatch consumption` tells what the API tells."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner, Result

from launch.cli import application
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.errors import RequestInvalid
from veldwatch.storage.connection import Connection

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def made(connection: Connection) -> World:
    found = world.build(connection)
    connection.execute("UPDATE series SET kind = 'counter', register_modulus = 100 WHERE id = %s", (found.volume,))
    rows = [(START + n * timedelta(minutes=15), (97.5 + n * 0.25) % 100) for n in range(13)]
    world.add_readings(connection, found.volume, rows)
    return found


def run(dsn: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    return CliRunner().invoke(application("consumption"), ["consumption", *words])


@pytest.mark.usefixtures("made")
def test_a_line_for_each_bucket(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(dsn, monkeypatch, "--device", "m-1", "--interval", "hour", "--time-zone", "Africa/Lusaka")
    lines = [line.split() for line in result.output.splitlines()]
    assert lines == [
        ["2026-03-01", "02:00+02:00", "m-1", "volume", "1", "m3"],
        ["2026-03-01", "03:00+02:00", "m-1", "volume", "1", "m3"],
        ["2026-03-01", "04:00+02:00", "m-1", "volume", "1", "m3", "rollover"],
    ]


@pytest.mark.usefixtures("made")
def test_csv_of_a_time_range(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--metric", "volume", "--from", "2026-03-01T01:00:00Z", "--to", "2026-03-01T03:00:00Z", "--csv")
    (row,) = csv.DictReader(io.StringIO(run(dsn, monkeypatch, *words).output))
    assert (row["bucket"], row["until"], row["amount"], row["codes"]) == (
        "2026-03-01T01:00:00Z",
        "2026-03-01T03:00:00Z",
        "2.0",
        "rollover",
    )


@pytest.mark.parametrize(
    "words", [("--interval", "year"), ("--time-zone", "Mars"), ("--subject", "plot"), ("--from", "x")]
)
def test_what_makes_no_sense_is_named(dsn: str, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    assert isinstance(run(dsn, monkeypatch, *words).exception, RequestInvalid)
